"""People come in through a real service, on two nodes of one database."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access.gate import COOKIE, SAFE_COOKIE
from app.core.clock import SystemClock, to_iso
from app.models.account import Role
from tests.flow.visitors import Visitors
from tests.service import Service

PASSWORD = "a sentence to remember"
DEADLINE = 15.0


class Pair:
    """Two nodes, and the link that was written at the first start."""

    def __init__(self, one: Service, two: Service, link: str) -> None:
        self.one = one
        self.two = two
        self.link = link
        self.token = link.rpartition("=")[2]
        self.visitors = Visitors(one)


def wait_for(file: Path) -> str:
    """Return what stands in a file as soon as it is there."""
    deadline = time.monotonic() + DEADLINE
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return file.read_text().strip()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Return two nodes where ana, an admin, came in by the set-up link."""
    folder = tmp_path_factory.mktemp("pair")
    other = tmp_path_factory.mktemp("other")
    with Service(folder) as one:
        link = wait_for(folder / "setup.link")
        shared = {"database": {"url": f"sqlite:///{one.database}"}}
        body = {"name": "ana", "password": PASSWORD}
        with Service(other, shared) as two:
            # The second start has made a link of its own.
            link = wait_for(other / "setup.link")
            pair = Pair(one, two, link)
            answer = httpx.post(
                f"{one.url}/api/v1/setup", json={**body, "token": pair.token}
            )
            assert answer.status_code == 200, answer.text
            yield pair
            pair.visitors.close()


def browser(service: Service) -> httpx.Client:
    """Return a browser on one of our own pages."""
    headers = {"origin": service.url, "x-smokejumper": "1"}
    return httpx.Client(base_url=service.url, headers=headers, timeout=10)


def sign_in(client: httpx.Client, password: str = PASSWORD) -> httpx.Response:
    """Sign in as ana."""
    body = {"name": "ana", "password": password}
    return client.post("/api/v1/session", json=body)


def in_time(client: httpx.Client, status: int) -> None:
    """Return when a session answers so, within a deadline."""
    deadline = time.monotonic() + DEADLINE
    while client.get("/api/v1/me").status_code != status:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_setup_link_works_once(pair: Pair) -> None:
    """On any node, and its file is gone."""
    body = {"name": "eve", "password": PASSWORD, "token": pair.token}
    for node in (pair.one, pair.two):
        answer = httpx.post(f"{node.url}/api/v1/setup", json=body)
        assert answer.status_code == 403
        assert answer.json()["reason"] == "link_used"
        page = httpx.get(pair.link.replace(pair.two.url, node.url))
        assert page.status_code == 403
        assert "was used" in page.text
    deadline = time.monotonic() + DEADLINE
    files = [pair.one.folder / "setup.link", pair.two.folder / "setup.link"]
    while any(file.exists() for file in files):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert pair.token not in pair.one.log.read_text()
    assert pair.token not in pair.two.log.read_text()


def test_this_machine_is_not_enough_any_more(pair: Pair) -> None:
    """As soon as somebody has an account."""
    for node in (pair.one, pair.two):
        with httpx.Client(base_url=node.url) as client:
            in_time(client, 401)
            answer = client.get("/api/v1/incidents")
        assert answer.json()["reason"] == "not_signed_in"
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_session_holds_on_every_node(pair: Pair) -> None:
    """And its end does, too."""
    with browser(pair.one) as one, browser(pair.two) as two:
        me = sign_in(one).json()
        assert (me["name"], me["role"], me["way"]) == (
            "ana",
            "admin",
            "session",
        )
        assert me["open"] is False
        two.cookies.set(COOKIE, one.cookies[COOKIE])
        assert two.get("/api/v1/me").json() == me
        assert two.delete("/api/v1/session").status_code == 204
        in_time(one, 401)


def test_a_session_that_is_revoked_ends_on_every_node(pair: Pair) -> None:
    """Within seconds, also that of somebody who is busy."""
    cookie = pair.visitors.sign_in(Role.RESPONDER)
    with browser(pair.two) as theirs, browser(pair.one) as admin:
        theirs.cookies.set(COOKIE, cookie)
        in_time(theirs, 200)
        sign_in(admin)
        people = admin.get("/api/v1/people").json()["items"]
        number = next(p["id"] for p in people if p["name"] == "responder")
        url = f"/api/v1/people/{number}/sessions"
        assert len(admin.get(url).json()["items"]) == 1
        assert admin.delete(url).json() == {"ended": 1}
        in_time(theirs, 401)


def test_one_browser_is_signed_out(pair: Pair) -> None:
    """By oneself from another one; the own one goes on until it is ended."""
    lost = pair.visitors.sign_in(Role.RESPONDER)
    kept = pair.visitors.sign_in(Role.RESPONDER)
    with browser(pair.two) as theirs, browser(pair.one) as mine:
        theirs.cookies.set(COOKIE, lost)
        mine.cookies.set(COOKIE, kept)
        url = "/api/v1/me/sessions"
        shown = mine.get(url).json()
        other = next(
            one["id"]
            for one in shown["items"]
            if one["id"] != shown["current"]
        )
        assert mine.delete(f"{url}/{other}").json() == {"ended": 1}
        in_time(theirs, 401)
        in_time(mine, 200)
        again = mine.delete(f"{url}/{other}")
        assert (again.status_code, again.json()["field"]) == (
            404,
            "session_id",
        )
        assert mine.delete(f"{url}/{shown['current']}").status_code == 200
        in_time(mine, 401)


