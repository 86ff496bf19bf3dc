"""A role of the database that owns nothing is enough for the service.

Then not even its password lets anybody take the guards of the log off.
"""

from collections.abc import Iterator

import msgspec
import pytest
from sqlalchemy.exc import DBAPIError

from app.models.chain import Finding
from app.store.location import Location
from tests.postgres import Postgres
from tests.schema import make_postgres
from tests.unit.store.intruder import Intruder, notes, prove, write

ROLE = "smokejumper_service"
# What docs/security.md says that an owner grants it, once.
GRANTS = (
    f"CREATE ROLE {ROLE} LOGIN",
    f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {ROLE}",
    f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {ROLE}",
    f"REVOKE UPDATE, TRUNCATE, TRIGGER ON entry, cut FROM {ROLE}",
)
TRIES = (
    "UPDATE entry SET summary = 'x'",
    "DELETE FROM entry WHERE id = 2",
    "TRUNCATE entry",
    "ALTER TABLE entry DISABLE TRIGGER ALL",
    "ALTER TABLE entry OWNER TO CURRENT_USER",
    "DROP TABLE entry CASCADE",
    "SET session_replication_role = replica",
)


pytestmark = pytest.mark.real


@pytest.fixture
def role(postgres: Postgres) -> Iterator[Location]:
    """Return a database of somebody else's, as the service opens it."""
    location = make_postgres(postgres, "of_an_owner")
    owner = Intruder(location)
    owner.run(*GRANTS)
    yield msgspec.structs.replace(
        location, url=location.url.set(username=ROLE)
    )
    owner.run(f"DROP OWNED BY {ROLE}", f"DROP ROLE {ROLE}")
    owner.close()
    postgres.drop_database("of_an_owner")


def triggers_of(intruder: Intruder) -> list[str]:
    """Return statements that take each guard off."""
    query = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        " AND tgrelid = 'entry'::regclass"
    )
    with intruder.engine.connect() as connection:
        names = connection.exec_driver_sql(query).scalars().all()
    return [f"DROP TRIGGER {name} ON entry" for name in names]


def test_a_role_that_owns_nothing_writes_and_changes_nothing(
    role: Location,
) -> None:
    """It appends, and whatever else it tries is refused."""
    write(role, notes(3))
    whole: Finding = prove(role)
    assert (whole.breach, whole.entries) == (None, 3)
    intruder = Intruder(role)
    guards = triggers_of(intruder)
    assert guards
    for statement in (*TRIES, *guards):
        with pytest.raises(DBAPIError):
            intruder.run(statement)
    intruder.close()
    assert prove(role) == whole
