"""What the simulator's server says: JSON, and errors as problem JSON."""

import json
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from simulator.problem import Refused

MEDIA_TYPE = "application/problem+json"
MOST_BYTES = 16 * 1024
SEE = "See docs/simulator.md for what there is"


class TooLong(Refused):
    """A body has more bytes than any order needs."""

    status = 413
    title = "Too long"


class WrongRequest(Refused):
    """The router, or the framework, did not take a request."""

    title = "There is nothing like that"

    def __init__(self, status: int, detail: str, field: str) -> None:
        """Take the status that fits."""
        super().__init__(detail, field=field, remedy=SEE)
        self.status = status


def answer_refused(
    error: Refused, headers: dict[str, str] | None = None
) -> Response:
    """Return a refusal as a response."""
    extra = dict(headers or {})
    if error.status == 401:
        extra["www-authenticate"] = 'Bearer realm="simulator"'
    # Half a letter that somebody sent cannot be sent back.
    told = {
        name: text.encode(errors="replace").decode()
        for name, text in error.as_json().items()
    }
    return JSONResponse(
        told | {"status": error.status},
        error.status,
        headers=extra,
        media_type=MEDIA_TYPE,
    )


async def read_order(request: Request) -> dict[str, Any]:
    """Return a body that is a JSON object, empty when there is none.

    Raises:
        Refused: it is too long, or no JSON object.
    """
    received = b""
    async for part in request.stream():
        received += part
        if len(received) > MOST_BYTES:
            raise TooLong(
                f"a body may have {MOST_BYTES} bytes",
                field="body",
                remedy='Send {"level": N, "seconds": N, "options": {}}',
            )
    if not received.strip():
        return {}
    try:
        said = json.loads(received)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise Refused(
            "the body is no JSON object",
            field="body",
            remedy='Send {"level": N, "seconds": N, "options": {}}',
        )
    return said


def install(app: FastAPI) -> None:
    """Make every error of an app a problem."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _bug)


async def _refused(_request: Request, error: Exception) -> Response:
    """Answer a refusal."""
    assert isinstance(error, Refused)  # noqa: S101 (what it is installed for)
    return answer_refused(error)


async def _http(_request: Request, error: Exception) -> Response:
    """Answer what the router did not take."""
    assert isinstance(error, HTTPException)  # noqa: S101
    field = {404: "path", 405: "method"}.get(error.status_code, "request")
    wrong = WrongRequest(error.status_code, str(error.detail), field)
    return answer_refused(wrong, dict(error.headers or {}))


async def _invalid(_request: Request, error: Exception) -> Response:
    """Answer that a parameter is wrong, and which."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first: Any = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    return answer_refused(WrongRequest(422, str(first["msg"]), field))


async def _bug(_request: Request, error: Exception) -> Response:
    """Answer a bug of ours without its inside."""
    kind = type(error).__name__
    return answer_refused(
        WrongRequest(500, f"a bug of the simulator: {kind}", "")
    )
