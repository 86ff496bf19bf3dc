"""Which fault what belongs to, where there are several, or none."""

from simulator.records import Incident
from simulator.results import Outcome
from tests.unit.simulator.telling import Told, fact, judge, one_of


def test_five_rounds_are_five_faults() -> None:
    """One incident that comes back: each round has what is its own."""
    told, facts = Told(), []
    for number in range(5):
        begin = number * 100
        facts.append(fact(begin, begin + 14))
        told.mend(begin + 3 + number)
    found = judge(told, *facts)
    assert [one.detected_seconds for one in found.results] == [3, 4, 5, 6, 7]
    assert [one.fixed_seconds for one in found.results] == [15, 16, 17, 18, 19]
    assert {one.outcome for one in found.results} == {Outcome.FIXED}
    assert {one.resolved_seconds for one in found.results} == {
        18, 19, 20, 21, 22,
    }  # fmt: skip
    assert found.stray_actions == ()


def test_lanes_side_by_side_are_told_apart() -> None:
    """Alerts of two hosts at one time, each with its own incident."""
    other = {"host": "sim-memory", "process": "sim-memory"}
    told = Told()
    told.mend(4)
    told.alert(6, 2, fingerprint="m", name="Leak", labels=other)
    told.decide(7, incident=2, arguments=other)
    told.run(8, incident=2, arguments=other)
    told.give(20)
    second = fact(1, 18, id="m", fault="memory", target=other)
    found = judge(told, fact(), second)
    assert [one.incidents for one in found.results] == [(1,), (2,)]
    assert [one.fixed_seconds for one in found.results] == [16, 19]


def test_one_incident_of_two_faults_gives_each_its_own_job() -> None:
    """The job goes to the fault that wants it."""
    disk = {"host": "sim-cpu", "mountpoint": "/srv/disk"}
    path: dict[str, str | int] = {"host": "sim-cpu", "path": "/srv/disk/logs"}
    told = Told()
    told.alert(4)
    told.alert(5, fingerprint="d", name="DiskFull", labels=disk)
    told.decide(6)
    told.run(7)
    told.decide(8, "free_disk_space", arguments=path)
    told.run(9, "free_disk_space", arguments=path)
    second = fact(
        1, 30, id="d", fault="disk", target=disk, expects=("free_disk_space",)
    )
    found = judge(told, fact(), second)
    assert [one.acted_seconds for one in found.results] == [7, 8]
    assert [one.wrong_actions for one in found.results] == [(), ()]
    assert all(one.is_right_first for one in found.results)


def test_a_merged_incident_is_followed() -> None:
    """Jobs keep the number of the incident that was merged."""
    told = Told()
    told.alert(4, 9)
    told.incidents = [
        Incident(id=1, merged_into=5),
        Incident(id=5, merged_into=9),
    ]
    told.decide(5)
    told.run(6)
    told.give(16)
    found = one_of(told)
    assert found.incidents == (9,)
    assert found.outcome is Outcome.FIXED


def test_an_alert_of_the_machine_alone_may_be_of_its_one_fault() -> None:
    """HostHighCpuLoad names no process: with one fault it is clear."""
    told = Told()
    told.alert(4, name="HostHighCpuLoad", labels={"host": "sim-cpu"})
    found = judge(told)
    assert found.results[0].detected_seconds == 4
    assert found.unsure_alerts == ()


def test_an_alert_that_may_be_of_two_faults_counts_for_none() -> None:
    """It is told, and what is done for it is right if it is for either."""
    second = fact(
        1, 30, id="m", target={"host": "sim-cpu", "process": "sim-memory"}
    )
    told = Told()
    told.alert(4, name="HostHighMemory", labels={"host": "sim-cpu"})
    told.run(5)
    found = judge(told, fact(), second)
    assert [one.is_missed for one in found.results] == [True, True]
    assert found.unsure_alerts == ("HostHighMemory (1)",)
    assert found.stray_actions == ()
    told.run(6, "free_memory", arguments={"host": "sim-cpu"})
    assert len(judge(told, fact(), second).stray_actions) == 1


def test_what_is_done_for_nobody_is_wrong() -> None:
    """An action of another incident while a fault ran, and only then."""
    told = Told()
    told.mend(4)
    told.run(9, "restart_service", 7, arguments={"service": "nginx"})
    told.run(10, "collect_diagnostics", 8)
    told.run(500, "restart_service", 7, arguments={"service": "nginx"})
    found = judge(told)
    assert len(found.stray_actions) == 1
    assert "restart_service" in found.stray_actions[0]
    assert found.results[0].outcome is Outcome.FIXED
