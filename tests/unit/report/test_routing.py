"""Routing: who is told of what, when, and what is put off."""

import json
from collections import Counter
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.clock import to_moment
from app.models.message import URGENT, Dispatch, DispatchState, Kind, Message
from app.report.pace import digest_at
from app.report.routing import Standing, plan
from app.report.settings import ReportSettings
from tests.unit.report.making import NOW, SECOND, message, settings

CHANNELS = ("chat", "mail", "pager")
PAGED = {
    "levels": [
        {"channels": ["chat"]},
        {"channels": ["chat", "pager"], "after_seconds": 900},
    ]
}
TOLD = [kind for kind in Kind if kind is not Kind.DIGEST]


def planned(
    report: ReportSettings,
    what: Message,
    now: int = NOW,
    standing: Standing | None = None,
) -> list[Dispatch]:
    """Return what comes of a message."""
    return plan(report, CHANNELS, what, now, standing or Standing())


def where(found: list[Dispatch]) -> list[tuple[str, int]]:
    """Return channel and level of each."""
    return [(one.channel, one.level) for one in found]


def test_without_routes_everybody_is_told_what_must_be_known() -> None:
    """What is urgent goes to every channel, what is only news to none."""
    for kind in (*URGENT, Kind.EVIDENCE, Kind.HALTED):
        found = planned(settings(), message(kind))
        assert where(found) == [(name, 1) for name in CHANNELS]
    for kind in (Kind.ACTED, Kind.FIXED, Kind.CLOSED):
        assert planned(settings(), message(kind)) == []


def test_without_channels_nothing_is_planned() -> None:
    """The line in the log is all there is."""
    assert plan(settings(), (), message(), NOW, Standing()) == []


def test_a_dispatch_says_what_it_is_of() -> None:
    """Message, incident, kind, state and times are set."""
    (one, *_) = planned(settings(routes=[PAGED]), message(number=5))
    assert (one.message_id, one.incident_id, one.kind) == (5, 7, "escalated")
    assert (one.state, one.due_at, one.created_at) == ("waiting", NOW, NOW)


def test_levels_come_one_after_the_other() -> None:
    """The first at once, the second when its time is over."""
    found = planned(settings(routes=[PAGED]), message())
    assert where(found) == [("chat", 1), ("chat", 2), ("pager", 2)]
    assert [one.due_at for one in found] == [
        NOW,
        NOW + 900 * SECOND,
        NOW + 900 * SECOND,
    ]


def test_only_what_presses_goes_to_later_levels() -> None:
    """Nobody is paged because something was fixed."""
    route = {**PAGED, "kinds": ["fixed", "halted", "asked"]}
    report = settings(routes=[route])
    assert where(planned(report, message(Kind.FIXED))) == [("chat", 1)]
    assert where(planned(report, message(Kind.HALTED))) == [("chat", 1)]
    assert ("pager", 2) in where(planned(report, message(Kind.ASKED)))


def test_the_first_route_that_fits_takes_it() -> None:
    """Later ones are looked at only when it says so."""
    database = {
        "matchers": ['team="db"'],
        "levels": [{"channels": ["pager"]}],
    }
    rest: dict[str, Any] = {"levels": [{"channels": ["mail"]}]}
    report = settings(routes=[database, rest])
    assert where(planned(report, message(team="db"))) == [("pager", 1)]
    assert where(planned(report, message(team="web"))) == [("mail", 1)]
    report = settings(routes=[{**database, "again": True}, rest])
    assert where(planned(report, message(team="db"))) == [
        ("mail", 1),
        ("pager", 1),
    ]


def test_a_pager_gets_what_is_urgent_unless_a_route_says_more() -> None:
    """Evidence and halts wake nobody; kinds that are written are meant."""
    report = settings(pagers=["pager"])
    routed = settings(pagers=["pager"], routes=[PAGED])
    for kind in URGENT:
        assert ("pager", 1) in where(planned(report, message(kind)))
        assert ("pager", 2) in where(planned(routed, message(kind)))
    for kind in (Kind.EVIDENCE, Kind.HALTED):
        assert where(planned(report, message(kind))) == [
            ("chat", 1),
            ("mail", 1),
        ]
        assert "pager" not in dict(where(planned(routed, message(kind))))
    route = {"kinds": ["evidence", "fixed"], **PAGED}
    route["levels"] = [{"channels": ["pager"]}]
    said = settings(pagers=["pager"], routes=[route])
    for kind in (Kind.EVIDENCE, Kind.FIXED):
        assert where(planned(said, message(kind))) == [("pager", 1)]


def test_every_matcher_of_a_route_must_fit() -> None:
    """Two lines are both asked for."""
    route = {
        "matchers": ['severity="critical"', 'environment=~"prod.*"'],
        "levels": [{"channels": ["pager"]}],
    }
    report = settings(routes=[route])
    prod = message(environment="production")
    assert where(planned(report, prod)) == [("pager", 1)]
    # Nobody takes this one, and it is urgent.
    assert where(planned(report, message(environment="test"))) == [
        (name, 1) for name in CHANNELS
    ]


