"""Jobs: what ran, what it wrote, and how to end it."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.concurrency import run_in_threadpool

from app.api import acting_examples as examples
from app.api.access import Allow, Watch, Who, signed
from app.api.following import Followers, OutputStream
from app.api.job_views import (
    JobDetail,
    JobPage,
    JobView,
    OutputView,
    StopBody,
)
from app.api.paging import RowId, find_page, must_find, show
from app.api.queries import LAST_OFFSET, JobQuery, OutputQuery
from app.api.tagged import TaggedRoute, known_tags, shown
from app.api.turns import write
from app.bootstrap import Product
from app.core.errors import Refused
from app.engine.stopping import Stop
from app.models.account import Role
from app.store.jobs import JOBS, find_job
from app.store.ledger import Connection
from app.store.outputs import read_output

REFUSALS: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is no such job."},
    409: {"description": "It has ended already."},
}
OUTPUT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "application/json": {"example": examples.OUTPUT},
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": examples.FOLLOWED,
            },
        }
    },
    404: REFUSALS[404],
}
LastEvent = Annotated[
    str,
    Header(
        alias="Last-Event-ID",
        max_length=30,
        description="goes on there; wins over offset",
    ),
]


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    may_read = Depends(Allow(product.gate, Role.VIEWER))
    may_abort = Depends(Allow(product.gate, Role.RESPONDER))
    may_follow = Depends(Allow(product.gate, Role.VIEWER, is_use=False))
    router = APIRouter(prefix="/api/v1")
    reading = APIRouter(
        dependencies=[may_read, Depends(known_tags)],
        tags=["read"],
        route_class=TaggedRoute,
    )
    _add_lists(reading, product)
    router.include_router(reading)
    following = APIRouter(dependencies=[may_follow])
    _add_output(following, product)
    router.include_router(following)
    ending = APIRouter(dependencies=[may_abort])
    _add_abort(ending, product)
    router.include_router(ending)
    return router


def _add_lists(router: APIRouter, product: Product) -> None:
    """Add the routes that show jobs."""
    reader = product.reader

    @router.get("/jobs", responses=shown(examples.JOBS))
    def list_jobs(
        request: Request, query: Annotated[JobQuery, Query()]
    ) -> JobPage:
        """List what was planned and what ran, newest first."""
        page = find_page(reader, JOBS, query, request)
        return JobPage(**show(page, JobView.of))

    @router.get("/jobs/{job_id}", responses=shown(examples.JOB_DETAIL))
    def get_job(job_id: RowId) -> JobDetail:
        """Show one job with what was measured before and after it."""
        row = reader.find(JOBS, job_id)
        return JobDetail.whole(must_find(row, "job", "jobs", job_id))


def read_range(
    connection: Connection, number: int, offset: int, limit: int
) -> OutputView | None:
    """Return a range of what a job wrote, None when there is no such job."""
    job = find_job(connection, number)
    if job is None:
        return None
    found = read_output(connection, number, offset, limit)
    return OutputView.of(job, offset, found)


def _add_output(router: APIRouter, product: Product) -> None:
    """Add the route that shows what a job writes."""
    followers = Followers(
        product.reader, product.settings.api.streams, read_range
    )
    product.keeper.listen(followers.wake)
    product.endless.append(followers.close)

    @router.get(
        "/jobs/{job_id}/output",
        response_model=OutputView,
        responses=OUTPUT,
        tags=["act"],
    )
    async def get_output(
        job_id: RowId,
        query: Annotated[OutputQuery, Query()],
        request: Request,
        last_event_id: LastEvent = "",
    ) -> OutputView | OutputStream:
        """Show a range of what a job wrote, or follow it as it comes.

        With ``follow=true`` it is a stream of server-sent events: ``output``
        with a range, and ``end`` when nothing more comes. Their ``id`` is
        the offset to go on from. No character is ever divided.
        """
        offset = _to_offset(last_event_id, query.offset)
        question = partial(
            read_range, number=job_id, offset=offset, limit=query.limit
        )
        found = await run_in_threadpool(product.reader.ask, question)
        found = must_find(found, "job", "jobs", job_id)
        if not query.follow:
            return found
        followers.enter()
        watch = Watch(product.gate, request)
        return OutputStream(followers, job_id, offset, watch)


def _add_abort(router: APIRouter, product: Product) -> None:
    """Add the route that ends a job."""

    @router.post("/jobs/{job_id}/abort", responses=REFUSALS, tags=["act"])
    async def abort_job(job_id: RowId, body: StopBody, who: Who) -> JobView:
        """Ask that a job ends; what has not started never does."""
        body = signed(body, who)
        stop = Stop(author=body.author, reason=body.reason)
        work = partial(product.acting.stopping.abort, number=job_id, stop=stop)
        return JobView.of(await write(product, work))


def _to_offset(header: str, given: int) -> int:
    """Return where a range begins."""
    if not header:
        return given
    is_number = header.isascii() and header.isdigit()
    if is_number and int(header) <= LAST_OFFSET:
        return int(header)
    raise Refused(
        422,
        "wrong_parameter",
        "Last-Event-ID is not an offset.",
        field="header.last-event-id",
        remedy="Send the last id of the stream, or none.",
    )
