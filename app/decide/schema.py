"""The JSON schema of an answer: this menu, and nothing beside it."""

from typing import Any

from app.models.menu import Menu, Offer

REASON_CHARS = 160


def answer_schema(menu: Menu) -> dict[str, Any]:
    """Return the schema of one call out of a menu."""
    return {"oneOf": [_call(offer) for offer in menu.offers]}


def tools_of(menu: Menu) -> list[dict[str, Any]]:
    """Return the same as function declarations."""
    return [_tool(offer) for offer in menu.offers]


def arguments_schema(offer: Offer, *, with_const: bool) -> dict[str, Any]:
    """Return the schema of the arguments of one function.

    Args:
        offer: the function with its candidates.
        with_const: whether an argument with one candidate is a ``const``;
            function declarations know ``enum`` only.
    """
    return _object(
        {
            name: _value(offer, name, with_const=with_const)
            for name in offer.candidates
        }
    )


def _call(offer: Offer) -> dict[str, Any]:
    """Return the schema of one call; the reason comes last, on purpose.

    What is cut off then is the reason, and what is weighed first is the
    function.
    """
    return _object(
        {
            "name": {"const": offer.name},
            "arguments": arguments_schema(offer, with_const=True),
            "reason": {"type": "string", "maxLength": REASON_CHARS},
        }
    )


def _tool(offer: Offer) -> dict[str, Any]:
    """Return one function declaration."""
    spec = offer.spec
    return {
        "type": "function",
        "function": {
            "name": spec.name,
            "description": f"{spec.purpose} Use: {spec.when_to_use}",
            "parameters": arguments_schema(offer, with_const=False),
        },
    }


def _value(offer: Offer, name: str, *, with_const: bool) -> dict[str, Any]:
    """Return the schema of one argument."""
    parameter = offer.parameter(name)
    if parameter.is_number:
        return {
            "type": "integer",
            "minimum": parameter.minimum,
            "maximum": parameter.maximum,
        }
    values = [candidate.value for candidate in offer.candidates[name]]
    if with_const and len(values) == 1:
        return {"const": values[0]}
    return {"type": "string", "enum": values}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that has all of these, and no more."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