def test_one_revokes_ones_own_tokens_only(pair: Pair) -> None:
    """Others' are as if they were not there."""
    with browser(pair.one) as admin, browser(pair.one) as theirs:
        sign_in(admin)
        pair.visitors.sign_in(Role.VIEWER)
        theirs.cookies.set(COOKIE, pair.visitors.sign_in(Role.RESPONDER))
        people = admin.get("/api/v1/people").json()["items"]
        numbers = {one["name"]: one["id"] for one in people}
        made = {
            name: admin.post(
                "/api/v1/tokens",
                json={"account": numbers[name], "label": "a test"},
            ).json()["token"]["id"]
            for name in ("responder", "viewer")
        }
        url = "/api/v1/me/tokens"
        refused = theirs.delete(f"{url}/{made['viewer']}")
        assert refused.status_code == 404
        revoked = theirs.delete(f"{url}/{made['responder']}")
        assert revoked.status_code == 200
        assert revoked.json()["revoked_at"]
        told = {one["id"]: one for one in theirs.get(url).json()["items"]}
        assert told[made["responder"]]["revoked_at"]
        of_all = admin.get("/api/v1/tokens").json()["items"]
        left = next(one for one in of_all if one["id"] == made["viewer"])
        assert left["revoked_at"] is None


def test_a_stream_ends_with_its_session(pair: Pair) -> None:
    """It says so: whoever looks at it must not believe that all is well."""
    cookie = pair.visitors.sign_in(Role.VIEWER)
    with browser(pair.two) as theirs, browser(pair.one) as admin:
        theirs.cookies.set(COOKIE, cookie)
        with theirs.stream("GET", "/api/v1/stream", timeout=40) as events:
            lines = events.iter_lines()
            assert next(line for line in lines if line.startswith("event"))
            sign_in(admin)
            people = admin.get("/api/v1/people").json()["items"]
            number = next(p["id"] for p in people if p["name"] == "viewer")
            admin.delete(f"/api/v1/people/{number}/sessions")
            said = [line for line in lines if line.startswith("event")]
    assert said[-1] == "event: signed-out"


@pytest.mark.parametrize(
    ("origin", "name"), [("http", COOKIE), ("https", SAFE_COOKIE)]
)
def test_nobody_else_gets_the_cookie(
    pair: Pair, origin: str, name: str
) -> None:
    """No script, no other site, and over https no http."""
    url = pair.one.url.replace("http", origin, 1)
    answer = httpx.post(
        f"{pair.one.url}/api/v1/session",
        json={"name": "ana", "password": PASSWORD},
        headers={"origin": url},
    )
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{name}=")
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= parts
    assert ("secure" in parts) is (origin == "https")
    assert not any(part.startswith("domain") for part in parts)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-smokejumper": "1"},
        {"origin": "http://evil.example", "x-smokejumper": "1"},
        {"origin": "null", "x-smokejumper": "1"},
        {"sec-fetch-site": "cross-site", "x-smokejumper": "1"},
        {"sec-fetch-site": "same-origin"},
    ],
)
def test_a_strange_page_changes_nothing_with_a_cookie(
    pair: Pair, headers: dict[str, str]
) -> None:
    """Whatever the browser sends along."""
    cookie = pair.visitors.sign_in(Role.ADMIN)
    sent = {**headers, "cookie": f"{COOKIE}={cookie}"}
    url = pair.one.url
    answers = [
        httpx.put(f"{url}/api/v1/halt", json={}, headers=sent),
        httpx.post(f"{url}/api/v1/people", json={}, headers=sent),
        httpx.delete(f"{url}/api/v1/session", headers=sent),
    ]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert {answer.json()["reason"] for answer in answers} == {"strange_page"}
    read = httpx.get(f"{url}/api/v1/me", headers=sent)
    assert read.status_code == 200


