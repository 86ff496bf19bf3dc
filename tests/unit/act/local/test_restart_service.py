"""Restarting a service: what is let, what is spared, and what is told."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.act.local.deed import Done, read_arguments
from app.act.local.deeds.restart_service import plugin
from app.act.local.hand import Stopped, Unwilling
from app.core.daemons import Daemons
from app.core.errors import NotAccepted, OutgoingFailed
from app.core.host import Declared, HostSettings
from app.core.warden import State
from app.models.job import JobState
from tests.unit.act.local import ownd
from tests.unit.act.local.stands import wait_for
from tests.unit.act.local.wards import Env, Palm, Systemctl, hasty, systemctl

__all__ = ["hasty", "systemctl"]
pytestmark = pytest.mark.usefixtures("hasty")
ALONG = ("RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf",
         "PropagatesStopTo")  # fmt: skip
SCRIPT = str(Path(ownd.__file__))

Arguments = dict[str, str | int]


def restart(
    hand: Palm, service: str, host: HostSettings | None = None, **settings: Any
) -> Done:
    """Return what comes of the deed."""
    deed = plugin(Env(settings, host))
    asked: Arguments = {"host": "web-1", "service": service}
    return deed.do(read_arguments(deed.takes, asked), hand)


@pytest.fixture
def hand(tmp_path: Path) -> Palm:
    """Return a hand that keeps what is said."""
    return Palm(tmp_path)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[HostSettings]:
    """Return a machine on which a daemon of its own runs."""
    folder = tmp_path / "own"
    folder.mkdir()
    words = (sys.executable, SCRIPT, str(folder))
    declared = Declared(status=(*words, "status"), restart=(*words, "restart"))
    assert ownd.main(folder, "status") == 3
    try:
        yield HostSettings(services={"ownd": declared})
    finally:
        ownd.end(folder)


def test_it_tells_how_it_was_and_how_it_is(
    systemctl: Systemctl, hand: Palm
) -> None:
    """With the last lines of its log from before."""
    systemctl.unit("shop.service", ActiveState="failed", SubState="failed",
                   Result="oom-kill", MainPID="0")  # fmt: skip
    done = restart(hand, "shop.service", services=["sh*"])
    assert done == Done(
        "shop was restarted by systemd: shop.service is active (running)"
    )
    before, log, line, after = hand.text.splitlines()
    assert before.startswith(
        "before: shop.service is failed (failed), last result oom-kill, for "
    )
    assert log == "the last lines of its log:"
    assert line == "worker crashed: no space left on device"
    assert after.startswith("after: shop.service is active (running), for ")
    assert after.endswith(", process 4204711")


def test_a_log_that_is_not_shown_is_no_obstacle(
    systemctl: Systemctl, hand: Palm
) -> None:
    """It is said why it is missing."""
    systemctl.unit("shop.service")
    systemctl.journal("", status=1)
    assert restart(hand, "shop", services=["shop"]).reason
    assert "its log: journalctl: status 1" in hand.text
    systemctl.journal("")
    systemctl.unit("shop.service")
    restart(hand, "shop", services=["shop"])
    assert "its log shows us nothing" in hand.text


@pytest.mark.parametrize(
    ("service", "services", "why"),
    [
        ("shop", [], "shop is not listed"),
        ("shop", ["shop-*"], "shop is not listed"),
        ("ssh", ["*"], "ssh is protected"),
        ("sshd", ["sshd"], "sshd is protected"),
        ("dbus", ["dbus"], "dbus is protected"),
        ("systemd-logind", ["*"], "systemd-logind is protected"),
        ("Networking", ["*"], "Networking is protected"),
        ("networkmanager", ["*"], "networkmanager is protected"),
        ("docker", ["docker"], "docker is protected"),
        ("user@1000", ["*"], "user@1000 is protected"),
        ("smokejumper", ["*"], "smokejumper is protected"),
        ("postgresql@15-main", ["*"], "is not listed"),
        ("redis-server", ["redis*"], "is not listed"),
        ("MySQL", ["*"], "is not listed"),
        ("rh-postgresql12-postgresql", ["*"], "is not listed"),
        ("app-mysql", ["app-*"], "is not listed"),
        ("crm-redis", ["*"], "is not listed"),
        ("hadoop-hdfs-namenode", ["*"], "is not listed"),
        ("memcached", ["*"], "is not listed"),
        ("prometheus", ["*"], "is not listed"),
        ("sqlservr", ["*"], "is not listed"),
        ("tikv-20160", ["*"], "is not listed"),
        ("myasd", [], "myasd is not listed"),
        ("payments", ["*"], "payments is protected"),
    ],
)
def test_what_may_not_be_restarted_is_not_touched(
    systemctl: Systemctl,
    hand: Palm,
    service: str,
    services: list[str],
    why: str,
) -> None:
    """Protected ones never, others when listed, databases by name."""
    systemctl.unit(f"{service}.service")
    with pytest.raises(Unwilling, match=why):
        restart(hand, service, services=services, protected=["pay*"])
    assert systemctl.calls == []
    assert hand.said == []


def test_a_database_is_restarted_when_its_whole_name_is_listed(
    systemctl: Systemctl, hand: Palm
) -> None:
    """A person wrote that very name."""
    systemctl.unit("redis-server.service")
    assert restart(hand, "redis-server", services=["redis-server"]).reason
    assert len(systemctl.calls) == 1


def test_an_alias_stands_for_what_it_leads_to(
    systemctl: Systemctl, hand: Palm
) -> None:
    """It must be allowed by that name, and no name of it be protected."""
    systemctl.unit("front.service")
    systemctl.alias("shop.service", "front.service")
    with pytest.raises(Unwilling, match="front is not listed"):
        restart(hand, "shop", services=["shop"])
    assert restart(hand, "shop", services=["front"]).reason
    (call,) = systemctl.calls
    assert call.endswith(" -- front.service")
    systemctl.alias("sshd.service", "front.service")
    with pytest.raises(Unwilling, match="sshd is protected"):
        restart(hand, "shop", services=["*"])


def test_what_would_take_a_protected_one_along_is_spared(
    systemctl: Systemctl, hand: Palm
) -> None:
    """A unit is restarted together with what needs it."""
    systemctl.unit("shop.service", RequiredBy="front.service dbus.service")
    with pytest.raises(Unwilling, match="dbus is protected, and would be"):
        restart(hand, "shop", services=["*"])
    assert systemctl.calls == []


@pytest.mark.parametrize("way", ALONG)
def test_a_database_is_not_taken_along(
    systemctl: Systemctl, hand: Palm, way: str
) -> None:
    """Not even by what is taken along itself, nor by a target."""
    systemctl.unit("shop.service", **{way: "front.service"})
    systemctl.unit("front.service", ConsistsOf="site.target")
    systemctl.unit("site.target", BoundBy="shop.service store.service")
    systemctl.unit("store.service")
    assert restart(hand, "shop", services=["*"]).reason
    systemctl.alias("mysql.service", "store.service")
    systemctl.unit("shop.service", **{way: "front.service"})
    why = "mysql holds data by its name, and would be restarted with shop"
    with pytest.raises(Unwilling, match=why):
        restart(hand, "shop", services=["*", "shop"])
    assert len(systemctl.calls) == 1
    assert restart(hand, "shop", services=["shop", "mysql"]).reason


def test_what_is_no_service_is_looked_at_as_well(
    systemctl: Systemctl, hand: Palm
) -> None:
    """A mount of a database's files goes with what it is bound to."""
    systemctl.unit("shop.service", BoundBy="var-lib-mysql.mount")
    with pytest.raises(Unwilling, match=r"var-lib-mysql\.mount holds data"):
        restart(hand, "shop", services=["*"])
    systemctl.unit("shop.service", RequiredBy="network-online.target")
    with pytest.raises(Unwilling, match=r"network-online\.target is protec"):
        restart(hand, "shop", services=["*"])


