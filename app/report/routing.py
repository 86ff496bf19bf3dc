"""Which dispatches come of a message: to whom, when, one by one or gathered.

Pure: whoever asks hands in what was told before, and writes what comes out.
What a person must do something about goes to every channel when no route
takes it: a gap between the routes loses nothing urgent.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from app.models.matcher import fit_all, read_matchers
from app.models.message import (
    URGENT,
    Dispatch,
    DispatchState,
    Kind,
    Message,
)
from app.report.pace import digest_at, has_room
from app.report.quiet import quiet_until
from app.report.settings import (
    SECOND,
    USUAL,
    LevelSettings,
    ReportSettings,
    RouteSettings,
)

# What later levels of an escalation are told, and what quiet hours let pass.
PRESSING = (*URGENT, Kind.EVIDENCE)
# Each of these is news, however soon it follows another one: a question
# beside another question, a halt and its end.
NEVER_REPEATED = (Kind.ASKED, Kind.HALTED)
# After these a person believes that it is over.
OVER = (Kind.FIXED, Kind.CLOSED)
Told = tuple[str, str, int]
labels_of = msgspec.json.Decoder(dict[str, str]).decode


class Standing(msgspec.Struct, frozen=True):
    """What was told before, as far as it matters now.

    Attributes:
        told: of the message's incident: kind, channel and level of each
            dispatch that waits, is gathered or was sent, and when the last
            such one was written. What was spared, is dead or was a
            repetition does not count.
        letters: of each channel: when its letters were sent, or are due:
            one moment for each dispatch that waits, for each letter that
            was sent and for each digest that is gathered. Older ones than
            one window may be left out.
    """

    told: Mapping[Told, int] = {}
    letters: Mapping[str, Sequence[int]] = {}

    def after(self, dispatches: Iterable[Dispatch]) -> "Standing":
        """Return how things stand when these have been written, too.

        They are those of one incident; for a message about another one
        only the letters of the answer hold.
        """
        told = dict(self.told)
        letters = {name: list(when) for name, when in self.letters.items()}
        for one in dispatches:
            if one.state == DispatchState.REPEATED or one.due_at is None:
                continue
            told[one.kind, one.channel, one.level] = one.created_at
            known = letters.setdefault(one.channel, [])
            is_digest = one.state == DispatchState.GATHERING
            if not (is_digest and one.due_at in known):
                known.append(one.due_at)
        return Standing(told, letters)


class Stop(msgspec.Struct, frozen=True):
    """A channel on a level of a route, and when it is its turn."""

    channel: str
    level: int
    due_at: int
    why: str = ""

    @property
    def is_put_off(self) -> bool:
        """Tell whether quiet hours have moved it."""
        return bool(self.why)


def plan(
    settings: ReportSettings,
    channels: Sequence[str],
    message: Message,
    now: int,
    standing: Standing,
) -> list[Dispatch]:
    """Return the dispatches of a message, one per channel and level.

    Args:
        settings: the routes, the pace, the quiet hours.
        channels: the names of all channels that there are.
        message: what is told.
        now: the present.
        standing: what was told before.
    """
    found: list[Dispatch] = []
    for stop in _stops(settings, channels, message, now):
        repeated = _told_before(settings, message, stop, standing.told, now)
        if repeated is None:
            one = _put(settings, message, stop, now, standing)
            standing = standing.after([one])
        else:
            state = DispatchState.REPEATED
            one = _dispatch(message, stop, now, state, repeated)
            one.due_at, one.ended_at = None, now
        found.append(one)
    return found


def routes_of(
    settings: ReportSettings, channels: Sequence[str], message: Message
) -> list[RouteSettings]:
    """Return the routes that a message takes, in order."""
    labels = labels_of(message.labels)
    found = []
    for route in settings.routes:
        if message.kind in route.kinds and _fits(route, labels):
            found.append(route)
            if not route.again:
                break
    if found or not channels:
        return found
    usual = () if settings.routes else USUAL
    if message.kind in (*URGENT, *usual):
        return [_everybody(channels)]
    return []


def _everybody(channels: Sequence[str]) -> RouteSettings:
    """Return the route to every channel."""
    return RouteSettings(levels=(LevelSettings(channels=tuple(channels)),))


def _fits(route: RouteSettings, labels: Mapping[str, str]) -> bool:
    """Tell whether labels meet all matchers of a route."""
    return all(fit_all(read_matchers(one), labels) for one in route.matchers)


def _stops(
    settings: ReportSettings,
    channels: Sequence[str],
    message: Message,
    now: int,
) -> list[Stop]:
    """Return where a message goes: once per channel and level, the soonest."""
    found: dict[tuple[int, str], Stop] = {}
    for route in routes_of(settings, channels, message):
        for stop in _stops_of(settings, route, message, now):
            key = stop.level, stop.channel
            known = found.get(key)
            if known is None or stop.due_at < known.due_at:
                found[key] = stop
    return [found[key] for key in sorted(found)]


def _stops_of(
    settings: ReportSettings, route: RouteSettings, message: Message, now: int
) -> Iterator[Stop]:
    """Yield where a message goes on one route."""
    quiet = settings.quiet_of(route)
    is_pressing = message.kind in PRESSING
    passes = quiet is None or (is_pressing and quiet.urgent_passes)
    for number, level in enumerate(route.levels, start=1):
        if number > 1 and not is_pressing:
            return
        due_at = now + round(level.after_seconds * SECOND)
        end = due_at
        if quiet is not None and not passes:
            end = quiet_until(quiet, due_at) or due_at
        why = "quiet hours" if end > due_at else ""
        for channel in dict.fromkeys(level.channels):
            if not settings.is_for(route, message.kind, channel):
                continue
            yield Stop(channel, number, end, why)


def _told_before(
    settings: ReportSettings,
    message: Message,
    stop: Stop,
    told: Mapping[Told, int],
    now: int,
) -> str | None:
    """Return why nobody needs to be told again, or None."""
    if not message.incident_id or message.kind in NEVER_REPEATED:
        return None
    last = told.get((message.kind, stop.channel, stop.level))
    # What seems to have been told later was told before a clock was set back.
    if last is None or not 0 <= now - last < settings.repeat:
        return None
    over = (told.get((kind, stop.channel, 1), last) for kind in OVER)
    if message.kind not in OVER and any(at > last for at in over):
        return None
    return f"told {max(now - last, 0) // SECOND} s before"


def _put(
    settings: ReportSettings,
    message: Message,
    stop: Stop,
    now: int,
    standing: Standing,
) -> Dispatch:
    """Return a dispatch that goes by itself, or with others as a digest.

    A question goes by itself also when it was put off: each is answered.
    """
    pace = settings.digest
    if not stop.is_put_off or message.kind == Kind.ASKED:
        letters = standing.letters.get(stop.channel, ())
        if has_room(pace, letters, stop.due_at, message.kind):
            state = DispatchState.WAITING
            return _dispatch(message, stop, now, state, stop.why)
        stop = msgspec.structs.replace(
            stop, why=f"more than {pace.most} in {pace.window_seconds:g} s"
        )
    # What was put off comes with all the rest when people are there again.
    due_at = digest_at(pace, stop.due_at)
    stop = msgspec.structs.replace(stop, due_at=due_at)
    return _dispatch(message, stop, now, DispatchState.GATHERING, stop.why)


def _dispatch(
    message: Message, stop: Stop, now: int, state: DispatchState, why: str
) -> Dispatch:
    """Return a dispatch of a message."""
    return Dispatch(
        message_id=message.id,
        incident_id=message.incident_id,
        kind=message.kind,
        channel=stop.channel,
        level=stop.level,
        state=state.value,
        reason=why,
        due_at=stop.due_at,
        created_at=now,
    )
