"""Forms: what is read of what a browser sends."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.requests import Request
from starlette.types import Message

from app.access.settings import AccessSettings
from app.bootstrap import Product
from app.console.forms import KIND, LONGEST, MOST_FIELDS, read_form
from app.core.errors import Refused

GATE = SimpleNamespace(settings=AccessSettings())
PRODUCT = cast("Product", SimpleNamespace(gate=GATE))


def part(body: bytes, *, is_last: bool = True) -> Message:
    """Return a part of a body."""
    return {"type": "http.request", "body": body, "more_body": not is_last}


def read(*parts: Message, kind: str = KIND) -> dict[str, str]:
    """Return the fields of a form that comes in some parts."""
    left = list(parts)

    async def receive() -> Message:
        """Return what comes next."""
        return left.pop(0)

    headers = [(b"host", b"h"), (b"content-type", kind.encode())]
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "client": ("192.0.2.7", 50_000),
        "headers": headers,
    }
    return asyncio.run(read_form(PRODUCT, Request(scope, receive)))


def why(*parts: Message, kind: str = KIND) -> tuple[int, str]:
    """Return why a form is refused."""
    with pytest.raises(Refused) as caught:
        read(*parts, kind=kind)
    return caught.value.status, caught.value.reason


def test_fields_are_read() -> None:
    """Also empty ones; of two with one name the last counts."""
    fields = read(part(b"name=a&name=ana", is_last=False), part(b"&next="))
    assert fields == {"name": "ana", "next": ""}


def test_what_is_no_form() -> None:
    """Another kind, too long, too many fields, or no UTF-8."""
    assert why(part(b"{}"), kind="application/json") == (415, "no_form")
    assert why(part(b"x" * (LONGEST + 1))) == (413, "no_form")
    assert why(part(b"a=1&" * (MOST_FIELDS + 1))) == (422, "no_form")
    assert why(part(b"a=\xff")) == (422, "no_form")


def test_a_form_that_breaks_off_is_no_bug_of_ours() -> None:
    """Anybody can send half of one: the log would be full of crashes."""
    half = part(b"name=an", is_last=False)
    assert why(half, {"type": "http.disconnect"}) == (400, "no_form")
