"""The schema in the database is the schema in the code."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import create_engine, text
from sqlmodel import SQLModel

from app.core.errors import StorageFailed
from app.store.location import Location, locate, watch_network
from app.store.migrate import migrate
from tests.programs import free_port


def is_a_table_of_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out the indexes of words: the two databases differ in them."""
    return kind != "table" or "_text" not in (name or "")


def test_migrations_lead_to_the_tables(location: Location) -> None:
    """What the migrations make is what app/models/tables.py says."""
    engine = create_engine(location.url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": is_a_table_of_ours}
        )
        differences = compare_metadata(context, SQLModel.metadata)
    engine.dispose()
    assert differences == []


def test_a_second_migration_changes_nothing(location: Location) -> None:
    """It may be run at every start."""
    first = migrate(location)
    assert first[0] == first[1] != ""
    assert migrate(location) == first


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


def test_an_empty_file_becomes_its_owners_alone(tmp_path: Path) -> None:
    """Whoever made it, nothing was in it that others had to read."""
    file = tmp_path / "x.db"
    file.touch()
    file.chmod(0o644)
    migrate(locate(f"sqlite:///{file}", tmp_path))
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["password", "sslpassword", "passfile"])
def test_a_secret_where_it_would_be_shown_is_refused(name: str) -> None:
    """With where to write it, and without saying it."""
    url = f"postgresql://u:p@h/x?{name}=topsecret"
    with pytest.raises(ValueError, match=f"{name}.*postgresql://") as caught:
        locate(url, Path())
    assert "topsecret" not in str(caught.value)


def test_a_port_that_is_no_number_is_not_quoted() -> None:
    """It may be a secret in the wrong place; the remedy is told instead."""
    with pytest.raises(ValueError, match="not a database URL") as caught:
        locate("postgresql://h:topsecret/x", Path())
    assert "top" not in str(caught.value)


def test_a_server_that_is_not_there_is_told_without_a_row() -> None:
    """The error names the address and the kind of failure."""
    place = locate(f"postgresql://u:pw@127.0.0.1:{free_port()}/x", Path())
    with pytest.raises(StorageFailed, match="OperationalError") as caught:
        migrate(place)
    assert "\n" not in str(caught.value)
    assert "pw" not in str(caught.value)


def test_a_silent_network_is_noticed() -> None:
    """Libpq knows every option, and gives up when the wait is over."""
    options = watch_network(5.0)
    made = conninfo_to_dict(make_conninfo("host=db", **options))
    assert made["tcp_user_timeout"] == "5000"
    assert made["keepalives_idle"] == "5"
    assert made["connect_timeout"] == "5"
