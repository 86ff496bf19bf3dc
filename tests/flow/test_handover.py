"""The handover and the looks at one line, through the API."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.flow.acting import ActingService

FAR = "2126-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def acted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActingService]:
    """Return a service that asked, was granted, and did it."""
    with ActingService(tmp_path_factory.mktemp("handover")) as service:
        asked = service.ask_about("web-1")
        service.answer(asked["id"], "grant").raise_for_status()
        service.wait_for_job(asked["incident"], "succeeded")
        service.post(
            f"/incidents/{asked['incident']}/notes",
            {"author": "ana", "text": "it was the nightly copy"},
        ).raise_for_status()
        refused = service.ask_about("web-2")
        service.answer(refused["id"], "refuse").raise_for_status()
        service.wait_for_stage(refused["incident"], "escalated")
        yield service


def get(service: ActingService, path: str, **query: Any) -> httpx.Response:
    """Return what the API answers."""
    return httpx.get(f"{service.url}/api/v1{path}", params=query, timeout=30)


def test_a_night_is_told(acted: ActingService) -> None:
    """In numbers, and each thing with what it takes to find it again."""
    night = get(acted, "/handover").raise_for_status().json()
    counts, asked = night["counts"], night["asked"]
    assert (counts["alerts"], counts["incidents"]) == (2, 2)
    assert counts["escalated"] >= 1
    assert (counts["jobs"], counts["fixed"]) == (1, 0)
    assert counts["fixed"] + counts["unknown"] + counts["not_measured"] == 1
    assert (asked["asked"], asked["granted"], asked["refused"]) == (2, 1, 1)
    assert asked["median_seconds"] >= 0
    (done,) = night["done"]
    assert done["call"].startswith("collect_diagnostics(")
    assert (done["state"], done["approval"]) == ("succeeded", 1)
    assert done["took_seconds"] >= 0
    assert {one["id"] for one in night["open"]} == {1, 2}
    assert [one["kind"] for one in night["said"]] == ["incident.noted"]
    ana = night["who"][0]
    assert (ana["actor"], ana["is_person"]) == ("person:ana", True)
    assert ana["kinds"]["incident.noted"] == 1
    assert night["cut"] == []
    log = get(acted, "/log", limit=1).json()
    assert night["seq"] <= log["seq"]


def test_a_night_before_all_is_quiet(acted: ActingService) -> None:
    """What is still open is told all the same: it is so now."""
    night = get(
        acted,
        "/handover",
        since="2020-01-01T22:00:00Z",
        until="2020-01-02T08:00:00+00:00",
    ).json()
    assert night["until"] == "2020-01-02T08:00:00Z"
    counts = night["counts"]
    assert (counts["alerts"], counts["incidents"], counts["jobs"]) == (0,) * 3
    assert (night["done"], night["said"], night["who"]) == ([], [], [])
    assert counts["still_open"] == 2


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"since": FAR}, "no length"),
        ({"since": "2020-01-01T00:00:00Z"}, "longer than 31 days"),
        ({"since": "2020-01-01T00:00:00"}, "timezone"),
        ({"until": "tomorrow"}, "date"),
        ({"from": FAR}, "not permitted"),
    ],
)
def test_a_span_that_is_none_is_refused(
    acted: ActingService, query: dict[str, str], says: str
) -> None:
    """With what is wrong and what to do."""
    answer = get(acted, "/handover", **query)
    assert answer.status_code == 422
    assert says in answer.text
    assert answer.json()["remedy"]


def test_a_line_is_shown_in_its_chain(acted: ActingService) -> None:
    """The hash of one line is what the next one was written after."""
    first, second = (
        get(acted, f"/log/{number}/chain").raise_for_status().json()
        for number in (1, 2)
    )
    assert first["holds"]
    assert second["before"] == first["hash"]
    assert first["hash"] == get(acted, "/log/1").json()["hash"]
    assert second["fits_after"] is True
    assert get(acted, "/log/999999/chain").status_code == 404
    assert get(acted, "/log/0/chain").status_code == 422


def test_a_ruling_is_put_to_the_policy_in_force(acted: ActingService) -> None:
    """The same policy says the same; nothing is started by asking."""
    ruling = get(acted, "/log", kind="ruling.made").json()["items"][-1]
    number = ruling["body"]["ruling"]
    before = acted.starts()
    today = get(acted, f"/rulings/{number}/today").raise_for_status().json()
    assert (today["was"], today["is_same"]) == ("ask", True)
    assert today["policy"] == today["was_policy"]
    assert acted.starts() == before
    assert get(acted, "/rulings/999999/today").status_code == 404


def test_one_has_no_sessions_without_an_account(acted: ActingService) -> None:
    """Whoever works on this machine is signed in nowhere."""
    sessions = get(acted, "/me/sessions").raise_for_status().json()
    assert sessions == {"items": [], "current": 0}
    assert get(acted, "/me/tokens").json() == {
        "items": [],
        "next": None,
    }
    url = f"{acted.url}/api/v1/me/sessions"
    assert httpx.delete(url, timeout=30).status_code == 409
