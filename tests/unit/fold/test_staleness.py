"""What nobody speaks of any more is stale, and goes on when it is heard."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, text

from app.fold.folding import Folder
from app.fold.rules import FoldSettings, SourceFoldSettings, make_rules
from app.models.alert import Alert, Status
from app.models.tables import EntryRow, EpisodeRow, IncidentRow
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from app.store.stale import touch
from tests.fakes import FakeClock, make_alert, make_filing

SECOND = 1_000_000
STALE = 1_200
STEP = 240  # shorter than what counts as having been away
SETTINGS = FoldSettings(
    stale_seconds=STALE,
    sources={"patient": SourceFoldSettings(stale_seconds=0)},
)


class Watch:
    """A database that is told alerts, folded as time passes."""

    def __init__(self, inbox: SqlInbox, ledger: Ledger) -> None:
        self.clock = FakeClock()
        self.inbox = inbox
        self.ledger = ledger
        self.rules = make_rules(SETTINGS, tells_once=["once"])
        self.folder = Folder(self.rules, self.clock)

    def say(self, alert: Alert, source: str = "alertmanager") -> None:
        """Let a source say something, and fold it."""
        body = f"{alert.fingerprint} {alert.status} {alert.occurrence}"
        self.inbox.write(
            [
                make_filing(
                    alert,
                    body=body.encode(),
                    source=source,
                    received_at=self.clock.now(),
                )
            ]
        )
        self.fold()

    def fire(self, source: str = "alertmanager", name: str = "f1") -> Alert:
        """Let an alert fire that began a moment ago; return it."""
        begins = self.clock.now() - SECOND
        alert = make_alert(
            name,
            occurrence=str(begins),
            starts_at=begins,
            labels={"instance": f"{source}-{name}"},
        )
        self.say(alert, source)
        return alert

    def fold(self) -> int | None:
        """Fold once; return when it is due again."""
        with self.ledger.turn() as turn:
            return self.folder.fold(turn).next_due

    def wait(self, seconds: int) -> None:
        """Let time pass with the service running."""
        while seconds > 0:
            self.clock.advance(min(STEP, seconds))
            self.fold()
            seconds -= STEP

    def rows(self, table: Any) -> list[Any]:
        """Return the rows of a table by id."""
        with self.ledger.turn() as turn:
            query = select(table.__table__).order_by(table.id)
            return list(turn.execute(query))

    def log(self) -> list[str]:
        """Return the kinds of what the log says, oldest first."""
        return [row.kind for row in self.rows(EntryRow)]

    @property
    def state(self) -> str:
        """Return the state of the only incident."""
        (incident,) = self.rows(IncidentRow)
        state: str = incident.state
        return state


@pytest.fixture
def watch(location: Location, inbox: SqlInbox) -> Iterator[Watch]:
    """Return a database of each kind with its folding."""
    ledger = Ledger(location, 2.0)
    yield Watch(inbox, ledger)
    ledger.close()


def test_silence_ends_an_episode_as_stale(watch: Watch) -> None:
    """It resolves when it is silent for too long, and says how it ended."""
    watch.fire()
    watch.wait(STALE - STEP)
    assert watch.state == "open"
    watch.wait(2 * STEP)
    (episode,) = watch.rows(EpisodeRow)
    (incident,) = watch.rows(IncidentRow)
    assert episode.ended == "stale"
    assert episode.until <= watch.clock.now()
    assert incident.state == "resolved"
    assert "nobody said it was over" in incident.reason
    ended = [r for r in watch.rows(EntryRow) if r.kind == "episode.ended"]
    assert [row.actor for row in ended] == ["rule:staleness"]
    assert "nobody said it was over" in ended[0].summary
    assert '"ended":"stale"' in ended[0].body
    assert watch.log()[-1] == "incident.resolved"
    assert "nobody said" in watch.rows(EntryRow)[-1].summary


def test_a_repeat_is_a_word(watch: Watch) -> None:
    """What is repeated, though it makes no new alert, goes on."""
    alert = watch.fire()
    for _ in range(5):
        watch.wait(STALE - STEP)
        watch.say(alert)
    watch.wait(STALE - STEP)
    assert watch.state == "open"
    assert len(watch.rows(EpisodeRow)) == 1
    watch.wait(2 * STEP)
    assert watch.state == "resolved"


def test_what_a_poll_confirmed_is_not_stale(watch: Watch) -> None:
    """Who finds an episode in the source's own list touches it."""
    watch.fire()
    watch.wait(STALE - STEP)
    with watch.ledger.turn() as turn:
        touch(turn, [(1, watch.clock.now())])
    watch.wait(STALE - STEP)
    assert watch.state == "open"
    watch.wait(2 * STEP)
    assert watch.state == "resolved"


def test_a_stale_one_that_is_repeated_goes_on(watch: Watch) -> None:
    """The same alert again reopens the incident, and the log says so."""
    alert = watch.fire()
    watch.wait(STALE + STEP)
    assert watch.state == "resolved"
    watch.wait(STEP)
    watch.say(alert)
    watch.wait(STEP)
    (episode,) = watch.rows(EpisodeRow)
    assert episode.ended == ""
    assert watch.state == "open"
    assert watch.log()[-2:] == ["episode.resumed", "incident.reopened"]
    watch.wait(STALE + STEP)
    assert watch.state == "resolved"
    watch.say(alert)
    watch.wait(STEP)
    assert watch.state == "open"


