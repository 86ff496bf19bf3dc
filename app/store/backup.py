"""Backup while the service runs, and restore into an empty place.

SQLite: a copy of the file as of one moment, made by SQLite itself, which
neither waits for writers nor makes them wait. PostgreSQL: all tables as of
one moment in one archive. Either is proved before it counts as made.
"""

import os
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path

import msgspec
import psycopg
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from app.core.errors import StorageFailed
from app.store.failures import tell
from app.store.indexing import index_all
from app.store.location import Location
from app.store.log import Finding, verify
from app.store.migrate import migrate

FORMAT = "smokejumper-backup-1"
ABOUT = "about.json"
PIECE = 1_048_576
WAIT_SECONDS = 5.0
# The cut first: entries of the log are only taken where it ends.
FIRST = ("cut",)
NOT_KEPT = ("probe",)
# Entries before the cut are on their way out; the database takes no such.
UNCUT = " WHERE id > (SELECT coalesce(max(id), 0) FROM cut)"


class About(msgspec.Struct, frozen=True):
    """What an archive says of itself."""

    format: str
    schema: str
    tables: list[str]


class Copied(msgspec.Struct, frozen=True):
    """A backup that was made or restored, and proved.

    Attributes:
        size: its bytes.
        entries: how many lines of the action log it holds.
        last: the id of the last of them.
        hash: the hash of the last of them.
    """

    size: int
    entries: int
    last: int
    hash: str


def back_up(location: Location, target: Path) -> Copied:
    """Write a backup to a file that is not there yet.

    Raises:
        StorageFailed: it was not made; nothing is left behind.
    """
    if target.exists():
        raise StorageFailed(f"{target} is there already; name another file")
    part = target.with_name(f"{target.name}.part")
    try:
        with _cleared(part), _translated(f"cannot back up {location}"):
            if location.file is not None:
                _copy_file(location.file, part)
                finding = _prove_file(part)
            else:
                finding = _archive(location, part)
            part.chmod(0o600)
            _settle(part, target)
    except OSError as error:
        what = f"cannot write {target}: {error.strerror}"
        raise StorageFailed(what) from error
    return _copied(target.stat().st_size, finding)


def restore(backup: Path, location: Location) -> Copied:
    """Bring a backup into a place where nothing is.

    Raises:
        StorageFailed: it was not restored; says what stands in the way.
    """
    if not backup.is_file():
        raise StorageFailed(f"{backup} is no file")
    try:
        with _translated(f"cannot restore {backup}"):
            if location.file is not None:
                finding = _restore_file(backup, location)
            else:
                finding = _restore_archive(backup, location)
    except OSError as error:
        what = f"cannot restore {backup}: {error.strerror or error}"
        raise StorageFailed(what) from error
    return _copied(backup.stat().st_size, finding)


def _copied(size: int, finding: Finding) -> Copied:
    """Return what was proved of a copy, or raise that it is broken."""
    if finding.breach is not None:
        raise StorageFailed(
            f"entry {finding.breach.entry} of the action log in it"
            f" {finding.breach.what}; see main.py log verify"
        )
    return Copied(size, finding.entries, finding.last, finding.hash)


def _copy_file(file: Path, part: Path) -> None:
    """Write the state of one moment of a SQLite file to another file."""
    if not file.exists():
        raise StorageFailed(f"{file} is not there; nothing to back up")
    uri = f"{file.as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=WAIT_SECONDS)) as one:
        one.execute("VACUUM INTO ?", (str(part),))


def _prove_file(file: Path) -> Finding:
    """Return what a walk through the log of a copy finds."""
    uri = f"{file.as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as one:
        ((word,),) = one.execute("PRAGMA integrity_check(1)").fetchall()
    if word != "ok":
        raise StorageFailed(f"the copy is not whole: {word}")
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(uri, uri=True)
    )
    try:
        with engine.connect() as connection:
            return verify(connection)
    finally:
        engine.dispose()


def _restore_file(backup: Path, location: Location) -> Finding:
    """Put a copy where the SQLite file belongs, at this release's schema."""
    file = location.file
    if file is None or _is_archive(backup):
        raise StorageFailed(
            f"{backup} is of a PostgreSQL; set database.url to one"
        )
    for path in (file, *_beside(file)):
        if path.exists():
            raise StorageFailed(
                f"{path} is there already; stop the service and move it away"
            )
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    with _cleared(part):
        _copy_file(backup, part)
        finding = _prove_file(part)
        if finding.breach is None:
            part.chmod(0o600)
            _settle(part, file)
            migrate(location)
    return finding


