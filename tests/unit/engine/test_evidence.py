"""What people get is looked at first, once, and only where one can look."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.engine.evidence import topic_of
from app.models.case import Case
from app.models.entry import Note
from app.models.job import JobState, Progress
from app.models.mission_tables import JobRow, MissionRow
from app.store.inbox import SqlInbox
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.log import append
from tests.unit.engine.theatre import POLICY, Theatre

DENIES = f"""
{POLICY}
protected: {{targets: [web-01]}}
"""


class Torn(Exception):
    """The turn did not come to its end."""


@pytest.fixture
def theatre(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Theatre]:
    """Return an open theatre whose evidence has begun."""
    ledger = Ledger(location, 2.0)
    theatre = Theatre(inbox, ledger, tmp_path)
    yield theatre
    ledger.close()


def looks(theatre: Theatre) -> list[dict[str, str]]:
    """Return with what it was looked, each time."""
    return [
        msgspec.json.decode(row.arguments)
        for row in theatre.rows(JobRow)
        if row.action == "collect_diagnostics"
    ]


def escalate(theatre: Theatre, host: str = "web-01") -> int:
    """Let a brain hand an incident to people; return the incident."""
    number = theatre.fire(host)
    theatre.decide(number, "escalate")
    assert theatre.mission().stage == "escalated"
    return number


def catch_up(theatre: Theatre) -> None:
    """Let it look at what was handed over since."""
    theatre.turn(theatre.evidence.catch_up)


def finish(theatre: Theatre) -> None:
    """Let the newest job end well."""
    theatre.robot.running[theatre.job().key] = Progress(
        state=JobState.SUCCEEDED, reference="r", output="seen\n"
    )
    theatre.play(20)


def test_what_is_handed_over_is_looked_at_once(theatre: Theatre) -> None:
    """The job is ruled on like all others, and leads to no second one."""
    number = escalate(theatre)
    catch_up(theatre)
    theatre.play(1)
    assert [one["host"] for one in looks(theatre)] == ["web-01"]
    assert theatre.job().proposer == "code:evidence"
    assert "ruling.made" in theatre.kinds()
    finish(theatre)
    assert theatre.mission().stage == "escalated"
    assert theatre.mission().incident_id == number
    for _ in range(3):
        catch_up(theatre)
        theatre.play(5)
    assert len(looks(theatre)) == 1
    assert len(theatre.rows(MissionRow)) == 2


def test_the_service_of_the_alert_goes_with_the_order(
    theatre: Theatre,
) -> None:
    """Whoever chose to look: code tells it, and no brain is asked for it."""
    number = theatre.fire("web-01", "NginxDown")
    theatre.decide(number, "collect_diagnostics", topic="service")
    theatre.play(1)
    (sent,) = theatre.robot.orders
    assert sent.arguments == {"host": "web-01", "topic": "service"}
    assert sent.hints == sent.known_hints == {"service": "nginx"}
    assert looks(theatre) == [{**sent.arguments, "service": "nginx"}]


def test_an_alert_about_no_service_gives_no_hint(theatre: Theatre) -> None:
    """The backend knows that there could be one."""
    number = theatre.fire("web-01", "DiskFull")
    theatre.decide(number, "collect_diagnostics", topic="disk")
    theatre.play(1)
    (sent,) = theatre.robot.orders
    assert (sent.hints, sent.known_hints) == ({"service": ""}, {})


def test_what_a_brain_looked_at_is_not_looked_at_again(
    theatre: Theatre,
) -> None:
    """Its own evidence goes with it."""
    number = theatre.fire("web-01")
    theatre.decide(number, "collect_diagnostics", topic="cpu")
    theatre.play(1)
    finish(theatre)
    assert theatre.mission().stage == "escalated"
    catch_up(theatre)
    theatre.play(5)
    assert looks(theatre) == [{"host": "web-01", "topic": "cpu"}]


def test_what_code_held_back_is_looked_at_too(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> None:
    """Whoever hands it over, and when looking is denied it ends there."""
    ledger = Ledger(location, 2.0)
    theatre = Theatre(inbox, ledger, tmp_path, DENIES)
    theatre.decide(theatre.fire("web-01"), "mend")
    assert theatre.play(5).stage == "escalated"
    for _ in range(3):
        catch_up(theatre)
        theatre.play(5)
    assert theatre.mission().stage == "escalated"
    assert len(theatre.rows(MissionRow)) == 2
    ledger.close()


def test_nobody_looks_at_what_is_over(theatre: Theatre) -> None:
    """It healed before: there is nothing to see."""
    escalate(theatre)
    theatre.end("web-01")
    theatre.fold()
    catch_up(theatre)
    theatre.play(5)
    assert looks(theatre) == []


def test_nobody_looks_where_nothing_reaches(theatre: Theatre) -> None:
    """No job is planned that could not run."""
    theatre.robot.is_blind = True
    escalate(theatre)
    catch_up(theatre)
    assert len(theatre.rows(MissionRow)) == 1


def test_a_crash_loses_nothing_and_does_nothing_twice(
    theatre: Theatre,
) -> None:
    """The mark moves with what was proposed, or not at all."""
    escalate(theatre)

    def die(connection: Connection) -> None:
        """Do it, and die before it is on disk."""
        theatre.evidence.catch_up(connection)
        raise Torn

    with pytest.raises(Torn):
        theatre.turn(die)
    assert len(theatre.rows(MissionRow)) == 1
    catch_up(theatre)
    catch_up(theatre)
    theatre.play(1)
    assert len(looks(theatre)) == 1


def test_a_long_quiet_log_holds_nothing_up(theatre: Theatre) -> None:
    """However much is written that nobody is handed."""
    note = Note(kind="test.noted", actor="test", summary="nothing happened")
    now = theatre.clock.now()
    theatre.turn(lambda c: append(c, now, [note] * 600))
    escalate(theatre)
    catch_up(theatre)
    theatre.play(1)
    assert len(looks(theatre)) == 1


def test_a_bug_costs_the_evidence_of_one_incident(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are looked at, and people are told of all."""
    reaches = theatre.robot.reaches

    def crash(host: str, *, is_here: bool) -> bool:
        """Crash for one host."""
        if host == "web-01":
            raise KeyError(host)
        return reaches(host, is_here=is_here)

    monkeypatch.setattr(theatre.robot, "reaches", crash)
    first = escalate(theatre)
    assert not theatre.turn(lambda c: theatre.evidence.will_look(c, first))
    escalate(theatre, "web-02")
    catch_up(theatre)
    theatre.play(1)
    assert [one["host"] for one in looks(theatre)] == ["web-02"]


