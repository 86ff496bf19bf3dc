"""The service on a database that it does not own, with a marked password.

The password is shown nowhere, and the rights that docs/security.md names are
enough: who steals it can take no guard off the action log.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from app.store.location import locate
from tests.flow.deciding import DecidingService
from tests.postgres import Postgres
from tests.schema import make_postgres
from tests.unit.store.intruder import Intruder
from tests.unit.store.test_log_role import GRANTS, ROLE

pytestmark = pytest.mark.real
PASSWORD = "zqdatabase7f3a91"
NAME = "of_another_owner"


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    """Return the address of a database that somebody else has made."""
    location = make_postgres(postgres, NAME)
    owner = Intruder(location)
    owner.run(*GRANTS)
    place = urlsplit(location.conninfo)
    yield f"postgresql://{ROLE}:{PASSWORD}@127.0.0.1:{place.port}/{NAME}"
    owner.run(f"DROP OWNED BY {ROLE}", f"DROP ROLE {ROLE}")
    owner.close()
    postgres.drop_database(NAME)


def test_the_rights_are_enough_and_the_password_stays(
    url: str, tmp_path: Path
) -> None:
    """Taken in, folded, decided, cleaned up, proved; and told to nobody."""
    database = {"url": "env:ZQ_DATABASE", "migrate_on_start": False}
    service = DecidingService(tmp_path, {"database": database})
    service._environ["ZQ_DATABASE"] = url
    shown = []
    with service:
        service.decide_on("web-1")
        for path in ("/metrics", "/ready", "/console/log", "/api/v1/log"):
            answer = httpx.get(f"{service.url}{path}", timeout=60)
            assert answer.status_code == 200
            shown.append(answer.text)
        for words in (("check-config",), ("cleanup",), ("log", "verify")):
            done = service.run(*words)
            assert done.returncode == 0, done.stderr
            shown.append(done.stdout + done.stderr)
        assert service.stop() == 0
    shown.append(service.log.read_text())
    assert all(PASSWORD not in text for text in shown)


def test_a_database_that_is_away_does_not_tell_it(tmp_path: Path) -> None:
    """Errors of the driver quote what they were given."""
    url = f"postgresql://{ROLE}:{PASSWORD}@127.0.0.1:1/nowhere"
    service = DecidingService(tmp_path, {"database": {"url": url}})
    for words in (("incidents",), ("migrate",), ("check-config",)):
        done = service.run(*words)
        assert PASSWORD not in done.stdout + done.stderr
    assert PASSWORD not in str(locate(url, tmp_path))