@pytest.mark.parametrize("path", ["/console/login", "/console/setup"])
def test_a_strange_page_signs_nobody_in(pair: Pair, path: str) -> None:
    """As another one, whose session it would then watch."""
    form = {"name": "ana", "password": PASSWORD, "token": "x", "again": "x"}
    answer = httpx.post(
        f"{pair.one.url}{path}",
        data=form,
        headers={"origin": "http://evil.example"},
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_guessing_is_slowed_down_on_every_node(pair: Pair) -> None:
    """With how long to wait; the name need not be there."""
    body = {"name": "mallory", "password": "a wrong sentence"}
    reasons: list[Any] = []
    # On a busy machine a try may take longer than the first pauses last.
    while len(reasons) < 12 and "too_often" not in reasons:
        node = (pair.one, pair.two)[len(reasons) % 2]
        url = f"{node.url}/api/v1/session"
        answer = httpx.post(url, json=body, timeout=60)
        reasons.append(answer.json()["reason"])
    assert reasons[:5] == ["wrong_password"] * 5
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_nobody_signs_for_another(pair: Pair) -> None:
    """What one says is said by oneself."""
    mute = {
        "matchers": ['alertname="A"'],
        "from": to_iso(SystemClock().now()),
        "until": to_iso(SystemClock().now() + 3_600_000_000),
        "comment": "planned",
    }
    with browser(pair.one) as client:
        sign_in(client)
        other = client.post("/api/v1/mutes", json={**mute, "author": "ben"})
        assert other.status_code == 403
        assert other.json()["reason"] == "not_you"
        assert other.json()["field"] == "author"
        made = client.post("/api/v1/mutes", json=mute)
        assert made.status_code == 201
        assert made.json()["author"] == "ana"
        number = made.json()["id"]
        url = f"/api/v1/mutes/{number}"
        ended = client.delete(url, params={"comment": "done"})
        assert ended.status_code == 200


def test_a_person_comes_in_by_their_link(pair: Pair) -> None:
    """With a form, without a script, to where they are sent."""
    with browser(pair.one) as admin:
        sign_in(admin)
        made = admin.post(
            "/api/v1/people", json={"name": "ben", "role": "responder"}
        )
        assert made.status_code == 201
        assert made.headers["cache-control"] == "no-store"
        link, account = made.json()["link"], made.json()["account"]
        assert link.startswith(f"{pair.one.url}/console/setup?token=")
    token = link.rpartition("=")[2]
    form = {"token": token, "name": "ben", "password": PASSWORD}
    with httpx.Client(base_url=pair.two.url) as client:
        client.headers["origin"] = pair.two.url
        page = client.get(f"/console/setup?token={token}")
        assert 'value="ben"' in page.text
        assert page.headers["referrer-policy"] == "same-origin"
        bad = client.post("/console/setup", data={**form, "again": "other"})
        assert bad.status_code == 422
        assert "not the same" in bad.text
        assert PASSWORD not in bad.text
        done = client.post("/console/setup", data={**form, "again": PASSWORD})
        assert done.status_code == 303
        assert client.get("/api/v1/me").json()["name"] == "ben"
    with browser(pair.one) as admin:
        sign_in(admin)
        url = f"/api/v1/people/{account['id']}"
        match = {"if-match": '"1"'}
        late = admin.patch(url, json={"role": "admin"}, headers=match)
        assert late.status_code == 409
        new = admin.patch(url, json={"role": "approver"})
        assert new.json()["role"] == "approver"
        log = admin.get("/api/v1/log", params={"kind": "account.changed"})
        body = log.json()["items"][0]["body"]
        assert body["before"]["role"] == "responder"
        assert body["after"]["role"] == "approver"


def test_the_login_leads_to_where_one_came_for(pair: Pair) -> None:
    """And to no other site."""
    with httpx.Client(base_url=pair.one.url) as client:
        client.headers["origin"] = pair.one.url
        sent = client.get("/console/log?kind=x")
        assert sent.status_code == 303
        page = client.get(sent.headers["location"])
        assert 'value="/console/log?kind=x"' in page.text
        form = {"name": "ana", "password": "wrong", "next": "/console/log"}
        bad = client.post("/console/login", data=form)
        assert bad.status_code == 401
        assert "name or the password is wrong" in bad.text
        assert 'value="/console/log"' in bad.text
        done = client.post(
            "/console/login", data={**form, "password": PASSWORD}
        )
        assert done.headers["location"] == "/console/log"
        assert client.get("/console/log").status_code == 200
        evil = {**form, "password": PASSWORD, "next": "//evil.example/"}
        done = client.post("/console/login", data=evil)
        assert done.headers["location"] == "/console/incidents"
        again = client.get("/console/login?next=/console/log")
        assert again.headers["location"] == "/console/log"


def test_a_link_on_another_site_finds_who_is_signed_in(pair: Pair) -> None:
    """Its click brings no cookie; our own page asks once more, with it."""
    strange = {"sec-fetch-site": "cross-site"}
    url = f"{pair.one.url}/console/login?next=/console/log"
    page = httpx.get(url, headers=strange)
    assert page.status_code == 200
    assert 'content="0; url=/console/log"' in page.text


def test_a_new_password_ends_the_other_sessions(pair: Pair) -> None:
    """Of oneself, and needs the old one."""
    with browser(pair.one) as one, browser(pair.two) as two:
        sign_in(one)
        sign_in(two)
        wrong = {"old": "not it at all", "new": "another sentence"}
        assert one.put("/api/v1/me/password", json=wrong).status_code == 401
        right = {"old": PASSWORD, "new": "another sentence"}
        assert one.put("/api/v1/me/password", json=right).status_code == 200
        assert one.get("/api/v1/me").status_code == 200
        in_time(two, 401)
        back = {"old": "another sentence", "new": PASSWORD}
        assert one.put("/api/v1/me/password", json=back).status_code == 200
