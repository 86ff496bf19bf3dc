"""version."""

from app.cli.output import Json, out, print_json
from app.core.version import VERSION


def version(as_json: Json = False) -> None:
    """Say which release this is."""
    if as_json:
        print_json({"name": "smokejumper", "version": VERSION})
    else:
        out.print(f"smokejumper {VERSION}")
