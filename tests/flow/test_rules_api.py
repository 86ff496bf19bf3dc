"""Brains, ladder, ways and foresight over HTTP, on a running service."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.flow.acting import ActingService


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActingService]:
    """Return a service that has decided on one incident."""
    with ActingService(tmp_path_factory.mktemp("rules")) as running:
        running.decide_on("web-01")
        yield running


def brain(node: ActingService, name: str) -> dict[str, Any]:
    """Return what the list of brains says of one."""
    items = node.get("/brains")["items"]
    (found,) = [one for one in items if one["name"] == name]
    return dict(found)


def test_brains_show_what_they_did(node: ActingService) -> None:
    """The one that decides first; what is not configured is told as such."""
    page = node.get("/brains")
    assert page["items"][0]["name"] == "fake"
    fake = brain(node, "fake")
    assert (fake["is_on"], fake["is_live"]) == (True, True)
    assert fake["work"]["decisions"] >= 1
    assert fake["work"]["median_ms"] >= 0
    assert fake["work"]["last_at"].startswith("20")
    reflex = brain(node, "reflex")
    assert (reflex["is_on"], reflex["is_live"]) == (True, False)
    assert reflex["work"]["decisions"] == 0
    assert reflex["resting_seconds"] is None
    assert "classifier" in reflex["about"]
    ollama = brain(node, "ollama")
    assert (ollama["is_on"], ollama["model"]) == (False, "")
    assert page["budgets"]["calls_of_minute"] >= 0
    assert page["budgets"]["tokens_per_day"] > 0


def test_how_far_it_looks_back_is_bounded(node: ActingService) -> None:
    """A month at most."""
    assert node.get("/brains", hours=720)["items"]
    for hours in ("0", "721", "x"):
        url = f"{node.url}/api/v1/brains"
        answer = httpx.get(url, params={"hours": hours}, timeout=30)
        assert answer.status_code == 422, hours


def test_each_source_has_something_to_try(node: ActingService) -> None:
    """Its own example, which its parser reads."""
    (one,) = node.get("/brains/examples")["items"]
    assert (one["source"], one["kind"]) == ("alertmanager", "alertmanager")
    body = {"source": one["source"], "payload": one["payload"]}
    tried = node.post("/decide", {**body, "brain": "reflex"})
    assert tried.status_code == 200, tried.text
    assert tried.json()["items"][0]["dry_run"]


def test_the_ladder_says_how_far_each_action_is_trusted(
    node: ActingService,
) -> None:
    """As the policy's first line that fits does."""
    ladder = node.get("/trust/ladder")
    assert ladder["policy"] == node.get("/policy")["version"]
    assert ladder["environments"] == [""]
    modes = {one["action"]: one["mode"] for one in ladder["items"]}
    assert set(modes.values()) == {"approve"}
    assert {one["line"] for one in ladder["items"]} == {None}
    names = {one["name"] for one in node.get("/catalogue")["actions"]}
    assert set(modes) == names


def test_actions_say_where_they_run(node: ActingService) -> None:
    """With the backends that are configured here, and the others."""
    looks = node.get("/catalogue/collect_diagnostics")
    assert looks["origin"] == "built in"
    first = looks["ways"][0]
    assert (first["backend"], first["job"]) == ("scripted", "quick")
    assert first["is_on"]


def test_a_mute_is_foreseen(node: ActingService) -> None:
    """Which incidents it would keep; nothing is made."""
    body = {"matchers": ['{target="web-01"}']}
    answer = node.post("/mutes/dry-run", body)
    assert answer.status_code == 200, answer.text
    seen = answer.json()
    assert (seen["muted"], seen["partly"]) == (1, 0)
    assert seen["items"][0]["target"] == "web-01"
    assert seen["items"][0]["is_whole"]
    assert node.get("/mutes")["items"] == []
    for wrong in (["target"], ['target=~".*"'], []):
        refused = node.post("/mutes/dry-run", {"matchers": wrong})
        assert refused.status_code == 422, wrong
        assert "matchers" in refused.json()["field"]
