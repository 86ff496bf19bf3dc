"""The posting chore: it takes what is due and sends it, channel by channel.

A letter is taken with a lease, sent outside of any turn, and what came of
it is written down. Each channel has its own few places, so that one that is
slow holds up no other.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import copy
from functools import partial

import msgspec

from app.core.clock import Clock
from app.core.errors import OutgoingFailed, SmokejumperError
from app.core.log import get_log
from app.engine.bell import LATE_SECONDS, Bell
from app.engine.keeper import Keeper
from app.engine.leases import Lease, wind_down
from app.engine.outgoing import Claimant, Outgoing, Parcel
from app.engine.postmeters import Meters
from app.engine.ways import Ways
from app.models.message import Letter
from app.models.mission import SECOND
from app.ports import Channel
from app.report.composing import Composer
from app.store.dispatches import (
    LENDING,
    count_states,
    find_oldest_due,
    is_due,
    next_due,
)
from app.store.glance import Seen
from app.store.ledger import Connection
from app.store.outbox import find_strangers

# Other processes write too, and nobody wakes us then.
LOOK_SECONDS = 2.0
SWEEP_SECONDS = 10.0
RETRY_SECONDS = 2.0
LEASE_SECONDS = 9.0
RENEW_SECONDS = 3.0
# What has not been sent by then is tried again. A channel has a time of its
# own, which may be 300 s: this is for one that does not keep it.
SEND_SECONDS = 310.0
# So many letters are on their way to one channel at once.
PLACES = 2
# What came of a letter is written down, however busy the store is.
WRITE_TRIES = 5
log = get_log("posting")


class Parts(msgspec.Struct, frozen=True):
    """What the posting chore is made of.

    Attributes:
        outgoing: takes and ends dispatches, in turns.
        channels: where letters go.
        composer: writes letters.
        ways: how the store is reached.
        keeper: says when the log has grown.
        clock: the time.
        meters: what Prometheus is told.
        chance: returns a number from 0 to 1, drawn anew each time.
    """

    outgoing: Outgoing
    channels: Mapping[str, Channel]
    composer: Composer
    ways: Ways
    keeper: Keeper
    clock: Clock
    meters: Meters
    chance: Callable[[], float]


class Look(msgspec.Struct, frozen=True):
    """What a look at the store found.

    Attributes:
        due: the channels for which something can be taken now.
        next_at: when something can be taken next, or None.
        left: the channels that are gone and that something is due for.
        is_ahead: whether anything waits for longer than it can.
        states: how many dispatches are in which state, on a sweep.
        oldest: since when the longest due dispatch waits, on a sweep.
    """

    due: tuple[str, ...]
    next_at: int | None
    left: tuple[str, ...] = ()
    is_ahead: bool = False
    states: dict[str, int] | None = None
    oldest: int | None = None


class PostingChore:
    """Sends what is due, as long as the service runs."""

    def __init__(self, parts: Parts, node: str) -> None:
        """Take what it is made of, and what no other worker is called."""
        self._parts = parts
        self._node = node
        self._bell = Bell()
        self._swept_at = float("-inf")
        self._seen: Seen[Look] | None = None
        self._left: tuple[str, ...] = ()
        self._leases: dict[int, Lease] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()

    async def run(self) -> None:
        """Go on until cancelled."""
        self._bell.hang(self._parts.keeper, late=LATE_SECONDS)
        renewing = asyncio.create_task(self._keep_renewing())
        try:
            await self._bell.rounds(self._try_round)
        finally:
            await self._stop()
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _stop(self) -> None:
        """Call off what is under way, and let others have it at once."""
        left = await wind_down(self._tasks, self._leases)
        if left:
            give = partial(LENDING.free, holder=self._node, ids=left)
            with suppress(SmokejumperError):
                await self._parts.ways.turn(give)

    async def _try_round(self) -> float:
        """Look once; return for how long nothing can be due."""
        try:
            return await self._round()
        except SmokejumperError as error:
            log.warning("posting.not_looked", error=str(error))
        except Exception:
            # A bug must not end sending for all other messages.
            log.exception("posting.look_crashed")
        return RETRY_SECONDS

    async def _round(self) -> float:
        """Look, take what is due, send it."""
        parts = self._parts
        now = parts.clock.monotonic()
        is_sweep = now - self._swept_at >= SWEEP_SECONDS
        look = partial(self._look, is_sweep=is_sweep)
        last = None if is_sweep else self._lasting()
        self._seen = await parts.ways.glance(look, last)
        seen = self._seen.found
        if is_sweep:
            self._swept_at = now
            await self._sweep(seen)
        room = {
            channel: PLACES - self._busy[channel]
            for channel in seen.due
            if self._busy[channel] < PLACES
        }
        if room:
            await self._take(room)
            # What is left of a channel has no place, or not its turn.
            return LOOK_SECONDS
        if seen.next_at is None or seen.due:
            return LOOK_SECONDS
        ahead = (seen.next_at - parts.clock.now()) / SECOND
        return min(LOOK_SECONDS, max(0.01, ahead))

    def _lasting(self) -> Seen[Look] | None:
        """Return what was seen last, while nothing of it is due."""
        if self._seen is None or self._seen.found.due:
            return None
        now = self._parts.clock.now()
        return self._seen.before(self._seen.found.next_at, now)

    def _look(self, connection: Connection, *, is_sweep: bool) -> Look:
        """Return what there is to do; on a snapshot."""
        now = self._parts.clock.now()
        names = list(self._parts.channels)
        seen = Look(
            due=tuple(n for n in names if is_due(connection, n, now)),
            next_at=next_due(connection, names, now),
        )
        if not is_sweep:
            return seen
        return msgspec.structs.replace(
            seen,
            left=find_strangers(connection, names, now),
            is_ahead=self._parts.outgoing.is_ahead(connection),
            states=count_states(connection),
            oldest=find_oldest_due(connection, now),
        )

    async def _sweep(self, seen: Look) -> None:
        """Tell Prometheus, mend what waits too long, give up what stays."""
        parts = self._parts
        parts.meters.tell(seen.states or {}, seen.oldest, parts.clock.now())
        if seen.is_ahead:
            count = await parts.ways.turn(parts.outgoing.hasten)
            log.warning("posting.clock_was_set_back", dispatches=count)
        if seen.left and seen.left != self._left:
            log.warning("posting.no_such_channel", channels=seen.left)
        self._left = seen.left
        if seen.left:
            bury = partial(parts.outgoing.bury, channels=list(parts.channels))
            parts.meters.dead.inc(await parts.ways.turn(bury))

    async def _take(self, room: dict[str, int]) -> None:
        """Take what is due, and send each letter by itself."""
        parts = self._parts
        began = Lease(parts.clock, LEASE_SECONDS)
        claimant = Claimant(
            holder=self._node,
            lease=int(LEASE_SECONDS * SECOND),
            room=room,
            busy=dict(self._busy),
        )
        work = partial(parts.outgoing.take, claimant=claimant)
        for parcel in await parts.ways.turn(work):
            self._begin(parcel, began)

    def _begin(self, parcel: Parcel, began: Lease) -> None:
        """Send a letter that was taken."""
        # It counts from before the claim; all of it is renewed together.
        lease = copy(began)
        self._leases |= dict.fromkeys(parcel.ids, lease)
        self._busy[parcel.channel] += 1
        task = asyncio.create_task(self._send(parcel, lease))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, parcel: Parcel, lease: Lease) -> None:
        """Send one letter, and write down what came of it."""
        try:
            if lease.is_held():
                await self._send_held(parcel)
        except SmokejumperError as error:
            # Its lease runs out, and it is sent once more.
            log.warning("posting.not_written", error=str(error))
        except Exception:
            log.exception("posting.crashed", dispatches=parcel.ids[:20])
        finally:
            for number in parcel.ids:
                self._leases.pop(number, None)
            self._busy[parcel.channel] -= 1
            self._bell.ring()

    async def _send_held(self, parcel: Parcel) -> None:
        """Send a letter that is ours, and write down what came of it."""
        parts = self._parts
        try:
            reference = await self._deliver(parcel)
        except OutgoingFailed as error:
            log.info("letter.failed", channel=parcel.channel, error=str(error))
            parts.meters.letters.labels(parcel.channel, "failed").inc()
            failed = partial(
                parts.outgoing.failed,
                parcel=parcel,
                error=error,
                chance=parts.chance(),
            )
            parts.meters.dead.inc(await self._write(failed))
            return
        parts.meters.letters.labels(parcel.channel, "sent").inc()
        await self._write(
            partial(parts.outgoing.sent, parcel=parcel, reference=reference)
        )

    async def _deliver(self, parcel: Parcel) -> str:
        """Write a letter and send it; return what the other end calls it.

        Raises:
            OutgoingFailed: it was not sent, or nobody knows.
        """
        compose = partial(compose_parcel, self._parts.composer, parcel)
        try:
            letter = await asyncio.to_thread(compose)
        except Exception as error:
            # It counts as a try: else it would be tried on and on.
            log.exception("posting.not_composed", dispatches=parcel.ids[:20])
            why = f"it could not be written: {type(error).__name__}"
            raise OutgoingFailed(why) from error
        return await send_in_time(self._parts.channels[parcel.channel], letter)

    async def _write(self, work: Callable[[Connection], int]) -> int:
        """Write down what came of a letter, however busy the store is."""
        for left in reversed(range(WRITE_TRIES)):
            try:
                return await self._parts.ways.turn(work)
            except SmokejumperError:
                if not left:
                    raise
            await self._parts.ways.pause(RETRY_SECONDS)
        raise AssertionError("unreachable")

    async def _keep_renewing(self) -> None:
        """Keep what is under way for longer, whatever else is slow."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._renew()
            except SmokejumperError as error:
                log.warning("posting.not_renewed", error=str(error))
            except Exception:
                # What is under way would lose its lease, for good.
                log.exception("posting.renewing_crashed")

    async def _renew(self) -> None:
        """Keep what is under way for longer."""
        ids = list(self._leases)
        if not ids:
            return
        began = self._parts.clock.monotonic()
        until = self._parts.clock.now() + int(LEASE_SECONDS * SECOND)
        work = partial(
            LENDING.renew, holder=self._node, ids=ids, lease_until=until
        )
        for number in await self._parts.ways.turn(work):
            lease = self._leases.get(number)
            if lease is not None:
                lease.renew(began)


def compose_parcel(composer: Composer, parcel: Parcel) -> Letter:
    """Return a parcel as one letter."""
    if len(parcel.items) == 1:
        return composer.letter(*parcel.items[0])
    return composer.digest(parcel.channel, parcel.items)


async def send_in_time(channel: Channel, letter: Letter) -> str:
    """Send a letter; a channel that hangs, or has a bug, has failed.

    Raises:
        OutgoingFailed: it was not sent, or nobody knows.
    """
    try:
        async with asyncio.timeout(SEND_SECONDS):
            return await channel.send(letter)
    except OutgoingFailed:
        raise
    except TimeoutError as error:
        why = f"no answer within {SEND_SECONDS:g} s"
        raise OutgoingFailed(why) from error
    except Exception as error:
        log.exception("channel.crashed")
        why = f"the channel has a bug: {type(error).__name__}"
        raise OutgoingFailed(why) from error
