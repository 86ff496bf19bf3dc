"""The evidence: what was seen on a target, with what stands out said first.

It is the output of the job that collected it, so it stays with the
incident. Its text has one form, whoever collected it, so that code can say
what stands out in a message.
"""

import msgspec

FIRST = "# evidence: "
STANDS_OUT = "## what stands out"
NOTHING = "nothing stands out"
BULLET = "- "
MOST_LINES = 20
LINE_CHARS = 200


class Section(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        title: what it is, in a few words.
        lines: what was seen.
    """

    title: str
    lines: tuple[str, ...]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one topic on one target.

    Attributes:
        topic: what was looked at.
        host: where.
        at: when, as people write it.
        stands_out: what is abnormal, the worst first, a line each.
        sections: all that was seen.
    """

    topic: str
    host: str
    at: str
    stands_out: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()

    def __str__(self) -> str:
        """Return it as the one text that is kept."""
        said = self.stands_out or (NOTHING,)
        lines = [f"{FIRST}{self.topic} on {self.host} at {self.at}"]
        lines += [STANDS_OUT, *(BULLET + one for one in said)]
        for section in self.sections:
            lines += ["", f"## {section.title}", *section.lines]
        return "\n".join(lines) + "\n"


def read_stands_out(text: str) -> tuple[str, ...]:
    """Return what stands out of a text of evidence; nothing of another."""
    lines = iter(text.splitlines())
    if not any(line.startswith(FIRST) for line in lines):
        return ()
    if next(lines, "") != STANDS_OUT:
        return ()
    found: list[str] = []
    for line in lines:
        if not line.startswith(BULLET) or len(found) >= MOST_LINES:
            break
        found.append(line.removeprefix(BULLET)[:LINE_CHARS])
    return tuple(found)
