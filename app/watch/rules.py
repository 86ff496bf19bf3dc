"""Rules: what holds for a time becomes an alert, and ends the same way. Pure.

Nothing -> pending when it is too much, firing when that held, and resolved
when it has been over for a while. What could not be looked at stays as it
is.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec

from app.models.wire import to_fingerprint
from app.watch.settings import Threshold

SECOND = 1_000_000
# What was not looked at for so long has not held without a break.
MOST_GAP = 30.0
MOST_ALERTS = 100
# For what is not claimed any more after a restart.
CLEAR_SECONDS = 10.0
# Of so many it is known when they ended last.
MOST_ENDS = 256
Key = tuple[str, tuple[tuple[str, str], ...]]


class Text(msgspec.Struct, frozen=True):
    """What an alert tells people."""

    summary: str
    description: str


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What one look says of one thing.

    Attributes:
        name: the alert that it would be.
        labels: what it is about, beside the machine.
        threshold: how long it must hold.
        begins: whether it is too much now.
        lasts: whether it is still too much for an end.
        tell: returns what people are told, given for how many seconds it
            has been so; it may read of a process.
    """

    name: str
    labels: Mapping[str, str] = {}
    threshold: Threshold
    begins: bool
    lasts: bool
    tell: Callable[[float], Text]

    @property
    def key(self) -> Key:
        """Return what it is known by."""
        return self.name, tuple(sorted(self.labels.items()))


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What the watch says.

    Attributes:
        name: of the alert.
        labels: all of them, its name as well.
        text: what people are told.
        starts_at: when it was too much first, in microseconds since 1970.
        ends_at: when it was over, None while it goes on.
    """

    name: str
    labels: Mapping[str, str]
    text: Text
    starts_at: int
    ends_at: int | None = None

    @property
    def fingerprint(self) -> str:
        """Return what it is found again by."""
        return to_fingerprint(self.labels)


class Began(msgspec.Struct, frozen=True):
    """Something has held: it is an alert now."""

    key: Key
    claim: Claim
    starts_at: int
    seconds: float


class Ended(msgspec.Struct, frozen=True):
    """An alert is over."""

    key: Key
    ends_at: int


class _State:
    """Where one thing is: pending, or firing and perhaps ending."""

    def __init__(self, now: int, monotonic: float) -> None:
        """Take when it was too much first."""
        self.at = now
        self.since = monotonic
        self.is_firing = False
        self.clear_at = 0
        self.clear_since: float | None = None
        self.clear_seconds = 0.0


class Rules:
    """Knows what goes on.

    Attributes:
        left_out: how many more would be alerts by the last look, if there
            might be so many at once.
    """

    def __init__(self, most: int = MOST_ALERTS) -> None:
        """Take how many alerts there may be at once."""
        self._states: dict[Key, _State] = {}
        self._most = most
        self._last: float | None = None
        self._ends: dict[Key, int] = {}
        self.left_out = 0

    def resume(self, key: Key, at: int, monotonic: float) -> None:
        """Take what was an alert before a restart; it may be over by now."""
        state = self._states[key] = _State(at, monotonic)
        state.is_firing, state.clear_seconds = True, CLEAR_SECONDS

    def is_firing(self, key: Key) -> bool:
        """Tell whether something is an alert now."""
        state = self._states.get(key)
        return state is not None and state.is_firing

    def step(
        self,
        now: int,
        monotonic: float,
        claims: Iterable[Claim],
        known: Collection[str],
    ) -> list[Began | Ended]:
        """Return what has begun and ended with one more look.

        Args:
            now: the present, in microseconds since 1970.
            monotonic: the same on the clock that never jumps.
            claims: what was seen.
            known: the alerts of which all was seen: what is not claimed by
                one of these is not there any more.
        """
        self._forget_after_gap(monotonic)
        self.left_out = 0
        found: dict[Key, Claim] = {}
        for claim in claims:
            found.setdefault(claim.key, claim)
        changes: list[Began | Ended] = []
        for key, claim in found.items():
            changes += self._begin(key, claim, now, monotonic)
        for key in list(self._states):
            one = found.get(key)
            if one is not None or key[0] in known:
                changes += self._end(key, one, now, monotonic)
        return changes

    def _forget_after_gap(self, monotonic: float) -> None:
        """Let go of what is pending when nobody looked for long."""
        last, self._last = self._last, monotonic
        if last is not None and monotonic - last > MOST_GAP:
            for key in [k for k, s in self._states.items() if not s.is_firing]:
                del self._states[key]

    def _begin(
        self, key: Key, claim: Claim, now: int, monotonic: float
    ) -> list[Began | Ended]:
        """Return an alert when a claim has held."""
        state = self._states.get(key)
        if state is None and claim.begins:
            at = self._after_its_end(key, now)
            state = self._states[key] = _State(at, monotonic)
        if state is None or state.is_firing or not claim.begins:
            return []
        seconds = monotonic - state.since
        if seconds < claim.threshold.for_seconds:
            return []
        if sum(one.is_firing for one in self._states.values()) >= self._most:
            self.left_out += 1
            return []
        state.is_firing = True
        state.clear_seconds = claim.threshold.clear_seconds
        return [Began(key, claim, state.at, seconds)]

    def _end(
        self, key: Key, claim: Claim | None, now: int, monotonic: float
    ) -> list[Began | Ended]:
        """Return the end of an alert when it has been over for a while."""
        state = self._states[key]
        if not state.is_firing:
            if claim is None or not claim.begins:
                del self._states[key]
            return []
        if claim is not None and claim.lasts:
            state.clear_since = None
            return []
        if state.clear_since is None:
            state.clear_since, state.clear_at = monotonic, now
        if monotonic - state.clear_since < state.clear_seconds:
            return []
        del self._states[key]
        # The clock may have been set back meanwhile.
        ends_at = max(state.clear_at, state.at)
        self._ends.pop(key, None)
        self._ends[key] = ends_at
        if len(self._ends) > MOST_ENDS:
            del self._ends[next(iter(self._ends))]
        return [Ended(key, ends_at)]

    def _after_its_end(self, key: Key, now: int) -> int:
        """Return when something begins: never before it ended last.

        By a clock that was set back it would be old news, and over, to
        whoever is told.
        """
        last = self._ends.get(key, now - 1)
        return now if now > last else last + SECOND
