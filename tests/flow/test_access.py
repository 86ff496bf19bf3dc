"""While nobody has an account this machine may ask, and no strange page."""

import httpx
import pytest

from tests.flow.wire import group
from tests.service import Service

MUTE = {
    "matchers": ['alertname="A"'],
    "ends_at": "2999-01-01T00:00:00Z",
    "author": "page",
    "comment": "a stranger's",
}
STRANGE = [
    {"host": "evil.example"},
    {"host": "evil.example:8080", "origin": "http://evil.example:8080"},
    {"host": "127.0.0.1.evil.example"},
    {"host": "[::1"},
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"x-forwarded-for": "127.0.0.1"},
]
PATHS = ["incidents", "log", "alerts", "mutes", "export/log", "stream"]


@pytest.mark.parametrize("headers", STRANGE)
@pytest.mark.parametrize("path", PATHS)
def test_a_strange_page_reads_nothing(
    shared: Service, path: str, headers: dict[str, str]
) -> None:
    """Neither a foreign origin nor a name that leads here is answered."""
    url = f"{shared.url}/api/v1/{path}"
    answer = httpx.get(url, headers=headers, timeout=10)
    expected = (403, "strange_page")
    if "x-forwarded-for" in headers:
        expected = (401, "not_signed_in")
    assert (answer.status_code, answer.json()["reason"]) == expected


@pytest.mark.parametrize("headers", STRANGE)
def test_a_strange_page_writes_nothing(
    shared: Service, headers: dict[str, str]
) -> None:
    """Notes, mutes and their end are refused, and nothing is stored."""
    httpx.post(f"{shared.url}/webhooks/alertmanager", content=group("access"))
    before = httpx.get(f"{shared.url}/api/v1/mutes").json()
    url = f"{shared.url}/api/v1"
    note = {"author": "page", "text": "mine"}
    answers = [
        httpx.post(f"{url}/incidents/1/notes", json=note, headers=headers),
        httpx.post(f"{url}/mutes", json=MUTE, headers=headers),
        httpx.delete(f"{url}/mutes/1", headers=headers),
    ]
    expected = 401 if "x-forwarded-for" in headers else 403
    assert [answer.status_code for answer in answers] == [expected] * 3
    assert httpx.get(f"{url}/mutes").json() == before


@pytest.mark.parametrize("media_type", ["text/plain", None])
def test_a_form_of_a_page_is_no_json(
    shared: Service, media_type: str | None
) -> None:
    """What a page can send without asking first is not read as JSON."""
    headers = {"content-type": media_type} if media_type else {}
    answer = httpx.post(
        f"{shared.url}/api/v1/incidents/1/notes",
        content=b'{"author": "page", "text": "mine"}',
        headers=headers,
    )
    assert answer.status_code == 422


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_this_machine_may_ask(shared: Service, name: str) -> None:
    """Its own names, and its own pages, are answered."""
    host = f"{name}:{shared.port}"
    headers = {
        "host": host,
        "origin": f"http://{host}",
        "sec-fetch-site": "same-origin",
    }
    url = f"{shared.url}/api/v1/incidents"
    assert httpx.get(url, headers=headers).status_code == 200
