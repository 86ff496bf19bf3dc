"""Where the database is: a SQLite file or a PostgreSQL server."""

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

# libpq takes these from a URL, where they would be shown and logged.
HIDDEN = ("password", "sslpassword", "passfile")
# The server watches, too: else it keeps what the sessions of a lost machine
# hold, for as long as its kernel likes, and that is hours. With them a
# session is over 7 s after its other end was heard last.
WATCHED = (
    ("tcp_keepalives_idle", 3),
    ("tcp_keepalives_interval", 2),
    ("tcp_keepalives_count", 2),
    ("tcp_user_timeout", 7_000),
)
# Who writes waits for its turn, and then must see what those before it wrote,
# whatever the database, the role or the URL has as its default.
IN_TURNS = r"default_transaction_isolation=read\ committed"


class Location(msgspec.Struct, frozen=True):
    """A database that we can open.

    Attributes:
        url: for SQLAlchemy, with the driver that we use.
        file: the SQLite file, or None on PostgreSQL.
    """

    url: URL
    file: Path | None

    @property
    def conninfo(self) -> str:
        """Return the address for psycopg."""
        plain = self.url.set(drivername="postgresql", query={})
        address = plain.render_as_string(hide_password=False)
        # Libpq takes a plus for a plus, and no space.
        asked = urlencode(self.url.query, doseq=True, quote_via=quote)
        return f"{address}?{asked}" if asked else address

    @property
    def options(self) -> str:
        """Return what the URL asks the server for, or empty."""
        given = self.url.query.get("options", "")
        return given if isinstance(given, str) else " ".join(given)

    def __str__(self) -> str:
        """Return the address without its password."""
        return self.url.render_as_string(hide_password=True)


def locate(url: str, home: Path) -> Location:
    """Return where a database URL points; relative files start at home.

    Raises:
        ValueError: the URL is not one that we can use; says the remedy.
    """
    example = (
        "write sqlite:///var/smokejumper.db, "
        "or postgresql://user:password@host:5432/name"
    )
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Their texts quote the URL, which may hold a password.
        raise ValueError(f"is not a database URL; {example}") from None
    kind = parsed.get_backend_name()
    if kind == "postgresql":
        _refuse_hidden(parsed)
        return Location(parsed.set(drivername="postgresql+psycopg"), None)
    if kind != "sqlite":
        raise ValueError(f"{kind!r} is not a database we know; {example}")
    if not parsed.database or parsed.database == ":memory:":
        raise ValueError(f"a database in memory loses everything; {example}")
    file = (home / parsed.database).resolve()
    return Location(URL.create("sqlite", database=str(file)), file)


def _refuse_hidden(url: URL) -> None:
    """Raise when a URL has a secret where it would be shown."""
    for name in url.query:
        if name.lower() in HIDDEN:
            raise ValueError(
                f"has {name!r} behind the question mark, where it would be"
                " shown; write postgresql://user:password@host:5432/name,"
                " or set PGPASSWORD, PGPASSFILE or sslkey without a password"
            )


def watch_network(
    wait_seconds: float, given: str = "", *needed: str
) -> dict[str, Any]:
    """Return psycopg's options: it notices a network which went silent.

    Args:
        wait_seconds: so long we wait for a server that says nothing.
        given: what the URL asks the server for; it goes before what is
            merely wise, and after that comes what is needed.
        needed: further settings of the session, each as ``name=value``.
    """
    wise = [f"{name}={value}" for name, value in WATCHED]
    ours = [" ".join(f"-c {one}" for one in some) for some in (wise, needed)]
    return {
        # Whatever is usual for the role, or in our environment.
        "client_encoding": "utf8",
        "connect_timeout": max(2, int(wait_seconds)),
        "keepalives": 1,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": int(wait_seconds * 1000),
        "options": " ".join(filter(None, (ours[0], given, ours[1]))),
    }
