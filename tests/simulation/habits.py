"""Habits: what some histories do over and over, until a limit holds it back.

What comes by chance alone is hardly ever too often, too soon, on too many
hosts or too much in vain; and a limit that is never met proves nothing.
"""

from collections.abc import Callable, Sequence
from random import Random

import msgspec

# In so many histories one has a habit.
EVERY = 4
# What may be done over and over at once, and what must rest between.
OFTEN = ("clean", "watch", "sync", "stop", "tune")
RESTS = "rest"
WEBS = ("web-1", "web-2", "web-3", "web-4")
GROUP = ("app-1", "app-2")
PLACES = (*WEBS[:3], "app-1")


class Habit(msgspec.Struct, frozen=True):
    """What a history does over and over.

    Attributes:
        hosts: which hosts become sick, one after the other.
        actions: what the brain chooses whenever it can.
        is_vain: whether nothing that is done helps.
    """

    hosts: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    is_vain: bool = False


def do_often(random: Random) -> Habit:
    """Return to do one thing to one host: its budgets are spent."""
    return Habit((random.choice(PLACES),), (random.choice(OFTEN),))


def do_soon(random: Random) -> Habit:
    """Return to do at once again what has to rest: it must cool down."""
    return Habit((random.choice(PLACES),), (RESTS,))


def do_wide(random: Random) -> Habit:
    """Return to do one thing to many: to a whole group, or to all."""
    hosts = random.choice((WEBS, GROUP))
    return Habit(hosts, (random.choice((*OFTEN, RESTS)),))


def do_in_vain(_random: Random) -> Habit:
    """Return to do whatever does not help: the breaker must open."""
    changing = (name for name in OFTEN if name != "watch")
    return Habit(WEBS, (*changing, RESTS), is_vain=True)


KINDS: Sequence[Callable[[Random], Habit]] = (
    do_often,
    do_soon,
    do_wide,
    do_in_vain,
)


def draw_habit(seed: int, random: Random) -> Habit:
    """Return the habit of a history; the kinds take turns, most have none."""
    turn, left = divmod(seed, EVERY)
    if left != EVERY - 1:
        return Habit()
    return KINDS[turn % len(KINDS)](random)
