"""The archive: all tables of a PostgreSQL as of one moment, in one file.

What is proved is the archive itself: the log is walked in the very
transaction that is archived, and the finished file is read back, table by
table, its copy of the log along the chain.
"""

import re
import tarfile
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import msgspec
import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, create_engine, text
from sqlmodel import SQLModel

from app.core.errors import StorageFailed
from app.models import (
    account_tables,
    decision_tables,
    message_tables,
    mission_tables,
    tables,
)
from app.models.chain import Chain
from app.models.entry import BEGINNING, COLUMNS, End, Entry
from app.store.indexing import index_all
from app.store.location import Location
from app.store.log import HEAD, Finding, verify
from app.store.migrate import head, look, migrate

# A table is known, and so kept, once its module is loaded.
MODELS = (
    tables,
    decision_tables,
    mission_tables,
    message_tables,
    account_tables,
)
FORMAT = "smokejumper-backup-1"
ABOUT = "about.json"
PIECE = 1_048_576
# The cut first: entries of the log are only taken where it ends.
FIRST = ("cut",)
NOT_KEPT = ("probe",)
# Entries before the cut are on their way out; the database takes no such.
UNCUT = " WHERE id > (SELECT coalesce(max(id), 0) FROM cut)"
# How COPY writes what would be taken for the end of a column or a row.
ESCAPED = re.compile(r"\\(.)")
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class About(msgspec.Struct, frozen=True):
    """What an archive says of itself."""

    format: str
    schema: str
    tables: list[str]


def write_archive(location: Location, part: Path) -> Finding:
    """Write all tables as of one moment; return what proves the file.

    Raises:
        StorageFailed: the log is broken, the file is not what was meant, or
            the database has tables that this release does not know.
    """
    look(location)
    engine = _open(location)
    try:
        with engine.connect() as connection:
            finding = verify(connection)
            if finding.breach is not None:
                return finding
            counts = _write(connection, part)
    finally:
        engine.dispose()
    return prove_archive(part, counts)


def prove_archive(file: Path, counts: dict[str, int]) -> Finding:
    """Read an archive back; return what a walk through its log finds.

    Args:
        file: the archive.
        counts: how many rows each of its tables must have.
    """
    with tarfile.open(file, "r:gz") as archive:
        read_about(archive, file)
        for name, count in counts.items():
            found = sum(1 for _ in _lines(archive, name))
            if found != count:
                raise StorageFailed(
                    f"the copy is not whole: {found} of {count} rows of"
                    f" the table {name!r} are in it"
                )
        return _walk(archive)


def restore_archive(backup: Path, location: Location) -> Finding:
    """Bring all tables of an archive into an empty PostgreSQL.

    Rows and index come in one transaction: who is killed in the middle of
    it leaves nothing behind, above all no rows that no filter finds.
    """
    if not is_archive(backup):
        raise StorageFailed(f"{backup} is no backup of a PostgreSQL")
    with tarfile.open(backup, "r:gz") as archive:
        about = read_about(archive, backup)
        if about.schema != head():
            raise StorageFailed(
                f"{backup} is of schema {about.schema}, this release has"
                f" {head()}; restore it with the release that made it,"
                " then start this one"
            )
        migrate(location)
        engine = _open(location)
        try:
            with engine.begin() as connection:
                _take(connection, archive, about, location)
            with engine.connect() as connection:
                return verify(connection)
        finally:
            engine.dispose()


def is_archive(file: Path) -> bool:
    """Tell whether a backup is an archive of tables."""
    return tarfile.is_tarfile(file)


def read_about(archive: tarfile.TarFile, backup: Path) -> About:
    """Return what an archive says of itself.

    Raises:
        StorageFailed: it is not one that this release can read.
    """
    try:
        source = archive.extractfile(ABOUT)
        about = msgspec.json.decode(
            source.read() if source else b"", type=About
        )
    except (KeyError, msgspec.DecodeError) as error:
        raise StorageFailed(f"{backup} is no backup of ours") from error
    if about.format != FORMAT or about.tables != _table_names():
        raise StorageFailed(f"{backup} was made by another release")
    return about


def _open(location: Location) -> Engine:
    """Return an engine whose transactions each see one state."""
    return create_engine(
        location.url,
        isolation_level="REPEATABLE READ",
        connect_args={"client_encoding": "UTF8"},
    )


def _driver(connection: Connection) -> psycopg.Connection:
    """Return the driver's own connection, whose transaction it is."""
    one = connection.connection.driver_connection
    if not isinstance(one, psycopg.Connection):
        raise StorageFailed("only a PostgreSQL is archived")
    return one


def _write(connection: Connection, part: Path) -> dict[str, int]:
    """Write what a transaction sees; return how many rows of each table."""
    query = text("SELECT version_num FROM alembic_version")
    schema = connection.execute(query).scalar() or ""
    about = About(FORMAT, schema, _table_names())
    one = _driver(connection)
    with (
        part.open("wb") as raw,
        tarfile.open(fileobj=raw, mode="w:gz", compresslevel=3) as archive,
    ):
        content = msgspec.json.encode(about)
        member = tarfile.TarInfo(ABOUT)
        member.size = len(content)
        archive.addfile(member, BytesIO(content))
        return {
            name: _add_table(archive, one, name, part.parent)
            for name in about.tables
        }


