"""Pace: how many letters one channel is sent within a window. Pure.

One place of each window belongs to the digest. Digests are due at fixed
moments, a multiple of their span apart, so that no two of them lie within
one window, whoever plans them.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from app.models.message import Dispatch, DispatchState, Kind
from app.report.settings import SECOND, DigestSettings


def digest_at(settings: DigestSettings, moment: int) -> int:
    """Return when a digest is due that takes what is due at a moment."""
    every = math.ceil(settings.every_seconds * SECOND)
    return -(-moment // every) * every


def has_room(
    settings: DigestSettings,
    letters: Sequence[int],
    moment: int,
    kind: str = "",
) -> bool:
    """Tell whether one more letter may be sent at a moment.

    No window that it lies in may then hold more than it may: one less, to
    be exact, as the digest has a place of its own.

    Args:
        settings: how many, and how long a window is.
        letters: when others are sent, in any order; those at the moments
            of digests are counted, too.
        moment: when this one would be.
        kind: why people are told: questions have places when others have
            none, up to as many once more.
    """
    most = settings.most * 2 if kind == Kind.ASKED else settings.most
    window = math.ceil(settings.window_seconds * SECOND)
    near = sorted(at for at in letters if abs(at - moment) < window)
    begins = [at for at in near if at <= moment] + [moment]
    return all(
        _count(near, begin, begin + window) + 1 < most for begin in begins
    )


def _count(moments: Sequence[int], begin: int, end: int) -> int:
    """Return how many of some sorted moments lie in a half-open span."""
    return bisect_left(moments, end) - bisect_left(moments, begin)


def held_back(
    settings: DigestSettings,
    dispatch: Dispatch,
    letters: Sequence[int],
    now: int,
) -> Dispatch:
    """Return a dispatch that is about to be sent, or gathered instead.

    What was planned one by one may come all at once, when the service was
    down or a channel did not answer; then it goes as a digest.

    Args:
        settings: how many, and how long a window is.
        dispatch: it is due.
        letters: when letters were really sent to its channel.
        now: the present.
    """
    is_alone = dispatch.state == DispatchState.WAITING
    if not is_alone or has_room(settings, letters, now, dispatch.kind):
        return dispatch
    return msgspec.structs.replace(
        dispatch,
        state=DispatchState.GATHERING.value,
        reason=f"more than {settings.most} in {settings.window_seconds:g} s",
        due_at=digest_at(settings, now),
    )
