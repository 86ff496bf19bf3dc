"""Answers with a tag: whoever has one already is told that it still holds."""

import hashlib
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Header, Request, Response
from fastapi.routing import APIRoute

NOT_MODIFIED: dict[str, Any] = {
    "description": "It is what the tag in if-none-match stands for"
}
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def known_tags(
    if_none_match: Annotated[
        str | None,
        Header(description="tags of answers that the caller has"),
    ] = None,
) -> None:
    """Name the header on the page of the API; the route reads it."""
    del if_none_match


class TaggedRoute(APIRoute):
    """A route whose answers carry a tag of their bodies."""

    def get_route_handler(self) -> Handler:
        """Return what answers, with the tag around it."""
        answer = super().get_route_handler()

        async def tagged(request: Request) -> Response:
            """Answer, or say that nothing changed."""
            response = await answer(request)
            if response.status_code != 200:
                return response
            # Who keeps answers has their tags, too.
            tag = response.headers.get("etag") or tag_of(bytes(response.body))
            headers = {"etag": tag, "cache-control": "private, no-cache"}
            lines = request.headers.getlist("if-none-match")
            if _holds(",".join(lines), tag):
                return Response(status_code=304, headers=headers)
            response.headers.update(headers)
            return response

        return tagged


def tag_of(body: bytes) -> str:
    """Return the tag that stands for a body."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _holds(known: str, tag: str) -> bool:
    """Tell whether a tag is among those that the caller has."""
    tags = [one.strip().removeprefix("W/") for one in known.split(",")]
    return tag in tags or tags == ["*"]


def shown(example: Any) -> dict[int | str, dict[str, Any]]:
    """Return what the page of the API says about an answer."""
    content = {"application/json": {"example": example}}
    return {200: {"content": content}, 304: NOT_MODIFIED}
