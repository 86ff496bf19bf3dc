"""check-config."""

from app.bootstrap import build
from app.cli.output import Json, out, print_json, print_table, stop
from app.cli.setup import WRONG_SETTINGS, ConfigFile, explain, read_config
from app.core.errors import ConfigError


def check_config(config: ConfigFile = None, as_json: Json = False) -> None:
    """Say what is wrong with the settings, or what they amount to."""
    try:
        product = build(read_config(config))
    except ConfigError as error:
        if as_json:
            print_json({"ok": False, "problems": error.problems})
            raise SystemExit(WRONG_SETTINGS) from error
        stop(explain(error), WRONG_SETTINGS)
    rows = [
        {"source": e.name, "type": e.kind, "path": e.paths[0]}
        for e in product.entrances.values()
    ]
    settings = product.settings
    address = f"{settings.server.host}:{settings.server.port}"
    if as_json:
        result = {"ok": True, "address": address, "sources": rows}
        print_json({**result, "database": str(product.location)})
        return
    out.print(f"The settings are right. Listens on {address},")
    out.print(f"keeps everything in {product.location}.")
    print_table(rows, ("source", "type", "path"))
