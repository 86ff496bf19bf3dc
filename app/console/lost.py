"""Lost: what a person is shown where a page cannot be."""

from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.api.problems import Problem
from app.console.pages import HOME, Pages
from app.console.seen import seen
from app.core.errors import Refused, StorageFailed

Handler = Callable[[Request, Exception], Awaitable[Response]]
KINDS = (
    HTTPException,
    RequestValidationError,
    Refused,
    StorageFailed,
    Exception,
)
FOLDER = "/console"
# An address that somebody mistyped, or a form that a page of ours has not.
NOWHERE = (
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
# What is said about the answer itself, and holds for the page as well.
KEPT = ("allow", "retry-after")
LONGEST = 200


def install(app: FastAPI, pages: Pages) -> None:
    """Let whatever the API would say of a page be a page, too."""
    for kind in KINDS:
        handler: Any = app.exception_handlers[kind]
        app.add_exception_handler(kind, partial(_tell, pages, handler))


async def _tell(
    pages: Pages, handler: Handler, request: Request, error: Exception
) -> Response:
    """Answer what went wrong: for a person, where a person looks."""
    answer = await handler(request, error)
    path = request.url.path
    if path != FOLDER and not path.startswith(f"{FOLDER}/"):
        return answer
    page = pages.draw(
        "lost.html",
        answer.status_code,
        problem=msgspec.json.decode(answer.body, type=Problem),
        is_nowhere=answer.status_code in NOWHERE,
        path=seen(path[:LONGEST]),
        home=HOME,
    )
    for name in KEPT:
        if name in answer.headers:
            page.headers[name] = answer.headers[name]
    return page
