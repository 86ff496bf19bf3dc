"""People talk about incidents over HTTP, two of them at once as well."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from typing import Any

import httpx
import pytest

from tests.service import OPEN, Service

CROWD = 20
DEADLINE = 20.0
hosts = count(1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a service with a source that takes any JSON, and Zabbix."""
    settings = {"sources": {"generic": OPEN, "zabbix": OPEN}}
    with Service(tmp_path_factory.mktemp("words"), settings) as service:
        yield service


def ask(service: Service, query: str, *values: object) -> list[Any]:
    """Return rows out of the service's database."""
    url = f"file:{service.database}?mode=ro"
    with closing(sqlite3.connect(url, uri=True, timeout=10)) as connection:
        return connection.execute(query, values).fetchall()


def wait_for(service: Service, query: str, *values: object) -> Any:
    """Return the first row of a query as soon as there is one."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        rows = ask(service, query, *values)
        if rows:
            return rows[0]
        time.sleep(0.02)
    raise AssertionError(f"never: {query} {values}")


def send(service: Service, path: str, body: object) -> None:
    """Deliver something to a source."""
    url = f"{service.url}/webhooks/{path}"
    httpx.post(url, json=body, timeout=10).raise_for_status()


def fire(service: Service, host: str, *names: str) -> int:
    """Let problems of a host fire; return their incident."""
    for name in names:
        send(service, "generic", {"name": name, "host": host})
        query = (
            "SELECT incident_id FROM episode WHERE target LIKE ? AND name = ?"
        )
        (number,) = wait_for(service, query, f"host:%:{host}", name)
    return int(number)


def incident_of(service: Service, *names: str) -> int:
    """Return the incident of some problems of a host of its own."""
    return fire(service, f"web-{next(hosts)}", *(names or ("DiskFull",)))


def episodes_of(service: Service, number: int) -> list[int]:
    """Return the episodes of an incident."""
    query = "SELECT id FROM episode WHERE incident_id = ? ORDER BY id"
    return [row[0] for row in ask(service, query, number)]


def post(
    service: Service,
    number: int,
    what: str,
    headers: dict[str, str] | None = None,
    **body: object,
) -> httpx.Response:
    """Say something about an incident."""
    return httpx.post(
        f"{service.url}/api/v1/incidents/{number}/{what}",
        json={"author": "ana", **body},
        headers=headers,
        timeout=30,
    )


def words_of(service: Service, number: int) -> list[dict[str, Any]]:
    """Return the words that the API shows of an incident."""
    url = f"{service.url}/api/v1/incidents/{number}/words"
    answer = httpx.get(url, timeout=10)
    answer.raise_for_status()
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def crowd(
    service: Service, number: int, what: str, *bodies: dict[str, Any]
) -> list[httpx.Response]:
    """Say something twenty times at one moment."""
    gate = threading.Barrier(CROWD)

    def one(index: int) -> httpx.Response:
        """Wait for all the others, then say it."""
        gate.wait(60)
        return post(service, number, what, **bodies[index % len(bodies)])

    with ThreadPoolExecutor(CROWD) as pool:
        return list(pool.map(one, range(CROWD)))


def test_a_note_is_shown_as_it_was_said(shared: Service) -> None:
    """Whatever it is written in, by whom, and when."""
    number = incident_of(shared)
    text = "Häl 🔥 <b>\nsecond line"
    answer = post(shared, number, "notes", author=" ana ", text=f" {text} ")
    assert answer.status_code == 201
    word = answer.json()
    assert (word["author"], word["text"]) == ("ana", text)
    assert word["kind"] == "note"
    assert word["at"].endswith("Z")
    assert words_of(shared, number) == [word]


def test_every_call_answers_with_its_word(shared: Service) -> None:
    """And each is an entry of the action log."""
    number = incident_of(shared)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("acknowledge", {"text": "I look"}),
        ("unacknowledge", {}),
        ("owner", {"owner": "ben"}),
        ("owner", {"owner": ""}),
        ("corrections", {"text": "no", "about": "target", "correct": "db"}),
    ]
    said = [post(shared, number, what, **body) for what, body in calls]
    assert [answer.status_code for answer in said] == [201] * len(calls)
    assert words_of(shared, number) == [answer.json() for answer in said]
    assert said[4].json()["details"] == {"about": "target", "correct": "db"}
    versions = [answer.json()["version"] for answer in said]
    assert versions == list(range(versions[0], versions[0] + len(calls)))
    query = "SELECT kind FROM entry WHERE incident_id = ? AND actor = ?"
    kinds = [row[0] for row in ask(shared, query, number, "person:ana")]
    assert kinds == [
        "incident.acknowledged",
        "incident.unacknowledged",
        "incident.owner_changed",
        "incident.owner_changed",
        "incident.corrected",
    ]


@pytest.mark.parametrize(
    ("what", "body", "field"),
    [
        ("notes", {"text": ""}, "text"),
        ("notes", {"text": "   "}, "text"),
        ("notes", {"text": "x" * 10_001}, "text"),
        ("notes", {"text": "a\0b"}, "text"),
        ("notes", {"text": "a\x1b[31mb"}, "text"),
        ("notes", {"text": "\ud800"}, "text"),
        ("notes", {"text": 5}, "text"),
        ("notes", {"text": "x", "author": ""}, "author"),
        ("notes", {"text": "x", "author": "a\nb"}, "author"),
        ("notes", {"text": "x", "author": "a" * 201}, "author"),
        ("notes", {"text": "x", "mood": "bad"}, "mood"),
        ("notes", {"text": "x", "version": -1}, "version"),
        ("owner", {}, "owner"),
        ("split", {"episodes": []}, "episodes"),
        ("split", {"episodes": [0]}, "episodes"),
        ("split", {"episodes": [2**64]}, "episodes"),
        ("split", {"episodes": [1] * 1_001}, "episodes"),
        ("merge", {}, "into"),
        ("merge", {"into": "first"}, "into"),
    ],
)
def test_what_is_wrong_is_named(
    shared: Service, what: str, body: dict[str, Any], field: str
) -> None:
    """422 with the field, and nothing is kept."""
    number = incident_of(shared)
    answer = httpx.post(
        f"{shared.url}/api/v1/incidents/{number}/{what}",
        content=json.dumps({"author": "ana", **body}),
        headers={"content-type": "application/json"},
        timeout=10,
    )
    assert answer.status_code == 422, answer.text
    assert field in answer.json()["field"]
    assert words_of(shared, number) == []


def test_what_is_not_there_is_said(shared: Service) -> None:
    """404 for any call about an incident that does not exist."""
    answer = post(shared, 2**40, "notes", text="x")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    url = f"{shared.url}/api/v1/incidents/{2**40}/words"
    assert httpx.get(url, timeout=10).status_code == 404


def test_a_browsers_form_says_nothing(shared: Service) -> None:
    """Only JSON is read: a strange web page can send no more than forms."""
    number = incident_of(shared)
    for kind in ("text/plain", "application/x-www-form-urlencoded", None):
        answer = httpx.post(
            f"{shared.url}/api/v1/incidents/{number}/notes",
            content='{"author": "ana", "text": "x"}',
            headers={"content-type": kind} if kind else {},
            timeout=10,
        )
        assert answer.status_code == 422
    assert words_of(shared, number) == []


def test_a_second_try_has_the_first_answer(shared: Service) -> None:
    """With the same Idempotency-Key, ten times at once as well."""
    number = incident_of(shared)
    key = {"Idempotency-Key": "try-1"}
    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(
                lambda _: post(shared, number, "notes", key, text="once"),
                range(10),
            )
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(words_of(shared, number)) == 1
    answer = post(shared, number, "notes", key, text="something else")
    assert (answer.status_code, answer.json()["reason"]) == (422, "key_used")


def test_who_comes_late_is_told_who_was_first(shared: Service) -> None:
    """By If-Match or by version: 409 with who and when."""
    number = incident_of(shared)
    seen = post(shared, number, "notes", text="hm").json()["version"]
    post(shared, number, "owner", author="ben", owner="ben")
    for headers, body in (
        ({"If-Match": f'"{seen}"'}, {}),
        ({}, {"version": seen}),
    ):
        answer = post(shared, number, "owner", headers, owner="cleo", **body)
        assert answer.status_code == 409
        assert "ben" in answer.json()["detail"]
        assert "Z" in answer.json()["detail"]
    match = {"If-Match": f'"{seen + 1}"'}
    assert (
        post(shared, number, "owner", match, owner="cleo").status_code == 201
    )
    wrong = {"If-Match": "tomorrow"}
    assert post(shared, number, "notes", wrong, text="x").status_code == 422


def test_split_and_merge_over_http(shared: Service) -> None:
    """There and back, with the words of both in one place."""
    one, two = incident_of(shared), incident_of(shared)
    note = post(shared, one, "notes", text="of the first").json()
    episodes = episodes_of(shared, one)
    merged = post(shared, one, "merge", into=two, text="same switch")
    assert merged.status_code == 201
    assert merged.json()["details"]["into"] == two
    assert note in words_of(shared, two)
    answer = post(shared, one, "notes", text="x")
    assert answer.status_code == 409
    assert f"incident {two}" in answer.json()["detail"]
    split = post(shared, two, "split", episodes=episodes)
    assert split.json()["details"]["into"] == one
    assert note in words_of(shared, one)
    assert note not in words_of(shared, two)
    assert post(shared, one, "notes", text="x").status_code == 201


def test_words_come_in_pages(shared: Service) -> None:
    """Each once, in order, whatever the size of a page."""
    number = incident_of(shared)
    said = [
        post(shared, number, "notes", text=f"note {n}").json()
        for n in range(5)
    ]
    url: str | None = f"/api/v1/incidents/{number}/words?limit=2"
    found = []
    while url:
        page = httpx.get(f"{shared.url}{url}", timeout=10).json()
        assert len(page["items"]) <= 2
        found += page["items"]
        url = page["next"]
    assert found == said


def test_a_crowd_acknowledges(shared: Service) -> None:
    """One person wins; the others hear who."""
    number = incident_of(shared)
    people = [{"author": f"person-{n}"} for n in range(CROWD)]
    answers = crowd(shared, number, "acknowledge", *people)
    won = [answer for answer in answers if answer.status_code == 201]
    assert len(won) == 1
    winner = won[0].json()["author"]
    for answer in answers:
        if answer not in won:
            assert answer.status_code == 409
            assert winner in answer.json()["detail"]
    assert len(words_of(shared, number)) == 1


def test_a_crowd_of_one_person_acknowledges(shared: Service) -> None:
    """Twenty clicks of one person are one word, and one answer."""
    number = incident_of(shared)
    answers = crowd(shared, number, "acknowledge", {"author": "ana"})
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1


def test_a_crowd_merges_and_splits(shared: Service) -> None:
    """One wins each time; no episode is lost, none is in two places."""
    one, two = incident_of(shared), incident_of(shared)
    mine, theirs = episodes_of(shared, one), episodes_of(shared, two)
    answers = crowd(shared, one, "merge", {"into": two})
    assert sorted(a.status_code for a in answers) == [201] + [409] * 19
    assert episodes_of(shared, two) == sorted(mine + theirs)
    answers = crowd(shared, two, "split", {"episodes": mine})
    assert sorted(a.status_code for a in answers) == [201] + [409] * 19
    assert (episodes_of(shared, one), episodes_of(shared, two)) == (
        mine,
        theirs,
    )


def test_two_merge_each_other(shared: Service) -> None:
    """One way round, never both: nothing vanishes in a circle."""
    pairs = [(incident_of(shared), incident_of(shared)) for _ in range(5)]
    for one, two in pairs:
        with ThreadPoolExecutor(2) as pool:
            answers = list(
                pool.map(
                    lambda way: post(shared, way[0], "merge", into=way[1]),
                    [(one, two), (two, one)],
                )
            )
        assert sorted(a.status_code for a in answers) == [201, 409]
        query = "SELECT state FROM incident WHERE id IN (?, ?) ORDER BY state"
        states = [row[0] for row in ask(shared, query, one, two)]
        assert states == ["merged", "open"]


def test_zabbix_says_who_looks_at_it(shared: Service) -> None:
    """An update of Zabbix acknowledges the incident, once."""
    event = {
        "event_id": f"77{next(hosts)}",
        "event_name": "Queue is long",
        "event_value": "1",
        "event_nseverity": "2",
        "event_date": "2026.11.20",
        "event_time": "10:00:00",
        "host_host": f"relay-{next(hosts)}",
    }
    update = {
        **event,
        "event_update_status": "1",
        "event_update_date": "2026.11.20",
        "event_update_time": "10:05:00",
        "event_update_action": "acknowledged, changed severity from Warning"
        " to Disaster and commented",
        "event_update_message": "mine",
        "event_update_user": "Olga On-Call (olga)",
        "event_nseverity": "5",
    }
    for body in (event, update, update, event, update):
        send(shared, "zabbix", body)
    (number,) = wait_for(
        shared,
        "SELECT id FROM incident WHERE target_name = ? AND acknowledged_by"
        " = ? AND severity = 'critical'",
        event["host_host"],
        "zabbix:Olga On-Call (olga)",
    )
    (word,) = words_of(shared, number)
    assert (word["kind"], word["text"]) == ("acknowledge", "mine")
    assert word["at"] == "2026-11-20T10:05:00Z"
    assert word["alert"]
