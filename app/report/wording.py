"""The built-in text of a message: all that a person needs to go on.

What happened, the exact call, why, how sure, the ruling, the measurements,
what stands out, the runbook, how to answer, links. What comes from outside
stays on its line: no alert can write a heading of its own, or the commands
that a person copies.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from app.core.clock import to_iso
from app.models.message import Facts, Kind

LINE_CHARS = 300
# What is copied and run must be whole.
CALL_CHARS = 1_200
LINK_CHARS = 2_000
# So many numbers of questions stand in one line.
NUMBERS = 20
TITLE_CHARS = 200
MOST_LINES = 30
CUT = " ..."
WORDS = {
    Kind.ESCALATED: "Yours now",
    Kind.ASKED: "Approval needed",
    Kind.EVIDENCE: "Evidence",
    Kind.ACTED: "Started",
    Kind.FIXED: "Fixed",
    Kind.CLOSED: "Closed",
    Kind.HALTED: "Halt",
    Kind.DIGEST: "Digest",
}


def one_line(text: str, most: int = LINE_CHARS) -> str:
    """Return a text on one line, without signs that steer a terminal."""
    line = " ".join(text[: 4 * most].split())
    # Invisible signs can turn the order of what is read.
    line = "".join(c for c in line if unicodedata.category(c)[0] != "C")
    return line if len(line) <= most else line[: most - len(CUT)] + CUT


def cleaned(facts: Facts) -> Facts:
    """Return facts whose texts stay on their lines."""
    return msgspec.structs.replace(
        facts,
        **{
            name: _clean(value)
            for name, value in msgspec.structs.asdict(facts).items()
            if name not in ("runbook", "links")
        },
        links=tuple((_clean(name), link(to)) for name, to in facts.links),
        runbook="\n".join(map(one_line, facts.runbook.splitlines())),
    )


def _clean(value: Any) -> Any:
    """Return a value whose texts, also those within, stay on one line."""
    if isinstance(value, str):
        return one_line(value, CALL_CHARS)
    return tuple(map(_clean, value)) if isinstance(value, tuple) else value


def link(address: str) -> str:
    """Return an address on one line; one that is cut leads nowhere."""
    return one_line(address, LINK_CHARS)


def title_of(facts: Facts) -> str:
    """Return the title of a message."""
    word = WORDS.get(Kind(facts.kind), facts.kind)
    about = one_line(facts.title or facts.happened, TITLE_CHARS - 60)
    number = f" (incident {facts.incident})" if facts.incident else ""
    severity = f"[{one_line(facts.severity, 20)}] " if facts.severity else ""
    return f"{severity}{word}: {about}{number}"


def text_of(facts: Facts, base_url: str = "") -> str:
    """Return the text of a message.

    Args:
        facts: all that it can say.
        base_url: where people reach this service, or empty.
    """
    parts = [
        [one_line(facts.happened)] if facts.happened else [],
        list(_told(facts)),
        _block("Before", facts.before),
        _block("After", facts.after),
        _block("What stands out", facts.evidence),
        _block("Runbook", facts.runbook.splitlines()),
        list(_how_to_answer(facts, base_url)),
        list(_questions(facts.questions)),
        _block("Also", facts.sampled),
        [f"and {facts.more} more"] if facts.more else [],
        [f"{one_line(name, 40)}: {link(to)}" for name, to in facts.links],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def sure(confidence: float | None) -> str:
    """Return how sure a brain was, in percent, or empty."""
    return "" if confidence is None else f"{confidence:.0%}"


def _told(facts: Facts) -> Iterator[str]:
    """Yield what is said in one line each."""
    by = f" ({facts.brain})" if facts.brain else ""
    confidence = sure(facts.confidence)
    if by and not confidence:
        confidence = "not said"
    for name, text in (
        ("When", to_iso(facts.at) or ""),
        ("Source", facts.source),
        ("Call", facts.call),
        ("Why", facts.why),
        ("How sure", f"{confidence}{by}" if confidence else ""),
        ("Ruling", facts.ruling),
        ("Verdict", facts.verdict),
    ):
        if text:
            yield f"{name}: {one_line(text, CALL_CHARS)}"


def _block(name: str, lines: Iterable[str]) -> list[str]:
    """Return a heading with lines below it, or nothing."""
    said = [one for line in lines if (one := one_line(line))]
    left = len(said) - MOST_LINES
    found = [f"  - {one}" for one in said[:MOST_LINES]]
    if left > 0:
        found.append(f"  - ({left} lines more)")
    return [f"{name}:", *found] if found else []


def _questions(numbers: Sequence[int]) -> Iterator[str]:
    """Yield the numbers of all questions of a digest."""
    if numbers:
        yield f"Questions that wait ({len(numbers)}):"
    for first in range(0, len(numbers), NUMBERS):
        yield "  " + ", ".join(map(str, numbers[first : first + NUMBERS]))


def _how_to_answer(facts: Facts, base_url: str) -> Iterator[str]:
    """Yield how a question is answered: never by following a link.

    What only looks at a link, such as a chat that shows a preview, would
    answer it.
    """
    if facts.kind != Kind.ASKED or not facts.approval:
        return
    number = facts.approval
    until = to_iso(facts.expires_at)
    yield f"Answer question {number}" + (f" until {until}:" if until else ":")
    for word in ("grant", "refuse"):
        yield f"  python main.py approvals {word} {number} --author YOU"
    if base_url:
        yield "or, grant or refuse:"
        yield (
            f"  curl -sS -X POST {base_url}/api/v1/approvals/{number}/grant"
            " -H 'content-type: application/json'"
            """ -d '{"author": "YOU"}'"""
        )