def test_who_takes_too_many_along_is_not_restarted(
    systemctl: Systemctl, hand: Palm
) -> None:
    """Nobody followed them all."""
    many = " ".join(f"u{number}.service" for number in range(300))
    systemctl.unit("shop.service", RequiredBy=many)
    with pytest.raises(Unwilling, match="nobody knows what would be"):
        restart(hand, "shop", services=["*"])
    for number in range(20):
        unit, other = f"c{number}.service", f"c{number + 1}.service"
        systemctl.unit(unit, RequiredBy=other)
    with pytest.raises(Unwilling, match="nobody knows what would be"):
        restart(hand, "c0", services=["*"])
    assert systemctl.calls == []


def test_an_alias_of_a_database_must_be_listed_as_well(
    systemctl: Systemctl, hand: Palm
) -> None:
    """Each of its names says what it is."""
    systemctl.unit("store.service")
    systemctl.alias("mysqld.service", "store.service")
    with pytest.raises(Unwilling, match="mysqld holds data by its name"):
        restart(hand, "store", services=["store"])
    assert restart(hand, "store", services=["store", "mysqld"]).reason


def test_we_do_not_restart_what_we_run_in(
    systemctl: Systemctl, hand: Palm
) -> None:
    """Nobody would be left to see it come up."""
    for pid in (os.getpid(), os.getppid()):
        systemctl.unit("shop.service", MainPID=str(pid))
        with pytest.raises(Unwilling, match="we run in shop ourselves"):
            restart(hand, "shop", services=["*"])
    assert systemctl.calls == []


