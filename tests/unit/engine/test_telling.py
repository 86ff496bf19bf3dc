"""People are told what the log says, once, with all that they need."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.engine import factfinding, telling
from app.engine.factfinding import is_web
from app.engine.stopping import Stop
from app.models.approval import Answer
from app.models.evidence import Evidence
from app.models.tables import EntryRow
from app.report.routing import plan
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from app.store.marks import get_mark
from tests.unit.engine.office import Office
from tests.unit.engine.theatre import ASKS
from tests.unit.fold.room import SECOND

Open = Callable[..., Office]
EVIDENCE = str(
    Evidence(
        topic="disk",
        host="web-01",
        at="now",
        stands_out=("/var is 97 % full, 40 % last week",),
    )
)


@pytest.fixture
def opened(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Open]:
    """Return how an office is opened on each database."""
    ledgers: list[Ledger] = []

    def make(**more: Any) -> Office:
        """Open one."""
        ledgers.append(Ledger(location, 2.0))
        return Office(inbox, ledgers[-1], tmp_path, **more)

    yield make
    for ledger in ledgers:
        ledger.close()


def test_an_incident_that_people_get_is_told_with_all_there_is(
    opened: Open,
) -> None:
    """What was tried, why, what was ruled, measured and found."""
    office = opened()
    number = office.fire("web-01")
    office.decide(number, "mend")
    office.go()
    office.robot.end_all()
    office.play(100)
    office.decide(number, "other")
    office.go()
    office.robot.end_all()
    assert office.play(100).stage == "escalated"
    kinds = office.report()
    assert kinds == ["acted", "acted", "escalated"]
    facts = office.facts()
    assert facts.call == "other(host=web-01)"
    assert facts.title == "DiskFull on web-01"
    assert (facts.why, facts.brain, facts.confidence) == (
        "It helps.",
        "fake",
        0.9,
    )
    assert facts.ruling.startswith("allow by ")
    assert facts.verdict == "not_fixed"
    assert facts.before == ("health: 0 (should be at most 1)",)
    assert facts.after
    assert facts.incident == number
    page, data = facts.links[:2]
    assert page[0] == "console"
    assert page[1].endswith(f"/console/incidents/{number}")
    assert data[0] == "api"
    assert data[1].endswith(f"/api/v1/incidents/{number}")
    assert (facts.severity, facts.source) == ("warning", "alertmanager")


def test_what_is_told_once_is_not_told_again(opened: Open) -> None:
    """However often the teller looks, and whoever else tells."""
    office = opened()
    number = office.escalate()
    assert office.report() == office.report() == ["escalated"]
    other = opened()
    assert other.report() == ["escalated"]
    assert len(other.ways()) == 2
    mark = office.turn(lambda c: get_mark(c, "told"))
    assert mark == office.rows(EntryRow)[-1].id
    message = office.messages()[0]
    assert message.incident_id == number
    entry = next(
        row
        for row in office.rows(EntryRow)
        if row.kind == "incident.escalated"
    )
    assert (message.entry_id, message.at) == (entry.id, entry.at)


def test_what_fixed_itself_is_told_by_its_end(opened: Open) -> None:
    """An incident that an action fixed is another thing than one closed."""
    office = opened()
    number = office.fire("web-01")
    office.decide(number, "mend")
    office.go()
    office.robot.end_all()
    office.health.value = 1.0
    office.play(60)
    assert office.report() == ["acted", "fixed"]
    facts = office.facts()
    assert facts.verdict == "fixed"
    assert facts.before[0] != facts.after[-1]
    assert facts.happened.startswith("fixed: ")
    number = office.fire("db-01")
    office.decide(number, "no_action")
    office.go()
    assert office.report() == ["acted", "fixed", "closed"]


def test_a_question_says_how_it_is_answered(opened: Open) -> None:
    """Its number and its end are with it."""
    office = opened(policy=ASKS)
    number = office.fire("web-01")
    office.decide(number, "mend")
    office.go()
    assert office.report() == ["asked"]
    asked, facts = office.asked(), office.facts()
    assert (facts.approval, facts.expires_at) == (asked.id, asked.expires_at)
    assert facts.ruling.startswith("ask by ")
    office.answer(Answer.REFUSE)
    assert office.report() == ["asked", "escalated"]
    assert office.facts().approval == 0


def test_what_is_suggested_goes_with_the_incident(opened: Open) -> None:
    """People who get it get the question, too, and are told once."""
    office = opened(policy=ASKS.replace("approve", "suggest"))
    number = office.fire("web-01")
    office.decide(number, "mend")
    office.go()
    assert office.report() == ["escalated"]
    assert office.facts().approval == office.asked().id


def test_a_halt_and_its_end_are_told(opened: Open) -> None:
    """They are about no incident, and both are news."""
    office = opened()
    stop = Stop(author="ana", reason="wrong hosts")
    office.turn(lambda c: office.stopping.halt(c, stop))
    office.turn(lambda c: office.stopping.resume(c, stop))
    assert office.report() == ["halted", "halted"]
    assert "wrong hosts" in office.facts().happened
    assert office.messages()[0].incident_id == 0
    assert office.states() == ["waiting"] * 4


def test_evidence_goes_with_what_is_escalated_later(opened: Open) -> None:
    """What was collected before goes with it, and is no news by itself."""
    office = opened()
    number = office.fire("web-01")
    office.collect(number, EVIDENCE)
    kinds = office.report()
    assert kinds == ["acted", "escalated"]
    assert office.facts().evidence == ("/var is 97 % full, 40 % last week",)


def test_evidence_of_what_people_have_is_news(opened: Open) -> None:
    """It comes after the hand-over, as a message of its own."""
    office = opened()
    number = office.escalate()
    office.collect(number, EVIDENCE)
    kinds = office.report()
    assert kinds == ["escalated", "evidence"]
    facts = office.facts()
    assert facts.evidence == ("/var is 97 % full, 40 % last week",)


def test_labels_are_what_routes_match_on(opened: Open) -> None:
    """Those of the alert, and ours, which no alert can take."""
    office = opened()
    office.hear(
        "alertmanager",
        labels={"instance": "web-01", "tier": "gold", "team": "evil"},
    )
    office.decide(1, "escalate")
    office.go()
    office.report()
    labels = office.labels()
    assert labels["tier"] == "gold"
    assert labels["team"] == "shop"
    assert (labels["kind"], labels["target"]) == ("escalated", "web-01")
    assert labels["action"] == "escalate"


def test_a_canary_is_never_told_outward(opened: Open) -> None:
    """What comes of it stays in the log."""
    office = opened()
    office.hear("canary")
    office.decide(1, "escalate")
    office.go()
    assert office.report() == []
    assert office.ways() == []


def test_only_addresses_of_the_web_are_links(opened: Open) -> None:
    """What a stranger wrote is shown when it leads to a page."""
    office = opened()
    office.hear(
        "alertmanager",
        annotations={"runbook_url": "https://wiki.example.com/disk"},
        url="javascript:alert(1)",
    )
    office.decide(1, "escalate")
    office.go()
    office.report()
    links = dict(office.facts().links)
    assert links["runbook"] == "https://wiki.example.com/disk"
    assert "source" not in links


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("https://a.example/x?y=1", True),
        ("http://a", True),
        ("ftp://a", False),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("https://a b", False),
        ("https://a\x1b[0m", False),
        ("https://[::1", False),
        ("https://a/" + "x" * 3_000, False),
        ("", False),
    ],
)
def test_what_is_an_address(address: str, is_one: bool) -> None:
    """Schemes that run something, and signs that hide, are none."""
    assert is_web(address) is is_one


def test_the_runbook_that_fits_goes_with_it(
    opened: Open, tmp_path: Path
) -> None:
    """Its beginning, by the labels of the alert."""
    text = '---\nmatchers: [instance="web-01"]\n---\nLook at /var first.\n'
    (tmp_path / "disk.md").write_text(text)
    office = opened()
    office.escalate()
    office.report()
    assert office.facts().runbook == "disk: Look at /var first."


def test_without_channels_nothing_waits(opened: Open) -> None:
    """The log and the message are there, and that is all."""
    office = opened(channels=())
    office.escalate()
    assert office.report() == ["escalated"]
    assert office.ways() == []


def test_routes_say_who_is_told(opened: Open) -> None:
    """By labels, one dispatch for each channel and level."""
    levels = [
        {"channels": ["ops"]},
        {"channels": ["mail"], "after_seconds": 900},
    ]
    office = opened(
        report={"routes": [{"matchers": ['team="shop"'], "levels": levels}]}
    )
    office.escalate()
    office.report()
    first, second = office.ways()
    assert (first.channel, first.level, first.state) == ("ops", 1, "waiting")
    assert (second.channel, second.level) == ("mail", 2)
    assert second.due_at == office.clock.now() + 900 * SECOND


def test_the_same_is_not_told_twice_within_a_while(opened: Open) -> None:
    """A second hand-over of one incident is a repetition, and is kept."""
    office = opened(channels=("ops",))
    number = office.escalate()
    office.report()
    office.note("incident.escalated", number, body={"mission": 1})
    office.report()
    assert office.states() == ["waiting", "repeated"]
    office.clock.advance(400)
    office.note("incident.escalated", number, body={"mission": 1})
    office.report()
    assert office.states() == ["waiting", "repeated", "waiting"]


def test_a_storm_is_gathered(opened: Open) -> None:
    """So many go by themselves; all others go as one."""
    office = opened(channels=("ops",), report={"digest": {"most": 4}})
    for number in range(1, 31):
        office.note("incident.escalated", number, body={})
    assert len(office.report()) == 30
    states = office.states()
    assert states.count("waiting") == 3
    assert states.count("gathering") == 27
    assert len({one.due_at for one in office.ways(state="gathering")}) == 1


def test_a_bug_in_the_details_costs_the_details_only(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what the entry says, and is sent."""
    office = opened(channels=("ops",))
    office.escalate()

    def crash(*_: object) -> None:
        """Meet a bug."""
        raise KeyError("x")

    monkeypatch.setattr(factfinding, "find_lead", crash)
    assert office.report() == ["escalated"]
    assert office.states() == ["waiting"]
    assert office.facts().happened.startswith("escalated")


