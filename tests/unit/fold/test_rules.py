"""Settings of folding: what they may say, and the rules that come of it."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.fold.rules import FoldSettings, Rules, make_rules
from app.models.cluster import Windows
from app.models.incident import Flapping
from app.models.target import TARGET_RULES, TargetRule

SECOND = 1_000_000
DAY = 86_400 * SECOND


def rules(*tells_once: str, **raw: Any) -> Rules:
    """Return the rules out of raw settings."""
    return make_rules(FoldSettings.model_validate(raw), tells_once)


def test_without_settings() -> None:
    """What goes for whoever writes nothing."""
    found = rules()
    assert found.windows == Windows(900 * SECOND, 900 * SECOND)
    assert found.flapping == Flapping(6, 1_800 * SECOND, 600 * SECOND)
    assert found.holds == ()
    assert found.naming_of("any").targets == TARGET_RULES
    assert found.naming_of("any").stale == DAY


HOLDS = {
    "hold_down": [
        {"matchers": ["severity=critical", "team=db"], "seconds": 1},
        {"matchers": ['severity!="critical"'], "seconds": 0.5},
        {"seconds": 3},
    ]
}


@pytest.mark.parametrize(
    ("labels", "wait"),
    [
        ({"severity": "critical", "team": "db"}, 1 * SECOND),
        ({"severity": "critical", "team": "web"}, 3 * SECOND),
        ({"severity": "critical"}, 3 * SECOND),
        ({"severity": "warning", "team": "db"}, SECOND // 2),
        ({}, SECOND // 2),
    ],
)
def test_the_first_hold_that_fits_counts(
    labels: dict[str, str], wait: int
) -> None:
    """All of its matchers must fit; one without any fits always."""
    assert rules(**HOLDS).hold(labels) == wait
    assert rules().hold(labels) == 0


HOST = {"kind": "host", "labels": ["ip"]}


@pytest.mark.parametrize(
    ("source", "target", "problem", "stale"),
    [
        ("unknown", "box", ("team",), 60 * SECOND),
        ("plain", "box", ("team",), 60 * SECOND),
        ("own", "host", (), 0),
        ("nowhere", None, ("team",), 60 * SECOND),
        ("once", "box", ("team",), 0),
        ("once-set", "box", ("team",), 5 * SECOND),
        ("once-named", "host", ("team",), 0),
    ],
)
def test_a_source_has_its_own_way_where_it_says_so(
    source: str, target: str | None, problem: tuple[str, ...], stale: int
) -> None:
    """Empty is a way, too; what repeats nothing is not stale unasked."""
    found = rules(
        *("once", "once-set", "once-named"),
        targets=[{"kind": "box", "labels": ["box"]}],
        problem=["team"],
        stale_seconds=60,
        sources={
            "plain": {},
            "own": {"targets": [HOST], "problem": [], "stale_seconds": 0},
            "nowhere": {"targets": []},
            "once-set": {"stale_seconds": 5},
            "once-named": {"targets": [HOST]},
        },
    ).naming_of(source)
    assert (found.problem, found.stale) == (problem, stale)
    assert [one.kind for one in found.targets] == ([target] if target else [])


def test_a_target_without_a_scope_of_its_own_has_the_usual_one() -> None:
    """An empty scope is one."""
    bare = {"kind": "host", "labels": ["ip"], "scope": []}
    first, second = rules(targets=[HOST, bare]).naming.targets
    assert first == TargetRule("host", ("ip",))
    assert second == TargetRule("host", ("ip",), ())


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ({"again_seconds": -1}, "again_seconds"),
        ({"again_seconds": 86_401}, "again_seconds"),
        ({"together_seconds": float("inf")}, "together_seconds"),
        ({"stale_seconds": -1}, "stale_seconds"),
        ({"stale_seconds": float("nan")}, "stale_seconds"),
        ({"flapping": {"changes": 2}}, "flapping.changes"),
        ({"flapping": {"changes": 61}}, "flapping.changes"),
        ({"flapping": {"within_seconds": 0}}, "flapping.within_seconds"),
        ({"flapping": {"calm_seconds": 0}}, "flapping.calm_seconds"),
        ({"hold_down": [{"seconds": 0}]}, "hold_down.0.seconds"),
        ({"hold_down": [{"seconds": 86_401}]}, "hold_down.0.seconds"),
        ({"hold_down": [{}]}, "hold_down.0.seconds"),
        (
            {"hold_down": [{"seconds": 1, "matchers": ["a=b", "a=~("]}]},
            "hold_down.0.matchers.1",
        ),
        (
            {"hold_down": [{"seconds": 1, "matchers": ["a=b,c=d"]}]},
            "hold_down.0.matchers.0",
        ),
        ({"targets": [{"kind": "Host", "labels": ["a"]}]}, "targets.0.kind"),
        ({"targets": [{"kind": "a:b", "labels": ["a"]}]}, "targets.0.kind"),
        ({"targets": [{"kind": "a\n", "labels": ["a"]}]}, "targets.0.kind"),
        ({"targets": [{"kind": "a", "labels": []}]}, "targets.0.labels"),
        ({"sources": {"x": {"again_seconds": 1}}}, "sources.x.again_seconds"),
        ({"sources": {"x": {"stale_seconds": -1}}}, "sources.x.stale_seconds"),
        ({"agian_seconds": 1}, "agian_seconds"),
    ],
)
def test_a_wrong_setting_is_named(raw: dict[str, Any], place: str) -> None:
    """By its whole path, and only that one."""
    with pytest.raises(ValidationError) as caught:
        FoldSettings.model_validate(raw)
    (error,) = caught.value.errors()
    assert ".".join(map(str, error["loc"])) == place


@pytest.mark.parametrize("seconds", [float("inf"), 1e13, 1e300])
@pytest.mark.parametrize(
    "raw",
    [
        lambda seconds: {"stale_seconds": seconds},
        lambda seconds: {"sources": {"x": {"stale_seconds": seconds}}},
        lambda seconds: {"flapping": {"calm_seconds": seconds}},
        lambda seconds: {"flapping": {"within_seconds": seconds}},
    ],
)
def test_a_span_that_no_database_takes_is_refused(
    raw: Any, seconds: float
) -> None:
    """At the start, with its name; not in the middle of a turn."""
    with pytest.raises(ValidationError):
        FoldSettings.model_validate(raw(seconds))