def _archive(location: Location, part: Path) -> Finding:
    """Write all tables of a PostgreSQL as of one moment."""
    with (
        psycopg.connect(location.conninfo) as one,
        part.open("wb") as raw,
        tarfile.open(fileobj=raw, mode="w:gz", compresslevel=3) as archive,
    ):
        one.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        one.read_only = True
        row = one.execute("SELECT version_num FROM alembic_version").fetchone()
        about = About(FORMAT, row[0] if row else "", _table_names())
        _add(archive, ABOUT, msgspec.json.encode(about))
        for name in about.tables:
            _add_table(archive, one, name)
    return _prove_server(location)


def _add_table(
    archive: tarfile.TarFile, one: psycopg.Connection, name: str
) -> None:
    """Add the rows of one table, in the order of its key."""
    question = sql.SQL(
        "COPY (SELECT {columns} FROM {table}{rest} ORDER BY 1) TO STDOUT"
    ).format(
        columns=_columns(name),
        table=sql.Identifier(name),
        rest=sql.SQL(UNCUT if name == "entry" else ""),
    )
    with tempfile.TemporaryFile() as spool, one.cursor() as cursor:
        with cursor.copy(question) as rows:
            for piece in rows:
                spool.write(piece)
        info = tarfile.TarInfo(name)
        info.size = spool.tell()
        spool.seek(0)
        archive.addfile(info, spool)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a small file to an archive."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, BytesIO(content))


def _restore_archive(backup: Path, location: Location) -> Finding:
    """Bring all tables of an archive into an empty PostgreSQL."""
    if not _is_archive(backup):
        raise StorageFailed(f"{backup} is no backup of a PostgreSQL")
    with tarfile.open(backup, "r:gz") as archive:
        about = _read_about(archive, backup)
        _, schema = migrate(location)
        if about.schema != schema:
            raise StorageFailed(
                f"{backup} is of schema {about.schema}, this release has"
                f" {schema}; restore it with the release that made it,"
                " then start this one"
            )
        with psycopg.connect(location.conninfo) as one:
            _refuse_full(one, location)
            for name in about.tables:
                _take_table(archive, one, name)
    index_all(location)
    return _prove_server(location)


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
    source = archive.extractfile(name)
    if source is None:
        raise StorageFailed(f"the backup has no table {name!r}")
    order = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(name), _columns(name)
    )
    with one.cursor() as cursor, cursor.copy(order) as rows:
        while piece := source.read(PIECE):
            rows.write(piece)


def _read_about(archive: tarfile.TarFile, backup: Path) -> About:
    """Return what an archive says of itself."""
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


def _prove_server(location: Location) -> Finding:
    """Return what a walk through the log of a PostgreSQL finds."""
    engine = create_engine(location.url, isolation_level="REPEATABLE READ")
    try:
        with engine.connect() as connection:
            return verify(connection)
    finally:
        engine.dispose()


def _table_names() -> list[str]:
    """Return the tables that are kept, in the order to bring them back."""
    known = SQLModel.metadata.tables
    rest = sorted(known.keys() - {*FIRST, *NOT_KEPT})
    return [*FIRST, *rest]


def _columns(name: str) -> sql.Composable:
    """Return the columns of a table that we write ourselves."""
    known = SQLModel.metadata.tables[name].columns.keys()
    return sql.SQL(", ").join(map(sql.Identifier, known))


def _is_archive(file: Path) -> bool:
    """Tell whether a backup is an archive of tables."""
    return tarfile.is_tarfile(file)


def _beside(file: Path) -> tuple[Path, Path]:
    """Return what SQLite keeps beside a file that is in use."""
    name = file.name
    return file.with_name(f"{name}-wal"), file.with_name(f"{name}-shm")


def _settle(part: Path, target: Path) -> None:
    """Give a finished file its name, and have it on the disk."""
    with part.open("rb+") as raw:
        os.fsync(raw.fileno())
    part.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _cleared(part: Path) -> Iterator[None]:
    """Begin without an old piece, and leave none behind."""
    part.unlink(missing_ok=True)
    try:
        yield
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn the databases' errors into ours, keeping the cause."""
    try:
        yield
    except (sqlite3.Error, psycopg.Error) as error:
        raise StorageFailed(f"{what}: {tell(error)}") from error
    except DBAPIError as error:
        raise StorageFailed(f"{what}: {tell(error.orig)}") from error
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise StorageFailed(f"{what}: it is damaged ({error})") from error
