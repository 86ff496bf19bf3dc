"""What a part needs that is not on this machine."""

import shutil
from pathlib import Path

POSTGRES = Path("/usr/lib/postgresql")


class Missing(Exception):
    """A program is not here; its figures are left out, and it is said."""


def need(*programs: str) -> None:
    """Raise Missing unless all of these can be run."""
    gone = [one for one in programs if shutil.which(one) is None]
    if gone:
        raise Missing(" and ".join(gone))


def has_postgres() -> bool:
    """Tell whether a PostgreSQL server can be started here."""
    is_on_path = shutil.which("initdb") is not None
    return is_on_path or any(POSTGRES.glob("*/bin/initdb"))
