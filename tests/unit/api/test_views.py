"""Rows of the store as JSON shows them."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from app.api.entries import EntryView
from app.api.incident_views import EpisodeView, IncidentDossier, IncidentView
from app.models.cluster import FOREVER
from app.models.entry import BEGINNING, Note, to_entry
from app.models.episode import Episode
from app.models.incident import Incident
from app.store.dossier import Dossier

NOTE = Note(
    kind="incident.opened",
    incident=3,
    actor="source:a",
    summary="Opened.",
    body={"alerts": [1, 2], "why": None},
)
ENTRY = to_entry(BEGINNING, 1_000_000, NOTE)


def test_an_entry_is_shown_whole() -> None:
    """Its details as JSON, its hash in hexadecimal digits."""
    view = EntryView.of(ENTRY)
    assert (view.id, view.incident_id) == (1, 3)
    assert view.at == "1970-01-01T00:00:01Z"
    assert view.body == {"alerts": [1, 2], "why": None}
    assert view.hash == ENTRY.hash.hex()


def test_a_hash_may_come_as_a_view_of_memory() -> None:
    """A driver of PostgreSQL returns none as bytes."""
    fields = msgspec.structs.asdict(ENTRY)
    row = SimpleNamespace(**fields | {"hash": memoryview(ENTRY.hash)})
    assert EntryView.of(row).hash == ENTRY.hash.hex()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{}", {}),
        ("null", None),
        ('"{}"', "{}"),
        ("", ""),
        ("{", "{"),
        ("{'a': 1}", "{'a': 1}"),
        ("{} {}", "{} {}"),
        ("NaN", "NaN"),
        ("1e400", "1e400"),
        ('"\\ud800"', '"\\ud800"'),
        ('"a\nb"', '"a\nb"'),
    ],
)
def test_details_that_are_no_json_are_shown_as_text(
    text: str, shown: Any
) -> None:
    """Whoever changed the log cannot hide it from a reader."""
    row = msgspec.structs.replace(ENTRY, body=text)
    assert EntryView.of(row).body == shown


def test_details_that_are_too_deep_are_shown_as_text() -> None:
    """One line that somebody spoilt does not stop the list."""
    row = msgspec.structs.replace(ENTRY, body="[" * 100_000)
    assert EntryView.of(row).body == row.body


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (FOREVER, ""),
        (-(2**63), ""),
    ],
)
def test_the_time_of_an_entry_is_a_text(moment: int, shown: str) -> None:
    """Empty when no calendar has it."""
    row = msgspec.structs.replace(ENTRY, at=moment)
    assert EntryView.of(row).at == shown


def incident(**given: Any) -> Incident:
    """Return an incident with some other columns."""
    columns: dict[str, Any] = {
        "id": 3,
        "state": "open",
        "target": "host:a",
        "target_kind": "host",
        "target_name": "a",
        "problem": "disk",
        "source": "s",
        "severity": "error",
        "title": "Disk full",
        "opened_at": 1_000_000,
        "changed_at": 2_000_000,
        "begins_at": 0,
    }
    return Incident(**columns | given)


@pytest.mark.parametrize(
    ("given", "name", "shown"),
    [
        ({}, "opened_at", "1970-01-01T00:00:01Z"),
        ({}, "changed_at", "1970-01-01T00:00:02Z"),
        ({}, "begins_at", "1970-01-01T00:00:00Z"),
        ({}, "ends_at", None),
        ({"ends_at": 0}, "ends_at", "1970-01-01T00:00:00Z"),
        ({"begins_at": FOREVER}, "begins_at", None),
        ({"due_at": 1}, "due_at", "1970-01-01T00:00:00.000001Z"),
        ({"held_until": 0}, "held_until", "1970-01-01T00:00:00Z"),
        ({"flapping_until": 0}, "flapping_until", "1970-01-01T00:00:00Z"),
        ({"acknowledged_at": 0}, "acknowledged_at", "1970-01-01T00:00:00Z"),
        ({}, "merged_into", None),
        ({"merged_into": 7}, "merged_into", 7),
        ({"firing": 0}, "firing", 0),
        ({"owner": ""}, "owner", ""),
        ({"version": 2**31 - 1}, "version", 2**31 - 1),
    ],
)
def test_a_column_of_an_incident(
    given: dict[str, Any], name: str, shown: Any
) -> None:
    """Times are ISO 8601; what is not there is null, not 0."""
    assert getattr(IncidentView.of(incident(**given)), name) == shown


def episode(**given: Any) -> Episode:
    """Return an episode with some other columns."""
    columns: dict[str, Any] = {
        "id": 5,
        "strand_id": 1,
        "source": "s",
        "fingerprint": "f",
        "target": "host:a",
        "problem": "disk",
        "name": "DiskFull",
        "severity": "error",
        "summary": "",
        "begins_at": 0,
        "first_alert": 1,
        "last_alert": 2,
        "alerts": 2,
        "seen_at": 0,
    }
    return Episode(**columns | given)


@pytest.mark.parametrize(
    ("given", "name", "shown"),
    [
        ({}, "ended_at", None),
        ({"until": 0}, "ended_at", "1970-01-01T00:00:00Z"),
        ({"until": FOREVER - 1}, "ended_at", None),
        ({}, "is_pinned", False),
        ({"pin": 9}, "is_pinned", True),
        ({"pin": 0, "home": 9}, "is_pinned", False),
        ({"seen_at": FOREVER}, "seen_at", ""),
    ],
)
def test_a_column_of_an_episode(
    given: dict[str, Any], name: str, shown: Any
) -> None:
    """What goes on has no end."""
    assert getattr(EpisodeView.of(episode(**given)), name) == shown


def test_a_dossier_has_its_parts_beside_the_columns() -> None:
    """The count of the episodes stays what the row says."""
    whole = Dossier(
        incident(episodes=300, merged_into=0), [episode()], (8, 7), (2,), ()
    )
    shown = IncidentDossier.whole(whole)
    assert (shown.episodes, len(shown.all_episodes)) == (300, 1)
    assert (shown.siblings, shown.merged) == ([8, 7], [2])
    assert shown.log == "/api/v1/log?incident_id=3"
    assert shown.merged_into is None
