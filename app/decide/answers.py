"""Read what a model answered: one call of the menu, or Unreadable.

Whatever text comes, what leaves here is on the menu: the function is one of
its names, and each argument is one of its candidates. How the call was
written is mended; what it says is not: another target stays unreadable.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from app.core.errors import Unreadable
from app.decide.casing import tidy
from app.decide.dialects import FINDERS, MOST_UNWRAPS, Said
from app.decide.fitting import fit_arguments
from app.decide.lenient import Cut, Reader
from app.models.dialogue import Reading
from app.models.menu import Menu

MOST_CHARS = 8_000
REASON_CHARS = 200
_THOUGHTS = re.compile(
    r"<(think|thinking|reasoning)>.*?(?:</\1>|$)", re.DOTALL | re.IGNORECASE
)
_ECHO = re.compile(r"=== CASE ([0-9a-f]{12}).*?(?:=== END \1|$)", re.DOTALL)


def read_answer(answer: str, menu: Menu) -> Reading:
    """Return the one call that an answer holds.

    Raises:
        Unreadable: it holds none, several, or one that is not on the menu.
    """
    repairs = []
    text = answer[:MOST_CHARS]
    if len(answer) > MOST_CHARS:
        repairs.append("cut at 8,000 characters")
    for pattern, what in ((_THOUGHTS, "thoughts"), (_ECHO, "echo")):
        shorter = pattern.sub(" ", text)
        if shorter != text:
            repairs.append(f"{what} dropped")
            text = shorter
    for find in FINDERS:
        found = _distinct(find(text.strip(), menu))
        if len(found) > 1:
            raise Unreadable(f"it holds {len(found)} calls; one is wanted")
        if found:
            said = found[0]
            kept = dict.fromkeys((*repairs, *said.repairs))
            return choose(
                msgspec.structs.replace(said, repairs=tuple(kept)), menu
            )
    raise Unreadable("it holds no function call")


def choose(said: Said, menu: Menu) -> Reading:
    """Return a call in the words of the menu, or raise Unreadable."""
    repairs = list(said.repairs)
    if isinstance(said.name, Cut) or not isinstance(said.name, str):
        raise Unreadable("the name of the function is cut off or no text")
    name = _find_name(said.name, menu)
    if name != said.name:
        repairs.append("name of the function respelled")
    offer = menu.find(name)
    if offer is None:
        raise Unreadable(f"{name!r} is not on the menu")
    arguments = _open_arguments(said.arguments, repairs)
    reason = said.reason
    if "reason" not in offer.spec.parameters:
        reason = arguments.pop("reason", "") or reason
    return Reading(
        action=name,
        arguments=fit_arguments(offer, arguments, repairs),
        reason=tidy(reason, REASON_CHARS) if isinstance(reason, str) else "",
        repairs=tuple(dict.fromkeys(repairs)),
    )


def _find_name(said: str, menu: Menu) -> str:
    """Return the name of the menu that is meant, or raise Unreadable."""
    if said in menu.names:
        return said
    plain = said.strip().strip("\"'`").casefold().replace("-", "_")
    plain = plain.replace(" ", "_").removesuffix("()")
    plain = re.sub(r"^(functions?|tools?)[.:]", "", plain)
    if plain in menu.names:
        return plain
    shown = ", ".join(menu.names[:40])
    raise Unreadable(f"{tidy(said, 48)!r} is not one of: {shown}")


def _open_arguments(said: Any, repairs: list[str]) -> dict[str, Any]:
    """Return arguments as names and values, or raise Unreadable."""
    for _ in range(MOST_UNWRAPS):
        if said is None or said in ("", []):
            return {}
        if isinstance(said, Mapping):
            return {str(name): value for name, value in said.items()}
        if isinstance(said, list) and len(said) == 1:
            said = said[0]
        elif isinstance(said, str):
            reader = Reader(said[:MOST_CHARS])
            try:
                said = reader.read()
            except ValueError:
                break
            repairs += ["encoded twice", *reader.repairs]
        else:
            break
    raise Unreadable("the arguments are no names and values")


def _distinct(found: Iterator[Said]) -> list[Said]:
    """Return the calls that differ in what they ask for."""
    kept: dict[str, Said] = {}
    for said in found:
        kept.setdefault(repr((said.name, said.arguments)), said)
    return list(kept.values())
