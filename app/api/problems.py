"""Errors as problem+json (RFC 9457): which field, and what to do."""

from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.core.errors import Refused, StorageFailed, TooBusy, TooOften
from app.core.log import get_log

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = "5"
# No browser takes what we answer for another kind of file, whoever asks.
SNIFFING, OFF = "x-content-type-options", "nosniff"
log = get_log("api")
# What the router refuses: the reason, and the part of the request.
ROUTER = {404: ("no_such_path", "path"), 405: ("wrong_method", "method")}

TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Not as things stand",
    411: "Length required",
    413: "Too large",
    415: "Unsupported encoding",
    422: "Not acceptable as it is",
    429: "Too often",
    500: "A bug of ours",
    503: "Not now",
}


class Problem(msgspec.Struct, omit_defaults=True):
    """What an error answer says."""

    title: str
    status: int
    reason: str = ""
    detail: str = ""
    field: str = ""
    remedy: str = ""


def problem_of(refusal: Refused) -> Problem:
    """Return a refusal as a problem."""
    return Problem(
        title=TITLES.get(refusal.status, "Refused"),
        status=refusal.status,
        reason=refusal.reason,
        detail=refusal.detail,
        field=refusal.field,
        remedy=refusal.remedy,
    )


def headers_of(status: int) -> dict[str, str]:
    """Return the headers that belong to a status."""
    headers = {SNIFFING: OFF}
    if status == 503:
        headers["retry-after"] = RETRY_SECONDS
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="smokejumper"'
    return headers


def _answer(problem: Problem, extra: dict[str, str] | None = None) -> Response:
    """Return a problem as a response."""
    return Response(
        msgspec.json.encode(problem),
        problem.status,
        headers={**headers_of(problem.status), **(extra or {})},
        media_type=MEDIA_TYPE,
    )


def install(app: FastAPI) -> None:
    """Make every error of an app a problem."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(StorageFailed, _storage_failed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)


async def _refused(_request: Request, error: Exception) -> Response:
    """Answer a refusal."""
    assert isinstance(error, Refused)  # noqa: S101 (what it is installed for)
    extra = {}
    if isinstance(error, TooOften):
        extra["retry-after"] = str(error.seconds)
    return _answer(problem_of(error), extra)


async def _storage_failed(_request: Request, error: Exception) -> Response:
    """Answer that the database cannot be asked now."""
    log.error("store.not_read", error=str(error))
    detail = "The database cannot be read now."
    return _answer(problem_of(TooBusy("storage", detail)))


async def _invalid(_request: Request, error: Exception) -> Response:
    """Answer that a parameter is wrong, and which."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first: Any = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    return _answer(
        Problem(
            title=TITLES[422],
            status=422,
            reason="wrong_parameter",
            detail=str(first["msg"]),
            field=field,
            remedy="See /docs for what it may be.",
        )
    )


async def _http(_request: Request, error: Exception) -> Response:
    """Answer what the router refused."""
    assert isinstance(error, HTTPException)  # noqa: S101
    reason, field = ROUTER.get(error.status_code, ("refused", "request"))
    problem = Problem(
        title=TITLES.get(error.status_code, "Refused"),
        status=error.status_code,
        reason=reason,
        field=field,
        detail=str(error.detail),
        remedy="See /docs for what there is.",
    )
    return _answer(problem, dict(error.headers or {}))


async def _bug(request: Request, error: Exception) -> Response:
    """Answer a bug of ours without its inside; the log has it."""
    log.error("request.crashed", path=request.url.path, exc_info=error)
    detail = "It is in the log."
    return _answer(
        Problem(title=TITLES[500], status=500, reason="bug", detail=detail)
    )
