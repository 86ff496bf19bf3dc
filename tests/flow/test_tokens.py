"""Tokens from end to end: a program's, and those of two sources."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.flow.wire import group
from tests.service import OPEN, Service

TOKENS_ONLY = {"auth": {"kind": "token"}}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a service with a source that is open, and two that are not."""
    settings = {
        "sources": {
            "alertmanager": OPEN,
            "lab": {"type": "alertmanager", **TOKENS_ONLY},
            "bearer": {
                "type": "alertmanager",
                "auth": {"kind": "bearer", "secrets": ["own"]},
            },
            "signed": {
                "type": "alertmanager",
                "auth": {
                    "kind": "hmac",
                    "secrets": ["key"],
                    "header": "x-signature",
                },
            },
        },
    }
    with Service(tmp_path_factory.mktemp("tokens"), settings) as service:
        answer = httpx.post(
            f"{service.url}/api/v1/people",
            json={
                "name": "robot",
                "nature": "service",
                "role": "responder",
            },
        )
        assert answer.status_code in (200, 201), answer.text
        yield service


def account(service: Service) -> int:
    """Return the number of the service account."""
    items = httpx.get(f"{service.url}/api/v1/people").json()["items"]
    numbers = {one["name"]: one["id"] for one in items}
    return int(numbers["robot"])


def make(service: Service, **more: Any) -> dict[str, Any]:
    """Make a token on this machine, which is an admin as yet."""
    answer = httpx.post(
        f"{service.url}/api/v1/tokens",
        json={"account": account(service), "label": "tests", **more},
    )
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made: dict[str, Any] = answer.json()
    return made


def deliver(
    service: Service, source: str, name: str, **more: Any
) -> tuple[int, str]:
    """Send an alert; return the status and the reason of a refusal."""
    answer = httpx.post(
        f"{service.url}/webhooks/{source}", content=group(name), **more
    )
    return answer.status_code, answer.json().get("reason", "")


def bearer(secret: str) -> dict[str, Any]:
    """Return a request's headers with a token."""
    return {"headers": {"authorization": f"Bearer {secret}"}}


