"""What holds of the join whatever happened: nothing is counted twice."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.joining import Joining, Limits
from simulator.naming import Naming, name_of
from simulator.records import Fact, Story
from simulator.results import Outcome
from simulator.score import score
from tests.unit.simulator.telling import Told, at, fact

TARGETS = (
    {"host": "a", "process": "x"},
    {"host": "a", "process": "y"},
    {"host": "b", "process": "x"},
    {"host": "b", "service": "shop"},
)
LABELS = (*TARGETS, {"host": "a"}, {"host": "b"}, {"host": "c"})
ACTIONS = ("kill_process", "restart_service", "collect_diagnostics")
seconds = st.integers(0, 300)


@st.composite
def facts(draw: st.DrawFn) -> list[Fact]:
    """Return some faults."""
    found = []
    for number in range(draw(st.integers(1, 4))):
        began = draw(seconds)
        lasted = draw(st.none() | st.integers(1, 90))
        found.append(
            fact(
                began,
                None if lasted is None else began + lasted,
                id=str(number),
                target=draw(st.sampled_from(TARGETS)),
                expects=(draw(st.sampled_from((*ACTIONS, "no_action"))),),
                ended_by=(
                    ""
                    if lasted is None
                    else draw(st.sampled_from(("time", "remedy", "crash")))
                ),
            )
        )
    return found


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Return what a service may have done."""
    told = Told()
    for _ in range(draw(st.integers(0, 6))):
        told.alert(
            draw(seconds),
            draw(st.none() | st.integers(1, 3)),
            labels=draw(st.sampled_from(LABELS)),
            fingerprint=draw(st.sampled_from("fgh")),
            status=draw(st.sampled_from(("firing", "resolved"))),
        )
    for _ in range(draw(st.integers(0, 4))):
        action = draw(st.sampled_from(ACTIONS))
        incident = draw(st.integers(1, 4))
        arguments = draw(st.sampled_from(TARGETS))
        moment = draw(seconds)
        told.decide(moment, action, incident, arguments=arguments)
        told.run(moment + 1, action, incident, arguments=arguments)
        if draw(st.booleans()):
            told.give(moment + 9, draw(st.sampled_from(("fixed", "unknown"))))
    return told.story


few = settings(max_examples=25, deadline=None)


@few
@given(facts(), stories())
def test_nothing_belongs_to_two_faults(some: list[Fact], story: Story) -> None:
    """Every alert, decision and job is of one fault at most."""
    joined = Joining(some, story, Limits()).join()
    for name in ("alerts", "decisions", "jobs"):
        ids = [
            one.id for owned in joined.owned for one in getattr(owned, name)
        ]
        assert len(ids) == len(set(ids))
    owned_jobs = sum(len(owned.jobs) for owned in joined.owned)
    assert owned_jobs + len(joined.strays) == len(story.jobs)


@few
@given(facts(), stories())
def test_an_alert_is_only_of_a_fault_that_it_names(
    some: list[Fact], story: Story
) -> None:
    """In its time, and by its labels."""
    joined = Joining(some, story, Limits()).join()
    for owned in joined.owned:
        for alert in owned.alerts:
            assert alert.status == "firing"
            assert name_of(alert.labels, owned.fact.target) is not Naming.NOT
            limits = Limits()
            assert owned.fact.covers(alert.at, limits.early, limits.grace)


@few
@given(facts(), stories())
def test_no_success_without_its_proof(some: list[Fact], story: Story) -> None:
    """Fixed: a verdict says so, and by then another's hand had ended it."""
    for one in score(some, story, at(900)).results:
        if one.is_fixed:
            assert one.ended_by == "remedy"
            assert one.alert
            assert one.ended_seconds is not None
            assert one.fixed_seconds is not None
            assert one.fixed_seconds + 10 >= one.ended_seconds
        if one.outcome is Outcome.FIXED:
            assert one.is_fixed
            assert not one.wrong_actions
            assert not one.is_false_fixed
        if one.outcome is Outcome.LEFT_ALONE:
            assert one.is_passive
            assert not one.wrong_actions


@few
@given(facts(), stories(), st.integers(0, 200))
def test_a_wider_grace_loses_no_detection(
    some: list[Fact], story: Story, more: int
) -> None:
    """What was told of in time is told of in a longer time, too."""
    wide = Limits(grace=timedelta(seconds=60 + more))
    narrow = score(some[:1], story, at(900))
    wider = score(some[:1], story, at(900), wide)
    if narrow.results[0].alert:
        assert wider.results[0].detected_seconds == (
            narrow.results[0].detected_seconds
        )
