"""One poll: what is asked, what is believed, and what is let in."""

import asyncio
import json
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client import CollectorRegistry

from app.core.errors import OutgoingFailed, Refused, TooBusy
from app.engine import poller as module
from app.engine.poller import FAILED, WORKS, YOUNG, Meters, Poller, Ways
from app.models.delivery import Receipt
from app.store.ongoing import Beginning, Ongoing
from tests.fakes import FakeClock
from tests.unit.ingest.test_poll import entry, goes_on, make, polled

SECOND = 1_000_000
STALE = 4_000 * SECOND
ONE, TWO = "http://one:9093", "http://two:9093"
UP = {"uptime": "2026-11-20T00:00:00Z"}
JUST_UP = {"uptime": "2026-11-21T02:10:00Z"}


class Members:
    """The members of a cluster, as their addresses answer."""

    def __init__(self) -> None:
        self.lists: dict[str, Any] = {"one": [], "two": []}
        self.up: dict[str, Any] = {"one": UP, "two": UP}
        self.down: set[str] = set()
        self.asked: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer as a member does."""
        name = request.url.host
        self.asked.append(f"{name}{request.url.path}")
        if name in self.down:
            return httpx.Response(503)
        is_status = request.url.path.endswith("/status")
        told = self.up if is_status else self.lists
        return httpx.Response(200, json=told[name])


class Inside:
    """All that lies behind a poller: the intake, keeper and beliefs."""

    def __init__(self) -> None:
        self.ongoing: list[Ongoing] = []
        self.resolved: set[Beginning] = set()
        self.folded = True
        self.bodies: list[list[str]] = []
        self.refusals: dict[str, Refused] = {}
        self.touched: list[tuple[int, int]] = []
        self.looks = 0

    def take(self, _entrance: object, delivery: Any, answer: Any) -> None:
        """Take a delivery, or refuse it for an alert that is in it."""
        names = [
            one["fingerprint"] for one in json.loads(delivery.body)["alerts"]
        ]
        for name in names:
            if name in self.refusals:
                answer(self.refusals[name])
                return
        self.bodies.append(names)
        answer(Receipt(delivery=1, accepted=len(names)))

    def ask(self, work: Callable[[Any], None]) -> Future[None]:
        """Do some work at once."""
        future: Future[None] = Future()
        work(None)
        future.set_result(None)
        return future

    def taken(self) -> list[str]:
        """Return all alerts that were taken, in their order."""
        return [name for body in self.bodies for name in body]

    def touch(self, _connection: object, heard: Any) -> None:
        """Note what was heard of."""
        self.touched += heard

    def newest(self) -> int:
        """Return the newest alert."""
        return 7

    def has_read(self, _reader: str, alert: int) -> bool:
        """Tell whether folding is there."""
        assert alert == 7
        self.looks += 1
        return self.folded

    def find(self, _source: str) -> list[Ongoing]:
        """Return what goes on."""
        return self.ongoing

    def find_resolved(
        self, _source: str, beginnings: Iterable[Beginning]
    ) -> set[Beginning]:
        """Return what is over."""
        return self.resolved & set(beginnings)

    def find_labels(self, strands: Collection[int]) -> dict[int, Any]:
        """Return the labels of strands."""
        return {strand: {"strand": str(strand)} for strand in strands}


class Scene:
    """A poller between such members and such an inside."""

    def __init__(self, folder: Path, most_alerts: int, **poll: Any) -> None:
        self.members, self.inside = Members(), Inside()
        self.clock = FakeClock()
        self.registry = CollectorRegistry()
        (made,) = make(polled(**{"url": ONE, **poll}), folder)
        inside: Any = self.inside
        ways = Ways(
            *(inside, inside, inside, self.clock),
            Meters(self.registry),
            most_alerts,
        )
        self.poller = Poller(made, ways, STALE)

    def run(self, way: Callable[[httpx.AsyncClient], Any]) -> Any:
        """Do something with a client that reaches the members."""

        async def scene() -> Any:
            """Do it."""
            transport = httpx.MockTransport(self.members.answer)
            async with httpx.AsyncClient(transport=transport) as client:
                return await way(client)

        return asyncio.run(scene())

    def poll(self) -> str:
        """Poll once."""
        return str(self.run(self.poller.poll))

    def attempt(self) -> str:
        """Poll once, whatever comes of it; return how it went."""
        self.run(self.poller._try)
        return self.poller._state

    def count(self, name: str) -> float:
        """Return a figure of the source."""
        labels = {"source": "alertmanager"}
        full = f"smokejumper_poll{name}"
        return self.registry.get_sample_value(full, labels) or 0.0


@pytest.fixture
def make_scene(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Scene]:
    """Return what sets a scene."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0)

    def build(most_alerts: int = 1_000, **poll: Any) -> Scene:
        """Set one."""
        scene = Scene(tmp_path, most_alerts, **poll)
        monkeypatch.setattr(module, "touch", scene.inside.touch)
        return scene

    return build