def test_a_bug_with_one_entry_costs_that_one_alone(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes after it is told, and the mark goes on."""
    office = opened()
    broken = [True]

    def crash(*given: Any) -> Any:
        """Fail once, as a bug would."""
        if broken:
            raise KeyError(broken.pop())
        return plan(*given)

    monkeypatch.setattr(telling, "plan", crash)
    for host in ("web-01", "web-02"):
        office.decide(office.fire(host), "escalate")
        office.go()
    assert office.report() == ["escalated"]
    assert office.facts().title.endswith("on web-02")
    office.turn(office.teller.tell)
    assert office.turn(lambda c: get_mark(c, telling.TOLD)) > 0


def test_what_is_gone_by_age_is_told_as_far_as_it_is_known(
    opened: Open,
) -> None:
    """An entry about an incident that is not there any more."""
    office = opened(channels=("ops",))
    office.note(
        "incident.escalated",
        77,
        target="web-99",
        severity="high",
        summary="escalated: nobody knows why",
        body={"mission": 5, "decision": 6, "job": 7},
    )
    assert office.report() == ["escalated"]
    facts = office.facts()
    assert facts.happened == "escalated: nobody knows why"
    assert (facts.severity, facts.incident) == ("high", 77)
    assert office.labels()["severity"] == "high"


def test_a_problem_that_went_away_is_told_as_closed(opened: Open) -> None:
    """Nobody needs to get up for it."""
    office = opened()
    number = office.fire("web-01")
    office.decide(number, "mend")
    office.end("web-01")
    office.note("mission.closed", number, body={"end": "resolved"})
    assert office.report()[-1] == "closed"
    assert office.ways() == []