def _add_table(
    archive: tarfile.TarFile,
    one: psycopg.Connection,
    name: str,
    folder: Path,
) -> int:
    """Add the rows of one table, in the order of its key.

    Args:
        archive: what is written.
        one: the connection whose transaction is archived.
        name: the table.
        folder: where there is room to put it down meanwhile.

    Returns:
        How many rows the server says it gave.
    """
    question = sql.SQL(
        "COPY (SELECT {columns} FROM {table}{rest} ORDER BY 1) TO STDOUT"
    ).format(
        columns=_columns(name),
        table=sql.Identifier(name),
        rest=sql.SQL(UNCUT if name == "entry" else ""),
    )
    with (
        tempfile.TemporaryFile(dir=folder) as spool,
        one.cursor() as cursor,
    ):
        with cursor.copy(question) as rows:
            for piece in rows:
                spool.write(piece)
        member = tarfile.TarInfo(name)
        member.size = spool.tell()
        spool.seek(0)
        archive.addfile(member, spool)
        return cursor.rowcount


def _take(
    connection: Connection,
    archive: tarfile.TarFile,
    about: About,
    location: Location,
) -> None:
    """Bring all tables in, and index them."""
    one = _driver(connection)
    _refuse_full(one, location)
    for name in about.tables:
        _take_table(archive, one, name)
    index_all(connection)


def _refuse_full(one: psycopg.Connection, location: Location) -> None:
    """Raise when a database holds anything."""
    for name in _table_names():
        question = sql.SQL("SELECT 1 FROM {} LIMIT 1").format(
            sql.Identifier(name)
        )
        if one.execute(question).fetchone():
            raise StorageFailed(
                f"{location} holds rows already; restore into an empty one"
            )


def _take_table(
    archive: tarfile.TarFile, one: psycopg.Connection, name: str
) -> None:
    """Bring the rows of one table in."""
    order = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(name), _columns(name)
    )
    with (
        _find(archive, name) as source,
        one.cursor() as cursor,
        cursor.copy(order) as rows,
    ):
        while piece := source.read(PIECE):
            rows.write(piece)


def _find(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    """Return the rows of one table as they lie in an archive.

    Raises:
        StorageFailed: it is not in there.
    """
    try:
        source = archive.extractfile(name)
    except KeyError:
        source = None
    if source is None:
        raise StorageFailed(f"the backup has no table {name!r}")
    return source


def _lines(archive: tarfile.TarFile, name: str) -> Iterator[bytes]:
    """Yield the rows of one table, each with its end."""
    with _find(archive, name) as source:
        yield from source


def _rows(archive: tarfile.TarFile, name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a table that has no NULL, by column."""
    columns = SQLModel.metadata.tables[name].columns.keys()
    for line in _lines(archive, name):
        cells = line.decode(errors="replace").removesuffix("\n").split("\t")
        if len(cells) != len(columns):
            raise StorageFailed(f"the copy of the table {name!r} is damaged")
        yield dict(zip(columns, map(_unescape, cells), strict=True))


def _walk(archive: tarfile.TarFile) -> Finding:
    """Return what a walk through the log in an archive finds."""
    cut = BEGINNING
    for row in _rows(archive, "cut"):
        cut = End(int(row["id"]), _to_bytes(row["hash"]))
    heads = [
        int(row["position"])
        for row in _rows(archive, "mark")
        if row["name"] == HEAD
    ]
    chain = Chain((cut.id, cut.hash), cut)
    for row in _rows(archive, "entry"):
        breach = chain.follow(tuple(_to_value(row, name) for name in COLUMNS))
        if breach is not None:
            return chain.found(breach)
    return chain.found(chain.end(heads[0] if heads else 0))


def _to_value(row: dict[str, str], name: str) -> Any:
    """Return a column of an entry as the database would give it."""
    kind = Entry.__annotations__[name]
    if kind is bytes:
        return _to_bytes(row[name])
    return kind(row[name])


def _to_bytes(written: str) -> bytes:
    """Return the bytes that PostgreSQL writes as hexadecimal digits."""
    return bytes.fromhex(written.removeprefix("\\x"))


def _unescape(cell: str) -> str:
    """Return a text as it was before COPY wrote it."""
    if "\\" not in cell:
        return cell
    return ESCAPED.sub(lambda m: ESCAPES.get(m[1], m[1]), cell)


def _table_names() -> list[str]:
    """Return the tables that are kept, in the order to bring them back."""
    known = SQLModel.metadata.tables
    rest = sorted(known.keys() - {*FIRST, *NOT_KEPT})
    return [*FIRST, *rest]


def _columns(name: str) -> sql.Composable:
    """Return the columns of a table that we write ourselves."""
    known = SQLModel.metadata.tables[name].columns.keys()
    return sql.SQL(", ").join(map(sql.Identifier, known))