Make = Callable[..., Scene]


def test_news_comes_in_and_is_counted(make_scene: Make) -> None:
    """Both addresses of a member are asked, its status first."""
    scene = make_scene()
    scene.members.lists["one"] = [entry("a"), entry("b")]
    assert scene.attempt() == WORKS
    assert scene.inside.bodies == [["a", "b"]]
    assert scene.members.asked == [
        "one/api/v2/status",
        "one/api/v2/alerts",
    ]
    assert (scene.count("s_total"), scene.count("_alerts_total")) == (1, 2)
    last = scene.count("_last_success_timestamp_seconds")
    assert last == scene.clock.now() / 1e6


@pytest.mark.parametrize(
    ("count", "most", "sizes"),
    [
        (0, 10, []),
        (10, 10, [10]),
        (11, 10, [10, 1]),
        (101, 1_000, [100, 1]),  # its own limit
        (3, 1, [1, 1, 1]),
    ],
)
def test_much_news_comes_in_parts(
    make_scene: Make, count: int, most: int, sizes: list[int]
) -> None:
    """No delivery holds more than is allowed, and none is lost or twice."""
    scene = make_scene(most)
    names = [f"f{number:03}" for number in range(count)]
    scene.members.lists["one"] = [entry(name) for name in names]
    scene.poll()
    assert [len(body) for body in scene.inside.bodies] == sizes
    assert scene.inside.taken() == names


@pytest.mark.parametrize("bad", [{"a"}, {"c"}, {"a", "d"}, set("abcde")])
def test_refused_alerts_keep_no_other_out(
    make_scene: Make, bad: set[str]
) -> None:
    """Wherever they stand, exactly those that are refused stay out."""
    scene = make_scene()
    scene.members.lists["one"] = [entry(name) for name in "abcde"]
    scene.inside.refusals = {name: Refused(422, "x", "x") for name in bad}
    scene.poll()
    taken = sorted(scene.inside.taken())
    assert taken == sorted(set("abcde") - bad)
    assert scene.count("_alerts_total") == len(taken)


def test_when_it_is_too_busy_the_poll_ends(make_scene: Make) -> None:
    """Parts of a delivery would not be taken either: no load on load."""
    scene = make_scene(1)
    scene.members.lists["one"] = [entry(name) for name in "abc"]
    scene.inside.refusals = {"b": TooBusy("queue_full", "full")}
    assert scene.attempt() == FAILED
    assert scene.inside.bodies == [["a"]]
    assert scene.count("_failures_total") == 1


def test_an_end_needs_two_whole_polls(make_scene: Make) -> None:
    """The first that misses it says nothing; the second ends it."""
    scene = make_scene()
    scene.inside.ongoing = [goes_on("gone", strand=4)]
    assert scene.attempt() == WORKS
    assert scene.inside.bodies == []
    scene.clock.advance(60)
    assert scene.attempt() == WORKS
    assert scene.inside.bodies == [["gone"]]


