"""Outgoing: what leaves the house now, and what became of it, in turns.

Right before a letter is sent everything is looked at once more: what nobody
needs any more is spared, and what would be too many goes as one.
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from app.core.brief import brief
from app.core.clock import Clock
from app.core.errors import OutgoingFailed
from app.core.log import get_log
from app.engine.receipts import tell_dead, tell_sent, tell_spared
from app.engine.sparing import Fate, judge
from app.models.canary import CHANNEL
from app.models.message import Dispatch, DispatchState, Message
from app.report.pace import digest_at, held_back
from app.report.retrying import after_failure
from app.report.settings import SECOND, ReportSettings
from app.store.dispatches import (
    IN_DIGEST,
    Fenced,
    claim_due,
    claim_gathered,
    find_left,
    save_dispatch,
    set_of,
)
from app.store.ledger import Connection
from app.store.messages import find_messages
from app.store.outbox import (
    find_ahead,
    find_gone,
    find_repetition,
    redate,
)

# A digest counts what it is made of; what is more goes with the next one.
MOST_GATHERED = 1_000
MOST_LEFT = 100
# Another node may have other settings, and the channel: it is given time.
LEFT_AFTER = 900 * SECOND
# The clocks of two nodes are never further apart.
SKEW = 60 * SECOND
# No other end lets us wait for longer than that.
LONGEST_WAIT = 3_600 * SECOND
# What goes on is looked at again this soon.
LATER = 30 * SECOND
# What nobody needs, or goes with others, takes no place: more is taken.
MOST_CLAIMS = 25
REFERENCE_CHARS = 500
Item = tuple[Dispatch, Message]
log = get_log("outgoing")


class Parcel(msgspec.Struct, frozen=True):
    """What goes as one letter to one channel.

    Attributes:
        channel: to which.
        items: what is in it; several are a digest.
    """

    channel: str
    items: tuple[Item, ...]

    @property
    def ids(self) -> list[int]:
        """Return the numbers of its dispatches."""
        return [dispatch.id for dispatch, _ in self.items]


class Claimant(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes dispatches, and until when.

    Attributes:
        holder: what no other worker is called.
        lease: for how long, in microseconds.
        room: how many letters each channel can take now.
        busy: how many letters are on their way to each.
    """

    holder: str
    lease: int
    room: dict[str, int]
    busy: dict[str, int]


