"""The address of the log's page: what it asks for, and what is wrong."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from app.console.log_query import FILTERS, Asked, read
from app.core.clock import from_iso, to_iso
from app.models.canary import PROBLEM

NOW = from_iso("2026-11-21T03:12:09Z") or 0
HOUR = 3_600_000_000


def ask(query: str) -> Asked:
    """Return what an address asks for."""
    return read(parse_qsl(query, keep_blank_values=True), NOW)


def pairs_of(url: str) -> list[tuple[str, str]]:
    """Return the names and values of an address."""
    return parse_qsl(urlsplit(url).query)


def test_an_empty_form_asks_for_everything() -> None:
    """Fields that were sent empty are as good as not sent."""
    asked = ask("kind=&actor=&since=&until=&text=&status=&zone=&incident=+")
    assert asked.given == {}
    assert asked.wrong == {}
    assert asked.where == {}
    assert asked.url() == "/console/log"
    wish = asked.wish(("shop",))
    assert (wish.before, wish.after, wish.count) == (None, None, "estimated")
    assert wish.teams == ("shop",)


def test_each_field_is_a_filter() -> None:
    """Several values of one are all meant; numbers are numbers."""
    asked = ask(
        "kind=incident.opened&kind=job.started&actor=person%3Aana"
        "&incident=7,8&status=open&text=disk+full&target=web-1&action=x"
    )
    assert asked.wrong == {}
    assert asked.where == {
        "kind": ("incident.opened", "job.started"),
        "actor": ("person:ana",),
        "incident_id": (7, 8),
        "status": ("open",),
        "text": "disk full",
        "target": ("web-1",),
        "action": ("x",),
    }
    assert asked.one("kind") == "incident.opened"
    assert asked.more("kind") == ("job.started",)


@pytest.mark.parametrize(
    ("written", "zone", "meant"),
    [
        ("2026-11-20 22:00", "", "2026-11-20T22:00:00Z"),
        ("2026-11-20 22:00", "Europe/Berlin", "2026-11-20T21:00:00Z"),
        ("2026-11-20T22:00:05+05:00", "Asia/Tokyo", "2026-11-20T17:00:05Z"),
        ("2026-11-20", "UTC", "2026-11-20T00:00:00Z"),
        ("12h", "Asia/Tokyo", "2026-11-20T15:12:09Z"),
        ("12 hours ago", "", "2026-11-20T15:12:09Z"),
        ("90min", "", "2026-11-21T01:42:09Z"),
        ("7d", "", "2026-11-14T03:12:09Z"),
    ],
)
def test_times_are_read_as_people_write_them(
    written: str, zone: str, meant: str
) -> None:
    """In the zone of the page, or with their own, or how long ago."""
    asked = read([("since", written), ("zone", zone)], NOW)
    assert asked.wrong == {}
    assert asked.times == {"since": meant}
    assert to_iso(asked.where["since"]) == meant


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=yesterday", "since"),
        ("until=2026-13-01", "until"),
        ("since=99999d", "until-is-fine"),
        ("since=9999-12-31T23:59:59-14:00", "since"),
        ("incident=seven", "incident"),
        ("status=asleep", "status"),
        ("text=%21%21%21", "text"),
        ("kind=" + "x" * 501, "kind"),
        ("actor=a%00b", "actor"),
        ("before=0", "before"),
        ("zone=Mars/Olympus", "zone"),
        ("zone=../../etc/passwd", "zone"),
        ("zone=" + "x" * 5_000, "zone"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_asked(
    query: str, field: str
) -> None:
    """The form keeps it; the store is not asked."""
    asked = ask(query)
    if field == "until-is-fine":
        assert asked.wrong == {}
        return
    assert list(asked.wrong) == [field]
    assert asked.where == {}
    name, value = parse_qsl(query)[0]
    assert asked.one(name) == value


def test_addresses_keep_the_filter() -> None:
    """Another page, another line, one filter less."""
    asked = ask("kind=a.b&kind=c.d&text=x+%26+y&before=9&entry=4&zone=UTC")
    assert asked.entry == 4
    assert pairs_of(asked.url(entry=7)) == [
        ("kind", "a.b"),
        ("kind", "c.d"),
        ("text", "x & y"),
        ("before", "9"),
        ("zone", "UTC"),
        ("entry", "7"),
    ]
    assert "before" not in dict(pairs_of(asked.url(before="", after=3)))
    assert pairs_of(asked.only("kind", "a.b")) == [
        ("text", "x & y"),
        ("zone", "UTC"),
        ("kind", "c.d"),
    ]


def test_an_export_has_the_filter_with_whole_times() -> None:
    """No page, no line; a time that moves stands still in it."""
    asked = ask("kind=a.b&since=1h&before=9&entry=4&count=exact&zone=UTC")
    url = urlsplit(asked.export("csv"))
    assert url.path == "/api/v1/export/log"
    assert parse_qsl(url.query) == [
        ("kind", "a.b"),
        ("since", "2026-11-21T02:12:09Z"),
        ("format", "csv"),
    ]


def test_our_own_canary_is_hidden_by_no_filter() -> None:
    """The log shows all that was written."""
    assert "problem_not" not in ask("kind=a.b").where
    assert PROBLEM not in str(ask("").where)


def test_moments_are_shown_in_the_zone() -> None:
    """Summer and winter, each as it is there then."""
    asked = ask("zone=Europe/Berlin")
    assert asked.show(NOW) == "2026-11-21 04:12:09"
    summer = from_iso("2026-07-01T00:00:00Z") or 0
    assert asked.show(summer) == "2026-07-01 02:00:00"


def test_an_exact_count_is_asked_for_by_name() -> None:
    """Anything else is the cheap one."""
    assert ask("count=exact").wish(()).count == "exact"
    assert ask("count=all").wish(()).count == "estimated"
    assert set(FILTERS).isdisjoint({"count", "before", "after", "entry"})
