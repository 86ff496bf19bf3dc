"""Edges of a poll: of several beginnings the right one, addresses, secrets."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ConfigError
from app.ingest import poll as module
from app.ingest.poll import (
    Memory,
    compare,
    read_answer,
    to_body,
    to_firing,
    to_resolved,
    unite,
)
from app.models.delivery import Unparsed
from app.store.ongoing import Ongoing
from tests.unit.ingest.test_poll import (
    BEGAN_AT,
    SECOND,
    T0,
    UP,
    entry,
    goes_on,
    look,
    make,
    polled,
    read,
)

LATER = "2026-11-21T02:14:03.418Z"


@pytest.mark.parametrize(
    ("begins", "outcome"),
    [
        ([-1], ("news", [])),
        ([0], ("", [0])),
        ([1], ("", [0])),  # it began here later: the same goes on
        ([-1, 0], ("", [1])),
        ([0, -1], ("", [0])),
        ([-2, -1], ("news", [])),
        ([1, -1], ("", [0])),
        ([0, 0], ("", [0, 1])),
    ],
)
def test_of_several_episodes_the_newest_decides(
    begins: list[int], outcome: tuple[str, list[int]]
) -> None:
    """In whatever order they are known; none of them is missing."""
    ongoing = [
        goes_on(episode=number, begins_at=BEGAN_AT + after * SECOND)
        for number, after in enumerate(begins)
    ]
    found = look([entry()], *ongoing)
    news = "news" if found.news else ""
    assert (news, [one.episode for one in found.confirmed]) == outcome
    assert found.missing == []


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(
    ("one", "other", "begins", "state"),
    [
        # The newest beginning wins, even over one that would be told.
        (
            {"startsAt": LATER, "status": {"state": "suppressed"}},
            {},
            BEGAN_AT + SECOND,
            "suppressed",
        ),
        # Of one beginning the word counts that it would be told.
        ({"status": {"state": "suppressed"}}, {}, BEGAN_AT, "active"),
        ({"status": {"state": "unprocessed"}}, {}, BEGAN_AT, "active"),
    ],
)
def test_members_agree_whoever_is_asked_first(
    one: dict[str, Any],
    other: dict[str, Any],
    begins: int,
    state: str,
    *,
    is_first: bool,
) -> None:
    """The same of two words, in either order."""
    answers = [read(entry(**one)), read(entry(**other))]
    (alert,) = unite(answers if is_first else answers[::-1]).values()
    assert (alert.begins_at, alert.status.state) == (begins, state)


def test_what_is_not_ours_is_no_news_but_is_not_missing() -> None:
    """A foreign alert is only left out."""
    found = compare(unite([read(entry("f2"))]), [goes_on()], lambda _: False)
    assert found.news == []
    assert [one.fingerprint for one in found.missing] == ["f1"]


@pytest.mark.parametrize(
    ("age", "is_young"), [(0, False), (600, False), (601, True)]
)
def test_just_old_enough_may_vanish(age: int, *, is_young: bool) -> None:
    """It came 600 seconds ago; the edge is old enough."""
    memory = Memory()
    memory.settle_vanished([goes_on()], T0, age * SECOND)
    again = memory.settle_vanished([goes_on()], T0, age * SECOND)
    assert (again == []) is is_young


def test_the_end_is_when_it_was_missed_first() -> None:
    """However often it is missed after that, until it is over here."""
    memory = Memory()
    ends = [
        [since - T0 for _, since in found]
        for found in (
            memory.settle_vanished([goes_on()], T0 + n * SECOND, 0)
            for n in (10, 70, 130)
        )
    ]
    assert ends == [[], [10 * SECOND], [10 * SECOND]]


def test_nothing_ends_before_it_began() -> None:
    """A source's clock that runs ahead makes no negative time."""
    ahead: Ongoing = goes_on(begins_at=T0 + 3_600 * SECOND)
    memory = Memory()
    memory.settle_vanished([ahead], T0, 0)
    ((_, since),) = memory.settle_vanished([ahead], T0 + SECOND, 0)
    assert since == ahead.begins_at