class Outgoing:
    """The turns of what is sent."""

    def __init__(self, settings: ReportSettings, clock: Clock) -> None:
        """Take how often, how many, and the time."""
        self._settings = settings
        self._clock = clock

    def take(self, connection: Connection, claimant: Claimant) -> list[Parcel]:
        """Take what is due, and leave out what nobody needs any more."""
        parcels: list[Parcel] = []
        for channel, room in claimant.room.items():
            found = self._take_single(connection, claimant, channel, room)
            parcels += found
            if len(found) < room:
                parcels += self._take_digest(connection, claimant, channel)
        return parcels

    def _take_single(
        self,
        connection: Connection,
        claimant: Claimant,
        channel: str,
        room: int,
    ) -> list[Parcel]:
        """Take what goes alone to a channel; too much is gathered."""
        now = self._clock.now()
        moments = now, now + claimant.lease
        window = int(self._settings.digest.window_seconds * 1e6)
        letters = find_gone(connection, channel, now - window)
        letters += [now] * claimant.busy.get(channel, 0)
        parcels: list[Parcel] = []
        for _ in range(MOST_CLAIMS):
            most = room - len(parcels)
            taken = claim_due(
                connection, channel, claimant.holder, moments, most
            )
            for item in self._look_again(connection, taken):
                held = held_back(self._settings.digest, item[0], letters, now)
                # The canary's letters are counted nowhere, and reach nobody.
                if held is item[0] or channel == CHANNEL:
                    letters.append(now)
                    parcels.append(Parcel(channel, (item,)))
                else:
                    save_dispatch(connection, item[0], _let_go(held))
            if not taken or len(parcels) >= room:
                break
        return parcels

    def _take_digest(
        self, connection: Connection, claimant: Claimant, channel: str
    ) -> list[Parcel]:
        """Take what goes together to a channel, as one letter at most."""
        now = self._clock.now()
        moments = now, now + claimant.lease
        taken = claim_gathered(
            connection, channel, claimant.holder, moments, MOST_GATHERED
        )
        items = self._look_again(connection, taken)
        return [Parcel(channel, tuple(items))] if items else []

    def _look_again(
        self, connection: Connection, taken: Sequence[Dispatch]
    ) -> list[Item]:
        """Return what is still to be sent; the rest is over, or put off."""
        messages = find_messages(connection, {one.message_id for one in taken})
        items: list[Item] = []
        spared: list[Dispatch] = []
        fates = judge(connection, taken, messages)
        for dispatch, fate in zip(taken, fates, strict=True):
            if not fate.why:
                items.append((dispatch, messages[dispatch.message_id]))
                continue
            after = self._put_off(dispatch, fate)
            save_dispatch(connection, dispatch, after)
            if after.state == DispatchState.SPARED and after.level > 1:
                spared.append(after)
        tell_spared(connection, spared, self._clock.now())
        return items

    def _put_off(self, dispatch: Dispatch, fate: Fate) -> Dispatch:
        """Return a dispatch that does not go now, or not at all."""
        if not fate.is_later:
            return self._end(dispatch, DispatchState.SPARED, fate.why)
        due_at = self._clock.now() + LATER
        if dispatch.state == DispatchState.GATHERING:
            due_at = digest_at(self._settings.digest, due_at)
        return _let_go(replace(dispatch, due_at=due_at, reason=fate.why))

    def sent(
        self, connection: Connection, parcel: Parcel, reference: str
    ) -> int:
        """Write down that a letter is with the other end."""
        key = parcel.items[0][0].id
        why = ""
        if len(parcel.items) > 1:
            why = f"{IN_DIGEST} of {len(parcel.items)} (from {key})"
        ended = [
            replace(
                self._end(dispatch, DispatchState.SENT, why),
                reference=brief(reference, REFERENCE_CHARS),
                tries=dispatch.tries + 1,
            )
            for dispatch, _ in parcel.items
        ]
        kept = self._save(connection, parcel, ended)
        if kept:
            tell_sent(connection, kept, self._clock.now())
        return len(kept)

    def failed(
        self,
        connection: Connection,
        parcel: Parcel,
        error: OutgoingFailed,
        chance: float,
    ) -> int:
        """Write down that a letter did not go out; return how many died."""
        now = self._clock.now()
        retries = self._settings.retries
        after = [
            after_failure(retries, dispatch, error, now, chance)
            for dispatch, _ in parcel.items
        ]
        if len(parcel.items) > 1:
            # They stay together: a digest that fails is no flood.
            moments = [one.due_at for one in after if one.due_at is not None]
            latest = max(moments, default=now)
            name = _name_set(parcel)
            after = [
                one if one.due_at is None else _gather(one, latest, name)
                for one in after
            ]
        kept = self._save(connection, parcel, [_let_go(one) for one in after])
        dead = [one for one in kept if one.state == DispatchState.DEAD]
        if dead:
            tell_dead(connection, dead, now)
        for one in dead:
            self._revive(connection, one)
        return len(dead)

    def _revive(self, connection: Connection, dead: Dispatch) -> None:
        """Let the last repetition of what died be sent after all."""
        found = find_repetition(connection, dead)
        if found is not None:
            waiting = replace(
                found,
                state=DispatchState.WAITING.value,
                reason=f"dispatch {dead.id}, which said the same, is dead",
                due_at=self._clock.now(),
                ended_at=None,
            )
            save_dispatch(connection, found, waiting)

    def is_ahead(self, connection: Connection) -> bool:
        """Tell whether anything waits longer than it was meant to."""
        return bool(find_ahead(connection, self._moments(), 1))

    def hasten(self, connection: Connection) -> int:
        """Let nothing wait longer than it was meant to; return how many.

        When the clock is set back, what was due soon is due long after.
        """
        moments = self._moments()
        found = find_ahead(connection, moments, MOST_GATHERED)
        for one in found:
            redate(connection, one, _begin_now(one, moments[0]))
        return len(found)

    def _moments(self) -> tuple[int, int, int]:
        """Return the time, and what no clock that is right goes beyond."""
        now, settings = self._clock.now(), self._settings
        pause = round(settings.retries.most_seconds * SECOND)
        wait = max(pause, LONGEST_WAIT) + LATER
        return now, now + SKEW, digest_at(settings.digest, now + wait)

    def bury(self, connection: Connection, channels: Sequence[str]) -> int:
        """Give up what waits for channels that are not there any more.

        Another node may have other settings, and have the channel: it has
        its time for it first.
        """
        now = self._clock.now()
        left = find_left(
            connection, channels, now, now - LEFT_AFTER, MOST_LEFT
        )
        dead = []
        for one in left:
            why = f"there is no channel {one.channel!r} any more"
            ended = self._end(one, DispatchState.DEAD, why)
            save_dispatch(connection, one, ended)
            dead.append(ended)
        if dead:
            tell_dead(connection, dead, now)
        return len(dead)

    def _save(
        self,
        connection: Connection,
        parcel: Parcel,
        after: Sequence[Dispatch],
    ) -> list[Dispatch]:
        """Write down what became of a parcel; return what was still ours."""
        kept = []
        for (before, _), one in zip(parcel.items, after, strict=True):
            try:
                save_dispatch(connection, before, one)
            except Fenced:
                continue
            kept.append(one)
        return kept

    def _end(
        self, dispatch: Dispatch, state: DispatchState, why: str
    ) -> Dispatch:
        """Return a dispatch that is over."""
        return _let_go(
            replace(
                dispatch,
                state=state.value,
                reason=why,
                due_at=None,
                ended_at=self._clock.now(),
            )
        )


def _let_go(dispatch: Dispatch) -> Dispatch:
    """Return a dispatch that nobody has."""
    return replace(dispatch, holder="", lease_until=0)


def _gather(dispatch: Dispatch, due_at: int, name: str) -> Dispatch:
    """Return a dispatch that goes with the same others at a moment."""
    return replace(
        dispatch,
        state=DispatchState.GATHERING.value,
        reason=f"{name}: {dispatch.reason}",
        due_at=due_at,
    )


def _name_set(parcel: Parcel) -> str:
    """Return what a digest is called from its first failure on."""
    first = parcel.items[0][0]
    return set_of(first.reason) or f"{IN_DIGEST} from {first.id}"


def _begin_now(dispatch: Dispatch, now: int) -> Dispatch:
    """Return a dispatch that waits no longer than if it were written now.

    Later levels keep their time, so that people have theirs.
    """
    wait = 0
    if dispatch.level > 1 and not dispatch.tries and dispatch.due_at:
        wait = max(dispatch.due_at - dispatch.created_at, 0)
    return replace(
        dispatch,
        created_at=min(dispatch.created_at, now),
        due_at=now + wait,
    )
