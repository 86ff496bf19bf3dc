"""The schema in the database is the schema in the code."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlmodel import SQLModel

from app.core.errors import StorageFailed
from app.store.location import Location, locate
from app.store.migrate import migrate, newest_version


def test_migrations_lead_to_the_tables(location: Location) -> None:
    """What the migrations make is what app/models/tables.py says."""
    engine = create_engine(location.url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        differences = compare_metadata(context, SQLModel.metadata)
    engine.dispose()
    assert differences == []


def test_a_second_migration_changes_nothing(location: Location) -> None:
    """It may be run at every start."""
    newest = newest_version()
    assert migrate(location) == (newest, newest)


def test_a_newer_database_is_refused(location: Location) -> None:
    """An old release does not touch what a newer one made."""
    engine = create_engine(location.url)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE alembic_version SET version_num = '9999'")
        )
    engine.dispose()
    with pytest.raises(StorageFailed, match="newer release"):
        migrate(location)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error says which folder and which setting."""
    (tmp_path / "taken").touch()
    place = locate(f"sqlite:///{tmp_path}/taken/x.db", tmp_path)
    with pytest.raises(StorageFailed, match=r"taken.*database\.url"):
        migrate(place)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """It is named, not overwritten."""
    file = tmp_path / "x.db"
    file.write_text("not a database, but my diary " * 100)
    with pytest.raises(StorageFailed, match="not a database"):
        migrate(locate(f"sqlite:///{file}", tmp_path))
    assert file.read_text().startswith("not a database, but my diary")


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("nonsense", "not a database URL"),
        ("mysql://a/b", "mysql"),
        ("sqlite://", "memory"),
        ("sqlite:///:memory:", "memory"),
    ],
)
def test_a_wrong_url_says_what_to_write(url: str, word: str) -> None:
    """The remedy shows both kinds of addresses."""
    with pytest.raises(ValueError, match=f"{word}.*sqlite:///.*postgresql:"):
        locate(url, Path())


def test_passwords_are_not_shown() -> None:
    """A location can be logged."""
    place = locate("postgresql://smoke:hunter2@db:5432/x", Path())
    assert "hunter2" not in str(place)
    assert "hunter2" in place.conninfo


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Raw bodies may hold secrets of the senders."""
    place = locate("sqlite:///var/x.db", tmp_path)
    migrate(place)
    assert (tmp_path / "var" / "x.db").stat().st_mode & 0o077 == 0
