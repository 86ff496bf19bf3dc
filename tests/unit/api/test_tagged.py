"""Answers with a tag, asked again."""

import asyncio

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Response

from app.api.tagged import TaggedRoute


def ask(path: str, *known: str) -> httpx.Response:
    """Return what a small app with tags answers."""
    router = APIRouter(route_class=TaggedRoute)

    @router.get("/one")
    def one() -> dict[str, int]:
        """Answer always the same."""
        return {"a": 1}

    @router.get("/two")
    def two() -> dict[str, int]:
        """Answer something else."""
        return {"a": 2}

    @router.get("/gone")
    def gone() -> Response:
        """Answer that there is nothing."""
        return Response("{}", 410)

    @router.get("/late", status_code=202)
    def late() -> dict[str, int]:
        """Answer that it is not done."""
        return {"a": 1}

    app = FastAPI()
    app.include_router(router)

    async def get() -> httpx.Response:
        """Ask the app itself."""
        carrier = httpx.ASGITransport(app)
        headers = [("if-none-match", one) for one in known]
        async with httpx.AsyncClient(transport=carrier) as client:
            return await client.get(f"http://x{path}", headers=headers)

    return asyncio.run(get())


TAG = ask("/one").headers["etag"]


def test_a_tag_is_quoted_and_follows_from_the_body() -> None:
    """The same body has the same tag, another one another."""
    assert ask("/one").headers["etag"] == TAG
    assert ask("/two").headers["etag"] != TAG
    assert TAG[0] == TAG[-1] == '"'
    assert TAG.count('"') == 2


@pytest.mark.parametrize(
    "known",
    [
        TAG,
        f"W/{TAG}",
        f" {TAG} ",
        f'"x",{TAG}',
        f'{TAG} , "x"',
        f'W/"x", W/{TAG}',
        "*",
        " * ",
    ],
)
def test_who_has_it_is_told_so(known: str) -> None:
    """The answer has its tag and no body."""
    answer = ask("/one", known)
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == TAG
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    "known",
    [
        "",
        ",",
        '""',
        TAG.strip('"'),
        TAG[:-1],
        f"w/{TAG}",
        TAG.upper().replace('"', "'"),
        f'"x{TAG[1:]}',
        '"*"',
    ],
)
def test_who_has_another_one_gets_it(known: str) -> None:
    """Only the very tag counts."""
    answer = ask("/one", known)
    assert (answer.status_code, answer.json()) == (200, {"a": 1})
    assert answer.headers["cache-control"] == "private, no-cache"


def test_tags_may_stand_on_two_lines() -> None:
    """RFC 9110, 5.3: lines of one name are one list."""
    assert ask("/one", '"x"', TAG).status_code == 304


@pytest.mark.parametrize(("path", "status"), [("/gone", 410), ("/late", 202)])
def test_what_is_no_answer_yet_has_no_tag(path: str, status: int) -> None:
    """Not even who says that anything will do is told that it holds."""
    answer = ask(path, "*")
    assert answer.status_code == status
    assert "etag" not in answer.headers
