"""F25: many click at once, each on something else: at most one execution."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from tests.flow.acting import ActingService
from tests.flow.deciding import firing

CLICKS = 20
ANSWERS = ("grant", "refuse", "withdraw", "edit")
OVER = "2026-11-21T02:15:02Z"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActingService]:
    """Return a service whose jobs end at once; tests add to it."""
    with ActingService(tmp_path_factory.mktemp("quick")) as running:
        yield running


def click(
    node: ActingService, question: int, *answers: str
) -> list[httpx.Response]:
    """Let twenty people answer a question at once, in these ways in turn."""

    def answer(number: int) -> httpx.Response:
        """Answer it as one of many."""
        way = answers[number % len(answers)]
        more = {"arguments": {"topic": "disk"}} if way == "edit" else {}
        return node.answer(question, way, f"person-{number}", **more)

    with ThreadPoolExecutor(CLICKS) as crowd:
        return list(crowd.map(answer, range(CLICKS)))


def questions(node: ActingService, incident: int) -> object:
    """Return the open questions about an incident."""
    return node.get("/approvals", incident=incident, state="asked")["items"]


def settled(node: ActingService, question: int, *hows: str) -> str:
    """Let them click; return what became of it, told to each alike."""
    answers = click(node, question, *hows)
    counts = Counter(one.status_code for one in answers)
    assert set(counts) <= {200, 409}
    told = {one.json()["reason"] for one in answers if one.status_code == 409}
    assert "" not in told
    return str(node.get(f"/approvals/{question}")["state"])


def test_of_all_ways_to_answer_one_counts(node: ActingService) -> None:
    """Grant, refuse, withdraw and edit at once: what it is is one of them.

    Whoever withdraws may take back a grant that has not started yet.
    """
    for number in range(5):
        asked = node.ask_about(f"mixed-{number}")
        before = node.starts()
        state = settled(node, asked["id"], *ANSWERS)
        assert state in ("granted", "refused", "withdrawn", "edited")
        if state == "edited":
            # What was edited is a question of its own.
            node.wait_for(partial(questions, node, asked["incident"]))
            assert node.starts() == before
            continue
        node.wait_for_stage(asked["incident"], "escalated")
        assert node.starts() == before + (state == "granted")
        query = {"incident": asked["incident"], "kind": "job.started"}
        started = node.get("/log", **query)["items"]
        assert len(started) == (state == "granted")


@pytest.mark.parametrize("answer", ["grant", "edit"])
def test_who_comes_after_the_end_of_the_alert(
    node: ActingService, answer: str
) -> None:
    """Nothing starts any more, and each of twenty is told why."""
    host = f"over-{answer}"
    asked = node.ask_about(host)
    before = node.starts()
    node.fire({**firing(host), "status": "resolved", "endsAt": OVER})
    node.wait_for_stage(asked["incident"], "closed", "escalated")
    answers = click(node, asked["id"], answer)
    assert {one.status_code for one in answers} == {409}
    assert node.get(f"/approvals/{asked['id']}")["state"] == "withdrawn"
    assert node.starts() == before


def test_a_click_that_is_repeated_starts_nothing_more(
    node: ActingService,
) -> None:
    """The same request, byte for byte, twenty times after it was done."""
    asked = node.ask_about("again")
    before = node.starts()
    assert node.answer(asked["id"], "grant").status_code == 200
    node.wait_for_job(asked["incident"], "succeeded")
    again = [node.answer(asked["id"], "grant") for _ in range(CLICKS)]
    assert {one.status_code for one in again} == {409}
    node.wait_for_stage(asked["incident"], "escalated")
    assert node.starts() == before + 1


def test_a_second_pause_is_not_lifted_with_the_first(
    node: ActingService,
) -> None:
    """Two people pause for two reasons; who resumes has read both."""
    url = f"{node.url}/api/v1/halt"

    def put(author: str, reason: str, version: int = 0) -> httpx.Response:
        """Pause, or lift the pause of a version."""
        body = {"author": author, "reason": reason, "halted": not version}
        seen = {"if-match": f'"{version}"'} if version else {}
        return httpx.put(url, json=body, headers=seen)

    first = put("ana", "a drill").json()
    again = put("ana", "error rate 31 %").json()
    assert again["version"] == first["version"]
    second = put("bo", "it is real").json()
    assert (second["by"], second["reason"]) == ("bo", "it is real")
    refused = put("ana", "the drill is over", first["version"])
    assert refused.status_code == 409
    assert httpx.get(url).json()["halted"] is True
    lifted = put("ana", "both are over", second["version"])
    assert lifted.json()["halted"] is False
    lines = node.get("/log", kind="halt.changed")["items"]
    told = [one["summary"] for one in lines[:3]]
    assert [one.partition(": ")[2] for one in told] == [
        "both are over",
        "it is real",
        "a drill",
    ]
