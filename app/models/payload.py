"""Read JSON of a stranger into typed values, or say what and where."""

import json
import re
from typing import Any, TypeVar

import msgspec

from app.models.delivery import Flaw, Unparsed

T = TypeVar("T")
PLACE = re.compile(r" - at `(?P<path>[^`]*)`$")


def read_json(body: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    """Return the decoded body, or raise Unparsed with the place."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise Unparsed(flaw_of(error)) from error
    except msgspec.DecodeError as error:
        raise Unparsed(Flaw("not_json", "$", str(error))) from error
    except RecursionError as error:
        raise Unparsed(
            Flaw("not_json", "$", "is nested too deeply")
        ) from error
    except UnicodeDecodeError as error:
        raise Unparsed(Flaw("not_json", "$", "is not UTF-8")) from error


def flaw_of(error: msgspec.ValidationError, where: str = "$") -> Flaw:
    """Return what a typed decoder did not like, below a place."""
    text = str(error)
    found = PLACE.search(text)
    path = found["path"] if found else "$"
    detail = PLACE.sub("", text)
    return Flaw("wrong_shape", where + path.removeprefix("$"), detail)


def as_text(value: Any) -> str:
    """Return a JSON value as the text of a label."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)