@pytest.mark.parametrize("gap", ["forgotten", "not over"])
def test_what_fires_again_must_be_seen_twice_in_a_row(gap: str) -> None:
    """After a failed poll, or one at which it was not over: anew."""
    memory = Memory()
    news = look([entry()]).news
    over = {news[0].beginning}
    memory.settle_refired(set(over), news, T0)
    if gap == "forgotten":
        memory.forget()
    else:
        memory.settle_refired(set(), news, T0)
    assert memory.settle_refired(over, news, T0) == []


@pytest.mark.parametrize(("most", "is_read"), [(2, True), (1, False)])
def test_a_list_may_be_just_so_long(
    monkeypatch: pytest.MonkeyPatch, most: int, *, is_read: bool
) -> None:
    """One more is no answer, rather than half of one."""
    monkeypatch.setattr(module, "MOST_LISTED", most)
    body = json.dumps([entry("a"), entry("b")]).encode()
    if is_read:
        assert len(read_answer(UP, body).alerts) == 2
        return
    with pytest.raises(Unparsed, match="more than 1"):
        read_answer(UP, body)


@pytest.mark.parametrize(
    ("ends", "status"), [([], "firing"), (["f2"], "firing")]
)
def test_a_delivery_fires_when_any_of_it_does(
    ends: list[str], status: str
) -> None:
    """As Alertmanager says it of a group."""
    told = [to_firing(one) for one in look([entry()]).news]
    told += [to_resolved(goes_on(name), {"a": "b"}, T0) for name in ends]
    assert json.loads(to_body(told))["status"] == status


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://am", "http://am"),
        ("HTTPS://AM:9093//", "HTTPS://AM:9093"),
        ("http://[::1]:9093/am/", "http://[::1]:9093/am"),
        ("http://am:9093/a%20b", "http://am:9093/a%20b"),
    ],
)
def test_an_address_is_kept_as_it_is_written(
    tmp_path: Path, url: str, kept: str
) -> None:
    """But for slashes at its end, since a path follows."""
    (poll,) = make(polled(url=url), tmp_path)
    assert poll.urls == (kept,)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "am",
        "//am:9093",
        "http:///am",
        "http://",
        "http://:9093",
        "ftp://am",
        "file:///etc/passwd",
        "http://[::1",
        "http://:pw@am",
        "http://am/#top",
        pytest.param(
            "http://am:9093/?",
        ),
        pytest.param(
            "http://am:9093/#",
        ),
        pytest.param(
            "http://am:port",
        ),
        pytest.param(
            "http://am:99999",
        ),
    ],
)
def test_what_is_no_address_stops_the_start(tmp_path: Path, url: str) -> None:
    """It would never be answered, or something else would be asked."""
    with pytest.raises(ConfigError, match=r"alertmanager\.poll\.url"):
        make(polled(url=url), tmp_path)


@pytest.mark.parametrize(("count", "is_taken"), [(16, True), (17, False)])
def test_a_cluster_has_so_many_members_at_most(
    tmp_path: Path, count: int, *, is_taken: bool
) -> None:
    """Each of them is asked at once."""
    tree = polled(url=[f"http://am{n}" for n in range(count)])
    if is_taken:
        assert len(make(tree, tmp_path)[0].urls) == count
        return
    with pytest.raises(ConfigError, match=r"poll\.url"):
        make(tree, tmp_path)


def test_all_wrong_polls_are_told_at_once(tmp_path: Path) -> None:
    """One start tells what is wrong with the secrets of each source."""
    one = polled(bearer="a", basic="b:c")["alertmanager"]
    two = {**polled(basic="alone")["alertmanager"], "type": "alertmanager"}
    with pytest.raises(ConfigError) as caught:
        make({"alertmanager": one, "second": two}, tmp_path)
    names = [problem.setting for problem in caught.value.problems]
    assert names == [
        "sources.alertmanager.poll",
        "sources.second.poll.basic",
    ]
