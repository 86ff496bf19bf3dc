"""Passing: how the arguments of an order become those of a job elsewhere.

Nothing is lost on the way: an argument that a job is not given, and that is
not named as one that it is made for, refuses the order. A job that restarts
whatever it restarts by default would be another action.
"""

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Annotated

import msgspec
from pydantic import Field

from app.core.configfile import Section
from app.core.errors import NotAccepted
from app.models.job import Order, Progress

# Of an option or variable of another system.
Label = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,99}$")]
Argument = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Value = str | int
MOST_CHARS = 1_000
# Of what is too long to be read, so much of its end.
LAST_BYTES = 262_144
# A host, and nothing that a pattern of hosts could be made of.
ONE_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?")
# Words that mean more than one host, or us.
MANY = frozenset({"all", "ungrouped", "localhost"})


class PassingSettings(Section):
    """What every job elsewhere can be told.

    Attributes:
        only: what an argument must be like, as patterns: {service: [nginx]}.
    """

    only: dict[Argument, tuple[str, ...]] = Field(
        default_factory=dict, max_length=50
    )


def pick(order: Order, wanted: Mapping[str, str]) -> dict[str, Value]:
    """Return the arguments of an order by the names that a job has for them.

    Args:
        order: the order.
        wanted: the names of the arguments, by the job's own.

    A hint that the alert does not give is left out.

    Raises:
        NotAccepted: one is not there, or not fit to be passed.
    """
    found: dict[str, Value] = {}
    told = {**order.known_hints, **order.arguments}
    for name, argument in wanted.items():
        if argument in order.hints and argument not in told:
            continue
        value = told.get(argument)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise NotAccepted(f"the order has no {argument!r}")
        text = str(value)
        if len(text) > MOST_CHARS or not (text.isascii() and _is_line(text)):
            raise NotAccepted(f"{argument} is no plain line of text")
        found[name] = value
    return found


def check_rest(
    order: Order,
    passed: Iterable[str],
    only: Mapping[str, tuple[str, ...]],
) -> None:
    """Return when no argument is lost, raise NotAccepted when one is.

    A hint may be lost: the job does the same without it.

    Args:
        order: the order.
        passed: the arguments that the job is given.
        only: what arguments must be like.
    """
    for name, patterns in only.items():
        told = {**order.known_hints, **order.arguments}
        value = str(told.get(name, ""))
        if not any(fnmatchcase(value, pattern) for pattern in patterns):
            raise NotAccepted(f"the job is not for this {name}: {value!r}")
    lost = sorted(order.arguments.keys() - {*passed, *only})
    if lost:
        raise NotAccepted(
            f"the job is not told {', '.join(lost)}: pass it along, or say"
            " with 'only' what it is for"
        )


def one_host(order: Order, argument: str) -> str:
    """Return the host that a job is limited to, or raise NotAccepted."""
    text = str(pick(order, {"host": argument})["host"])
    if text.casefold() in MANY or ONE_HOST.fullmatch(text) is None:
        raise NotAccepted(f"{text!r} is not the plain name of one host")
    return text


def _is_line(text: str) -> bool:
    """Tell whether a text is one line of printable signs."""
    return bool(text) and text.isprintable()


class Place(msgspec.Struct, frozen=True):
    """Where a job is, as its reference says: its number, and what it lacks.

    Attributes:
        number: what the other system calls it.
        lost: what it was sent and does not have; such a job never succeeds.
    """

    number: int
    lost: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the reference."""
        return " ".join((str(self.number), *self.lost))[:900]


def read_place(reference: str) -> Place | None:
    """Return where a job is, or None when the reference says nothing."""
    number, *lost = reference.split() or [""]
    if not re.fullmatch(r"[0-9]{1,18}", number):
        return None
    return Place(int(number), tuple(lost))


def same(order: Order) -> Progress:
    """Return that nothing new is known of a job."""
    return Progress(reference=order.reference, cursor=order.cursor)


def reaches(patterns: Iterable[str], host: str) -> bool:
    """Tell whether a host is one of those that patterns name; none is."""
    name = host.casefold()
    return not host or any(fnmatchcase(name, p.casefold()) for p in patterns)


def decode(raw: bytes) -> str:
    """Return output as text, its lines ended as ours are."""
    return raw.decode(errors="replace").replace("\r\n", "\n")


def last_part(raw: bytes, missing: int = 0) -> str:
    """Return the last of what was written, and how much is left out.

    Args:
        raw: what was written, or the last of it.
        missing: how much of it came before.
    """
    begin = max(0, len(raw) - LAST_BYTES)
    if not missing and not begin:
        return decode(raw)
    # Whole lines, unless there is none.
    begin = raw.find(b"\n", begin, -1) + 1 or begin
    return f"({missing + begin:,} bytes were left out)\n{decode(raw[begin:])}"
