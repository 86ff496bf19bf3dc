"""Alerts become incidents: on both databases, turn by turn."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from app.models.tables import (
    EntryRow,
    EpisodeRow,
    IncidentRow,
    StrandRow,
)
from app.store.incidents import find_incidents
from app.store.location import Location
from app.store.siblings import find_siblings
from tests.unit.fold.turns import HOST, MINUTE, SECOND, START, Bench, Said

FIRING, RESOLVED = "firing", "resolved"


@pytest.fixture
def bench(location: Location) -> Iterator[Bench]:
    """Return folding on an empty database of each kind."""
    made = Bench(location)
    yield made
    made.ledger.close()


def symptom(name: str, host: str = "web-01", **more: Any) -> Said:
    """Return an alert about one symptom of one host."""
    labels = {"alertname": name, "instance": host}
    about = {"name": name, "labels": labels, "fingerprint": f"{host}/{name}"}
    return Said(**{**about, **more})


FIVE = ("HostDown", "DiskSlow", "NginxDown", "LoadHigh", "SwapFull")


def test_five_symptoms_of_one_host_are_one_incident(bench: Bench) -> None:
    """Each says why it is in it; the page is named after the first."""
    bench.told(*(symptom(n, starts=i * 20.0) for i, n in enumerate(FIVE)))
    incident = bench.incident()
    assert (incident.episodes, incident.firing) == (5, 5)
    assert incident.problem == "HostDown"
    first, *rest = bench.rows(EpisodeRow)
    assert first.because == ""
    assert [row.because for row in rest] == [
        f"it began on the same target 20 s after {name}" for name in FIVE[:4]
    ]
    assert bench.kinds() == ["incident.opened", *["incident.joined"] * 4]


def test_two_hosts_with_one_symptom_are_siblings(bench: Bench) -> None:
    """Two incidents, and each knows the other; a third problem is none."""
    bench.told(
        symptom("DiskFull", "web-01", starts=0),
        symptom("DiskFull", "web-02", starts=60),
        symptom("LoadHigh", "web-03", starts=60),
        symptom("DiskFull", "web-04", starts=7_200),
    )
    assert len(bench.incidents()) == 4
    with bench.ledger.turn() as connection:
        for number, expected in ((1, [2]), (2, [1]), (3, []), (4, [])):
            incident = find_incidents(connection, [number])[number]
            found = find_siblings(connection, incident, 900 * SECOND, 10)
            assert found == expected


def test_two_pods_that_one_exporter_tells_of_are_two(bench: Bench) -> None:
    """Its own pod, which stands in each of their labels, is neither."""
    for number, pod in enumerate(("cart-7d9f8b6c5-x2x9k", "blog-0")):
        labels = {
            "job": "kube-state-metrics",
            "pod": "kube-state-metrics-6d8c9b7f5d-q2w8z",
            "namespace": "monitoring",
            "exported_namespace": "shop",
            "exported_pod": pod,
        }
        bench.told(
            symptom("PodNotReady", pod, labels=labels, starts=number * 10.0)
        )
    found = {row.target_name for row in bench.rows(IncidentRow)}
    assert found == {"cart-7d9f8b6c5-x2x9k", "blog-0"}


def test_a_lone_end_is_no_incident(bench: Bench) -> None:
    """Nothing is known to have fired, so nothing is said about it."""
    bench.told(Said(status=RESOLVED, starts=0, ends=60))
    bench.told(Said(status=RESOLVED, ends=70))
    assert bench.incidents() == []
    assert bench.kinds() == []


def test_an_end_that_came_first_ends_what_comes(bench: Bench) -> None:
    """The incident is over as soon as it is known, and the log says both."""
    bench.told(Said(status=RESOLVED, starts=0, ends=60), Said(starts=0))
    incident = bench.incident()
    assert (incident.state, incident.firing) == ("resolved", 0)
    assert incident.ends_at == START + 60 * SECOND
    assert bench.kinds() == [
        "incident.opened",
        "episode.ended",
        "incident.resolved",
    ]


def test_an_end_without_labels_that_came_first(bench: Bench) -> None:
    """What fires says where it is; the end only says which it is."""
    bench.told(Said(status=RESOLVED, ends=60, labels={}), Said(starts=0))
    incident = bench.incident()
    assert (incident.target_name, incident.state) == ("web-01", "resolved")
    (strand,) = bench.rows(StrandRow)
    assert strand.target_name == "web-01"


def test_it_opens_again_within_the_window(bench: Bench) -> None:
    """Soon after its end it is the same incident; later it is a new one."""
    for start in (0.0, 600.0, 7_200.0):
        bench.told(
            Said(starts=start),
            Said(status=RESOLVED, starts=start, ends=start + 60),
        )
    first, second = bench.incidents()
    assert (first.episodes, second.episodes) == (2, 1)
    assert bench.kinds() == [
        *("incident.opened", "episode.ended", "incident.resolved"),
        *("incident.joined", "incident.reopened"),
        *("episode.ended", "incident.resolved"),
        *("incident.opened", "episode.ended", "incident.resolved"),
    ]


def test_a_late_alert_makes_two_incidents_one(bench: Bench) -> None:
    """The older one lives on, with all of it, and the log says so."""
    bench.told(
        symptom("A", starts=0),
        symptom("B", starts=1_500),
        symptom("C", starts=1_550),
    )
    assert len(bench.incidents()) == 2
    bench.told(symptom("Bridge", starts=750))
    incident = bench.incident()
    assert (incident.id, incident.episodes) == (1, 4)
    assert {row.incident_id for row in bench.rows(EpisodeRow)} == {1}
    merged = bench.rows(IncidentRow)[1]
    assert (merged.state, merged.merged_into) == ("merged", 1)
    assert "incident.merged" in bench.kinds()


def test_a_late_end_makes_one_incident_two(bench: Bench) -> None:
    """It went on only as far as we knew; what began later is another."""
    bench.told(
        Said(starts=0),
        Said(starts=9_000, fingerprint="f2"),
        symptom("LoadHigh", starts=9_060),
    )
    assert bench.incident().episodes == 3
    bench.told(Said(status=RESOLVED, starts=0, ends=60))
    first, second = bench.incidents()
    assert (first.state, first.episodes) == ("resolved", 1)
    assert (second.state, second.episodes) == ("open", 2)
    assert second.begins_at == START + 9_000 * SECOND
    assert bench.kinds()[-4:].count("incident.split") == 1


def test_what_is_one_incident_stays_one(bench: Bench) -> None:
    """What tied two symptoms may be long over when a third one comes."""
    bench.told(
        symptom("A", starts=0),
        symptom("B", starts=800),
        symptom("C", starts=1_600),
        symptom("B", status=RESOLVED, starts=800, ends=810),
    )
    assert bench.incident().episodes == 3
    bench.clock.advance(50_000)
    bench.told(symptom("D", starts=50_000))
    first, second = bench.incidents()
    assert (first.episodes, second.episodes) == (3, 1)


def test_flapping(bench: Bench) -> None:
    """Every 5 s for 10 min: one incident, two lines a flap, then calm."""
    for flap in range(60):
        for status, at in ((FIRING, 0), (RESOLVED, 5)):
            end = None if status == FIRING else flap * 10 + at
            bench.told(Said(status=status, starts=flap * 10, ends=end))
            bench.clock.advance(5)
    incident = bench.incident()
    assert incident.state == "suppressed"
    assert incident.episodes == 60
    assert len(bench.rows(EntryRow)) <= 60 * 2 + 10
    assert bench.kinds().count("incident.suppressed") == 1
    (strand,) = bench.rows(StrandRow)
    assert len(strand.memory) < 5_000
    due = incident.due_at
    assert due == bench.clock.now() - 5 * SECOND + 10 * MINUTE
    assert bench.turn().next_due is not None
    bench.clock.moment = due
    bench.turn()
    assert bench.incident().state == "resolved"
    assert bench.incident().due_at is None
    assert bench.kinds()[-1] == "incident.resolved"


def come_and_go(bench: Bench, times: int) -> None:
    """Let a problem come and go as Zabbix tells it: each time anew."""
    for number in range(times):
        began = Said(starts=number * 60.0, fingerprint=f"e{number}")
        bench.told(began)
        bench.clock.advance(30)
        end = number * 60.0 + 30
        bench.told(msgspec.structs.replace(began, status=RESOLVED, ends=end))
        bench.clock.advance(30)


def test_flapping_with_a_fingerprint_for_each_event(bench: Bench) -> None:
    """What has a new identity each time flaps like what keeps its own."""
    come_and_go(bench, 2)
    assert bench.incident().state == "resolved"
    bench.clock.moment = START
    come_and_go(bench, 3)
    assert bench.incident().state == "suppressed"


def test_many_alerts_about_one_problem_do_not_flap(bench: Bench) -> None:
    """Five full disks of one host that fill together come once."""
    disks = [Said(starts=i, fingerprint=f"disk{i}") for i in range(5)]
    bench.told(*disks)
    for disk in disks[:4]:
        end = msgspec.structs.replace(disk, status=RESOLVED, ends=100.0)
        bench.told(end)
    assert bench.incident().state == "open"


def test_flapping_that_ends_burning(bench: Bench) -> None:
    """When it is calm and still fires, it is open: released, not hidden."""
    for flap in range(4):
        start = flap * 10.0
        bench.told(Said(starts=start))
        if flap < 3:
            end = start + 5
            bench.told(Said(status=RESOLVED, starts=start, ends=end))
    assert bench.incident().state == "suppressed"
    bench.clock.advance(601)
    bench.turn()
    assert bench.incident().state == "open"
    assert bench.kinds()[-1] == "incident.released"


def test_forty_flaps_in_one_turn(bench: Bench) -> None:
    """More than a strand remembers: each is an episode all the same."""
    flaps = [
        one
        for start in range(0, 400, 10)
        for one in (
            Said(starts=start),
            Said(status=RESOLVED, starts=start, ends=start + 5),
        )
    ]
    bench.say(*flaps)
    bench.turn()
    assert bench.incident().episodes == 40
    bench.told(*flaps[:6])
    assert bench.incident().episodes == 40


def test_old_ends_are_forgotten_but_not_undone(bench: Bench) -> None:
    """Many more ends without a beginning leave an ended episode ended."""
    bench.told(Said(starts=0), Said(status=RESOLVED, ends=60))
    ends = [Said(status=RESOLVED, ends=100.0 + end) for end in range(40)]
    bench.say(*ends)
    bench.turn()
    assert bench.incident().ends_at == START + 60 * SECOND


@pytest.mark.parametrize("jump", [3_600, -3_600])
def test_our_clock_jumps(location: Location, jump: int) -> None:
    """What was held down and is open now is not held down again."""
    bench = Bench(location, hold_down=[{"seconds": 300}])
    bench.told(symptom("A", starts=0))
    assert bench.incident().state == "waiting"
    bench.clock.advance(301)
    turn = bench.turn()
    assert bench.incident().state == "open"
    assert turn.next_due is None or turn.next_due > bench.clock.now()
    bench.clock.advance(jump)
    bench.told(symptom("B", starts=10))
    assert bench.incident().state == "open"
    assert bench.incident().due_at is None
    bench.ledger.close()


@pytest.mark.parametrize("year", [1970, 2099])
def test_a_sender_in_another_year(bench: Bench, year: int) -> None:
    """It has incidents of its own; flapping there is calm in our time."""
    away = (year - 2026) * 31_556_952.0
    for flap in range(4):
        start = away + flap * 10
        bench.told(Said(starts=start))
        bench.told(Said(status=RESOLVED, starts=start, ends=start + 5))
    bench.told(symptom("LoadHigh", starts=0))
    odd, own = bench.incidents()
    assert (odd.state, own.state) == ("suppressed", "open")
    bench.clock.advance(700)
    turn = bench.turn()
    assert [one.state for one in bench.incidents()] == ["resolved", "open"]
    assert turn.next_due is None or turn.next_due > bench.clock.now()


@pytest.mark.parametrize("flaps", [1, 40])
def test_a_sender_whose_clock_was_set_back(bench: Bench, flaps: int) -> None:
    """What fires now is an open incident, whatever was dated ahead."""
    for flap in range(flaps):
        start = 7_200.0 + 60 * flap
        bench.told(Said(starts=start))
        bench.told(Said(status=RESOLVED, starts=start, ends=start + 30))
    bench.clock.advance(3_600)
    bench.told(Said(starts=3_600))
    bench.clock.advance(3_600)
    bench.turn()
    assert [one.firing for one in bench.incidents()] == [1]
    assert bench.incident().state == "open"
    bench.told(Said(status=RESOLVED, starts=3_600, ends=7_100))
    assert bench.incident().firing == 0


def test_the_severity_is_that_of_what_goes_on(bench: Bench) -> None:
    """The worst that fires; when all is over, that of what ended last."""
    bench.told(
        symptom("A", starts=0, severity="critical"),
        symptom("B", starts=1, severity="warning"),
    )
    assert bench.incident().severity == "critical"
    bench.told(symptom("A", status=RESOLVED, starts=0, ends=60))
    assert bench.incident().severity == "warning"
    bench.told(symptom("B", status=RESOLVED, starts=1, ends=90))
    assert bench.incident().severity == "warning"
    assert bench.kinds().count("incident.severity_changed") == 1


LONG = "x" * 20_000
HOSTILE = [
    {"": "empty", "instance": "web-01"},
    {"instance": LONG},
    {"instance": "", "host": " ", "job": "\u202e\n'; DROP TABLE entry;--"},
    {f"label{number}": "%,=:" for number in range(500)},
    {"instance": "[::1]:9100", "cluster": "a,b=c%2C:"},
    {},
]


@pytest.mark.parametrize("labels", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_labels(bench: Bench, labels: dict[str, str]) -> None:
    """Whatever the labels are, there is one incident and it ends."""
    about: dict[str, Any] = {"labels": labels, "name": LONG, "starts": 0}
    bench.told(Said(**about), Said(status=RESOLVED, ends=60, **about))
    assert bench.incident().state == "resolved"


def test_no_label_names_a_target(bench: Bench) -> None:
    """Then an alert meets nothing but itself."""
    for name in ("f1", "f2"):
        bench.told(Said(starts=0, fingerprint=name, labels={"a": "b"}))
    bench.told(Said(starts=0, source="other", labels={"a": "b"}))
    assert len(bench.incidents()) == 3


def test_many_episodes_are_not_counted_anew(bench: Bench) -> None:
    """Beyond a bound the sum is carried on, and stays right."""
    for part in range(5):
        for number in range(part * 60, part * 60 + 60):
            start = number * 10.0
            bench.say(
                Said(starts=start),
                Said(status=RESOLVED, starts=start, ends=start + 5),
            )
        bench.turn()
    bench.told(symptom("Old", starts=-100), symptom("LoadHigh", starts=30))
    incident = bench.incident()
    rows = bench.rows(EpisodeRow)
    assert incident.episodes == len(rows) == 302
    assert incident.begins_at == START - 100 * SECOND
    assert incident.firing == 2


def test_a_repeat_changes_nothing(bench: Bench) -> None:
    """A turn without news writes neither rows nor the log."""
    bench.told(Said(starts=0, labels=HOST))
    before = bench.rows(IncidentRow), bench.rows(EntryRow)
    turn = bench.turn()
    assert (turn.alerts, turn.entries) == (0, 0)
    assert (bench.rows(IncidentRow), bench.rows(EntryRow)) == before
