"""A check that had no value before an action proves nothing after it."""

import asyncio

import pytest

from app.models.action import Check as Declared
from app.models.verdict import Judgement, Reading, Subject
from tests.unit.verify.making import make_spec
from tests.unit.verify.test_checking import ENDED, FIRING, Scripted, alone

NOT_MEASURED = (
    None,
    Reading(check="scripted", at=1, says="no answer"),
    Reading(
        check="alert_is_over",
        at=1,
        value=2.0,
        unit="episodes",
        judgement=Judgement.BAD,
    ),
)


@pytest.mark.parametrize("before", NOT_MEASURED)
@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (FIRING, Judgement.BAD),
        (ENDED, Judgement.GOOD),
        (Subject(host="web-7"), Judgement.UNKNOWN),
    ],
)
def test_what_was_not_measured_before_does_not_say_that_it_helped(
    subject: Subject, expected: Judgement, before: Reading | None
) -> None:
    """A change has two ends: what is good now may have been so all along."""
    spec = make_spec(Declared(name="scripted"))
    verifier = alone(scripted=Scripted(0.5, "it runs"))
    found = asyncio.run(verifier.follow(spec, subject, before))
    assert (found.check, found.judgement) == ("alert_is_over", expected)
    assert "(scripted was not measured before: it runs)" in found.says


def test_what_is_bad_needs_no_reading_before() -> None:
    """The check itself says that it did not help, and of what it is bad."""
    spec = make_spec(Declared(name="scripted"))
    verifier = alone(scripted=Scripted(5.0, "it is down"))
    for before in NOT_MEASURED[::2]:
        found = asyncio.run(verifier.follow(spec, ENDED, before))
        assert (found.check, found.judgement) == ("scripted", Judgement.BAD)
        assert found.says == "it is down"


def test_the_alert_is_held_against_what_was_read_of_it_before() -> None:
    """It got worse, though the check is good: two ends of one measure."""
    spec = make_spec(Declared(name="scripted"))
    verifier = alone(scripted=Scripted(0.5, "it runs"))
    before = NOT_MEASURED[2]
    grown = Subject(host="web-7", firing=4)
    found = asyncio.run(verifier.follow(spec, grown, before))
    assert (found.check, found.judgement) == ("alert_is_over", Judgement.WORSE)
