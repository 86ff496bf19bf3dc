"""The functions of the catalogue as models are shown them: JSON schema."""

from typing import Any

from app.core.shape import SHAPES
from app.models.action import ActionSpec, Parameter


def function_schema(spec: ActionSpec) -> dict[str, Any]:
    """Return the declaration of an action as a function.

    It says what may be said at all. For one alert it is narrower: then an
    argument can only be one of its candidates.
    """
    return {
        "name": spec.name,
        "description": (
            f"{spec.purpose} Use it when: {spec.when_to_use}"
            f" Do not use it when: {spec.when_not_to_use}"
        ),
        "parameters": {
            "type": "object",
            "properties": {
                name: parameter_schema(parameter)
                for name, parameter in spec.parameters.items()
            },
            "required": [
                name
                for name, parameter in spec.parameters.items()
                if parameter.required
            ],
            "additionalProperties": False,
        },
    }


def parameter_schema(parameter: Parameter) -> dict[str, Any]:
    """Return what one argument may be."""
    schema: dict[str, Any] = {"description": parameter.purpose}
    if parameter.is_number:
        schema |= {
            "type": "integer",
            "minimum": parameter.minimum,
            "maximum": parameter.maximum,
        }
    elif parameter.values:
        schema |= {"type": "string", "enum": list(parameter.values)}
    else:
        shape = SHAPES[parameter.shape]
        schema |= {
            "type": "string",
            "pattern": f"^(?:{shape.pattern})$",
            "maxLength": shape.longest,
        }
    if parameter.default is not None:
        schema["default"] = parameter.default
    return schema
