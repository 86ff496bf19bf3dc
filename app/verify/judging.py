"""What follows from readings: fixed, not fixed, unknown, or wait.

A problem is fixed when it was seen good again and again, long enough, with
nothing else in between. Whoever did not look for a while has not seen it:
then the stretch begins anew. An unknown reading is never a success.
"""

from collections.abc import Sequence

import msgspec

from app.models.action import Check
from app.models.verdict import Judgement, Reading, Verdict

SECOND = 1_000_000
# Two readings so close see what is between them, however often it is read.
LEAST_GAP = 30 * SECOND
BAD = (Judgement.BAD, Judgement.WORSE)


class Conclusion(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an action's success by now.

    Attributes:
        verdict: whether it helped, None while that is open.
        reason: one line for people.
        look_again_at: when to measure next, None with a verdict.
        is_worse: whether it is worse than before the action.
    """

    verdict: Verdict | None
    reason: str
    look_again_at: int | None = None
    is_worse: bool = False


class Terms(msgspec.Struct, frozen=True):
    """What a check's declaration means in microseconds.

    Attributes:
        hold: so long it must be good.
        gap: so far apart two readings may be.
        every: how often it is read.
        begin_by: when a good stretch must have begun.
    """

    hold: int
    gap: int
    every: int
    begin_by: int


class Stretch(msgspec.Struct):
    """The readings since it was good without a break.

    Attributes:
        began: its first good reading, or None.
        last: the reading before, or None.
        known: the last reading that said anything, or None.
        worse: how many in a row are worse.
    """

    began: int | None = None
    last: Reading | None = None
    known: Reading | None = None
    worse: int = 0

    def add(self, reading: Reading, terms: Terms) -> None:
        """Take the next reading."""
        is_worse = reading.judgement is Judgement.WORSE
        self.worse = self.worse + 1 if is_worse else 0
        if reading.judgement is not Judgement.GOOD:
            self.began = None
        elif self.began is None or not self.sees(reading.at, terms):
            self.began = reading.at
        self.last = reading
        if reading.judgement is not Judgement.UNKNOWN:
            self.known = reading

    def sees(self, moment: int, terms: Terms) -> bool:
        """Tell whether the reading before is close enough to a moment.

        A clock that went backwards says nothing about how long it was.
        """
        return (
            self.last is not None and 0 <= moment - self.last.at <= terms.gap
        )

    def has_held(self, terms: Terms) -> bool:
        """Tell whether it was good for long enough, and began in time."""
        if self.began is None or self.last is None:
            return False
        is_long = self.last.at - self.began >= terms.hold
        return is_long and self.began <= terms.begin_by


def conclude(
    check: Check, readings: Sequence[Reading], ended_at: int, now: int
) -> Conclusion:
    """Return what follows from what was measured since a job ended.

    The first verdict that the readings give stands, whatever comes after.

    Args:
        check: how success is declared.
        readings: with their judgements, in the order they were measured.
        ended_at: when the job ended; what is older says nothing.
        now: the time.
    """
    every = check.every_seconds * SECOND
    terms = Terms(
        hold=check.hold_seconds * SECOND,
        gap=max(3 * every, LEAST_GAP),
        every=every,
        begin_by=ended_at + check.within_seconds * SECOND,
    )
    stretch = Stretch()
    for reading in readings:
        if not ended_at <= reading.at <= now:
            continue
        if reading == stretch.last:
            continue
        stretch.add(reading, terms)
        if stretch.has_held(terms):
            reason = f"{reading.check} was good for {check.hold_seconds} s"
            return Conclusion(verdict=Verdict.FIXED, reason=reason)
        if stretch.worse >= 2:
            return Conclusion(
                verdict=Verdict.NOT_FIXED,
                reason=f"it is worse than before: {reading.says}",
                is_worse=True,
            )
    if _may_still_hold(stretch, terms, now):
        return _wait(stretch, terms, now)
    return _end(check, stretch, terms, now)


def _may_still_hold(stretch: Stretch, terms: Terms, now: int) -> bool:
    """Tell whether time is left, or a stretch that began in time goes on."""
    if now < terms.begin_by:
        return True
    return (
        stretch.began is not None
        and stretch.began <= terms.begin_by
        and stretch.sees(now, terms)
    )


def _wait(stretch: Stretch, terms: Terms, now: int) -> Conclusion:
    """Return when to look again: in time for the end of a stretch."""
    again = now + terms.every
    reason = "it is not good yet"
    if stretch.began is not None:
        again = min(again, max(stretch.began + terms.hold, now + SECOND))
        good = (now - stretch.began) // SECOND
        reason = f"it is good for {good} s, of {terms.hold // SECOND} s"
    elif stretch.last is None:
        reason = "it was not measured yet"
    elif stretch.last.judgement is Judgement.UNKNOWN:
        reason = f"it cannot be measured: {stretch.last.says}"
    return Conclusion(verdict=None, reason=reason, look_again_at=again)


def _end(check: Check, stretch: Stretch, terms: Terms, now: int) -> Conclusion:
    """Return what is known when time is over."""
    known, last = stretch.known, stretch.last
    span = f"within {check.within_seconds} s"
    if known is None or last is None:
        why = "it was not measured" if last is None else last.says
        reason = f"nobody knows {span}: {why}"
        return Conclusion(verdict=Verdict.UNKNOWN, reason=reason)
    if known.judgement in BAD and now - known.at <= terms.gap:
        reason = f"it was not good {span}: {known.says}"
        return Conclusion(verdict=Verdict.NOT_FIXED, reason=reason)
    if known is not last:
        reason = f"it cannot be measured any more: {last.says}"
    elif known.judgement in BAD:
        reason = f"it was not measured lately; then: {known.says}"
    else:
        reason = f"it was not seen good for {check.hold_seconds} s {span}"
    return Conclusion(verdict=Verdict.UNKNOWN, reason=reason)
