"""Read a condition as a formula, as far as its looks are certain."""

import re
from collections.abc import Iterator

import cel

from app.guard.celtext import bare, spelled, split
from app.guard.reach.facts import (
    LABEL,
    TODAY,
    Number,
    Settled,
    Value,
    Words,
    find_fact,
    read_day,
)
from app.guard.reach.formula import (
    AMONG,
    HAS,
    OPAQUE,
    ORDERS,
    Fixed,
    Formula,
    Group,
    Inverse,
    Part,
    walk,
)

NAME = r"[A-Za-z_]\w*"
# A text with a backslash may mean another one.
TEXT = r"""(?:'[^'\\\n]*'|"[^"\\\n]*")"""
NUMBER = r"-?\d{1,9}(?:\.\d{1,9})?"
CONSTANT = rf"(?:{TEXT}|{NUMBER}|true|false)"
PATH = rf"{NAME}(?:\s*\.\s*{NAME}|\s*\[\s*{TEXT}\s*\])*"
COMPARED = re.compile(
    rf"({PATH}|{TEXT}|{NUMBER})\s*(==|!=|<=|>=|<|>)\s*({PATH}|{TEXT}|{NUMBER})"
)
AMONG_THESE = re.compile(
    rf"({PATH})\s+in\s*\[\s*({CONSTANT}(?:\s*,\s*{CONSTANT})*)\s*\]"
)
HAS_LABEL = re.compile(rf"has\s*\(\s*({PATH})\s*\)")
IN_LABELS = re.compile(rf"({TEXT})\s+in\s+alert\s*\.\s*labels")
FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
WORDS = {"true": True, "false": False}
# Nobody writes deeper ones by hand.
MOST_DEEP = 20
# As alert.labels.zone has.
MOST_STEPS = 3
FAILURES = (LookupError, TypeError, RuntimeError, ArithmeticError, ValueError)


def read_formula(text: str) -> Formula:
    """Return what a condition demands.

    Where its parts are none by themselves, its looks deceive: then all of
    it is one part of which nothing is known.
    """
    whole = _opaque(text)
    if "'''" in text or '"""' in text:
        return whole
    formula = _read(text, 0)
    parts = [one for one in walk(formula) if one.how == OPAQUE]
    return formula if all(_compiles(one.text) for one in parts) else whole


def _compiles(text: str) -> bool:
    """Tell whether a text is an expression."""
    try:
        cel.compile(text)
    except FAILURES:
        return False
    return True


def _read(text: str, depth: int) -> Formula:
    """Return what a part of a condition demands."""
    shown = bare(text)
    if depth < MOST_DEEP:
        for sign in ("||", "&&"):
            pieces = split(shown, sign)
            if len(pieces) > 1:
                some = tuple(_read(one, depth + 1) for one in pieces)
                return Group(some, needs_all=sign == "&&")
        inner = shown[1:].strip()
        if shown.startswith("!") and bare(inner) != inner:
            return Inverse(_read(inner, depth + 1))
    if shown in WORDS:
        return Fixed(WORDS[shown])
    return _read_part(shown) or _opaque(shown)


def _opaque(text: str) -> Part:
    """Return a part of which nothing is known but its spelling."""
    return Part(text, f"part {spelled(text)}", OPAQUE)


def _read_part(text: str) -> Part | None:
    """Return a part that is about one name, or None."""
    compared = COMPARED.fullmatch(text)
    if compared is not None:
        left, sign, right = compared.groups()
        if _field(left) is None:
            left, right, sign = right, left, FLIPPED.get(sign, sign)
        return _compare(text, left, sign, (right,))
    among = AMONG_THESE.fullmatch(text)
    if among is not None:
        constants = tuple(re.findall(CONSTANT, among[2]))
        return _compare(text, among[1], "==", constants)
    label = _label_asked(text)
    if label:
        return Part(text, label, HAS)
    return _compare(text, text.lstrip("!").strip(), _sign(text), ("true",))


def _sign(text: str) -> str:
    """Return whether a name alone is wanted, or its contrary."""
    return "!=" if text.count("!") % 2 else "=="


def _label_asked(text: str) -> str:
    """Return the label that a text asks for at all, or nothing."""
    inside = IN_LABELS.fullmatch(text)
    if inside is not None:
        return LABEL + inside[1][1:-1]
    has = HAS_LABEL.fullmatch(text)
    field = _field(has[1]) if has is not None else None
    return field if field and field.startswith(LABEL) else ""


def _field(text: str) -> str | None:
    """Return the name that a text is, in one spelling, or None."""
    if text in WORDS or not re.fullmatch(PATH, text):
        return None
    steps = re.findall(rf"{TEXT}|{NAME}", text)
    steps = [one[1:-1] if one[0] in "'\"" else one for one in steps]
    if len(steps) > MOST_STEPS or "." in "".join(steps[:2]):
        return None
    field = ".".join(steps)
    return field if find_fact(field) is not None else None


def _compare(
    text: str, written: str, sign: str, constants: tuple[str, ...]
) -> Part | None:
    """Return the part that compares a name with constants, or None."""
    field = _field(written)
    if field is None:
        return None
    values = tuple(_constants(field, constants))
    if len(values) < len(constants):
        return None
    if sign not in ORDERS:
        return Part(text, field, AMONG, values, is_not=sign == "!=")
    if all(isinstance(one, int | float) for one in values):
        return Part(text, field, sign, values)
    return None


def _constants(field: str, written: tuple[str, ...]) -> Iterator[Value]:
    """Yield the constants that are of the kind of a name."""
    kind = _kind(field)
    for one in written:
        value: Value
        if one[0] in "'\"":
            value = one[1:-1]
        elif one in WORDS:
            value = WORDS[one]
        elif re.fullmatch(NUMBER, one):
            value = float(one)
        else:
            return
        if type(value) is not kind:
            return
        if field == TODAY:
            # What is no day stays a text, which no day is equal to.
            value = read_day(str(value)) or value
        yield value


def _kind(field: str) -> type:
    """Return the kind of a name's values."""
    fact = find_fact(field)
    if field == TODAY or isinstance(fact, Words):
        return str
    if isinstance(fact, Number):
        return float
    return type(fact.value) if isinstance(fact, Settled) else bool