def test_a_gap_between_routes_loses_nothing_urgent() -> None:
    """What no route takes goes to everybody; what is news to nobody."""
    route = {
        "matchers": ['team="db"'],
        "levels": [{"channels": ["pager"]}],
    }
    report = settings(routes=[route])
    assert len(planned(report, message(Kind.ASKED))) == len(CHANNELS)
    assert planned(report, message(Kind.HALTED)) == []


def test_a_route_may_say_that_nobody_is_told() -> None:
    """An empty list of levels is meant."""
    route = {"matchers": ['environment="test"'], "levels": []}
    report = settings(routes=[route])
    assert planned(report, message(environment="test")) == []


def test_two_routes_to_one_channel_are_one_dispatch() -> None:
    """The sooner one."""
    first = {
        "levels": [{"channels": ["chat"], "after_seconds": 60}],
        "again": True,
    }
    second: dict[str, Any] = {"levels": [{"channels": ["chat", "chat"]}]}
    (one,) = planned(settings(routes=[first, second]), message())
    assert one.due_at == NOW


def test_the_same_again_is_noted_and_not_told() -> None:
    """Within the span it says why it is not told; after it, it is told."""
    report = settings(repeat_seconds=300)
    known = Standing(told={("escalated", "chat", 1): NOW - 10 * SECOND})
    found = planned(report, message(), standing=known)
    states = {one.channel: one.state for one in found}
    assert states == {
        "chat": "repeated",
        "mail": "waiting",
        "pager": "waiting",
    }
    assert found[0].reason == "told 10 s before"
    assert (found[0].due_at, found[0].ended_at) == (None, NOW)
    old = Standing(told={("escalated", "chat", 1): NOW - 300 * SECOND})
    found = planned(report, message(), standing=old)
    assert {one.state for one in found} == {"waiting"}


@pytest.mark.parametrize(
    ("kind", "incident"),
    [(Kind.ASKED, 7), (Kind.HALTED, 0), (Kind.ESCALATED, 0)],
)
def test_a_second_question_is_no_repetition(kind: str, incident: int) -> None:
    """Nor is the end of a halt, nor what is about no incident."""
    known = Standing(told={(kind, "chat", 1): NOW})
    found = planned(
        settings(), message(kind, incident=incident), standing=known
    )
    assert {one.state for one in found} == {"waiting"}


def test_what_is_back_after_it_was_over_is_told() -> None:
    """Whoever heard that it is over must hear that it is not."""
    told = {
        ("escalated", "chat", 1): NOW - 20 * SECOND,
        ("closed", "chat", 1): NOW - 10 * SECOND,
    }
    (one, *_) = planned(settings(), message(), standing=Standing(told=told))
    assert (one.channel, one.state) == ("chat", "waiting")


NIGHT: dict[str, Any] = {"times": ["22:00-06:00"], "timezone": "Europe/Berlin"}


def at(text: str) -> int:
    """Return the moment of a time in Berlin."""
    zone = ZoneInfo("Europe/Berlin")
    return to_moment(datetime.fromisoformat(text).replace(tzinfo=zone))


@pytest.mark.parametrize("quiet", ["night", NIGHT])
def test_news_wait_for_the_morning_and_what_is_urgent_does_not(
    quiet: object,
) -> None:
    """By name or written there: what can wait comes as a digest."""
    route = {
        "kinds": ["escalated", "evidence", "fixed"],
        "levels": [{"channels": ["chat"]}],
        "quiet": quiet,
    }
    report = settings(routes=[route], quiet={"night": NIGHT})
    midnight = at("2026-03-29T00:30")
    (news,) = planned(report, message(Kind.FIXED), midnight)
    assert news.state == DispatchState.GATHERING
    assert news.due_at == at("2026-03-29T06:00")
    assert news.reason == "quiet hours"
    for kind in (Kind.ESCALATED, Kind.EVIDENCE):
        (one,) = planned(report, message(kind), midnight)
        assert (one.state, one.due_at) == ("waiting", midnight)
    noon = at("2026-03-29T12:00")
    (news,) = planned(report, message(Kind.FIXED), noon)
    assert (news.state, news.due_at) == ("waiting", noon)


def test_a_route_may_let_nothing_pass() -> None:
    """Then what is urgent waits too, each level for the end of its night."""
    quiet: dict[str, Any] = {**NIGHT, "urgent_passes": False}
    route = {**PAGED, "quiet": quiet}
    late = at("2026-11-20T21:50")
    found = planned(settings(routes=[route]), message(), late)
    assert [(one.state, one.due_at) for one in found] == [
        ("waiting", late),
        ("gathering", at("2026-11-21T06:00")),
        ("gathering", at("2026-11-21T06:00")),
    ]


