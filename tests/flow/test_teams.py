"""Who sees one team's incidents sees, hears and changes nothing else.

Every route is walked as it stands in the description of the API: a new one
is in this test without being named here.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from app.models.account import Role
from tests.flow.deciding import firing
from tests.flow.events import blocks
from tests.flow.teams import CANARY, LISTS, OURS, SECRETS, TEAMS, THEIRS, Scene
from tests.flow.telling import Pager

WRITES = ("post", "put", "patch", "delete")
# No list of these is parted by teams.
WHOLE = {"/api/v1/alerts", "/api/v1/deliveries"} | {
    f"/api/v1/export/{name}" for name in ("alerts", "deliveries")
}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Return a service in which the same happened to two teams."""
    with ExitStack() as undo:
        pager = undo.enter_context(Pager())
        folder = tmp_path_factory.mktemp("teams")
        running = undo.enter_context(Scene(folder, pager))
        running.prepare()
        yield running


def endless(path: str) -> bool:
    """Tell whether an answer never ends."""
    return path == "/api/v1/stream"


def test_nothing_of_another_team_is_ever_sent(scene: Scene) -> None:
    """Every address that is read, with our numbers and with theirs."""
    walked = 0
    for path, methods in scene.routes().items():
        if "get" not in methods or endless(path):
            continue
        walked += 1
        for host in TEAMS:
            answer = scene.ask("get", scene.fill(path, host), Role.APPROVER)
            assert CANARY not in answer.text, path
            assert CANARY not in str(answer.headers), path
            named = re.findall(r"\{(\w+)\}", path)
            is_owned = bool(set(named) & set(LISTS))
            if path in WHOLE or "delivery_id" in named:
                assert answer.status_code == 403, path
                assert "needs_all_teams" in answer.text
            elif is_owned:
                expected = 200 if host == OURS else 404
                assert answer.status_code == expected, (path, answer.text)
            else:
                assert answer.status_code < 500, path
    assert walked > 30


def test_ours_are_sent_and_all_of_it_to_who_sees_all(scene: Scene) -> None:
    """Else the test above would hold of a service that sends nothing."""
    for name in LISTS.values():
        if name == "alerts":
            continue
        rows = scene.ask("get", f"/api/v1/{name}").json()["items"]
        everything = scene.get(f"/{name}")["items"]
        assert rows, name
        assert {one["id"] for one in rows} < {one["id"] for one in everything}
    for name in ("log", "incidents"):
        path = f"/api/v1/export/{name}?format=csv"
        ours = scene.ask("get", path).text
        assert OURS in ours
        assert CANARY in httpx.get(f"{scene.url}{path}", timeout=60).text
    asked = scene.ask("get", "/api/v1/log?count=exact&limit=1").json()
    whole = scene.get("/log", count="exact", limit=1)
    assert 0 < asked["count"]["value"] < whole["count"]["value"]


@pytest.mark.parametrize("term", [CANARY, "disk", "zqcan*"])
def test_a_search_finds_what_is_seen(scene: Scene, term: str) -> None:
    """Words of another team find nothing, by whatever way."""
    for name in ("log", "incidents"):
        path = f"/api/v1/{name}?text={term}&count=exact"
        found = scene.ask("get", path).json()
        assert CANARY not in str(found["items"])
        if term != "disk":
            assert found["count"]["value"] == 0


def test_a_filter_by_their_team_finds_nothing(scene: Scene) -> None:
    """Who sees one team does not see another by asking for it."""
    path = f"/api/v1/incidents?team={TEAMS[THEIRS]}"
    assert scene.ask("get", path).json()["items"] == []
    assert len(scene.get("/incidents", team=TEAMS[THEIRS])["items"]) == 1


def test_the_stream_tells_of_ours_and_of_what_all_must_know(
    scene: Scene,
) -> None:
    """From the first entry on, and while it goes on."""
    heard: list[Any] = []
    headers = {"authorization": f"Bearer {SECRETS[Role.VIEWER]}"}
    url = f"{scene.url}/api/v1/stream?after=0"
    begun = threading.Event()

    def listen() -> None:
        """Hear until the last word comes."""
        with httpx.stream("GET", url, headers=headers, timeout=60) as answer:
            for one in blocks(answer.iter_lines()):
                begun.set()
                heard.append(one)
                if "the last word" in str(one.content):
                    return

    ear = threading.Thread(target=listen)
    ear.start()
    assert begun.wait(30)
    for halted in (True, False):
        body = {"author": "ana", "reason": "a test", "halted": halted}
        put = httpx.put(f"{scene.url}/api/v1/halt", json=body, timeout=60)
        put.raise_for_status()
    for host in (THEIRS, OURS):
        number = scene.numbers[host]["incident_id"]
        text = f"{CANARY} again" if host == THEIRS else "the last word"
        body = {"author": "ana", "text": text}
        scene.post(f"/incidents/{number}/notes", body).raise_for_status()
    ear.join(60)
    assert not ear.is_alive()
    assert CANARY not in str(heard)
    kinds = {one.name for one in heard}
    assert {"incident.opened", "job.ended", "halt.changed"} <= kinds
    assert "mute.added" not in kinds
    assert "mute.added" in {
        one["kind"] for one in scene.get("/log", limit=500)["items"]
    }
    shown = scene.ask("get", "/api/v1/log?kind=halt.changed").json()
    assert len(shown["items"]) == 2


