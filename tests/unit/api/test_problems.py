"""What went wrong, as callers are told."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException

from app.api.problems import MEDIA_TYPE, install
from app.core.errors import (
    Refused,
    RowRefused,
    SmokejumperError,
    StorageFailed,
    TooBusy,
)


def answer(error: Exception | None, method: str = "GET") -> httpx.Response:
    """Return what is answered when something goes wrong."""
    app = FastAPI(openapi_url=None)
    install(app)

    @app.get("/here")
    def here(number: int = 0) -> int:
        """Fail, if there is an error to fail with."""
        if error is not None:
            raise error
        return number

    async def ask() -> httpx.Response:
        """Ask the app itself."""
        carrier = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=carrier) as client:
            path = "/here" if error else "/here?number=x"
            return await client.request(method, f"http://x{path}")

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            Refused(409, "r", "D.", field="f", remedy="m"),
            {
                "title": "Not as things stand",
                "status": 409,
                "reason": "r",
                "detail": "D.",
                "field": "f",
                "remedy": "m",
            },
        ),
        (
            Refused(418, "r", "D."),
            {"title": "Refused", "status": 418, "reason": "r", "detail": "D."},
        ),
        (
            TooBusy("full", "D."),
            {
                "title": "Not now",
                "status": 503,
                "reason": "full",
                "detail": "D.",
                "remedy": "Send it again in a few seconds.",
            },
        ),
        (
            HTTPException(404, "D."),
            {
                "title": "Not found",
                "status": 404,
                "reason": "no_such_path",
                "detail": "D.",
                "field": "path",
                "remedy": "See /docs for what there is.",
            },
        ),
        (
            HTTPException(426, "D."),
            {
                "title": "Refused",
                "status": 426,
                "reason": "refused",
                "detail": "D.",
                "field": "request",
                "remedy": "See /docs for what there is.",
            },
        ),
    ],
)
def test_an_error_is_told_as_a_problem(
    error: Exception, told: dict[str, Any]
) -> None:
    """With all that is known, and no empty words."""
    response = answer(error)
    assert response.json() == told
    assert response.status_code == told["status"]
    assert response.headers["content-type"] == MEDIA_TYPE


@pytest.mark.parametrize(
    "error",
    [
        StorageFailed("secret path"),
        RowRefused("secret value"),
        SmokejumperError("secret"),
        RuntimeError("secret"),
        ValueError("secret"),
    ],
)
def test_the_inside_is_told_to_nobody(error: Exception) -> None:
    """It is in the log; who asks learns only whose turn it is."""
    response = answer(error)
    is_storage = isinstance(error, StorageFailed)
    assert response.status_code == (503 if is_storage else 500)
    assert response.json()["reason"] == ("storage" if is_storage else "bug")
    assert "secret" not in response.text


@pytest.mark.parametrize(
    ("status", "name", "value"),
    [
        (503, "retry-after", "5"),
        (401, "www-authenticate", 'Bearer realm="smokejumper"'),
        (403, "www-authenticate", None),
        (409, "retry-after", None),
        (500, "retry-after", None),
    ],
)
def test_a_status_has_the_headers_that_it_needs(
    status: int, name: str, value: str | None
) -> None:
    """And no other ones."""
    assert answer(Refused(status, "r", "D.")).headers.get(name) == value


def test_a_storage_that_failed_is_asked_again() -> None:
    """A sender comes back."""
    assert answer(StorageFailed("gone")).headers["retry-after"] == "5"


def test_a_wrong_parameter_is_named_with_its_place() -> None:
    """Where it stood, and what it should be."""
    response = answer(None)
    told = response.json()
    assert (response.status_code, told["field"]) == (422, "query.number")
    assert told["reason"] == "wrong_parameter"
    assert "integer" in told["detail"]


def test_a_wrong_method_names_the_right_ones() -> None:
    """RFC 9110, 15.5.6: the answer has an Allow header."""
    response = answer(None, "DELETE")
    told = response.json()
    assert (told["status"], told["reason"]) == (405, "wrong_method")
    assert response.headers["allow"] == "GET"