def test_what_its_warden_refuses_is_told(
    systemctl: Systemctl, hand: Palm
) -> None:
    """Nothing was done, and it says so."""
    systemctl.unit("shop.service", Result="start-limit-hit",
                   ActiveState="failed", SubState="failed")  # fmt: skip
    with pytest.raises(Unwilling, match="given up by systemd"):
        restart(hand, "shop", services=["shop"])
    systemctl.unit("shop.service")
    systemctl.deny("Access denied")
    with pytest.raises(Unwilling, match=r"docs/restarting\.md"):
        restart(hand, "shop", services=["shop"])
    with pytest.raises(Unwilling, match="systemd knows no nothing"):
        restart(hand, "nothing", services=["*"])


def test_what_does_not_stay_up_failed_with_its_log(
    systemctl: Systemctl, hand: Palm
) -> None:
    """People read what it said after the restart, too."""
    systemctl.unit("shop.service", {
        "InvocationID": "second", "ActiveState": "failed",
        "SubState": "failed", "Result": "exit-code"})  # fmt: skip
    with pytest.raises(OutgoingFailed, match="does not stay up"):
        restart(hand, "shop", services=["shop"])
    assert hand.text.count("worker crashed") == 2


def test_it_ends_when_it_is_told_to(systemctl: Systemctl, hand: Palm) -> None:
    """Before the restart nothing is done."""
    systemctl.unit("shop.service")
    hand.stop.touch()
    with pytest.raises(Stopped) as told:
        restart(hand, "shop", services=["shop"])
    assert told.value.state is JobState.ABORTED
    assert systemctl.calls == []


def test_its_time_is_over_while_it_waits(
    systemctl: Systemctl, tmp_path: Path
) -> None:
    """What was asked for stays so."""
    systemctl.unit("shop.service", {"ActiveState": "activating",
                                    "InvocationID": "second"})  # fmt: skip
    with pytest.raises(Stopped) as told:
        restart(Palm(tmp_path, 1.5), "shop", services=["shop"])
    assert told.value.state is JobState.TIMED_OUT
    assert len(systemctl.calls) == 1


@pytest.mark.parametrize("name", ["a b", "--now", "../x", "a;b", "$(id)"])
def test_what_is_no_name_is_refused(
    systemctl: Systemctl, hand: Palm, name: str
) -> None:
    """The second lock looks again."""
    with pytest.raises(NotAccepted, match="is no service"):
        restart(hand, name, services=["*"])
    assert systemctl.calls == []


