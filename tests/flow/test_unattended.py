"""A screen that nobody touches keeps nobody signed in."""

from collections.abc import Iterator

import httpx
import pytest

from app.access.gate import COOKIE
from app.models.account import Role
from tests.flow.visitors import Visitors
from tests.service import Service

LONG_AGO = 30 * 60_000_000
ALONE = {"x-smokejumper-unattended": "1"}


@pytest.fixture(scope="module")
def visitors(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Visitors]:
    """Return who visits a service where somebody has an account."""
    with Service(tmp_path_factory.mktemp("unattended")) as service:
        made = Visitors(service)
        yield made
        made.close()


def settle(visitors: Visitors) -> None:
    """Return when all is written that was to be: turns come in order."""
    with visitors.client(Role.ADMIN) as other:
        body = {"halted": False, "reason": "nothing is wrong"}
        other.put("/api/v1/halt", json=body).raise_for_status()


@pytest.mark.parametrize(
    ("path", "headers", "is_use"),
    [
        ("/api/v1/status", {}, False),
        ("/api/v1/status?after=1", {}, False),
        ("/api/v1/board", ALONE, False),
        ("/api/v1/incidents", ALONE, False),
        ("/api/v1/board", {}, True),
        ("/console/incidents", {}, True),
    ],
)
def test_what_a_page_asks_by_itself_is_no_use(
    visitors: Visitors, path: str, headers: dict[str, str], *, is_use: bool
) -> None:
    """It is answered all the same; a person's request is written down."""
    cookie = visitors.sign_in(Role.VIEWER, LONG_AGO)
    before = visitors.seen_at(cookie)
    with httpx.Client(base_url=visitors.url, headers=headers) as page:
        page.cookies.set(COOKIE, cookie)
        for _ in range(2):
            assert page.get(path).status_code == 200
    settle(visitors)
    assert (visitors.seen_at(cookie) > before) is is_use
