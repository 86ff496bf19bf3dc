"""Launch job templates of AWX: docs/backends.md says what is asked of it.

AWX knows no key that makes a job run once. Ours goes along as a variable;
before a job is launched, it is looked for among those that ran. A job that
lacks what it was sent is cancelled, and is never taken for a success.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, NoReturn

import msgspec
from pydantic import Field

from app.act.awx_job import JobSettings, compose, lost, objections
from app.act.awx_output import PATCHY, Outputs, Waits
from app.act.awx_search import search
from app.act.passing import Place, reaches, read_place, same
from app.core.brief import LONG, brief
from app.core.clock import Clock, to_iso
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
from app.models.awx import AwxJob, Launch, Survey, Templates
from app.models.job import JobState, Order, Progress
from app.ports import Backend, BackendEnv

RUNNING = "running"
STATUSES: Mapping[str, JobState] = {
    "new": JobState.STARTED,
    "pending": JobState.STARTED,
    "waiting": JobState.STARTED,
    RUNNING: JobState.STARTED,
    "successful": JobState.SUCCEEDED,
    "failed": JobState.FAILED,
    "error": JobState.FAILED,
    "canceled": JobState.ABORTED,
}
ROOT = "/api/v2"
# Certainly not started, and may be asked once more.
LATER = frozenset({408, 409, 429})
# It has ended already, so there is nothing to cancel.
OVER = 405
# So far back a job is looked for; no job may take longer.
RECENT = 86_400 * 1_000_000
MOST_ASKED = 1_000


class AwxSettings(ApiSettings):
    """One AWX, and its templates by the names that we have for them."""

    poll_seconds: float = Field(2.0, ge=0, le=3_600)
    hosts: tuple[str, ...] = ("*",)
    jobs: dict[
        Annotated[str, Field(min_length=1, max_length=200)], JobSettings
    ] = Field(default_factory=dict, max_length=1_000)


def plugin(env: BackendEnv) -> Backend | None:
    """Return the backend, or None when it is not configured."""
    if not env.is_configured:
        return None
    settings = env.settings(AwxSettings)
    token = env.secret(settings.token, "token")
    try:
        return Awx(settings, token, env.clock)
    except ValueError as error:
        remedy = "Look at ca_file and at the token."
        raise ConfigError([env.problem(str(error), remedy)]) from error


class Awx:
    """Launches job templates of one AWX, and follows their jobs."""

    def __init__(
        self,
        settings: AwxSettings,
        token: str,
        clock: Clock,
        look_up: Resolve = resolve,
    ) -> None:
        """Take where it is and what opens it, or raise ValueError."""
        self._settings = settings
        self._clock = clock
        headers = {
            "Authorization": f"Bearer {token}",
            # What is too large to be shown is text.
            "Accept": "application/json, text/plain",
        }
        self._api = Api("AWX", settings, headers, look_up)
        self._pace = Pace(settings.poll_seconds, clock, MOST_ASKED)
        self._waits = Waits(clock, MOST_ASKED)
        self._outputs = Outputs(self._api, ROOT)

    def knows(self, job: str) -> bool:
        """Tell whether there is a template of this name."""
        return job in self._settings.jobs

    def reaches(self, host: str, *, is_here: bool) -> bool:
        """Tell whether its jobs can work on a host: as the settings say."""
        del is_here
        return reaches(self._settings.hosts, host)

    async def start(self, order: Order) -> Progress:
        """Launch a template, unless its key ran before; see the port."""
        job = self._settings.jobs.get(order.name)
        if job is None:
            raise NotAccepted(f"there is no job {order.name!r}")
        body = compose(job, order)
        try:
            number = await self._number(job)
            if job.key_variable:
                found = await self._search(job, order, number)
                if found is not None:
                    return found
            await self._check(body, number)
        except NotAccepted:
            raise
        except (CannotTell, OutgoingFailed) as error:
            why = f"it cannot be looked at before: {error}"
            raise NotAccepted(why, may_retry=True) from error
        path = f"{ROOT}/job_templates/{number}/launch/"
        try:
            said = await self._api.post(path, body)
        except NotSent as error:
            text = str(error)
            raise NotAccepted(text, may_retry=error.may_retry) from error
        return await self._launched(body, said)

    async def watch(self, order: Order) -> Progress:
        """Ask how a job goes on, not too often."""
        if not self._pace.admits(order.key):
            return same(order)
        job, place = self._at(order)
        path = f"{ROOT}/jobs/{place.number}/"
        seen = await self._api.ask(path, AwxJob)
        self._check_owner(job, order, place, seen)
        state = self._state(order, seen)
        is_over = state is not JobState.STARTED
        if place.lost and not is_over:
            await self._cancel(place)
        output, cursor = "", order.cursor
        if is_over or seen.status == RUNNING:
            output, cursor = await self._read(
                job, place, order.cursor, is_over=is_over
            )
        if is_over:
            output += "" if seen.event_processing_finished else PATCHY
            self._pace.forget(order.key)
            self._waits.forget(order.key)
        reason = _reason(seen, state)
        if place.lost and is_over:
            state = JobState.FAILED
            reason = f"it ran without {', '.join(place.lost)}"
        return Progress(
            state=state,
            reference=str(place),
            reason=reason,
            output=output,
            cursor=cursor,
        )

    async def abort(self, order: Order) -> Progress:
        """Ask that a job ends; how it ended is seen by watching."""
        _, place = self._at(order)
        self._pace.forget(order.key)
        await self._cancel(place)
        return same(order)

    async def find(self, order: Order) -> Progress | None:
        """Look a job up by the variable that holds its key."""
        job = self._settings.jobs.get(order.name)
        if job is None or not job.key_variable:
            raise CannotTell(f"the job {order.name} has no key_variable")
        return await self._search(job, order, await self._number(job))

    async def _number(self, job: JobSettings) -> int:
        """Return the number of a template, or raise NotAccepted."""
        if isinstance(job.template, int):
            return job.template
        found = await self._api.ask(
            f"{ROOT}/job_templates/", Templates, {"name": job.template}
        )
        right = [t.id for t in found.results if t.name == job.template]
        if len(right) != 1 or found.count != 1:
            raise NotAccepted(
                f"AWX: {found.count} templates are called {job.template!r}:"
                " write its number"
            )
        return right[0]

    async def _read(
        self, job: JobSettings, place: Place, cursor: str, *, is_over: bool
    ) -> tuple[str, str]:
        """Return what was written since, and where to read on."""
        if job.shows == "play":
            return await self._outputs.read(
                place.number, cursor, is_over=is_over
            )
        # Events are stored in any order, so they are read once all are there.
        said = await self._outputs.said(place.number) if is_over else ""
        return said, cursor

    async def _search(
        self, job: JobSettings, order: Order, number: int
    ) -> Progress | None:
        """Return the newest job of a template with a key, or None."""
        since = to_iso(self._clock.now() - RECENT)
        query: Query = {"job_template": number, "created__gt": since or ""}
        path = f"{ROOT}/jobs/"
        found = await search(
            self._api, path, query, job.key_variable, order.key
        )
        if found is None:
            return None
        missing = lost(compose(job, order), found)
        return Progress(reference=str(Place(found.id, missing)))

    async def _check(self, body: dict[str, Any], number: int) -> None:
        """Raise NotAccepted when a template would drop what it is told."""
        path = f"{ROOT}/job_templates/{number}"
        said = await self._api.get(f"{path}/launch/")
        if 400 <= said.status < 500:
            raise NotAccepted(_why(said), may_retry=said.status in LATER)
        if said.status != 200:
            raise OutgoingFailed(_why(said))
        launch = self._api.read(said, Launch)
        survey = Survey()
        if launch.survey_enabled:
            survey = await self._api.ask(f"{path}/survey_spec/", Survey)
        found = "; ".join(objections(body, launch, survey))
        if found:
            raise NotAccepted(f"AWX: the template {number}: {found}")

    async def _launched(self, body: dict[str, Any], said: Said) -> Progress:
        """Return what an answer to a launch means."""
        if said.status == 201:
            job = self._api.read(said, AwxJob)
            place = Place(job.id, lost(body, job))
            if place.lost:
                with suppress(OutgoingFailed):
                    await self._cancel(place)
            return Progress(reference=str(place))
        if 400 <= said.status < 500:
            raise NotAccepted(_why(said), may_retry=said.status in LATER)
        raise OutgoingFailed(_why(said))

    async def _cancel(self, place: Place) -> None:
        """Ask that a job is cancelled, or raise OutgoingFailed."""
        path = f"{ROOT}/jobs/{place.number}/cancel/"
        said = await self._api.post(path, {})
        if said.status not in (202, OVER):
            raise OutgoingFailed(_why(said))

    def _check_owner(
        self, job: JobSettings, order: Order, place: Place, seen: AwxJob
    ) -> None:
        """Raise OutgoingFailed when a job is not the one of an order."""
        name = job.key_variable
        if not name or name in place.lost:
            return
        if seen.told().get(name) != order.key:
            self._fail(f"{place.number} is another one's job")

    def _state(self, order: Order, seen: AwxJob) -> JobState:
        """Return how far a job is; it is over when its output is.

        AWX may lose a part of that, so it is not waited for for ever.
        """
        state = STATUSES.get(seen.status)
        if state is None:
            what = f"it says the unknown status {brief(seen.status, 60)!r}"
            self._fail(what)
        if state is JobState.STARTED or seen.event_processing_finished:
            return state
        has_waited = self._waits.is_over(order.key)
        return state if has_waited else JobState.STARTED

    def _at(self, order: Order) -> tuple[JobSettings, Place]:
        """Return the job and the place of an order that was sent."""
        job = self._settings.jobs.get(order.name)
        if job is None:
            self._fail(f"there is no job {order.name!r} now")
        place = read_place(order.reference)
        if place is None:
            self._fail("nobody knows which job it is")
        return job, place

    def _fail(self, what: str) -> NoReturn:
        """Raise that nobody knows, and why."""
        raise OutgoingFailed(f"AWX: {what}")


def _reason(job: AwxJob, state: JobState) -> str:
    """Return why a job is as it is, in one line."""
    if job.job_explanation:
        return brief(job.job_explanation, LONG)
    if job.status == "pending":
        return "it waits for its turn"
    if job.result_traceback:
        return brief(job.result_traceback.splitlines()[-1], LONG)
    return "it was cancelled" if state is JobState.ABORTED else ""


def _why(said: Said) -> str:
    """Return what AWX says of what it did not do."""
    try:
        found = msgspec.json.decode(said.body)
    except (msgspec.MsgspecError, RecursionError):
        return f"AWX: answered {said.status} {words_of(said)}"
    detail = found.get("detail") if isinstance(found, dict) else None
    words = brief(str(detail or found), LONG)
    return f"AWX: answered {said.status} {words}"
