"""What a hostile review found of acting, and must not come back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import NotAccepted, OutgoingFailed, Refused
from app.models.approval import Answer
from app.models.inventory import Thing
from app.models.job import JobState
from app.models.mission_tables import JobRow, MissionRow
from app.models.ruling import Runs, Scope
from app.store.inbox import SqlInbox
from app.store.jobs import StoreTally
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.engine.theatre import ASKS, POLICY, Theatre
from tests.unit.fold.room import SECOND

WEB = Thing(kind="host", name="web-1", aliases=("10.0.0.5", "web-one"))
GUARDED = f"{POLICY}\nprotected: {{targets: [web-1]}}"
TWO = ASKS + "\nask: {people: 2}"
NORTH = POLICY.replace(
    "[]",
    """
  - name: north
    reason: The north needs two of us.
    when: alert.labels.zone == 'north'
    outcome: ask
    whom: [ana, bo]
    people: 2
""",
    1,
)


@pytest.fixture
def open_theatre(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator["Opener"]:
    """Return who opens a theatre with a policy."""
    opener = Opener(location, inbox, tmp_path)
    yield opener
    opener.ledger.close()


class Opener:
    """Opens a theatre with a policy."""

    def __init__(
        self, location: Location, inbox: SqlInbox, folder: Path
    ) -> None:
        """Take where it stands."""
        self.ledger = Ledger(location, 2.0)
        self._inbox = inbox
        self._folder = folder

    def __call__(self, policy: str = POLICY) -> Theatre:
        """Return a theatre with a policy."""
        return Theatre(self._inbox, self.ledger, self._folder, policy)


def test_no_name_of_a_host_goes_around_what_protects_it(
    open_theatre: Opener,
) -> None:
    """The inventory knows that they are one."""
    theatre = open_theatre(GUARDED)
    theatre.things = (WEB,)
    number = theatre.fire("10.0.0.5")
    theatre.decide(number, "mend", host="10.0.0.5")
    assert theatre.go().stage == "escalated"
    assert "protected" in theatre.mission().reason
    assert not theatre.robot.starts


def test_all_names_of_a_host_share_one_lock(open_theatre: Opener) -> None:
    """Two alerts call it by two names: one job at a time."""
    theatre = open_theatre()
    theatre.things = (WEB,)
    for name in WEB.aliases:
        number = theatre.fire(name)
        theatre.decide(number, "mend", host=name)
    theatre.play(20)
    assert len(theatre.robot.starts) == 1
    assert theatre.job().target == "host:web-1"


def test_a_job_that_nobody_can_follow_does_not_last_for_ever(
    open_theatre: Opener,
) -> None:
    """A bug of a backend is no reason to hold a target."""
    theatre = open_theatre()
    theatre.decide(theatre.fire("web-01"), "mend")
    theatre.go()
    theatre.robot.running.clear()  # its watch raises KeyError from now on
    for _ in range(400):
        theatre.clock.advance(10)
        try:
            theatre.go()
        except KeyError:
            continue
    assert theatre.mission().stage == "escalated"
    assert not theatre.job().is_live


def test_a_late_grant_leaves_a_job_its_whole_time(
    open_theatre: Opener,
) -> None:
    """Or it does not start at all."""
    theatre = open_theatre(
        ASKS + "\nask: {for: 2h}\nevidence: {decided: 2h, granted: 2h}"
    )
    theatre.decide(theatre.fire("web-01"), "mend")
    theatre.go()
    assert theatre.asked().expires_at == theatre.mission().deadline_at
    theatre.clock.advance(3_590)
    theatre.answer(Answer.GRANT)
    theatre.go()
    job = theatre.job()
    assert job.started_at is not None
    assert job.until == job.started_at + 60_000_000
    assert theatre.mission().deadline_at > job.until


def test_what_is_idempotent_is_not_sent_again_for_ever(
    open_theatre: Opener,
) -> None:
    """A few tries, then nobody knows."""
    theatre = open_theatre()
    theatre.robot.loses_answer = True
    theatre.robot.finds = False
    theatre.decide(theatre.fire("web-01"), "touch")
    theatre.play(120)
    assert theatre.job().state == "unknown"
    assert sum(theatre.robot.starts.values()) <= 4


def test_what_is_sent_again_later_spares_the_same(
    open_theatre: Opener,
) -> None:
    """Each try says what the policy protects."""
    policy = f"{POLICY}\nprotected: {{processes: [postgres]}}"
    theatre = open_theatre(policy)
    theatre.robot.loses_answer = True
    theatre.robot.is_away = True
    theatre.decide(theatre.fire("web-01"), "touch")
    theatre.go()
    theatre.robot.is_away = False
    theatre.robot.finds = False
    theatre.play(20)
    first, *more = theatre.robot.orders
    assert more
    assert "postgres" in first.bounds.processes
    assert {one.bounds for one in more} == {first.bounds}


def test_what_may_still_run_keeps_its_target(open_theatre: Opener) -> None:
    """As long as it was given; then the next one may."""
    theatre = open_theatre()
    theatre.robot.loses_answer = True
    theatre.robot.finds = False
    theatre.decide(theatre.fire("web-01"), "mend")
    theatre.go()
    assert theatre.job().state == "unknown"
    theatre.robot.loses_answer = False
    theatre.propose(theatre.fire("web-02"), "other", "web-01")
    theatre.play(30)
    assert len(theatre.rows(JobRow)) == 1
    theatre.play(60)
    assert theatre.job().action == "other"


def test_a_failed_job_that_did_harm_is_taken_back(
    open_theatre: Opener,
) -> None:
    """It is measured like any other, and not for long."""
    theatre = open_theatre()
    theatre.health.value = 0.5
    theatre.decide(theatre.fire("web-01"), "mend")
    theatre.go()
    theatre.robot.end_all(JobState.FAILED)
    theatre.health.value = 0.1
    theatre.play(30)
    assert theatre.job().action == "unmend"


def test_a_failed_job_without_harm_has_another_round(
    open_theatre: Opener,
) -> None:
    """It did not help: that is remembered."""
    theatre = open_theatre()
    theatre.decide(theatre.fire("web-01"), "mend")
    theatre.go()
    theatre.robot.end_all(JobState.FAILED)
    assert theatre.play(30).stage == "deciding"
    assert theatre.job().verdict == "not_fixed"


def test_what_nobody_finished_measuring_is_unknown(
    open_theatre: Opener,
) -> None:
    """On the job and on the decision, when its time is over."""
    theatre = open_theatre()
    theatre.decide(theatre.fire("web-01"), "mend")
    theatre.go()
    theatre.robot.end_all()
    theatre.play(5)
    theatre.clock.advance(90_000)
    assert theatre.go().stage == "escalated"
    assert theatre.job().verdict == "unknown"


def test_a_merged_incident_is_not_over(open_theatre: Opener) -> None:
    """The running job is told nothing while its heir fires."""
    theatre = open_theatre()
    number = theatre.fire("web-01")
    theatre.decide(number, "mend")
    theatre.go()
    theatre.merge(number, theatre.fire("web-02"))
    theatre.play(10)
    assert not theatre.robot.heard
    theatre.end("web-01")
    theatre.end("web-02")
    theatre.play(10)
    assert theatre.robot.heard


def test_an_old_grant_moves_nothing_else(open_theatre: Opener) -> None:
    """Its mission waits for another question by now."""
    theatre = open_theatre(ASKS)
    number = theatre.fire("web-01")
    theatre.decide(number, "mend")
    theatre.go()
    theatre.answer(Answer.GRANT)
    old = theatre.asked()
    theatre.propose(number, "other", "web-01")
    theatre.go()
    assert theatre.mission().approval_id != old.id
    with pytest.raises(Refused, match="Nothing rests on"):
        theatre.answer_to(old.id, Answer.WITHDRAW)
    assert theatre.mission().stage == "awaiting_approval"


def test_two_spellings_are_one_person(open_theatre: Opener) -> None:
    """Of those who grant, and of who proposed."""
    theatre = open_theatre(TWO)
    theatre.propose(theatre.fire("web-01"), "mend", "web-01")
    theatre.go()
    with pytest.raises(Refused, match="proposed it"):
        theatre.answer(Answer.GRANT, "Ana")
    theatre.answer(Answer.GRANT, "Bo")
    theatre.answer(Answer.GRANT, "BO")
    assert theatre.asked().state == "asked"
    theatre.answer(Answer.GRANT, "cleo")
    assert theatre.asked().state == "granted"


def test_an_edit_takes_no_round(open_theatre: Opener) -> None:
    """Nothing has run yet."""
    theatre = open_theatre(ASKS)
    theatre.decide(theatre.fire("web-01"), "mend")
    theatre.go()
    theatre.answer(Answer.EDIT, host="web-02")
    assert theatre.mission().round == 1
    assert len(theatre.rows(MissionRow)) == 1


def test_a_halt_right_before_the_send_counts(open_theatre: Opener) -> None:
    """Though the start is on disk already."""
    theatre = open_theatre()
    theatre.decide(theatre.fire("web-01"), "mend")
    sending = theatre.advancer._sending
    send = sending.send

    async def halt_and_send(*order: object) -> object:
        """Halt between the commit and the call."""
        theatre.halting.file.write_text("now")
        return await send(*order)  # type: ignore[arg-type] # passed on

    vars(sending)["send"] = halt_and_send
    theatre.go()
    assert not theatre.robot.starts
    assert theatre.mission().stage == "escalated"


def test_what_is_found_late_is_followed(open_theatre: Opener) -> None:
    """Its time was over before the backend could be asked; it ran."""
    theatre = open_theatre()
    theatre.robot.failures = [KeyboardInterrupt()]
    theatre.decide(theatre.fire("web-01"), "mend")
    with pytest.raises(KeyboardInterrupt):
        theatre.go()
    key = theatre.job().key
    theatre.robot.end(key)
    theatre.clock.advance(100)
    theatre.health.value = 1.0
    assert theatre.play(60).end == "fixed"


def test_what_cannot_be_asked_in_time_is_unknown(
    open_theatre: Opener,
) -> None:
    """A backend that is away for longer than a job may take."""
    theatre = open_theatre()
    theatre.robot.loses_answer = True
    theatre.robot.is_away = True
    theatre.decide(theatre.fire("web-01"), "mend")
    theatre.play(120)
    assert theatre.mission().stage == "escalated"
    assert theatre.job().state == "unknown"
    assert list(theatre.robot.starts.values()) == [1]


def test_a_reference_is_part_of_an_answer(open_theatre: Opener) -> None:
    """Who runs a job and cannot say where is asked by the key."""
    theatre = open_theatre()
    theatre.robot.nameless = True
    theatre.decide(theatre.fire("web-01"), "mend")
    theatre.go()
    theatre.play(10)
    assert list(theatre.robot.starts.values()) == [1]
    assert theatre.job().state == "started"
    assert theatre.job().reference == theatre.job().key


def test_a_lost_watch_is_asked_again(open_theatre: Opener) -> None:
    """A job is not given up because one question got no answer."""
    theatre = open_theatre()
    theatre.decide(theatre.fire("web-01"), "mend")
    theatre.go()
    theatre.robot.failures = [OutgoingFailed("reset")]
    theatre.play(5)
    theatre.robot.end_all()
    theatre.health.value = 1.0
    assert theatre.play(60).end == "fixed"


def test_a_backend_that_is_down_spends_no_budget(theatre: Theatre) -> None:
    """What certainly never ran says nothing about what it would have done."""
    for number in range(3):
        theatre.robot.failures = [NotAccepted("refused", may_retry=True)] * 3
        host = f"web-{number}"
        theatre.decide(theatre.fire(host), "mend", host=host)
        assert theatre.go().stage == "escalated"
        assert theatre.job().state == "failed"
        assert theatre.job().started_at is None
    since = theatre.clock.now() - 3_600 * SECOND
    scope = Scope(since=since, risks=("reversible",))
    runs = theatre.turn(lambda c: StoreTally(c).count(scope))
    assert runs == Runs()


def test_a_job_that_ran_and_failed_counts(theatre: Theatre) -> None:
    """Else nothing would ever stop what does harm."""
    theatre.decide(theatre.fire("web-01"), "mend")
    theatre.go()
    theatre.robot.end_all(JobState.FAILED)
    theatre.play(5)
    since = theatre.clock.now() - 3_600 * SECOND
    scope = Scope(since=since, risks=("reversible",))
    runs = theatre.turn(lambda c: StoreTally(c).count(scope))
    assert (runs.started, runs.failed) == (1, 1)
    assert theatre.job().started_at is not None


def test_a_missing_label_makes_no_question_easier(
    open_theatre: Opener,
) -> None:
    """A rule that cannot be told is granted by those whom it names."""
    theatre = open_theatre(NORTH)
    theatre.decide(theatre.fire("web-01"), "mend")
    assert theatre.go().stage == "awaiting_approval"
    with pytest.raises(Refused, match="not asked here"):
        theatre.answer(Answer.GRANT, "mallory")
    theatre.answer(Answer.GRANT, "ana")
    theatre.go()
    assert not theatre.robot.starts
    theatre.answer(Answer.GRANT, "bo")
    theatre.go()
    assert list(theatre.robot.starts.values()) == [1]