@pytest.mark.parametrize("trouble", ["down", "young", "nonsense", "behind"])
def test_whatever_goes_wrong_between_begins_anew(
    make_scene: Make, trouble: str
) -> None:
    """Missed, trouble, missed: that is not twice in a row."""
    scene = make_scene()
    scene.inside.ongoing = [goes_on("gone")]
    scene.attempt()
    whole = (scene.members.lists["one"], scene.members.up["one"])
    if trouble == "down":
        scene.members.down = {"one"}
    elif trouble == "young":
        scene.members.up["one"] = JUST_UP
    elif trouble == "nonsense":
        scene.members.lists["one"] = {"not": "a list"}
    scene.inside.folded = trouble != "behind"
    assert scene.attempt() == (YOUNG if trouble == "young" else FAILED)
    scene.members.lists["one"], scene.members.up["one"] = whole
    scene.members.down, scene.inside.folded = set(), True
    assert scene.attempt() == WORKS
    assert scene.inside.bodies == []
    scene.attempt()
    assert scene.inside.bodies == [["gone"]]


@pytest.mark.parametrize("silent", ["one", "two"])
def test_one_silent_member_of_two_ends_nothing_but_news_come(
    make_scene: Make, silent: str
) -> None:
    """The other one's news are let in, though the poll has failed."""
    scene = make_scene(url=[ONE, TWO])
    scene.members.down = {silent}
    scene.members.lists = {"one": [entry("new")], "two": [entry("new")]}
    scene.inside.ongoing = [goes_on("gone")]
    for _ in range(3):
        with pytest.raises(OutgoingFailed, match=f"{silent}:9093: status"):
            scene.poll()
    assert {name for body in scene.inside.bodies for name in body} == {"new"}


def test_one_young_member_of_two_ends_nothing(make_scene: Make) -> None:
    """What it does not know yet may be what the other has lost."""
    scene = make_scene(url=[ONE, TWO])
    scene.members.up["two"] = JUST_UP
    scene.inside.ongoing = [goes_on("gone")]
    assert [scene.attempt() for _ in range(3)] == [YOUNG] * 3
    assert scene.inside.bodies == []


@pytest.mark.parametrize(
    ("uptime", "state"), [(241.999, WORKS), (242.0, WORKS), (242.001, YOUNG)]
)
def test_a_member_is_young_until_it_was_up_long_enough(
    make_scene: Make, uptime: float, state: str
) -> None:
    """Up since 02:10:00, asked at 02:14:02: that is 242 seconds."""
    scene = make_scene(uptime_seconds=uptime)
    scene.members.up["one"] = JUST_UP
    assert scene.poll() == state


def test_behind_folding_nothing_is_judged(make_scene: Make) -> None:
    """It looks a number of times, then leaves even the news alone."""
    scene = make_scene()
    scene.members.lists["one"] = [entry("new")]
    scene.inside.folded = False
    with pytest.raises(OutgoingFailed, match="folding is behind"):
        scene.poll()
    assert scene.inside.bodies == []
    assert scene.inside.looks == module.LOOKS


@pytest.mark.parametrize(
    ("silent_for", "is_touched"), [(999, False), (1_000, False), (1_001, True)]
)
def test_what_is_confirmed_is_noted_before_it_gets_stale(
    make_scene: Make, silent_for: int, *, is_touched: bool
) -> None:
    """Only when a quarter of the time that makes it stale has passed."""
    scene = make_scene()
    now = scene.clock.now()
    seen_at = now - silent_for * SECOND
    scene.members.lists["one"] = [entry("f1")]
    scene.inside.ongoing = [goes_on("f1", episode=9, seen_at=seen_at)]
    scene.poll()
    assert scene.inside.touched == ([(9, now)] if is_touched else [])


def test_only_so_many_are_noted_at_once(
    make_scene: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that were silent longest, as they are told; the rest later."""
    monkeypatch.setattr(module, "MOST_TOUCHES", 2)
    scene = make_scene()
    scene.members.lists["one"] = [entry(name) for name in "abc"]
    scene.inside.ongoing = [
        msgspec.structs.replace(goes_on(name, seen_at=0), episode=number)
        for number, name in enumerate("abc", 1)
    ]
    scene.poll()
    assert [episode for episode, _ in scene.inside.touched] == [1, 2]


def test_a_bug_costs_one_poll(
    make_scene: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts as a failure, and the next poll works."""
    scene = make_scene()

    def crash() -> int:
        """Stumble."""
        raise KeyError

    monkeypatch.setattr(scene.inside, "newest", crash)
    assert scene.attempt() == FAILED
    assert scene.count("_failures_total") == 1
    monkeypatch.undo()
    assert scene.attempt() == WORKS