def test_nothing_of_another_team_can_be_changed(scene: Scene) -> None:
    """Every address that writes: their numbers are not there."""
    before = scene.get("/log", limit=1)["seq"]
    walked = 0
    for path, methods in scene.routes().items():
        for method in set(methods) & set(WRITES):
            if not set(re.findall(r"\{(\w+)\}", path)) & set(LISTS):
                continue
            walked += 1
            address = scene.fill(path, THEIRS)
            body: dict[str, Any] = {"json": {}}
            if method == "delete":
                body = {}
            answer = scene.ask(method, address, Role.APPROVER, **body)
            assert answer.status_code == 404, (method, path, answer.text)
            assert CANARY not in answer.text
    assert walked >= 15
    scene.check_unchanged(before)


def test_a_body_names_no_incident_of_another_team(scene: Scene) -> None:
    """Neither to be merged into, nor to be tried."""
    ours = scene.numbers[OURS]["incident_id"]
    theirs = scene.numbers[THEIRS]["incident_id"]
    before = scene.get("/log", limit=1)["seq"]
    asked = (
        (f"/api/v1/incidents/{ours}/merge", {"into": theirs}),
        ("/api/v1/decide", {"incident": theirs}),
    )
    for path, body in asked:
        answer = scene.ask("post", path, Role.APPROVER, json=body)
        assert answer.status_code == 404, answer.text
        nowhere = dict.fromkeys(body, 999999)
        missing = scene.ask("post", path, Role.APPROVER, json=nowhere)
        told = [one.json()["detail"] for one in (answer, missing)]
        assert told[0].replace(str(theirs), "999999") == told[1]
    scene.check_unchanged(before)


def test_a_mute_must_name_ones_own_team(scene: Scene) -> None:
    """Else it would keep others from hearing of theirs."""
    window = {
        "from": "2027-11-22T02:00:00Z",
        "until": "2027-11-22T04:00:00Z",
        "comment": "work",
    }
    wide = ['{severity="warning"}', f'{{team="{TEAMS[THEIRS]}"}}']
    wide += ['{team=~"ours|other"}', '{team!="other"}']
    path = "/api/v1/mutes"
    for matchers in wide:
        body = {"matchers": [matchers], **window}
        answer = scene.ask("post", path, Role.RESPONDER, json=body)
        assert answer.status_code == 403, answer.text
        assert "names_no_team" in answer.text
    body = {"matchers": ['{team="ours",severity="info"}'], **window}
    answer = scene.ask("post", path, Role.RESPONDER, json=body)
    assert answer.status_code == 201, answer.text
    calendar = scene.ask(
        "post",
        f"{path}/import",
        Role.RESPONDER,
        content=b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        headers={"content-type": "text/calendar"},
    )
    assert calendar.status_code == 403, calendar.text
    assert "needs_all_teams" in calendar.text


def test_the_dry_run_of_a_mute_tells_of_ours_only(scene: Scene) -> None:
    """An alert of ours that joined their incident shows nothing of it."""
    stray = firing(THEIRS, "stray", alertname="LoadHigh", team=TEAMS[OURS])
    scene.fire(stray)
    path = f"/incidents/{scene.numbers[THEIRS]['incident_id']}"
    scene.wait_for(lambda: "LoadHigh" in str(scene.get(path)))
    path = "/api/v1/mutes/dry-run"
    body = {"matchers": [f'{{team="{TEAMS[OURS]}"}}']}
    told = scene.ask("post", path, Role.RESPONDER, json=body)
    assert told.status_code == 200, told.text
    assert CANARY not in told.text
    assert OURS in told.text
    assert told.json()["looked_at"] == 1
    whole = httpx.post(f"{scene.url}{path}", json=body, timeout=60)
    assert CANARY in whole.text
    assert whole.json()["looked_at"] == 2


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "/people", None),
        ("post", "/people", {"name": "eve", "nature": "person"}),
        ("put", "/reins", {"confidence": 0.1}),
        ("post", "/tokens", {"account": "robot-admin", "label": "x"}),
        ("put", "/halt", {"halted": False, "reason": "mine is well"}),
    ],
)
def test_what_is_everybodys_needs_all_teams(
    scene: Scene, method: str, path: str, body: dict[str, Any] | None
) -> None:
    """An admin of one team appoints nobody, and lets nothing go."""
    answer = scene.ask(method, f"/api/v1{path}", Role.ADMIN, json=body)
    assert answer.status_code == 403, answer.text
    assert "needs_all_teams" in answer.text


def test_everybody_may_pause(scene: Scene) -> None:
    """The switch is for whoever sees that something goes wrong."""
    body = {"halted": True, "reason": "it restarts the wrong hosts"}
    said = scene.ask("put", "/api/v1/halt", Role.RESPONDER, json=body)
    assert said.status_code == 200, said.text
    again = {"author": "ana", "halted": False, "reason": "mended"}
    httpx.put(f"{scene.url}/api/v1/halt", json=again).raise_for_status()


def test_ours_can_be_changed(scene: Scene) -> None:
    """What is ours answers as to everybody of that role."""
    number = scene.numbers[OURS]["incident_id"]
    path = f"/api/v1/incidents/{number}/notes"
    said = scene.ask("post", path, Role.RESPONDER, json={"text": "mine"})
    assert said.status_code == 201, said.text
    assert said.json()["author"] == "robot-responder"
