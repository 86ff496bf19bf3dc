"""Mutes as they are asked for and shown."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.api.mute_views import MuteBody, MuteView, to_matchers
from app.core.clock import from_iso
from app.core.errors import Refused
from app.models.matcher import Matcher, read_matchers
from app.models.mute import Mute, Wish
from app.models.timetable import Slot, Timetable

GOOD = {
    "matchers": ['target="web-1"'],
    "from": "2026-11-22T02:00:00Z",
    "until": "2026-11-22T04:00:00Z",
    "author": "ana",
    "comment": "updates",
}


def wish_of(**given: Any) -> Wish:
    """Return what a body with some other fields asks for."""
    return MuteBody.model_validate(GOOD | given).to_wish()


@pytest.mark.parametrize(
    ("start", "zone", "moment"),
    [
        ("2026-11-22T02:00:00Z", "", "2026-11-22T02:00:00Z"),
        ("2026-11-22T02:00:00+02:00", "", "2026-11-22T00:00:00Z"),
        ("2026-11-22T02:00:00", "Europe/Berlin", "2026-11-22T01:00:00Z"),
        ("2026-07-22T02:00:00", "Europe/Berlin", "2026-07-22T00:00:00Z"),
        ("2026-11-22T02:00:00Z", "Europe/Berlin", "2026-11-22T02:00:00Z"),
        ("2026-11-22", "Asia/Kolkata", "2026-11-21T18:30:00Z"),
        # The clocks go back: the first of the two is meant.
        ("2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25T00:30:00Z"),
        # They go forward: as many minutes after the gap.
        ("2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T01:30:00Z"),
    ],
)
def test_a_time_without_a_zone_is_local(
    start: str, zone: str, moment: str
) -> None:
    """One with a zone is what it says."""
    found = wish_of(**{"from": start}, zone=zone).times
    assert found.starts_at == from_iso(moment)
    assert found.zone == (zone or "UTC")


def test_a_comment_may_be_pasted() -> None:
    """What cannot be seen in it is no reason to mute nothing."""
    assert wish_of(comment="kernel\u00a0updates\u200b").comment == (
        "kernel updates"
    )


def test_dates_are_kept_in_order_and_once() -> None:
    """Two ways to write one moment are one date."""
    dates = ["1970-01-01T00:00:02Z", "1970-01-01T01:00:01+01:00"]
    times = wish_of(also=[*dates, "1970-01-01T00:00:01Z"]).times
    assert times.also_at == (1_000_000, 2_000_000)
    assert times.except_at == ()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"from": "2026-11-22T02:00:00"}, "from"),
        ({"until": "2026-11-22T02:00:00"}, "until"),
        ({"exceptions": ["2026-11-22T02:00:00"]}, "exceptions"),
        ({"also": ["2026-11-22T02:00:00"]}, "also"),
        ({"zone": "Europe/Nowhere"}, "zone"),
        ({"zone": "../etc/passwd"}, "zone"),
        ({"zone": "europe/berlin"}, "zone"),
        ({"zone": " "}, "zone"),
        ({"matchers": ["target"]}, "matchers"),
        ({"matchers": ['a="b"', 'a=~"("']}, "matchers"),
        ({"matchers": ['{a="b"']}, "matchers"),
        ({"matchers": ["a=b," * 10 + "a=b", "a=b," * 9 + "a=b"]}, "matchers"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    given: dict[str, Any], field: str
) -> None:
    """So that a form can show it at its place."""
    with pytest.raises(Refused) as refused:
        wish_of(**given)
    error = refused.value
    assert (error.status, error.reason) == (422, "unfit_mute")
    assert error.field == field
    assert error.detail.startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"begins": "2026-11-22T02:00:00Z"}, "begins"),
        ({"matchers": []}, "matchers"),
        ({"matchers": ["a=b"] * 21}, "matchers"),
        ({"matchers": 'a="b"'}, "matchers"),
        ({"author": "a" * 501}, "author"),
        ({"author": None}, "author"),
        ({"comment": "a" * 501}, "comment"),
        ({"kind": "silence"}, "kind"),
        ({"until": "25:00"}, "until"),
        ({"also": ["1970-01-01T00:00:00Z"] * 501}, "also"),
    ],
)
def test_what_has_no_place_is_refused(
    given: dict[str, Any], place: str
) -> None:
    """An unknown name is no mute that forgets it."""
    with pytest.raises(ValidationError) as refused:
        MuteBody.model_validate(GOOD | given)
    assert [one["loc"] for one in refused.value.errors()] == [(place,)]


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ([""], ()),
        (["{}"], ()),
        (["a=b"], (Matcher("a", "=", "b"),)),
        (
            ['{a="b",c!="d"}'],
            (Matcher("a", "=", "b"), Matcher("c", "!=", "d")),
        ),
        (['c!~"d"', "a=b"], (Matcher("c", "!~", "d"), Matcher("a", "=", "b"))),
        (['a="b,c=d"'], (Matcher("a", "=", "b,c=d"),)),
        (["a=b,"] * 20, (Matcher("a", "=", "b"),) * 20),
    ],
)
def test_matchers_may_stand_together_or_apart(
    texts: list[str], found: tuple[Matcher, ...]
) -> None:
    """All of them count, in their order."""
    assert to_matchers(texts) == found


def shown(slot: Slot | None, is_on: bool, **times: Any) -> MuteView:
    """Return the view of a mute of every day, from 0 s on for 10 s."""
    timetable = Timetable(starts_at=0, ends_at=10_000_000, **times)
    wish = Wish(
        matchers=read_matchers('{a="b",c=~"d"}'),
        times=timetable,
        author="ana",
        comment="updates",
    )
    mute = Mute(id=4, wish=wish, created_at=0, slot=slot, is_on=is_on)
    return MuteView.of(mute)


@pytest.mark.parametrize(
    ("slot", "is_on", "rule", "said"),
    [
        (None, False, "", ("over", None, None)),
        (
            Slot(0, 10_000_000),
            False,
            "",
            ("pending", None, "1970-01-01T00:00:00Z"),
        ),
        (
            Slot(0, 10_000_000),
            True,
            "",
            ("on", "1970-01-01T00:00:10Z", None),
        ),
        (
            Slot(0, 10_000_000),
            True,
            "FREQ=DAILY",
            ("on", "1970-01-01T00:00:10Z", "1970-01-02T00:00:00Z"),
        ),
        (
            Slot(0, 10_000_000),
            True,
            "FREQ=DAILY;COUNT=1",
            ("on", "1970-01-01T00:00:10Z", None),
        ),
    ],
)
def test_a_mute_says_when_it_is_on(
    slot: Slot | None,
    is_on: bool,
    rule: str,
    said: tuple[str, str | None, str | None],
) -> None:
    """While it is on, the next time is the one after this."""
    view = shown(slot, is_on, rule=rule)
    assert (view.state, view.active_until, view.next_at) == said


def test_the_next_time_is_no_exception() -> None:
    """What was taken out is not announced."""
    day = 86_400_000_000
    view = shown(
        Slot(0, 10_000_000), True, rule="FREQ=DAILY", except_at=(day,)
    )
    assert view.next_at == "1970-01-03T00:00:00Z"
    assert view.exceptions == ["1970-01-02T00:00:00Z"]


def test_a_mute_is_shown_under_the_names_that_it_is_asked_by() -> None:
    """From, not begins; its matchers can be read again."""
    told = shown(None, False).model_dump(by_alias=True)
    assert told["from"] == "1970-01-01T00:00:00Z"
    assert "begins" not in told
    assert told["ended_at"] is None
    assert to_matchers([told["matchers"]]) == read_matchers('a="b",c=~"d"')
