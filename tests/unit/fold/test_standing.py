"""Where an incident stands, and the lines that the log gets about it."""

from typing import Any

import msgspec
import pytest

from app.fold.standing import UNHEARD, Muted, settle, tell_change, worst_of
from app.models.incident import Incident
from app.store.incidents import Tally
from tests.unit.fold.test_grouping import episode

NOW = 1_000
OPEN = Incident(
    id=7,
    state="open",
    target="host::web",
    target_kind="host",
    target_name="web",
    problem="a",
    source="s",
    severity="error",
    title="disk",
    opened_at=0,
    changed_at=0,
    begins_at=0,
)
LAST = (episode(1, 0, until=60), episode(2, 5, until=80))


def like(**change: Any) -> Incident:
    """Return the incident with some other columns."""
    return msgspec.structs.replace(OPEN, **change)


@pytest.mark.parametrize(
    ("severities", "worst"),
    [
        ([], "unknown"),
        (["unknown"], "unknown"),
        (["info", "unknown"], "info"),
        (["info", "warning"], "warning"),
        (["error", "warning", "error"], "error"),
        (["warning", "critical", "error"], "critical"),
    ],
)
def test_the_worst_is_not_that_of_the_alphabet(
    severities: list[str], worst: str
) -> None:
    """In our scale; of none it is unknown."""
    assert worst_of(severities) == worst


@pytest.mark.parametrize(
    ("before", "tally", "firing", "muted", "expected"),
    [
        ({}, Tally(1, 3), {"info": 2}, None, ("open", "", "info", None, 2)),
        (
            *({}, Tally(2, 3, last=LAST), {}, None),
            ("resolved", "", "error", 80, 0),
        ),
        (
            *({}, Tally(2, 3, stale=1, last=LAST), {}, None),
            ("resolved", UNHEARD, "error", 80, 0),
        ),
        # While one goes on, that another is stale says nothing of it.
        (
            *({}, Tally(2, 3, stale=1), {"critical": 1}, None),
            ("open", "", "critical", None, 1),
        ),
        # Without episodes it keeps what it had.
        (
            *({"ends_at": 9}, Tally(0, 3), {}, None),
            ("resolved", "", "error", 9, 0),
        ),
        (
            *({}, Tally(1, 3), {"error": 1}, Muted(NOW + 1, "mute 4")),
            ("suppressed", "mute 4", "error", None, 1),
        ),
        (
            *({}, Tally(1, 3), {"error": 1}, Muted(NOW, "mute 4")),
            ("open", "", "error", None, 1),
        ),
        (
            *({"state": "merged", "merged_into": 3}, Tally(1, 3)),
            *({"error": 1}, None, ("open", "", "error", None, 1)),
        ),
    ],
)
def test_it_is_what_its_episodes_make_of_it(
    before: dict[str, Any],
    tally: Tally,
    firing: dict[str, int],
    muted: Muted | None,
    expected: tuple[str, str, str, int | None, int],
) -> None:
    """Nothing of what they made of it before is left."""
    one = settle(like(**before), tally, firing, muted, NOW)
    found = (one.state, one.reason, one.severity, one.ends_at, one.firing)
    assert found == expected
    assert (one.begins_at, one.merged_into) == (3, 0)


@pytest.mark.parametrize("until", [NOW, NOW + 1])
def test_what_is_past_is_forgotten(until: int) -> None:
    """A clock that is set back does not bring it back."""
    before = like(held_until=until, flapping_until=until)
    after = settle(before, Tally(1, 3), {"error": 1}, None, NOW)
    left = until if until > NOW else None
    assert (after.held_until, after.flapping_until) == (left, left)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, {}, ["opened disk"]),
        (
            *(None, {"state": "waiting", "reason": "held"}),
            ["opened disk", "held disk: held"],
        ),
        ({}, {}, []),
        ({}, {"state": "resolved"}, ["resolved disk: resolved"]),
        (
            *({}, {"state": "resolved", "reason": UNHEARD}),
            [f"resolved disk: {UNHEARD}"],
        ),
        ({"state": "resolved"}, {}, ["reopened disk: open"]),
        ({"state": "merged"}, {}, ["reopened disk: open"]),
        ({"state": "suppressed"}, {}, ["released disk: open"]),
        ({"state": "waiting"}, {}, ["released disk: open"]),
        (
            *({"state": "waiting"}, {"state": "resolved"}),
            ["resolved disk: healed itself while it was held down"],
        ),
        (
            *({"state": "waiting"}, {"state": "resolved", "reason": UNHEARD}),
            [f"resolved disk: {UNHEARD}"],
        ),
        (
            *(None, {"state": "resolved", "held_until": 9}),
            [
                "opened disk",
                "resolved disk: healed itself while it was held down",
            ],
        ),
        (
            *({"state": "suppressed", "reason": "mute 1"},),
            *({"state": "suppressed", "reason": "mute 2"},),
            ["suppressed disk: mute 2"],
        ),
        (
            *({"state": "resolved"},),
            *({"state": "resolved", "reason": UNHEARD}, []),
        ),
        (
            *({"severity": "info"}, {"state": "resolved"}),
            [
                "resolved disk: resolved",
                "severity_changed severity info -> error",
            ],
        ),
    ],
)
def test_the_log_says_what_changed(
    before: dict[str, Any] | None, after: dict[str, Any], told: list[str]
) -> None:
    """One line for each change, none for what stayed."""
    old = None if before is None else like(**before)
    notes = tell_change(old, like(**after), "rule:x")
    found = [
        f"{note.kind.removeprefix('incident.')} {note.summary}"
        for note in notes
    ]
    assert found == told
    assert all(note.status == like(**after).state for note in notes)
