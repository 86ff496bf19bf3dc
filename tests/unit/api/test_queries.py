"""What the lists can be asked for, as the store is asked."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.api.export import AlertExport, LogExport
from app.api.queries import (
    AlertQuery,
    DeliveryQuery,
    IncidentQuery,
    LogQuery,
    PageQuery,
)

LAST = 2**63 - 1
SHOWN = ("open", "resolved", "suppressed", "waiting")


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, {}),
        ({"limit": 7, "count": "exact", "before": 9, "after": 0}, {}),
        ({"text": "disk full"}, {"text": "disk full"}),
        ({"since": "1970-01-01T00:00:01Z"}, {"since": 1_000_000}),
        ({"since": "1970-01-01T00:00:00.000001Z"}, {"since": 1}),
        ({"until": "1970-01-01T01:00:00+01:00"}, {"until": 0}),
        ({"until": "1969-12-31T23:59:59Z"}, {"until": -1_000_000}),
        ({"source": []}, {}),
        ({"source": ["a,b"]}, {"source": ("a,b",)}),
        ({"source": ["a", "a"]}, {"source": ("a", "a")}),
        ({"source": [""]}, {"source": ("",)}),
        ({"severity": ["error,info"]}, {"severity": ("error", "info")}),
        ({"severity": ["error", "info"]}, {"severity": ("error", "info")}),
        ({"status": ["firing"]}, {"status": ("firing",)}),
        ({"delivery_id": 1}, {"delivery_id": 1}),
        ({"repeats_min": 1}, {"repeats_min": 1}),
        ({"repeats_max": 2**31 - 1}, {"repeats_max": 2**31 - 1}),
    ],
)
def test_only_the_filters_that_were_given_are_asked(
    given: dict[str, Any], asked: dict[str, Any]
) -> None:
    """Pages are no filters, and times are moments."""
    assert AlertQuery.model_validate(given).where() == asked


def test_plain_texts_reach_the_store() -> None:
    """No driver has to know our words."""
    asked = AlertQuery.model_validate({"severity": ["error"]}).where()
    assert [type(value) for value in asked["severity"]] == [str]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (IncidentQuery, "firing_max"),
        (IncidentQuery, "episodes_max"),
        (AlertQuery, "repeats_max"),
        (DeliveryQuery, "unparsed_max"),
        (DeliveryQuery, "accepted_max"),
        (DeliveryQuery, "truncated_max"),
    ],
)
def test_none_at_most_is_a_filter(query: type[PageQuery], name: str) -> None:
    """Who asks for at most 0 does not get all."""
    assert query.model_validate({name: 0}).where().get(name) == 0


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"before": 0}, "before"),
        ({"before": LAST + 1}, "before"),
        ({"after": -1}, "after"),
        ({"count": "all"}, "count"),
        ({"since": "2026-11-21T00:00:00"}, "since"),
        ({"since": "yesterday"}, "since"),
        ({"until": ""}, "until"),
        ({"text": ""}, "text"),
        ({"text": "-- !!"}, "text"),
        ({"text": "_"}, "text"),
        ({"text": "ab*"}, "text"),
        ({"text": "a\0b"}, "text"),
        ({"text": "a" * 201}, "text"),
        ({"text": "a b c d e f g h i j k l m"}, "text"),
        ({"source": ["a\0"]}, "source"),
        ({"source": ["\ud800"]}, "source"),
        ({"source": ["a" * 501]}, "source"),
        ({"source": ["a"] * 21}, "source"),
        ({"severity": ["bad"]}, "severity"),
        ({"severity": ["error,"]}, "severity"),
        ({"severity": ["Error"]}, "severity"),
        ({"severity": ["error," * 20 + "info"]}, "severity"),
        ({"delivery_id": 0}, "delivery_id"),
        ({"repeats_min": -1}, "repeats_min"),
        ({"repeats_min": 2**31}, "repeats_min"),
        ({"serverity": ["error"]}, "serverity"),
        ({"starts_at": "2026-11-21T00:00:00Z"}, "starts_at"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    given: dict[str, Any], field: str
) -> None:
    """A wrong value is no wider question."""
    with pytest.raises(ValidationError) as refused:
        AlertQuery.model_validate(given)
    assert refused.value.errors()[0]["loc"][0] == field


@pytest.mark.parametrize(
    "given",
    [
        {"limit": 1},
        {"limit": 500},
        {"before": 1, "after": 0},
        {"before": LAST, "after": LAST},
        {"text": "abc*"},
        {"text": "a b c d e f g h i j k l"},
        {"text": "a a a a a a a a a a a a a"},
        {"text": "ß"},
        {"source": ["a" * 500] * 20},
        {"severity": ["error,info,warning,critical,unknown"] * 4},
    ],
)
def test_what_lies_on_the_bound_is_taken(given: dict[str, Any]) -> None:
    """The last good value is good."""
    AlertQuery.model_validate(given)


@pytest.mark.parametrize(
    ("given", "states"),
    [
        ({}, SHOWN),
        ({"merged": False}, SHOWN),
        ({"merged": True}, None),
        ({"state": ["merged"]}, ("merged",)),
        ({"state": ["open,merged"]}, ("open", "merged")),
        ({"state": ["open"], "merged": True}, ("open",)),
        ({"merged_into": ["4,5"]}, None),
        ({"state": ["resolved"], "merged_into": [4]}, ("resolved",)),
        ({"state": [], "source": ["a"]}, SHOWN),
    ],
)
def test_merged_incidents_are_shown_to_who_asks(
    given: dict[str, Any], states: tuple[str, ...] | None
) -> None:
    """They live on in another one, so that nobody sees a problem twice."""
    asked = IncidentQuery.model_validate(given).where()
    assert asked.get("state") == states
    assert "merged" not in asked


@pytest.mark.parametrize(
    ("given", "hidden"),
    [
        ({}, "canary"),
        ({"canary": False}, "canary"),
        ({"canary": True}, None),
        ({"source": ["canary"]}, None),
        ({"source": ["zabbix"], "canary": False}, None),
    ],
)
def test_the_canary_is_shown_to_who_asks(
    given: dict[str, Any], hidden: str | None
) -> None:
    """It is no incident of anybody; the log is whole unless told."""
    asked = IncidentQuery.model_validate(given).where()
    assert asked.get("source_not") == hidden
    assert "canary" not in asked
    assert LogQuery.model_validate({}).where() == {}
    assert LogQuery.model_validate({"canary": False}).where() == {
        "problem_not": "SmokejumperCanary"
    }


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        ({}, None),
        ({"incident_id": [3]}, (3,)),
        ({"incident": ["3,4"]}, (3, 4)),
        ({"incident": [3], "incident_id": [4]}, (3, 4)),
        ({"incident": [0]}, (0,)),
        ({"incident_id": [LAST]}, (LAST,)),
    ],
)
def test_both_names_of_an_incident_mean_the_same(
    given: dict[str, Any], numbers: tuple[int, ...] | None
) -> None:
    """The log and the stream call it differently."""
    asked = LogQuery.model_validate(given).where()
    assert asked.get("incident_id") == numbers
    assert "incident" not in asked


def test_an_export_has_all_rows_unless_told() -> None:
    """The bound of a page is none of a file."""
    assert AlertExport().limit == LAST
    assert AlertExport(limit=501).limit == 501


@pytest.mark.parametrize("given", [{"format": "xml"}, {"formats": "csv"}])
def test_an_export_refuses_what_it_does_not_know(given: Any) -> None:
    """Nobody gets another file than the one that was asked for."""
    with pytest.raises(ValidationError):
        LogExport.model_validate(given)
