"""Backup while the service runs, and restore into an empty place.

SQLite: a copy of the file as of one moment, made by SQLite itself, which
neither waits for writers nor makes them wait. PostgreSQL: all tables as of
one moment in one archive (app/store/archive.py). Either is proved before it
counts as made.
"""

import os
import sqlite3
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import psycopg
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from app.core.errors import StorageFailed
from app.store.archive import is_archive, restore_archive, write_archive
from app.store.failures import tell
from app.store.location import Location, locate
from app.store.log import Finding, verify
from app.store.migrate import migrate, refuse_newer

WAIT_SECONDS = 5.0


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
    target = target.expanduser().absolute()
    if target.exists():
        raise StorageFailed(f"{target} is there already; name another file")
    part = target.with_name(f"{target.name}.part")
    try:
        with _cleared(part), _translated(f"cannot back up {location}"):
            if location.file is not None:
                _copy_file(location.file, part)
                finding = _prove_file(part)
            else:
                finding = write_archive(location, part)
            if finding.breach is None:
                _settle(part, target)
    except OSError as error:
        what = f"cannot write {target}: {error.strerror}"
        raise StorageFailed(what) from error
    size = target.stat().st_size if finding.breach is None else 0
    return _copied(size, finding)


def restore(backup: Path, location: Location) -> Copied:
    """Bring a backup into a place where nothing is.

    Raises:
        StorageFailed: it was not restored; says what stands in the way.
    """
    backup = backup.expanduser().absolute()
    if not backup.is_file():
        raise StorageFailed(f"{backup} is no file")
    try:
        with _translated(f"cannot restore {backup}"):
            if location.file is not None:
                finding = _restore_file(backup, location)
            else:
                finding = restore_archive(backup, location)
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
    """Write the state of one moment of a SQLite file to an empty file."""
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
    if file is None or is_archive(backup):
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
            refuse_newer(locate(f"sqlite:///{part}", part.parent))
            _settle(part, file)
            migrate(location)
    return finding


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
    """Begin with an empty piece of our own, and leave none behind.

    Nobody else may read it from its first byte on: it holds raw deliveries.
    """
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
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