@pytest.mark.parametrize(
    ("name", "problem", "topic"),
    [
        ("NodeFilesystemAlmostOutOfSpace", "", "disk"),
        ("HostHighCpuLoad", "", "cpu"),
        ("node_memory_pressure", "", "memory"),
        ("PostgresqlTooManyConnections", "", "database"),
        ("Disk I/O wait is high on {HOST.NAME}", "", "io"),
        ("CertificateExpiresSoon", "", "certificate"),
        ("HostClockSkew", "", "time"),
        ("RaidArrayDegraded", "", "hardware"),
        ("ContainerUnhealthy", "", "container"),
        ("Etwas", "host_network_receive_errors", "network"),
        ("Etwas", "anderes", "general"),
        ("IOError", "", "io"),
        ("PodCrashLooping", "", "pod"),
        ("KubeDeploymentReplicasMismatch", "", "pod"),
        ("RabbitmqQueueFull", "", "queue"),
        ("KafkaLag", "", "queue"),
        ("EtcdNoLeader", "", "database"),
        ("MongodbReplicationHeadroom", "", "database"),
        ("PersistentVolumeFillingUp", "", "storage"),
        ("NfsStale", "", "storage"),
        ("LogRotateFailed", "", "logs"),
        ("AlertmanagerConfigInconsistent", "", "config"),
        ("ConfigurationDrift", "", "config"),
        ("NginxHighHttp5xxErrorRate", "", "http"),
        # Neither of these is what one of its words could mean.
        ("HighResponseTime", "", "http"),
        ("LoadBalancerFailing", "", "http"),
        ("MemcachedDown", "", "database"),
        ("HostSystemTimeWrong", "", "time"),
        ("Etwas", "queue_disk_full", "disk"),
        ("SupervisorProgramFatal", "", "service"),
    ],
)
def test_the_topic_is_what_the_alert_is_about(
    name: str, problem: str, topic: str
) -> None:
    """By whole words of its name and its problem; CamelCase is words."""
    case = Case(
        source="test",
        name=name,
        status="firing",
        severity="warning",
        summary="",
        problem=problem,
    )
    assert topic_of(case) == topic
