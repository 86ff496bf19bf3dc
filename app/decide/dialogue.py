"""Speak with a language model: what it is shown, and what it said.

The same for every way to reach one. The model is shown a short menu and one
case; the schema of its answer holds the candidates of this menu and nothing
else; what it answers is read by app/decide/answers.py.
"""

import hashlib
from collections.abc import Iterator

import msgspec

from app.core.errors import Unreadable
from app.decide.answers import choose, read_answer
from app.decide.asking import converse
from app.decide.dialects import Said
from app.decide.prompts import prompts_version, read_prompt
from app.decide.schema import answer_schema, tools_of
from app.decide.showing import Line, lines_of, tame, tokens_of
from app.models.case import Case
from app.models.choice import Choice, prompt_hash
from app.models.dialogue import Prompt, Reading
from app.models.menu import Menu, Offer
from app.ports import Voice

CATALOGUE_TOKENS = 1_450
LEAST_CASE = 160
SHORTEST_TEXT = 40
# How much is told of each function: all, then ever less.
FULL, SHORT, NAMES = 2, 1, 0


class TextDialogue:
    """Speaks with language models."""

    def __init__(self) -> None:
        """Read the texts of the prompts."""
        self._system = read_prompt("system")
        self._case = read_prompt("case")
        self._complaint = read_prompt("complaint")
        self._examples = _read_examples(read_prompt("examples"))
        self.version = prompts_version()

    def compose(self, case: Case, menu: Menu, room: int) -> Prompt:
        """Return the prompt; the case is shortened to so many tokens."""
        system = self._make_system(menu, room)
        left = room - tokens_of(system) - tokens_of(self._case)
        lines, notes = _fit(*lines_of(case, menu), max(left, LEAST_CASE))
        text = "\n".join(lines)
        mark = hashlib.sha256(text.encode()).hexdigest()[:12]
        user = self._case.replace("%MARK%", mark).replace("%CASE%", text)
        schema = answer_schema(menu)
        form = msgspec.json.encode(schema).decode()
        return Prompt(
            system=system,
            user=user,
            schema=schema,
            tools=tools_of(menu),
            digest=prompt_hash(system, user, form),
            notes=tuple(notes),
        )

    def read(self, answer: str, menu: Menu) -> Reading:
        """Return what an answer in text says, or raise Unreadable."""
        return read_answer(answer, menu)

    def read_call(self, name: str, arguments: object, menu: Menu) -> Reading:
        """Return what a native tool call says, or raise Unreadable."""
        return choose(Said(name, arguments), menu)

    def complain(self, error: Unreadable) -> str:
        """Return what a model is told when its answer is no answer."""
        return self._complaint.replace("%ERROR%", tame(f"{error}.", 400))

    async def converse(self, voice: Voice, case: Case, menu: Menu) -> Choice:
        """Return what a model chose, asked twice at most."""
        return await converse(self, voice, case, menu)

    def _make_system(self, menu: Menu, room: int) -> str:
        """Return role, menu, rules and examples, as full as room is."""
        text = ""
        for detail, has_examples in (
            (FULL, True),
            (FULL, False),
            (SHORT, False),
            (NAMES, False),
        ):
            listed = "\n".join(_tell(offer, detail) for offer in menu.offers)
            text = self._system.replace("%MENU%", listed)
            if has_examples:
                text = f"{text}\n\n{self._show_examples(menu)}"
            if tokens_of(listed) > CATALOGUE_TOKENS:
                continue
            if tokens_of(text) <= 0.75 * room:
                return text
        return text[: int(room * 2.5)]

    def _show_examples(self, menu: Menu) -> str:
        """Return one example a function of the menu, and an injection."""
        shown = [
            example
            for offer in menu.offers
            for example in self._examples.get(offer.name)
            or [_make_example(offer)]
        ]
        return "\n".join(["Examples:", *shown])


def _read_examples(text: str) -> dict[str, list[str]]:
    """Return the examples by the name of their function."""
    found: dict[str, list[str]] = {}
    for block in text.split("\n== ")[1:]:
        name, _, example = block.partition("\n")
        alert, _, answer = example.strip().partition("\n")
        shown = f"Case: {alert}\nAnswer: {answer}"
        found.setdefault(name.strip(), []).append(shown)
    return found


def _make_example(offer: Offer) -> str:
    """Return an example of a function that the site declared itself."""
    answer = {
        "name": offer.name,
        "arguments": dict.fromkeys(offer.candidates, "..."),
        "reason": "The case is one that it is declared for.",
    }
    shown = msgspec.json.encode(answer).decode()
    return f"Case: {offer.spec.when_to_use}\nAnswer: {shown}"


def _tell(offer: Offer, detail: int) -> str:
    """Return one function of the menu in words."""
    spec = offer.spec
    if detail == NAMES:
        return f"- {spec.name}"
    if detail == SHORT:
        return f"- {spec.name}({', '.join(offer.candidates)}): {spec.purpose}"
    head = f"- {spec.name}({', '.join(_tell_parameters(offer))})"
    return (
        f"{head}: {spec.purpose} Use: {spec.when_to_use}"
        f" Not: {spec.when_not_to_use}"
    )


def _tell_parameters(offer: Offer) -> Iterator[str]:
    """Yield the parameters, with what the declaration itself says."""
    for name in offer.candidates:
        parameter = offer.parameter(name)
        if parameter.values:
            yield f"{name}: {'|'.join(parameter.values)}"
        elif parameter.is_number:
            yield f"{name}: {parameter.minimum} to {parameter.maximum}"
        else:
            yield name


def _fit(
    needed: list[Line], wished: list[Line], room: int
) -> tuple[list[str], list[str]]:
    """Return the lines that have room, and what was shortened."""
    shown: list[str] = []
    notes: list[str] = []
    for line in (*needed, *wished):
        cost = tokens_of(line.shown) + 1
        if cost <= room:
            shown.append(line.shown)
            room -= cost
            continue
        cut = _cut(line, room)
        if cut:
            shown.append(cut)
            room -= tokens_of(cut) + 1
            notes.append(f"{line.name} shortened")
        else:
            notes.append(f"{line.name} left out")
    if notes:
        shown.append("note: some of this case was shortened")
    return shown, notes


def _cut(line: Line, room: int) -> str:
    """Return as much of a free text as there is room for, or nothing."""
    if not line.is_free:
        return ""
    chars = int((room - tokens_of(line.name) - 4) * 3)
    while chars >= SHORTEST_TEXT:
        kept = line.text[:chars].rstrip('"')
        text = f'{line.name}: {kept}\N{HORIZONTAL ELLIPSIS}"'
        if tokens_of(text) + 1 <= room:
            return text
        chars //= 2
    return ""
