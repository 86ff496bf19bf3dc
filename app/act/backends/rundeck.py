"""Run jobs of Rundeck by its API: docs/backends.md says what is asked of it.

Rundeck knows no key that makes a job run once. Ours goes along as an option;
before a job is started, it is looked for among those that ran. Between that
look and the start lies a moment: a job that Rundeck does not run twice at
once (its own setting) closes most of it.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal, NoReturn

import msgspec
from pydantic import Field

from app.act.passing import Place, reaches, read_place, same
from app.act.rundeck_job import JobSettings, compose, doubts, lost
from app.act.rundeck_output import FIRST, QUIET, Reader
from app.core.brief import LONG, brief
from app.core.clock import Clock
from app.core.egress import Resolve, Said, resolve
from app.core.errors import (
    CannotTell,
    ConfigError,
    NotAccepted,
    NotSent,
    OutgoingFailed,
)
from app.core.jsonapi import Api, ApiSettings, Query, words_of
from app.core.pace import Pace
from app.models.job import JobState, Order, Progress
from app.models.report import STATES
from app.models.rundeck import (
    RETRIED,
    Execution,
    Mode,
    Page,
    Trouble,
)
from app.ports import Backend, BackendEnv

Word = Literal["succeeded", "failed", "aborted", "timed_out"]
STATUSES: Mapping[str, JobState] = {
    "running": JobState.STARTED,
    "scheduled": JobState.STARTED,
    "queued": JobState.STARTED,
    "succeeded": JobState.SUCCEEDED,
    "failed": JobState.FAILED,
    "aborted": JobState.ABORTED,
    "timedout": JobState.TIMED_OUT,
}
# Certainly not started; a job that runs already is one of these.
LATER = frozenset({408, 409, 429})
# So far back a job is looked for; no job may take longer.
RECENT = "1d"
PAGE = 100
MOST_PAGES = 10
# After a question without news the next one comes so many times later.
SLOWER = 2.5
MOST_ASKED = 1_000


class RundeckSettings(ApiSettings):
    """One Rundeck, and its jobs by the names that we have for them."""

    api_version: int = Field(41, ge=32, le=99)
    project: str = Field(pattern=r"^[A-Za-z0-9_.+-]{1,255}$")
    poll_seconds: float = Field(2.0, ge=0, le=3_600)
    hosts: tuple[str, ...] = ("*",)
    statuses: dict[str, Word] = Field(default_factory=dict, max_length=100)
    jobs: dict[
        Annotated[str, Field(min_length=1, max_length=200)], JobSettings
    ] = Field(default_factory=dict, max_length=1_000)


def plugin(env: BackendEnv) -> Backend | None:
    """Return the backend, or None when it is not configured."""
    if not env.is_configured:
        return None
    settings = env.settings(RundeckSettings)
    token = env.secret(settings.token, "token")
    try:
        return Rundeck(settings, token, env.clock)
    except ValueError as error:
        remedy = "Look at ca_file and at the token."
        raise ConfigError([env.problem(str(error), remedy)]) from error


class Rundeck:
    """Starts jobs of one Rundeck, and follows them."""

    def __init__(
        self,
        settings: RundeckSettings,
        token: str,
        clock: Clock,
        look_up: Resolve = resolve,
    ) -> None:
        """Take where it is and what opens it, or raise ValueError."""
        self._settings = settings
        headers = {"X-Rundeck-Auth-Token": token}
        self._api = Api("Rundeck", settings, headers, look_up)
        self._root = f"/api/{settings.api_version}"
        self._reader = Reader(self._api, self._root, clock)
        seconds = settings.poll_seconds
        self._pace = Pace(seconds, clock, MOST_ASKED)
        self._slow = Pace(seconds * SLOWER, clock, MOST_ASKED)

    def knows(self, job: str) -> bool:
        """Tell whether there is a job of this name."""
        return job in self._settings.jobs

    def reaches(self, host: str, *, is_here: bool) -> bool:
        """Tell whether its jobs can work on a host: as the settings say."""
        del is_here
        return reaches(self._settings.hosts, host)

    async def start(self, order: Order) -> Progress:
        """Start a job, unless its key ran before; see the port."""
        job = self._settings.jobs.get(order.name)
        if job is None:
            raise NotAccepted(f"there is no job {order.name!r}")
        body = compose(job, order)
        found = await self._look_before(job, order)
        if found is not None:
            return found
        path = f"{self._root}/job/{job.id}/run"
        query = {"meta.smokejumper": order.key}
        try:
            said = await self._api.post(path, body, query)
        except NotSent as error:
            text = str(error)
            raise NotAccepted(text, may_retry=error.may_retry) from error
        return await self._started(body, said)

    async def watch(self, order: Order) -> Progress:
        """Ask how a job goes on, not too often."""
        is_quiet = order.cursor.endswith(QUIET)
        pace = self._slow if is_quiet else self._pace
        if not pace.admits(order.key):
            return same(order)
        job, place = self._at(order)
        path = f"{self._root}/execution/{place.number}"
        execution = await self._api.ask(path, Execution)
        told = execution.told()
        key = told.get(job.key_option, "") if job.key_option else order.key
        if key != order.key and job.key_option not in place.lost:
            self._fail(f"{place.number} is another job's execution")
        state, reason = self._judge(job, order, place, execution)
        if place.lost and state is JobState.STARTED:
            await self._ask_to_end(place)
        is_over = state is not JobState.STARTED
        retry = execution.retried_execution
        part = await self._reader.read(
            place.number, order.cursor, is_over=is_over or retry is not None
        )
        cursor = part.cursor
        if is_over or not part.is_all:
            self._hurry(order)
        if not part.is_all:
            # It is over once all that it wrote is read.
            state, reason = JobState.STARTED, ""
        elif retry is not None and execution.status == RETRIED:
            place, cursor = Place(retry.id, place.lost), FIRST
        return Progress(
            state=state,
            reference=str(place),
            reason=reason,
            output=part.text,
            cursor=cursor,
        )

    async def abort(self, order: Order) -> Progress:
        """Ask that a job ends; how it ended is seen by watching."""
        _, place = self._at(order)
        self._hurry(order)
        await self._ask_to_end(place)
        return same(order)

    async def find(self, order: Order) -> Progress | None:
        """Look a job up by the option that holds its key."""
        job = self._settings.jobs.get(order.name)
        if job is None or not job.key_option:
            raise CannotTell(f"the job {order.name} has no key_option")
        of_project = f"{self._root}/project/{self._settings.project}"
        # What runs comes first: it may end between the two questions.
        asked: tuple[tuple[str, Query], ...] = (
            (f"{of_project}/executions/running", {"jobIdFilter": job.id}),
            (
                f"{of_project}/executions",
                {"jobIdListFilter": job.id, "recentFilter": RECENT},
            ),
        )
        for path, query in asked:
            found = await self._search(path, query, job.key_option, order.key)
            if found is not None:
                missing = lost(compose(job, order), found)
                return Progress(reference=str(Place(found.id, missing)))
        return None

    async def _look_before(
        self, job: JobSettings, order: Order
    ) -> Progress | None:
        """Return a job that runs already, or None when it may be started.

        Raises:
            NotAccepted: nobody knows that it may; nothing was sent.
        """
        try:
            found = await self.find(order) if job.key_option else None
            if found is None:
                await self._check_mode()
        except NotAccepted:
            raise
        except (CannotTell, OutgoingFailed) as error:
            why = f"it cannot be looked up before: {error}"
            raise NotAccepted(why, may_retry=True) from error
        return found

    async def _search(
        self, path: str, query: Query, option: str, key: str
    ) -> Execution | None:
        """Return the newest execution with a key, of a bounded number."""
        for number in range(MOST_PAGES):
            at = number * PAGE
            page = await self._api.ask(
                path, Page, {**query, "max": PAGE, "offset": at}
            )
            hits = [e for e in page.executions if e.told().get(option) == key]
            if hits:
                return max(hits, key=lambda execution: execution.id)
            if not page.executions or at + PAGE >= page.paging.total:
                return None
        most = MOST_PAGES * PAGE
        raise CannotTell(
            f"more than {most} executions are too many to look at"
        )

    async def _check_mode(self) -> None:
        """Raise NotAccepted while Rundeck runs nothing at all."""
        path = f"{self._root}/system/executions/status"
        said = await self._api.get(path)
        if said.status != 200:
            return  # The token need not be allowed to ask that.
        if self._api.read(said, Mode).execution_mode == "passive":
            why = "Rundeck is in passive mode: it runs nothing now"
            raise NotAccepted(why, may_retry=True)

    async def _started(self, body: Mapping[str, Any], said: Said) -> Progress:
        """Return what an answer to an order means."""
        if said.status in (200, 201):
            execution = self._api.read(said, Execution)
            place = Place(execution.id, lost(body, execution))
            if place.lost:
                with suppress(OutgoingFailed):
                    await self._ask_to_end(place)
            return Progress(reference=str(place))
        if 400 <= said.status < 500:
            raise NotAccepted(_why(said), may_retry=said.status in LATER)
        raise OutgoingFailed(_why(said))

    async def _ask_to_end(self, place: Place) -> None:
        """Ask that an execution is aborted, or raise OutgoingFailed."""
        path = f"{self._root}/execution/{place.number}/abort"
        said = await self._api.post(path, {})
        if said.status != 200:
            raise OutgoingFailed(_why(said))

    def _judge(
        self, job: JobSettings, order: Order, place: Place, seen: Execution
    ) -> tuple[JobState, str]:
        """Return how a job stands, and why; success is looked at twice."""
        if seen.status == RETRIED:
            return JobState.STARTED, ""
        state = STATUSES.get(seen.status)
        custom = seen.custom_status or seen.status
        if state is None and custom in self._settings.statuses:
            state = STATES[self._settings.statuses[custom]]
        if state is None:
            if seen.date_ended is None:
                self._fail(f"it says the unknown status {brief(custom, 60)!r}")
            return JobState.FAILED, f"it ended as {brief(custom, 60)!r}"
        why = "; ".join(doubts(job, order, place, seen))
        if place.lost and state is not JobState.STARTED:
            return JobState.FAILED, why
        if state is JobState.ABORTED:
            return state, f"aborted by {seen.abortedby or 'somebody'}"
        if state is JobState.SUCCEEDED and why:
            return JobState.FAILED, why
        return state, why

    def _hurry(self, order: Order) -> None:
        """Let the next question about a job be asked at once."""
        self._pace.forget(order.key)
        self._slow.forget(order.key)

    def _at(self, order: Order) -> tuple[JobSettings, Place]:
        """Return the job and the place of an order that was sent."""
        job = self._settings.jobs.get(order.name)
        if job is None:
            self._fail(f"there is no job {order.name!r} now")
        place = read_place(order.reference)
        if place is None:
            self._fail("nobody knows which execution it is")
        return job, place

    def _fail(self, what: str) -> NoReturn:
        """Raise that nobody knows, and why."""
        raise OutgoingFailed(f"Rundeck: {what}")


def _why(said: Said) -> str:
    """Return what Rundeck says of what it did not do."""
    try:
        trouble = msgspec.json.decode(said.body, type=Trouble)
    except (msgspec.MsgspecError, RecursionError):
        trouble = Trouble(message=words_of(said))
    words = brief(f"{trouble.error_code} {trouble.message}", LONG)
    return f"Rundeck: answered {said.status} {words}"
