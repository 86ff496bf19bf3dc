"""Fit the arguments of a call to the candidates of the menu.

A value in another case or with a port means the one candidate that it fits;
any other value is another target, and never becomes one of ours.
"""

from typing import Any

from app.core.errors import Unreadable
from app.core.shape import SHAPES
from app.decide.casing import tidy
from app.decide.lenient import Cut
from app.models.action import Parameter
from app.models.menu import Arguments, Candidate, Offer, Value


def fit_arguments(
    offer: Offer, said: dict[str, Any], repairs: list[str]
) -> Arguments:
    """Return all arguments of an offer, each one of its candidates.

    Raises:
        Unreadable: one is missing and cannot be told, or is another value.
    """
    given = _by_parameter(offer, said, repairs)
    found: Arguments = {}
    for name, candidates in offer.candidates.items():
        if name in given:
            found[name] = _fit(offer, name, given[name], repairs)
            continue
        only = _only(offer.parameter(name), candidates)
        if only is None:
            shown = ", ".join(str(c.value) for c in candidates[:24])
            raise Unreadable(f"{name!r} is missing; one of: {shown}")
        found[name] = only
        repairs.append(f"{name} filled in")
    return found


def _by_parameter(
    offer: Offer, said: dict[str, Any], repairs: list[str]
) -> dict[str, Any]:
    """Return what was said by the name of the parameter that is meant."""
    given: dict[str, Any] = {}
    for name, value in said.items():
        plain = name.strip().casefold().replace("-", "_")
        known = name if name in offer.candidates else plain
        if known not in offer.candidates:
            repairs.append(f"argument {tidy(name, 32)!r} dropped")
        elif value is None or isinstance(value, Cut):
            repairs.append(f"{known} was empty or cut off")
        elif known in given and given[known] != value:
            raise Unreadable(f"{known!r} is there twice")
        else:
            given[known] = value
    return given


def _only(
    parameter: Parameter, candidates: tuple[Candidate, ...]
) -> Value | None:
    """Return what an argument is when nobody says, or None."""
    if parameter.default is not None:
        return parameter.default
    return candidates[0].value if len(candidates) == 1 else None


def _fit(offer: Offer, name: str, said: Any, repairs: list[str]) -> Value:
    """Return the value that is meant, or raise Unreadable."""
    parameter = offer.parameter(name)
    if isinstance(said, list) and len(said) == 1:
        said = said[0]
        repairs.append(f"{name} taken out of a list")
    if parameter.is_number:
        return _fit_number(parameter, name, said, repairs)
    candidates = offer.candidates[name]
    if isinstance(said, bool) or not isinstance(said, str | int):
        raise Unreadable(f"{name!r} is no text")
    exact = [c.value for c in candidates if c.value == said]
    if exact:
        return exact[0]
    meant = {c.value for c in candidates if _means(str(said), c, parameter)}
    if len(meant) != 1:
        shown = ", ".join(str(c.value) for c in candidates[:24])
        raise Unreadable(f"{name}={tidy(str(said), 64)!r}: not one of {shown}")
    repairs.append(f"{name} respelled")
    return meant.pop()


def _means(said: str, candidate: Candidate, parameter: Parameter) -> bool:
    """Tell whether a text is a candidate in another spelling."""
    fitted = SHAPES[parameter.shape].fit(said)
    spelled = {said.strip().casefold(), (fitted or said).casefold()}
    ours = {str(candidate.value).casefold()}
    if candidate.said:
        ours.add(candidate.said.strip().casefold())
    return bool(spelled & ours)


def _fit_number(
    parameter: Parameter, name: str, said: Any, repairs: list[str]
) -> int:
    """Return a whole number within the bounds, or raise Unreadable."""
    number: int | None = None
    if isinstance(said, int):
        number = said
    elif isinstance(said, str) and said.strip().isascii():
        text = said.strip()
        number = int(text) if text.isdigit() and len(text) < 19 else None
    elif isinstance(said, float) and said.is_integer():
        number = int(said)
    if number is None or not parameter.is_within(number):
        raise Unreadable(
            f"{name!r} is no whole number from {parameter.minimum} to"
            f" {parameter.maximum}"
        )
    if number is not said:
        repairs.append(f"{name} respelled")
    return number
