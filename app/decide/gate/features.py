"""Features: what the gate sees of a case, as words that are hashed.

A value that a label holds is not seen as it is but as the kind of thing it
is, so that what was learned of one host holds for another.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from zlib import crc32

import msgspec

from app.decide.gate.objects import (
    Object,
    find_objects,
    has_replica_name,
    is_vital_for,
    words_of,
)
from app.decide.knowledge import Knowledge
from app.models.case import Case
from app.models.menu import Menu

BITS = 16
SIZE = 1 << BITS
TEXT_WORDS = 60
# What is known of a case says more than the pieces of its words.
DECISIVE = frozenset(("sev", "l", "o", "v", "w", "replica", "offer"))
WEIGHT = 3
# Of the texts that anybody can write into.
FREE = frozenset(("t", "t2"))
TOPICAL = frozenset(("n", "n2", "t", "offer", "bias"))
# The values of these labels are words, not names of things.
TELLING = (
    "scope",
    "reason",
    "condition",
    "state",
    "status",
    "component",
    "type",
    "dimension",
    "job",
    "item_key",
)


class Sight(msgspec.Struct, frozen=True):
    """A case as the models see it.

    Attributes:
        row: all its features; decisive ones count more.
        bare: the same without the free texts.
        where: what says where to look.
    """

    row: list[int]
    bare: list[int]
    where: list[int]


def see(case: Case, menu: Menu, knowledge: Knowledge) -> Sight:
    """Return the hashed features of a case."""
    row: list[int] = []
    bare: list[int] = []
    where: list[int] = []
    for word in {*words(case, menu, knowledge)}:
        kind = word.partition(":")[0]
        place = crc32(word.encode()) & (SIZE - 1)
        places = [place] * (WEIGHT if kind in DECISIVE else 1)
        row += places
        if kind not in FREE:
            bare += places
        if kind in TOPICAL:
            where.append(place)
    return Sight(sorted(row), sorted(bare), sorted(where))


def words(case: Case, menu: Menu, knowledge: Knowledge) -> Iterator[str]:
    """Yield the features of a case in words."""
    objects = find_objects(case, menu, knowledge)
    name = words_of(_masked(case.name, case))
    yield from _of_name(name)
    yield from _of_texts(case)
    yield from _of_labels(case)
    yield from _of_menu(menu, objects, name)
    yield from _of_objects(objects, name)
    # What the source does not say is no sign of anything.
    if case.severity != "unknown":
        yield f"sev:{case.severity}"
    yield f"kind:{case.target_kind}"
    yield "bias"


def _masked(text: str, case: Case) -> str:
    """Return a text in which labels' values are the labels' names."""
    for key, value in case.labels.items():
        if len(value) > 3 and key not in ("alertname", "severity", "job"):
            text = text.replace(value, f" label{key} ")
    return text


def _of_name(name: list[str]) -> Iterator[str]:
    """Yield words, pairs of words, and pieces of words of a name."""
    for word in name:
        yield f"n:{word}"
    for pair in pairwise(name):
        yield f"n2:{pair[0]} {pair[1]}"
    yield f"n-end:{name[-1] if name else ''}"
    yield f"n-begin:{name[0] if name else ''}"
    for word in name:
        edged = f"<{word}>"
        for size in (3, 4, 5):
            for start in range(len(edged) - size + 1):
                yield f"c:{edged[start : start + size]}"


def _of_texts(case: Case) -> Iterator[str]:
    """Yield words and pairs of words of the free texts."""
    text = " ".join([case.summary, *case.texts.values()])
    found = words_of(_masked(text[:1_500], case))[:TEXT_WORDS]
    for word in found:
        yield f"t:{word}"
    for pair in pairwise(found):
        yield f"t2:{pair[0]} {pair[1]}"


def _of_labels(case: Case) -> Iterator[str]:
    """Yield which labels there are, and what some of them say."""
    own = case.own_labels
    for key in own:
        yield f"l:{key}"
    for key in TELLING:
        for word in words_of(own.get(key, "")):
            yield f"l:{key}={word}"


def _of_menu(
    menu: Menu, objects: tuple[Object, ...], name: list[str]
) -> Iterator[str]:
    """Yield what may be done, and whether that would touch state."""
    for offer in menu.changing():
        yield f"offer:{offer.name}"
        is_vital = is_vital_for(offer.name, offer, objects)
        yield f"w:{offer.name}={is_vital}"
        for word in name if is_vital else ():
            yield f"y:{word}|{offer.name}"
        if offer.name == "restart_pod":
            pod = str(offer.candidates["pod"][0].value)
            yield f"replica:{has_replica_name(pod)}"


def _of_objects(objects: Iterable[Object], name: list[str]) -> Iterator[str]:
    """Yield what the case is about, alone and with each word."""
    for one in objects:
        yield f"o:{one.place}={one.kind}"
        yield f"k:{one.kind}"
        yield f"v:{one.place}={one.is_vital}"
        for word in name:
            yield f"x:{word}|{one.place}={one.is_vital}"