def wait_for(condition: Callable[[], bool]) -> None:
    """Return when something has become true."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_program_comes_in_with_its_token(guarded: Service) -> None:
    """As its account, in its role, and no further."""
    secret = make(guarded, role="responder")["secret"]
    assert re.fullmatch(r"sj_[A-Za-z0-9_-]{43}", secret)
    me = httpx.get(f"{guarded.url}/api/v1/me", **bearer(secret)).json()
    assert (me["name"], me["role"], me["way"]) == (
        "robot",
        "responder",
        "token",
    )
    tokens = f"{guarded.url}/api/v1/tokens"
    refused = httpx.get(tokens, **bearer(secret))
    assert refused.status_code == 403
    assert refused.json()["reason"] == "role_too_low"


def test_a_token_signs_nobody_out(guarded: Service) -> None:
    """One that may only see would keep its person out for ever."""
    made = make(guarded)
    own = f"tokens/{made['token']['id']}"
    for path in ("sessions", "sessions/1", own):
        url = f"{guarded.url}/api/v1/me/{path}"
        refused = httpx.delete(url, **bearer(made["secret"]))
        assert refused.status_code == 409
        assert refused.json()["reason"] == "no_session"


def test_a_program_signs_with_its_account(guarded: Service) -> None:
    """It need not say who it is, and cannot be somebody else."""
    deliver(guarded, "alertmanager", "signed")
    secret = make(guarded, role="responder")["secret"]
    url = f"{guarded.url}/api/v1"

    def is_there() -> bool:
        """Tell whether there is an incident."""
        return bool(httpx.get(f"{url}/incidents").json()["items"])

    wait_for(is_there)
    number = httpx.get(f"{url}/incidents").json()["items"][0]["id"]
    notes = f"{url}/incidents/{number}/notes"
    answer = httpx.post(notes, json={"text": "seen"}, **bearer(secret))
    assert answer.status_code in (200, 201), answer.text
    assert answer.json()["author"] == "robot"
    forged = {"text": "seen", "author": "ana"}
    answer = httpx.post(notes, json=forged, **bearer(secret))
    assert (answer.status_code, answer.json()["reason"]) == (403, "not_you")


def test_the_list_shows_no_secret_and_who_uses_it(guarded: Service) -> None:
    """What it is was shown once; when it was used is written down."""
    made = make(guarded)
    number = made["token"]["id"]
    secret = made["secret"]
    url = f"{guarded.url}/api/v1"

    def shown() -> dict[str, Any]:
        """Return the token as the list has it."""
        items = httpx.get(f"{url}/tokens", params={"limit": 1}).json()["items"]
        assert items[0]["id"] == number
        return dict(items[0])

    assert secret not in str(shown())
    assert shown()["used_at"] is None
    httpx.get(f"{url}/me", **bearer(secret))
    wait_for(lambda: shown()["used_at"] is not None)
    log = httpx.get(f"{url}/log", params={"kind": "token.created"}).text
    assert "robot" in log
    assert secret not in log
    page = httpx.get(f"{url}/tokens", params={"limit": 1}).json()
    assert page["next"].startswith("/api/v1/tokens?")


def test_ones_own_come_in_pages(guarded: Service) -> None:
    """A page that does not show all of them says where the next one is."""
    made = [make(guarded) for _ in range(3)]
    own = bearer(made[0]["secret"])
    url, seen = "/api/v1/me/tokens?limit=1", []
    for _ in made:
        answer = httpx.get(f"{guarded.url}{url}", **own)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        seen += [one["id"] for one in page["items"]]
        url = page["next"]
    assert seen == [one["token"]["id"] for one in reversed(made)]
    wrong = httpx.get(f"{guarded.url}/api/v1/me/tokens?limit=x", **own)
    assert (wrong.status_code, wrong.json()["field"]) == (422, "query.limit")


def test_a_source_comes_in_with_its_token(guarded: Service) -> None:
    """By bearer, as a password, or as a PUT; and nobody without."""
    secret = make(guarded, sources=["lab", "bearer"])["secret"]
    assert deliver(guarded, "lab", "a", **bearer(secret)) == (202, "")
    assert deliver(guarded, "lab", "b", auth=("any", secret)) == (202, "")
    assert deliver(guarded, "bearer", "c", **bearer(secret)) == (202, "")
    assert deliver(guarded, "bearer", "d", **bearer("own")) == (202, "")
    assert deliver(guarded, "lab", "e") == (401, "wrong_token")
    assert deliver(guarded, "bearer", "f") == (401, "no_secret")


def test_a_token_for_another_source_is_refused(guarded: Service) -> None:
    """T1: also where this machine needs none, and none is stored."""
    secret = make(guarded, sources=["bearer"])["secret"]
    told = (403, "token_of_another_source")
    assert deliver(guarded, "lab", "g", **bearer(secret)) == told
    assert deliver(guarded, "alertmanager", "h", **bearer(secret)) == told
    program = make(guarded)["secret"]
    assert deliver(guarded, "lab", "i", **bearer(program)) == told


def test_a_token_of_sources_opens_nothing_else(guarded: Service) -> None:
    """It reads nothing and changes nothing."""
    secret = make(guarded, sources=["lab"])["secret"]
    for path in ("me", "incidents", "log", "stream", "tokens", "export/log"):
        answer = httpx.get(f"{guarded.url}/api/v1/{path}", **bearer(secret))
        assert answer.status_code == 403, path
        assert answer.json()["reason"] == "token_of_sources"


def test_a_revoked_token_is_dead_at_once(guarded: Service) -> None:
    """On the node that revoked it; others follow within two seconds."""
    made = make(guarded, sources=["lab"])
    number, secret = made["token"]["id"], made["secret"]
    assert deliver(guarded, "lab", "j", **bearer(secret)) == (202, "")
    url = f"{guarded.url}/api/v1/tokens/{number}"
    answer = httpx.delete(url)
    assert answer.json()["revoked_at"]
    assert deliver(guarded, "lab", "k", **bearer(secret)) == (
        401,
        "wrong_token",
    )
    assert httpx.delete(url).json() == answer.json()


def test_a_disabled_account_has_no_tokens(guarded: Service) -> None:
    """Neither for the API nor for sources, until it is enabled."""
    url = f"{guarded.url}/api/v1"
    person = {"name": "gone", "nature": "service", "role": "viewer"}
    created = httpx.post(f"{url}/people", json=person).json()["account"]
    reading = make(guarded, account=created["id"])["secret"]
    source = make(guarded, account=created["id"], sources=["lab"])["secret"]
    assert httpx.get(f"{url}/me", **bearer(reading)).status_code == 200
    answer = httpx.patch(
        f"{url}/people/{created['id']}",
        json={"is_disabled": True},
        headers={"if-match": f'"{created["version"]}"'},
    )
    assert answer.status_code == 200, answer.text

    def is_out() -> bool:
        """Tell whether neither opens anything."""
        status = httpx.get(f"{url}/me", **bearer(reading)).status_code
        told = deliver(guarded, "lab", "l", **bearer(source))
        return (status, told[0]) == (401, 401)

    wait_for(is_out)


@pytest.mark.parametrize(
    ("more", "status", "reason"),
    [
        ({"role": "admin"}, 422, "wrong_role"),
        ({"role": "king"}, 422, ""),
        ({"days": 0}, 422, ""),
        ({"days": 4_000}, 422, ""),
        ({"account": 999}, 404, "not_found"),
        ({"sources": ["nobody"]}, 422, "wrong_sources"),
        ({"sources": ["signed"]}, 422, "wrong_sources"),
        ({"label": ""}, 422, ""),
        ({"label": "a\x1b[31m"}, 422, ""),
        ({"secret": "sj_mine"}, 422, ""),
    ],
)
def test_a_token_that_may_not_be_is_not_made(
    guarded: Service, more: dict[str, Any], status: int, reason: str
) -> None:
    """And the answer says which field it is about."""
    url = f"{guarded.url}/api/v1/tokens"
    before = httpx.get(url).json()
    body = {"account": account(guarded), "label": "tests", **more}
    answer = httpx.post(url, json=body)
    assert answer.status_code == status
    assert answer.json()["field"]
    if reason:
        assert answer.json()["reason"] == reason
    assert httpx.get(url).json() == before


def test_tokens_outlive_a_restart(guarded: Service) -> None:
    """The first delivery after it finds them read."""
    secret = make(guarded, sources=["lab"], days=None)["secret"]
    guarded.stop()
    guarded.start()
    assert deliver(guarded, "lab", "m", **bearer(secret)) == (202, "")
