"""Any JSON, read by the expressions of the settings."""

from typing import Any

import pytest

from app.core.errors import ConfigError
from app.models.alert import Severity, Status
from app.models.delivery import Unparsed
from tests.unit.sources.making import (
    flaw_of,
    make_source,
    moment,
    only_alert,
    parse,
)

PLAIN = make_source("generic")
OPTIONS = {
    "items": "report.checks[]",
    "name": "check",
    "fingerprint": "key",
    "status": "result.code",
    "severity": "prio",
    "summary": "result.text",
    "url": "links[0]",
    "starts_at": "since",
    "ends_at": "until",
    "occurrence": "run",
    "labels": {"host": "node", "rack": "place.rack", "ports": "ports"},
    "annotations": {"advice": "advice"},
    "resolved_values": ["Fine", 0, False],
}
CHECK = {
    "check": "raid",
    "key": "k-1",
    "result": {"code": 2, "text": "one disk is gone"},
    "prio": "P1",
    "links": ["http://checks.example.net/1"],
    "since": "2026-11-21T02:00:00Z",
    "until": 1795230000,
    "run": 88,
    "node": "store-9",
    "place": {"rack": 4},
    "ports": [1, 2],
    "advice": "call the vendor",
}


def report(*checks: object) -> dict[str, Any]:
    """Return what a monitoring system of one's own might send."""
    return {"report": {"checks": list(checks)}}


def test_every_option_finds_its_field() -> None:
    """The settings say where things stand."""
    source = make_source("generic", OPTIONS, name="checks")
    alert = only_alert(source, report(CHECK))
    assert alert.name == "raid"
    assert alert.fingerprint == "k-1"
    assert alert.status is Status.FIRING
    assert alert.severity is Severity.CRITICAL
    assert alert.summary == "one disk is gone"
    assert alert.url == "http://checks.example.net/1"
    assert alert.starts_at == moment("2026-11-21T02:00:00Z")
    assert alert.ends_at == moment("2026-11-21T03:00:00Z")
    assert alert.occurrence == "88"
    assert alert.labels == {
        "host": "store-9",
        "rack": "4",
        "ports": "[1, 2]",
        "severity": "P1",
    }
    assert alert.annotations == {"advice": "call the vendor"}


@pytest.mark.parametrize("code", ["fine", "FINE ", 0, 0.0, False])
def test_the_words_for_resolved_are_the_settings(code: object) -> None:
    """Case and type do not matter: YAML makes numbers of some words."""
    source = make_source("generic", OPTIONS)
    check = {**CHECK, "result": {"code": code}}
    assert only_alert(source, report(check)).status is Status.RESOLVED


def test_a_flat_object_needs_no_settings() -> None:
    """The usual names are known."""
    body = {
        "alertname": "Oven is cold",
        "hostname": "bakery-1",
        "level": "warning",
        "description": "below 180 degrees",
        "startsAt": "2026-11-21T02:00:00Z",
    }
    alert = only_alert(PLAIN, body)
    assert alert.name == "Oven is cold"
    assert alert.status is Status.FIRING
    assert alert.severity is Severity.WARNING
    assert alert.summary == "below 180 degrees"
    assert alert.labels == {"host": "bakery-1", "severity": "warning"}
    assert alert.occurrence == str(moment("2026-11-21T02:00:00Z"))


def test_an_end_is_recognised_as_the_end_of_the_same() -> None:
    """Severity and text change when all is well; the identity does not."""
    body = {"title": "Oven", "host": "b", "severity": "high", "status": "up?"}
    firing = only_alert(PLAIN, body)
    end = {**body, "severity": "ok", "status": "OK", "message": "warm again"}
    resolved = only_alert(PLAIN, end)
    other = only_alert(PLAIN, {**body, "host": "c"})
    assert resolved.status is Status.RESOLVED
    assert firing.fingerprint == resolved.fingerprint != other.fingerprint
    assert len(firing.fingerprint) == 16


def test_without_a_time_nothing_tells_occurrences_apart() -> None:
    """Then only a change of the status makes a new message."""
    assert only_alert(PLAIN, {"name": "x"}).occurrence is None


def test_a_list_is_read_item_by_item() -> None:
    """One broken item does not spoil the others."""
    body = [{"name": "a"}, 5, {"host": "b"}, {"name": "c"}]
    parsed = parse(PLAIN, body)
    assert [alert.name for alert in parsed.alerts] == ["a", "c"]
    assert [(flaw.reason, flaw.field) for flaw in parsed.unparsed] == [
        ("missing", "$.items[1]: name"),
        ("missing", "$.items[2]: name"),
    ]


