"""The laws: what must hold whatever fails, written apart from the engine."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from app.models.approval import Approval, Vote
from app.models.job import LIVE, MOVES, Job, JobState
from app.models.mission import OVER, Mission
from app.models.verdict import Judgement, Reading
from tests.simulation.scene import HOSTS, PROTECTED, lead, the_scene

SECOND = 1_000_000
WINDOW = 1_200 * SECOND
# What may follow what, besides to stay.
STAGES: Mapping[str, str] = {
    "": "ruling awaiting_approval closed escalated deciding",
    "deciding": "ruling closed escalated",
    "ruling": "starting awaiting_approval closed escalated deciding",
    "awaiting_approval": "ruling closed escalated deciding",
    "starting": "acting ruling closed escalated deciding",
    # Closed is only what never ran: see what_ran_is_measured.
    "acting": "verifying deciding escalated closed",
    "verifying": "closed deciding ruling escalated",
    "escalated": "",
    "closed": "",
}
UNDO = "undo"
NEVER_RAN = ("aborted", "failed")
# What ran is measured, whatever it says of itself.
ENDED = ("succeeded", "failed", "aborted", "timed_out")
# What reads the alert's own state.
ALERT = "alert_is_over"


class State(msgspec.Struct):
    """The store at one moment."""

    missions: dict[int, Mission] = {}
    jobs: dict[int, Job] = {}
    approvals: dict[int, Approval] = {}
    is_halted: bool = False


class Ran(msgspec.Struct, frozen=True):
    """A job that was seen to start, and of which nobody knows better.

    Attributes:
        job: as it is now.
        at: when, by the clock of the machine that wrote it down.
    """

    job: Job
    at: int

    def is_since(self, moment: int) -> bool:
        """Tell whether it counts in a window that begins at a moment.

        It may have been planned and started on two machines, and the clock
        may have jumped in between: the later word counts.
        """
        return max(self.at, self.job.planned_at) >= moment


class Start(msgspec.Struct):
    """A job that was just written down as started, and what is around it.

    Attributes:
        job: the job.
        now: the time.
        ruling: what was ruled last.
        incident: its state, or silent when nothing of it goes on.
        problems: what of it goes on.
        chosen_for: the problem that it was decided on.
        confidence: how sure the brain is.
        asks: whether it wants a person.
        votes: what people answered.
        is_file_seen: whether the file of the kill switch was seen there.
        ran: what else was seen to start.
    """

    job: Job
    now: int
    ruling: str
    incident: str
    problems: Sequence[str]
    chosen_for: str
    confidence: float | None
    asks: bool
    votes: Sequence[Vote]
    is_file_seen: bool
    ran: Sequence[Ran]


def jobs_move_as_they_may(before: State, after: State) -> Iterator[str]:
    """Yield jobs that moved where no job may."""
    for job in after.jobs.values():
        was = before.jobs.get(job.id)
        if was is None:
            if job.state != JobState.PLANNED:
                yield f"job {job.id} began as {job.state}"
        elif was.state != job.state and not was.moves_to(JobState(job.state)):
            yield f"job {job.id} went from {was.state} to {job.state}"
        elif was.key != job.key or was.arguments != job.arguments:
            yield f"job {job.id} has become another one"
        elif JobState(was.state) not in MOVES and was.reference != (
            job.reference
        ):
            yield f"job {job.id} has ended and goes on"


def missions_move_as_they_may(before: State, after: State) -> Iterator[str]:
    """Yield missions that moved where none may, or without a version."""
    for one in after.missions.values():
        was = before.missions.get(one.id)
        if was is None:
            continue
        told = f"mission {one.id}"
        if one.fence < was.fence or one.version < was.version:
            yield f"{told} went back"
        if one.version > was.version + 1:
            yield f"{told} made two moves at once"
        if was.stage in OVER and one != was:
            yield f"{told} was over and goes on"
        facts = (was.stage, was.decision_id, was.job_id, was.approval_id)
        has_moved = facts != (
            one.stage,
            one.decision_id,
            one.job_id,
            one.approval_id,
        )
        if has_moved and one.version == was.version:
            yield f"{told} moved without a version"
        if one.stage != was.stage and one.stage not in STAGES[was.stage]:
            yield f"{told} went from {was.stage} to {one.stage}"


def what_ran_is_measured(before: State, after: State) -> Iterator[str]:
    """Yield missions that are closed right after a job that may have run."""
    for one in after.missions.values():
        was = before.missions.get(one.id)
        if was is None or (was.stage, one.stage) != ("acting", "closed"):
            continue
        job = after.jobs.get(one.job_id)
        if job is None or job.started_at is not None:
            yield f"mission {one.id} is closed, and nobody measured what ran"


def missions_have_a_time(_before: State, after: State) -> Iterator[str]:
    """Yield missions that sleep beyond their deadline, or for ever."""
    for one in after.missions.values():
        if one.stage in OVER:
            if one.due_at is not None or one.holder:
                yield f"mission {one.id} is over and still due or held"
        elif one.due_at is None or one.due_at > max(
            one.deadline_at, one.changed_at
        ):
            yield f"mission {one.id} sleeps too long"


def approvals_are_answered_once(before: State, after: State) -> Iterator[str]:
    """Yield questions that were answered twice, or too late."""
    for one in after.approvals.values():
        was = before.approvals.get(one.id)
        state = was.state if was else "asked"
        is_taken_back = (state, one.state) == ("granted", "withdrawn")
        if state not in ("asked", one.state) and not is_taken_back:
            yield f"approval {one.id} went from {state} to {one.state}"
        if one.state == "granted" and (one.ended_at or 0) >= one.expires_at:
            yield f"approval {one.id} was granted after its end"


def one_at_a_time(_before: State, after: State) -> Iterator[str]:
    """Yield hosts with two jobs, and incidents with two missions."""
    live = [host_of(job) for job in after.jobs.values() if job.state in LIVE]
    going = [m for m in after.missions.values() if m.stage not in OVER]
    incidents = [str(m.incident_id) for m in going]
    for name, some in (("jobs on", live), ("missions of", incidents)):
        twice = {one for one in some if some.count(one) > 1}
        if twice:
            yield f"two {name} {', '.join(sorted(twice))}"
    for job in after.jobs.values():
        mission = after.missions.get(job.mission_id)
        if job.state in LIVE and (mission is None or mission.is_over):
            yield f"job {job.id} lives, and its mission is over"
    keys = [job.decision_id for job in after.jobs.values()]
    if len(keys) != len(set(keys)):
        yield "a decision has two jobs"


def fixed_is_measured(before: State, after: State) -> Iterator[str]:
    """Yield missions that are called fixed without having been measured."""
    for one in after.missions.values():
        was = before.missions.get(one.id)
        if one.end != "fixed" or (was is not None and was.end):
            continue
        job = after.jobs.get(one.job_id)
        if job is None or job.verdict != "fixed" or job.state not in ENDED:
            yield f"mission {one.id} is fixed by nothing"
        elif not has_held(job):
            yield f"job {job.id} is called fixed and was not good for long"
        elif not has_two_ends(job):
            yield f"job {job.id} is called fixed and one end was measured"
        elif job.state == JobState.ABORTED and not had_its_time(job):
            yield f"job {job.id} is called fixed and was never let help"


def host_of(one: Job | Approval) -> str:
    """Return the host that a job, or a question, is about."""
    return lead(one.target.removeprefix("host:"))


def had_its_time(job: Job) -> bool:
    """Tell whether a job ended no sooner than it should have."""
    return job.until is not None and (job.ended_at or 0) >= job.until


def has_two_ends(job: Job) -> bool:
    """Tell whether what is good after a job was seen bad before it.

    An alert was told: that it is over is the other end.
    """
    before, after = (
        msgspec.json.decode(text, type=tuple[Reading, ...])
        for text in (job.before, job.after)
    )
    bad = (Judgement.BAD, Judgement.WORSE)
    seen = {one.check for one in before if one.judgement in bad}
    return after[-1].check in {ALERT, *seen}


def has_held(job: Job) -> bool:
    """Tell whether the readings of a job show a good stretch."""
    spec = the_scene().catalogue.get(job.action)
    hold = (spec.check.hold_seconds if spec.check else 0) * SECOND
    readings = msgspec.json.decode(job.after, type=tuple[Reading, ...])
    began: int | None = None
    for one in readings:
        if one.judgement is not Judgement.GOOD or one.at < (job.ended_at or 0):
            began = None
        elif began is None:
            began = one.at
        if began is not None and one.at - began >= hold:
            return True
    return False


def is_allowed(start: Start, _state: State) -> str:
    """Return that nobody allowed it, or nothing."""
    return "" if start.ruling == "allow" else f"the ruling is {start.ruling!r}"


def is_not_halted(start: Start, state: State) -> str:
    """Return that all is halted, or nothing."""
    if state.is_halted:
        return "it starts while halted"
    return "the file says halt, or was not asked" * start.is_file_seen


def is_needed(start: Start, _state: State) -> str:
    """Return that nothing is wrong any more, or nothing."""
    if start.incident != "open":
        return f"the incident is {start.incident}"
    is_brain = start.job.proposer.startswith("brain:")
    if is_brain and start.chosen_for not in start.problems:
        return f"{start.chosen_for} is over"
    return ""


def is_touchable(start: Start, _state: State) -> str:
    """Return that its target may not be touched, or nothing."""
    host = host_of(start.job)
    if host == PROTECTED:
        return "the target is protected"
    if HOSTS.get(host) in ("lab", "hint"):
        return f"nothing runs by itself in {HOSTS[host]}"
    return ""


def is_granted(start: Start, state: State) -> str:
    """Return that a person should have granted it, or nothing."""
    job = start.job
    spec = the_scene().catalogue.get(job.action)
    is_trusted = HOSTS[host_of(job)] == "auto" and (
        spec.risk in ("observe", "reversible")
    )
    is_brain = job.proposer.startswith("brain:")
    is_unsure = start.asks or (is_brain and start.confidence is None)
    if is_trusted and not is_unsure and not job.approval_id:
        return ""
    asked = state.approvals.get(job.approval_id)
    if asked is None or asked.state != "granted":
        return "nobody granted it"
    if asked.expires_at <= start.now:
        return "its grant has expired"
    bound = (asked.decision_id, asked.arguments, host_of(asked), asked.policy)
    policy = the_scene().guard.version
    if bound != (job.decision_id, job.arguments, host_of(job), policy):
        return "the grant is for something else"
    who = {one.person for one in start.votes if one.answer == "grant"}
    who.discard(job.proposer.removeprefix("person:"))
    needed = 2 if spec.risk == "destructive" else 1
    return "" if len(who) >= needed else f"only {sorted(who)} granted it"


def is_within_budgets(start: Start, state: State) -> str:
    """Return which budget it exceeds, or nothing."""
    job, since = start.job, start.now - WINDOW
    others = [
        one
        for one in state.jobs.values()
        if one.id != job.id
        and (one.planned_at >= since or (one.started_at or 0) >= since)
        and not (one.state in NEVER_RAN and one.started_at is None)
    ]
    same = [one for one in others if one.action == job.action]
    here = [one for one in same if host_of(one) == host_of(job)]
    # What only looks has the budget of its declaration alone.
    most = 3 if job.risk == "observe" else 2
    if job.proposer != UNDO and len(here) >= most:
        return f"it ran here {len(here)} times already"
    changing = [one for one in others if one.risk != "observe"]
    if job.risk != "observe" and len(changing) >= 9:
        return f"{len(changing)} jobs ran already"
    targets = {host_of(one) for one in same if one.risk != "observe"}
    is_new = job.risk != "observe" and host_of(job) not in targets
    if is_new and len(targets) >= 3:
        return f"it touched {len(targets)} targets already"
    return ""


def is_not_what_failed(start: Start, state: State) -> str:
    """Return that a brain chose again what did not help, or nothing."""
    job = start.job
    if not job.proposer.startswith("brain:") or job.risk == "observe":
        return ""
    for one in state.jobs.values():
        # A host is all that an action has here: by whichever of its names.
        is_same = (one.action, host_of(one)) == (job.action, host_of(job))
        if one.id < job.id and is_same and one.verdict == "not_fixed":
            return f"it failed as job {one.id}"
    return ""


def is_in_its_rounds(start: Start, state: State) -> str:
    """Return that a mission has tried too often, or nothing."""
    number = start.job.mission_id
    tried = [
        one
        for one in state.jobs.values()
        if one.mission_id == number
        and one.proposer.startswith("brain:")
        and one.started_at is not None
    ]
    most = the_scene().act.rounds
    return "" if len(tried) <= most else f"it is try {len(tried)}"


Law = Callable[[State, State], Iterator[str]]
LAWS: tuple[Law, ...] = (
    jobs_move_as_they_may,
    missions_move_as_they_may,
    what_ran_is_measured,
    missions_have_a_time,
    approvals_are_answered_once,
    one_at_a_time,
    fixed_is_measured,
)
STARTS: tuple[Callable[[Start, State], str], ...] = (
    is_allowed,
    is_not_halted,
    is_needed,
    is_touchable,
    is_granted,
    is_within_budgets,
    is_not_what_failed,
    is_in_its_rounds,
)
