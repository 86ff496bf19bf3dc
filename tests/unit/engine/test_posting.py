"""Letters are sent by themselves: bounded, in order, and never lost."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec

from app.engine import leases, outgoing, posting
from app.engine.outgoing import Parcel
from app.engine.posting import PLACES
from app.models.message import Letter
from app.report.composing import Composer
from app.store.dispatches import add_dispatches
from app.store.location import Location
from tests.unit.engine.postroom import Box, PostRoom

ALL = ["escalated", "closed", "acted"]
ESCALATED = "incident.escalated"
MANY = {"digest": {"most": 10_000}}


def run(scene: Coroutine[Any, Any, None]) -> None:
    """Play a scene."""
    asyncio.run(scene)


def test_what_the_log_says_arrives(location: Location, tmp_path: Path) -> None:
    """Nobody calls the chores: they hear that the log has grown."""

    async def scene() -> None:
        """One incident, two channels."""
        boxes = {"ops": Box(), "mail": Box()}
        async with PostRoom(location, boxes, tmp_path) as room:
            await room.note(ESCALATED, 7)
            await room.wait_until("sent")
            for box in boxes.values():
                assert box.about == [7]
            sent = {"channel": "ops", "outcome": "sent"}
            assert room.figure("smokejumper_letters_total", **sent) == 1

    run(scene())


def test_a_slow_channel_holds_up_no_other(
    location: Location, tmp_path: Path
) -> None:
    """It has its own few places, and all the others go on."""

    async def scene() -> None:
        """One box is shut."""
        boxes = {"slow": Box(), "ops": Box()}
        boxes["slow"].is_open.clear()
        async with PostRoom(location, boxes, tmp_path, **MANY) as room:
            await room.note(ESCALATED, *range(1, 21))
            ops, slow = boxes["ops"], boxes["slow"]
            await room.wait_for(lambda: len(ops.letters) == 20)
            await room.wait_for(lambda: slow.waiting == PLACES)
            assert slow.letters == []
            slow.is_open.set()
            await room.wait_until("sent")
            assert sorted(slow.about) == sorted(ops.about)
            assert max(slow.most_waiting, ops.most_waiting) <= PLACES

    run(scene())


def test_the_messages_of_an_incident_arrive_in_order(
    location: Location, tmp_path: Path
) -> None:
    """Although each of them fails at first, and others go beside."""

    async def scene() -> None:
        """Three messages of each of some incidents."""
        route = {"kinds": ALL, "levels": [{"channels": ["ops"]}]}
        box = Box()
        box.failures = 12
        room = PostRoom(
            location, {"ops": box}, tmp_path, routes=[route], **MANY
        )
        async with room:
            for kind in ("job.started", ESCALATED, "mission.closed"):
                await room.note(kind, *range(1, 7))
            await room.wait_until("sent")
        assert len(box.letters) == 18
        for number in range(1, 7):
            kinds = [
                one.kind for one in box.letters if one.facts.incident == number
            ]
            assert kinds == ["acted", "escalated", "closed"]

    run(scene())


def test_a_shut_down_gives_back_what_is_under_way(
    location: Location, tmp_path: Path, monkeypatch: Any
) -> None:
    """Another node has it at once: no lease is waited for."""
    monkeypatch.setattr(leases, "GRACE_SECONDS", 0.05)

    async def scene() -> None:
        """A node ends while a letter is being sent."""
        shut, taken = Box(), Box()
        shut.is_open.clear()
        async with PostRoom(location, {"ops": shut}, tmp_path) as one:
            await one.note(ESCALATED, 7)
            await one.wait_for(lambda: shut.waiting)
            await one.stop_sending()
            (way,) = one.ways()
            assert (way.state, way.holder, way.lease_until) == (
                "waiting",
                "",
                0,
            )
        async with PostRoom(location, {"ops": taken}, tmp_path) as two:
            await two.wait_until("sent")
        assert taken.about == [7]

    run(scene())


def test_two_nodes_send_each_letter_once(
    location: Location, tmp_path: Path, monkeypatch: Any
) -> None:
    """As long as leases hold, also longer than one of them is."""
    monkeypatch.setattr(posting, "LEASE_SECONDS", 3.0)
    monkeypatch.setattr(posting, "RENEW_SECONDS", 0.5)

    async def scene() -> None:
        """Two nodes on one database, and one slow other end."""
        boxes = {"ops": Box(), "slow": Box()}
        boxes["slow"].is_open.clear()
        one = PostRoom(location, boxes, tmp_path, **MANY)
        two = PostRoom(location, boxes, tmp_path, **MANY)
        async with one, two:
            await one.note(ESCALATED, *range(1, 16))
            await two.note(ESCALATED, *range(16, 31))
            await one.wait_for(lambda: len(boxes["ops"].letters) == 30)
            await one.wait_for(lambda: boxes["slow"].waiting == 2 * PLACES)
            held = [way for way in one.ways() if way.holder]
            until = max(way.lease_until for way in held)
            await one.wait_for(lambda: one.clock.now() > until + 1_000_000)
            boxes["slow"].is_open.set()
            await one.wait_until("sent")
        for box in boxes.values():
            assert sorted(box.about) == list(range(1, 31))

    run(scene())


def test_a_bug_of_a_channel_is_a_failure_like_others(
    location: Location, tmp_path: Path
) -> None:
    """It is tried again; the chore goes on."""

    async def scene() -> None:
        """The first letter meets a bug."""
        box = Box()
        box.bugs = 2
        async with PostRoom(location, {"ops": box}, tmp_path) as room:
            await room.note(ESCALATED, 7)
            await room.wait_until("sent")
            (way,) = room.ways()
            assert way.tries == 3
            failed = {"channel": "ops", "outcome": "failed"}
            assert room.figure("smokejumper_letters_total", **failed) == 2

    run(scene())


def test_a_channel_that_hangs_is_given_up(
    location: Location, tmp_path: Path, monkeypatch: Any
) -> None:
    """Nobody knows whether it arrived: it is sent once more."""
    monkeypatch.setattr(posting, "SEND_SECONDS", 0.05)

    async def scene() -> None:
        """It hangs, and then it does not."""
        box = Box()
        box.is_open.clear()
        async with PostRoom(location, {"ops": box}, tmp_path) as room:
            await room.note(ESCALATED, 7)
            tried = {"channel": "ops", "outcome": "failed"}
            name = "smokejumper_letters_total"
            await room.wait_for(lambda: room.figure(name, **tried))
            box.is_open.set()
            await room.wait_until("sent")
        assert len({one.key for one in box.letters}) == 1

    run(scene())


def test_what_died_is_counted(location: Location, tmp_path: Path) -> None:
    """An operator sees it without asking."""

    async def scene() -> None:
        """The only try fails; another channel is gone."""
        box = Box()
        box.failures = 1
        once = {"tries": 1, "urgent_hours": 0}
        room = PostRoom(location, {"ops": box}, tmp_path, retries=once)
        async with room:
            await room.note(ESCALATED, 7)
            await room.wait_until("dead")
            dead = "smokejumper_messages_dead_total"
            await room.wait_for(lambda: room.figure(dead) == 1)

    run(scene())


def test_what_waited_for_a_channel_that_is_gone_is_buried(
    location: Location, tmp_path: Path, monkeypatch: Any
) -> None:
    """After a change of the settings; the next start finds it."""
    monkeypatch.setattr(outgoing, "LEFT_AFTER", 0)

    async def scene() -> None:
        """The one channel is replaced by another."""
        shut = Box()
        shut.failures = 10_000
        async with PostRoom(location, {"old": shut}, tmp_path) as one:
            await one.note(ESCALATED, 7)
            await one.wait_for(lambda: shut.failures < 10_000)
            await one.wait_for(lambda: one.ways()[0].tries >= 1)
        async with PostRoom(location, {"new": Box()}, tmp_path) as two:
            await two.wait_until("dead")
            (way,) = two.ways()
            assert "no channel 'old'" in way.reason

    run(scene())


def test_a_letter_that_cannot_be_written_is_a_try(
    location: Location, tmp_path: Path, monkeypatch: Any
) -> None:
    """It backs off, and dies at last; others are written meanwhile."""
    compose = posting.compose_parcel

    def crash(composer: Composer, parcel: Parcel) -> Letter:
        """Have a bug with one incident."""
        if parcel.items[0][0].incident_id == 7:
            raise KeyError("a bug")
        return compose(composer, parcel)

    monkeypatch.setattr(posting, "compose_parcel", crash)

    async def scene() -> None:
        """Two incidents, two tries."""
        box = Box()
        twice = {"tries": 2, "urgent_hours": 0}
        room = PostRoom(location, {"ops": box}, tmp_path, retries=twice)
        async with room:
            await room.note(ESCALATED, 7, 8)
            await room.wait_until("sent", "dead")
            bad, good = room.ways()
            assert (bad.state, bad.tries) == ("dead", 2)
            assert "could not be written: KeyError" in bad.reason
            assert (good.state, box.about) == ("sent", [8])

    run(scene())


def test_a_clock_that_was_set_back_is_noticed(
    location: Location, tmp_path: Path, monkeypatch: Any
) -> None:
    """What a node wrote in another time is sent by itself."""
    monkeypatch.setattr(posting, "SWEEP_SECONDS", 0.1)

    async def scene() -> None:
        """A dispatch of tomorrow."""
        box = Box()
        async with PostRoom(location, {"ops": box}, tmp_path) as room:
            await room.note(ESCALATED, 7)
            await room.wait_until("sent")
            (way,) = room.ways()
            tomorrow = room.clock.now() + 86_400_000_000
            later = msgspec.structs.replace(
                way, state="waiting", due_at=tomorrow, created_at=tomorrow
            )
            asked = room.keeper.ask(lambda c: add_dispatches(c, [later]))
            await asyncio.wrap_future(asked)
            await room.wait_for(lambda: len(box.letters) == 2)

    run(scene())