def test_a_stale_one_that_fires_anew_is_the_same_incident(
    watch: Watch,
) -> None:
    """With a new beginning it is a second episode of the incident."""
    watch.fire()
    watch.wait(STALE + STEP)
    watch.wait(STEP)
    watch.fire()
    first, second = watch.rows(EpisodeRow)
    assert first.incident_id == second.incident_id
    assert (first.ended, second.ended) == ("began again", "")
    assert watch.state == "open"
    (incident,) = watch.rows(IncidentRow)
    assert incident.reason == ""


def test_the_end_of_a_stale_one_may_still_come(watch: Watch) -> None:
    """A late word is better than none: it was resolved after all."""
    alert = watch.fire()
    watch.wait(STALE + STEP)
    over = make_alert(
        "f1",
        occurrence=alert.occurrence,
        status=Status.RESOLVED,
        starts_at=alert.starts_at,
        ends_at=watch.clock.now(),
        labels=alert.labels,
    )
    watch.say(over)
    (episode,) = watch.rows(EpisodeRow)
    (incident,) = watch.rows(IncidentRow)
    assert episode.ended == "resolved"
    assert (incident.state, incident.reason) == ("resolved", "")
    ended = [r for r in watch.rows(EntryRow) if r.kind == "episode.ended"]
    assert [row.actor for row in ended] == [
        "rule:staleness",
        "source:alertmanager",
    ]


@pytest.mark.parametrize("source", ["patient", "once"])
def test_a_source_may_be_silent_for_ever(watch: Watch, source: str) -> None:
    """Zero means never, and so does a source that says a thing once."""
    watch.fire(source)
    watch.fire("alertmanager", "f2")
    watch.wait(5 * STALE)
    ended = {row.source: row.ended for row in watch.rows(EpisodeRow)}
    assert ended == {source: "", "alertmanager": "stale"}


def test_what_is_set_for_a_source_counts_for_it() -> None:
    """A source that says a thing once gets stale where it is so set."""
    own = {"zabbix": SourceFoldSettings(stale_seconds=60)}
    settings = FoldSettings(sources=own)
    rules = make_rules(settings, tells_once=["zabbix", "cloud"])
    assert rules.naming_of("zabbix").stale == 60 * SECOND
    assert rules.naming_of("cloud").stale == 0
    assert rules.naming_of("alertmanager").stale == 86_400 * SECOND


def test_a_time_when_we_were_away_is_no_silence(watch: Watch) -> None:
    """After a pause of ours everybody gets the whole time once more."""
    watch.fire()
    watch.clock.advance(10 * STALE)
    watch.folder = Folder(watch.rules, watch.clock)
    watch.fold()
    watch.wait(STALE - STEP)
    assert watch.state == "open"
    watch.wait(2 * STEP)
    assert watch.state == "resolved"


def test_a_quick_restart_changes_nothing(watch: Watch) -> None:
    """Who is away for a moment counts on from where it was."""
    watch.fire()
    watch.wait(STALE - STEP)
    watch.folder = Folder(watch.rules, watch.clock)
    watch.wait(2 * STEP)
    assert watch.state == "resolved"


def test_a_turn_is_due_for_the_next_sweep(watch: Watch) -> None:
    """The keeper is told when to look again, at most every 30 seconds."""
    due = watch.fold()
    assert due == watch.clock.now() + 30 * SECOND
    watch.clock.advance(1)
    assert watch.fold() == due
    watch.clock.advance(-3_600)
    assert watch.fold() == watch.clock.now() + 30 * SECOND


def test_more_than_a_batch_is_swept_bit_by_bit(watch: Watch) -> None:
    """A sweep takes so many at most; the next one follows soon."""
    alerts = [
        make_alert(f"f{n}", labels={"instance": f"web-{n}"})
        for n in range(205)
    ]
    now = watch.clock.now()
    watch.inbox.write([make_filing(*alerts, received_at=now)])
    watch.fold()
    watch.wait(STALE - STEP)
    watch.clock.advance(STEP)
    watch.fold()
    ended = [row.ended for row in watch.rows(EpisodeRow)]
    assert ended.count("stale") == 200
    watch.clock.advance(2)
    watch.fold()
    ended = [row.ended for row in watch.rows(EpisodeRow)]
    assert ended.count("stale") == 205


def test_the_sweep_reads_by_its_indexes(
    watch: Watch, location: Location
) -> None:
    """Neither question reads the whole table."""
    explain = "EXPLAIN QUERY PLAN"
    for index, where in {
        "episode_silent": "until = 9223372036854775807 AND source = 'a'",
        "episode_stale": "ended = 'stale' AND id > 7",
    }.items():
        with watch.ledger.turn() as turn:
            if location.file is None:
                # A planner with no rows to count takes what it likes.
                turn.execute(text("SET LOCAL enable_seqscan = off"))
                explain = "EXPLAIN"
            query = f"{explain} SELECT id FROM episode WHERE {where}"
            plan = " ".join(str(row) for row in turn.execute(text(query)))
        assert index in plan


def test_another_setting_of_a_source_leaves_its_silence_alone() -> None:
    """Naming a problem for a source does not make it get stale."""
    own = {"zabbix": SourceFoldSettings(problem=("trigger_id",))}
    rules = make_rules(FoldSettings(sources=own), tells_once=["zabbix"])
    assert rules.naming_of("zabbix").stale == 0
    assert rules.naming_of("zabbix").problem == ("trigger_id",)