def test_nothing_where_the_items_should_be() -> None:
    """The settings and the payload do not fit together."""
    source = make_source("generic", OPTIONS)
    assert flaw_of(source, {"report": None}).field == "$: items"
    assert parse(source, report()).alerts == ()


@pytest.mark.parametrize(
    ("option", "expression"),
    [
        ("items", "sort(@)"),
        ("name", "join(',', name)"),
        ("severity", "contains(name, `5`)"),
        ("url", "ceil(to_number(name))"),
        ("starts_at", "name[::0]"),
    ],
)
def test_a_function_that_does_not_fit_is_a_flaw(
    option: str, expression: str
) -> None:
    """Whatever Python raises below a function stays a flaw."""
    source = make_source("generic", {option: expression})
    body = {"name": ["infinity"] if option == "starts_at" else "infinity"}
    flaw = flaw_of(source, body)
    assert flaw.reason == "misfit"
    assert flaw.field.endswith(f": {option}")
    assert "infinity" not in flaw.detail


def test_depth_that_a_function_cannot_follow_is_a_flaw() -> None:
    """JSON that can just be decoded may be too deep for what comes after."""
    source = make_source("generic", {"items": "[@]", "name": "to_string(@)"})
    reasons = set()
    for depth in range(700, 1_000, 3):
        try:
            parsed = parse(source, b"[" * depth + b"]" * depth)
        except Unparsed as error:
            reasons.add(error.flaw.reason)
        else:
            reasons |= {flaw.reason for flaw in parsed.unparsed}
    assert reasons <= {"not_json", "misfit"}


def test_a_label_that_does_not_fit_names_its_option() -> None:
    """Labels have a level more."""
    source = make_source("generic", {"labels": {"host": "length(host)"}})
    flaw = flaw_of(source, {"name": "x", "host": 4})
    assert flaw.field == "$.items[0]: labels.host"


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2026-11-21T03:00:00+01:00", "2026-11-21T02:00:00Z"),
        ("2026-11-21 02:00:00", "2026-11-21T02:00:00Z"),
        ("2026-11-21T02:00:00.123456789Z", "2026-11-21T02:00:00.123456Z"),
        (1795226400, "2026-11-21T02:00:00Z"),
        ("1795226400", "2026-11-21T02:00:00Z"),
        (1795226400.25, "2026-11-21T02:00:00.25Z"),
        ("1795226400.25", "2026-11-21T02:00:00.25Z"),
        (1795226400123, "2026-11-21T02:00:00.123Z"),
        (1795226400123456, "2026-11-21T02:00:00.123456Z"),
        (1795226400123456789, "2026-11-21T02:00:00.123457Z"),
    ],
)
def test_times_in_all_their_units(written: object, iso: str) -> None:
    """The size of a number tells its unit."""
    alert = only_alert(PLAIN, {"name": "x", "starts_at": written})
    assert alert.starts_at == moment(iso)


@pytest.mark.parametrize(
    "written",
    ["soon", "", 0, -5, "-5", True, [], {}, 10**30, "9" * 21, 1e300, None],
)
def test_a_time_that_is_none_does_not_cost_the_alert(written: object) -> None:
    """What is no time is as good as absent."""
    alert = only_alert(PLAIN, {"name": "x", "starts_at": written})
    assert alert.starts_at is None
    assert alert.occurrence is None


@pytest.mark.parametrize(
    "expression", ["foo[", "", "fo o", "shout(name)", "length()", "&name", 5]
)
@pytest.mark.parametrize(
    ("options", "setting"),
    [("name", "name"), ("items", "items"), ("labels", "labels.host")],
)
def test_a_wrong_expression_stops_the_start(
    expression: object, options: str, setting: str
) -> None:
    """The mistake is told with the option that has it."""
    value = {"host": expression} if options == "labels" else expression
    with pytest.raises(ConfigError) as caught:
        make_source("generic", {options: value})
    (problem,) = caught.value.problems
    assert problem.setting == f"sources.generic.options.{setting}"


def test_an_option_that_there_is_not_stops_the_start() -> None:
    """A slip of the pen must not go unnoticed."""
    with pytest.raises(ConfigError, match="Did you mean 'severity'"):
        make_source("generic", {"severty": "x"})


def test_several_instances_stand_side_by_side() -> None:
    """Each says its own address."""
    setup = make_source("generic", OPTIONS, name="checks").setup
    assert "/webhooks/checks" in setup
