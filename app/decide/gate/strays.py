"""Strays: an alert names a thing, and the thing is not what is wrong.

A label says where a problem is, never what it is. So what calls for no
action is told in part with the labels of things that are acted on: then a
label alone is no reason to act.
"""

from collections.abc import Mapping, Sequence

import msgspec

from app.decide.casing import Told
from app.decide.gate.dice import Dice
from app.decide.gate.lessons import ACTING, Lesson
from app.decide.knowledge import words_in

Labels = Mapping[str, tuple[str, ...]]
STRAYS = 0.3
THINGS = frozenset(
    words_in(
        "service name unit service_name systemd_unit daemon display_name"
        " process process_name groupname proc program comm"
        " container container_name pod pod_name namespace"
    )
)
# About these a thing that is named may well be what is wrong.
ABOUT_THINGS = frozenset(words_in("service process container pod memory disk"))
# A process that is named may be what burns these.
BURNED = frozenset(words_in("cpu io"))
PROCESSES = frozenset(
    words_in("process process_name groupname proc program comm")
)


def find_strays(lessons: Sequence[Lesson]) -> tuple[Labels, ...]:
    """Return the labels by which lessons name what they act on."""
    found = (
        {k: some for k, some in one.labels.items() if k in THINGS}
        for one in lessons
        if one.action in ACTING
    )
    return tuple(labels for labels in found if labels)


def add_stray(
    told: Told, lesson: Lesson, strays: Sequence[Labels], dice: Dice
) -> Told:
    """Return an alert that names a thing, if it is about none."""
    is_about = lesson.topic in ABOUT_THINGS
    if is_about or THINGS & lesson.labels.keys() or not dice.hits(STRAYS):
        return told
    stray = {key: dice.pick(some) for key, some in dice.pick(strays).items()}
    if lesson.topic in BURNED and PROCESSES & stray.keys():
        return told
    return msgspec.structs.replace(told, labels=stray | dict(told.labels))