def test_a_question_that_waits_for_the_morning_comes_alone() -> None:
    """It is answered one by one, so it is asked so."""
    quiet: dict[str, Any] = {**NIGHT, "urgent_passes": False}
    route = {"levels": [{"channels": ["chat"]}], "quiet": quiet}
    late = at("2026-11-20T22:50")
    (one,) = planned(settings(routes=[route]), message(Kind.ASKED), late)
    assert (one.state, one.due_at) == ("waiting", at("2026-11-21T06:00"))


def test_a_question_in_a_storm_goes_by_itself() -> None:
    """Others are gathered by then; a flood of questions is, too."""
    report = settings(routes=[{"levels": [{"channels": ["chat"]}]}])
    letters = {"chat": [NOW] * 10}
    standing = Standing(letters=letters)
    (one,) = planned(report, message(Kind.ASKED), standing=standing)
    assert (one.state, one.due_at) == ("waiting", NOW)
    (other,) = planned(report, message(), standing=standing)
    assert other.state == "gathering"
    flood = Standing(letters={"chat": [NOW] * 19})
    (one,) = planned(report, message(Kind.ASKED), standing=flood)
    assert one.state == "gathering"


def storm(report: ReportSettings, moments: list[int]) -> list[Dispatch]:
    """Return what comes of a message of its own incident at each moment."""
    letters: Standing = Standing()
    found: list[Dispatch] = []
    for number, now in enumerate(moments, start=1):
        standing = Standing(letters=letters.letters)
        what = message(number=number, incident=number)
        new = planned(report, what, now, standing)
        letters = standing.after(new)
        found += new
    return found


def test_a_storm_is_a_few_letters_and_a_digest() -> None:
    """Of 200 at once nine go alone, the rest together within a minute."""
    report = settings(routes=[{"levels": [{"channels": ["chat"]}]}])
    found = storm(report, [NOW] * 200)
    assert Counter(one.state for one in found) == {
        "waiting": 9,
        "gathering": 191,
    }
    due = {one.due_at for one in found if one.state == "gathering"}
    assert due == {digest_at(report.digest, NOW)}
    assert len(found) == 200


@given(
    gaps=st.lists(st.integers(0, 40), min_size=1, max_size=80),
    most=st.integers(2, 5),
    after=st.integers(0, 90),
)
def test_no_channel_ever_gets_more_than_it_may(
    gaps: list[int], most: int, after: int
) -> None:
    """In no window, over all levels; and every urgent message is there."""
    levels = [
        {"channels": ["chat"]},
        {"channels": ["chat", "pager"], "after_seconds": after},
    ]
    digest = {"most": most, "window_seconds": 60, "every_seconds": 60}
    report = settings(routes=[{"levels": levels}], digest=digest)
    moments = [NOW + sum(gaps[:n]) * SECOND for n in range(len(gaps))]
    found = storm(report, moments)
    told = Counter((one.message_id, one.channel, one.level) for one in found)
    assert set(told.values()) == {1}
    assert len(told) == 3 * len(gaps)
    for channel in ("chat", "pager"):
        mine = [one for one in found if one.channel == channel]
        alone = [one.due_at for one in mine if one.state == "waiting"]
        together = {one.due_at for one in mine if one.state == "gathering"}
        letters = [due for due in (*alone, *together) if due is not None]
        for begin in letters:
            end = begin + 60 * SECOND
            assert sum(begin <= due < end for due in letters) <= most


@given(
    kind=st.sampled_from(TOLD),
    team=st.sampled_from(["db", "web", ""]),
    severity=st.sampled_from(["critical", "info"]),
    routes=st.lists(
        st.fixed_dictionaries(
            {
                "matchers": st.sampled_from(
                    [[], ['team="db"'], ['severity!="info"', 'team=""']]
                ),
                "kinds": st.lists(st.sampled_from(TOLD), max_size=4),
                "levels": st.lists(
                    st.fixed_dictionaries(
                        {
                            "channels": st.lists(
                                st.sampled_from(CHANNELS), min_size=1
                            ),
                            "after_seconds": st.just(60),
                        }
                    ),
                    min_size=1,
                    max_size=3,
                ),
                "quiet": st.sampled_from([None, "night"]),
                "again": st.booleans(),
            }
        ),
        max_size=4,
    ),
)
def test_whatever_the_routes_nothing_urgent_is_lost(
    kind: Kind, team: str, severity: str, routes: list[dict[str, Any]]
) -> None:
    """Each goes somewhere, once per channel and level, and in due time."""
    report = settings(routes=routes, quiet={"night": NIGHT})
    what = message(kind, team=team)
    what.labels = json.dumps({"team": team, "severity": severity})
    found = planned(report, what)
    assert max(Counter(where(found)).values(), default=1) == 1
    for one in found:
        assert one.due_at is not None
        assert one.due_at >= NOW
    if kind in URGENT:
        assert found
        assert all(one.state == DispatchState.WAITING for one in found)