@pytest.mark.parametrize(
    "said",
    [
        {"host": "web-1"},
        {"host": "web-1", "service": 5},
        {"host": "web-1", "service": "shop", "force": True},
    ],
)
def test_other_arguments_are_refused(said: dict[str, Any]) -> None:
    """A deed takes what it takes."""
    with pytest.raises(NotAccepted, match="the arguments are wrong"):
        read_arguments(plugin(Env()).takes, said)


def test_a_daemon_with_commands_of_its_own_is_restarted(
    own: HostSettings, hand: Palm
) -> None:
    """A real one: it runs on after the command that started it ended."""
    daemons = Daemons(own)
    assert daemons.state("ownd").state is State.INACTIVE
    done = restart(hand, "ownd", own)
    assert done.reason.startswith("ownd was restarted by its own command")
    assert "before: ownd is inactive" in hand.text
    first = daemons.state("ownd").says
    assert "ended with 0: process " in first
    # It is another process after it was restarted again.
    restart(hand, "ownd", own)
    second = daemons.state("ownd")
    assert second.is_active
    assert second.says != first
    assert daemons.tail(second) == ()


def test_a_command_that_fails_is_no_success(
    own: HostSettings, hand: Palm, tmp_path: Path
) -> None:
    """Its status says so."""
    (tmp_path / "own" / "broken").touch()
    with pytest.raises(OutgoingFailed, match="restarts ownd ended with 1"):
        restart(hand, "ownd", own)


def test_a_command_that_takes_long_is_left_running(
    own: HostSettings, hand: Palm, tmp_path: Path
) -> None:
    """It may be between the end of the daemon and its start."""
    slow = tmp_path / "own" / "slow"
    slow.touch()
    declared = own.services["ownd"].model_copy(update={"seconds": 0.5})
    daemons = Daemons(HostSettings(services={"ownd": declared}))
    with pytest.raises(OutgoingFailed, match="left running, and nobody"):
        daemons.restart("ownd", errand=hand.errand)
    with pytest.raises(NotAccepted, match="runs still, from before"):
        daemons.restart("ownd", errand=hand.errand)
    slow.unlink()
    wait_for(lambda: daemons.state("ownd").is_active)
    wait_for(lambda: restart(hand, "ownd", own).reason)


def test_a_job_that_must_end_leaves_the_command_running(
    own: HostSettings, hand: Palm, tmp_path: Path
) -> None:
    """It is told to end; the daemon comes up nevertheless."""
    folder = tmp_path / "own"
    (folder / "slow").touch()
    with hand.stopped_once((folder / "begun").exists), pytest.raises(Stopped):
        restart(hand, "ownd", own)
    (folder / "slow").unlink()
    wait_for(lambda: Daemons(own).state("ownd").is_active)


@pytest.mark.parametrize("seconds", [0, -1, 901])
def test_a_command_has_its_time(seconds: float) -> None:
    """Not none, and not for ever."""
    words = ("/bin/true",)
    assert Declared(status=words, restart=words).seconds == 120
    with pytest.raises(ValidationError):
        Declared(status=words, restart=words, seconds=seconds)


def test_a_command_that_is_not_there_did_nothing(hand: Palm) -> None:
    """So it is no failure of the daemon."""
    there = (sys.executable, "-c", "pass")
    gone = Declared(status=there, restart=("/no/such/program",))
    with pytest.raises(Unwilling, match="/no/such/program: No such file"):
        restart(hand, "gone", HostSettings(services={"gone": gone}))
    away = Declared(status=("/no/such/program",), restart=there)
    with pytest.raises(Unwilling, match="No such file"):
        restart(hand, "gone", HostSettings(services={"gone": away}))


def test_a_declared_daemon_may_be_protected(
    own: HostSettings, hand: Palm
) -> None:
    """Its commands do not make it free for all."""
    with pytest.raises(Unwilling, match="ownd is protected"):
        restart(hand, "ownd", own, protected=["own*"])
