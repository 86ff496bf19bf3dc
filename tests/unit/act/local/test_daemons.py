"""Daemons: who keeps them, and what may be restarted; systemd by contract."""

import time
from pathlib import Path

import pytest

from app.act.local.notes import FileNotes
from app.core.daemons import Daemons
from app.core.errand import Errand
from app.core.errors import NotAccepted, OutgoingFailed
from app.core.host import HostSettings
from app.core.warden import State, fit_name
from tests.unit.act.local.wards import UP, Systemctl, hasty, systemctl

__all__ = ["hasty", "systemctl"]
pytestmark = pytest.mark.usefixtures("hasty")
RESTART = "restart --no-block --no-ask-password -- shop.service"
FAILED = {"ActiveState": "failed", "SubState": "failed",
          "Result": "exit-code"}  # fmt: skip


@pytest.fixture
def daemons() -> Daemons:
    """Return what knows nobody but systemd."""
    return Daemons(HostSettings())


def now_stamp(ago: float = 0.0) -> str:
    """Return a moment as systemd writes it."""
    return str(int((time.monotonic() - ago) * 1e6))


def test_a_unit_is_told_with_all_that_matters(
    systemctl: Systemctl, daemons: Daemons
) -> None:
    """Its state, process, run, names, and how long it has been so."""
    systemctl.unit(
        "shop.service",
        NRestarts="3",
        StateChangeTimestampMonotonic=now_stamp(90),
        RequiredBy="multi-user.target front.service",
        ConsistsOf="worker.service front.service",
    )
    systemctl.alias("www.service", "shop.service")
    found = daemons.state("www.service")
    assert (found.name, found.warden) == ("shop", "systemd")
    assert found.state is State.ACTIVE
    assert (found.pid, found.restarts, found.run) == (4204242, 3, "first")
    assert found.seconds is not None
    assert 90 <= found.seconds < 120
    assert found.names == ("shop", "www")
    assert found.takes_along == ("front", "multi-user.target", "worker")
    assert found.refusal == ""


def test_a_restart_is_seen_to_have_been_one(
    systemctl: Systemctl, daemons: Daemons
) -> None:
    """Another run of it is active; it was told by fixed words."""
    systemctl.unit("shop.service", **FAILED)
    after = daemons.restart("shop")
    assert systemctl.calls == [RESTART]
    assert (after.state, after.run, after.pid) == (
        State.ACTIVE, "second", 4204711,
    )  # fmt: skip


def test_it_may_take_a_while_to_come_up(
    systemctl: Systemctl, daemons: Daemons
) -> None:
    """The old run still stands there at first, then nothing, then it."""
    systemctl.unit(
        "shop.service",
        {},
        {"ActiveState": "deactivating", "SubState": "stop-sigterm"},
        {"ActiveState": "activating", "SubState": "start",
         "InvocationID": "second"},
        UP,
    )  # fmt: skip
    assert daemons.restart("shop").run == "second"


def test_one_that_hangs_comes_up_after_its_warden_killed_it(
    systemctl: Systemctl, daemons: Daemons
) -> None:
    """The time that it gets to end does not count as time to come up."""
    ending = {"ActiveState": "deactivating", "SubState": "stop-sigterm"}
    after = [ending] * 20 + [{**UP, "InvocationID": "second"}]
    systemctl.unit("shop.service", *after, TimeoutStopUSec="1min 30s")
    found = daemons.restart("shop", 0.1)
    assert found.run == "second"
    # But no longer than its warden lets it.
    systemctl.unit("shop.service", *after, TimeoutStopUSec="100ms")
    with pytest.raises(OutgoingFailed, match="is deactivating"):
        daemons.restart("shop", 0.1)


def test_what_was_not_started_again_was_not_restarted(
    systemctl: Systemctl, daemons: Daemons
) -> None:
    """It may say that all is well: it is the same run still."""
    systemctl.unit("shop.service", {})
    with pytest.raises(OutgoingFailed, match="was not started again") as told:
        daemons.restart("shop", seconds=0.2)
    assert not isinstance(told.value, NotAccepted)


def test_what_fails_again_is_told_at_once(
    systemctl: Systemctl, daemons: Daemons
) -> None:
    """Nobody waits for what systemd has given up."""
    systemctl.unit("shop.service", {**FAILED, "InvocationID": "second"})
    waits: list[float] = []
    with pytest.raises(OutgoingFailed, match="last result exit-code"):
        daemons.restart("shop", seconds=600, errand=Errand(wait=waits.append))
    assert len(waits) == 1


def test_what_comes_up_and_falls_does_not_stay_up(
    systemctl: Systemctl, daemons: Daemons
) -> None:
    """Each look shows another run of it."""
    runs = [{**UP, "InvocationID": f"run-{one}"} for one in range(200)]
    systemctl.unit("shop.service", *runs)
    with pytest.raises(OutgoingFailed, match="does not stay up"):
        daemons.restart("shop", seconds=0.3)


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        ({"LoadState": "masked"}, "is masked"),
        ({"LoadState": "bad-setting"}, "cannot be loaded: bad-setting"),
        ({"RefuseManualStart": "yes"}, "refuses to be started by hand"),
        ({"RefuseManualStop": "yes"}, "refuses to be stopped by hand"),
        ({"CanStart": "no"}, "cannot be started"),
        ({"Type": "oneshot"}, "is no daemon"),
        ({"UnitFileState": "transient"}, "has no file"),
        ({**FAILED, "Result": "start-limit-hit"}, "was given up by systemd"),
        # As systemd 252 shows it: the result is why the last start failed.
        (
            {**FAILED, "Restart": "on-failure", "NRestarts": "4"},
            "was given up by systemd",
        ),
        (
            {**FAILED, "Restart": "on-abnormal", "NRestarts": "5"},
            "was given up by systemd",
        ),
        ({"ActiveState": "activating", "SubState": "auto-restart"},
         "is activating .auto-restart.: systemd is at it already"),
        ({"ActiveState": "deactivating", "SubState": "stop-sigterm"},
         "systemd is at it already"),
        ({"ActiveState": "inactive", "SubState": "dead",
          "UnitFileState": "disabled"}, "somebody switched it off"),
        ({"ActiveState": "inactive", "SubState": "dead"},
         "somebody stopped it"),
        ({"ActiveState": "inactive", "SubState": "dead",
          "UnitFileState": "static"}, "somebody stopped it"),
    ],
)  # fmt: skip
def test_what_must_not_be_restarted_is_not_touched(
    systemctl: Systemctl, daemons: Daemons, shown: dict[str, str], why: str
) -> None:
    """It is said why, and systemctl is told nothing."""
    systemctl.unit("shop.service", **shown)
    with pytest.raises(NotAccepted, match=why):
        daemons.restart("shop")
    assert systemctl.calls == []


@pytest.mark.parametrize(
    ("restarts", "ago", "limit", "is_refused"),
    [
        (4, 1, "5 in 10s", True),
        (3, 1, "5 in 10s", False),
        (4, 40, "5 in 10s", False),
        (4, 40, "5 in 1min 30s", True),
        (3, 40, "5 in 1min 30s", True),
        (2, 40, "5 in 1min 30s", False),
        (0, 40, "1 in 1min 30s", True),
        (4, 100, "5 in 1min 30s", False),
        (0, 100, "1 in 1min 30s", False),
        (3, 40, "5 in 1min", False),
        (4, 40, "5 in infinity", True),
        (400, 1, "0 in 10s", False),
        (400, 1, "5 in 0", False),
        (0, 1, "1 in 10s", True),
        (4, 1, "5 in a while", True),
    ],
)
def test_a_start_limit_is_respected_before_it_is_hit(
    systemctl: Systemctl,
    restarts: int,
    ago: float,
    limit: str,
    is_refused: bool,
) -> None:
    """Beyond it systemd would stop the unit and never start it again."""
    burst, _, interval = limit.partition(" in ")
    systemctl.unit(
        "shop.service",
        NRestarts=str(restarts),
        ExecMainStartTimestampMonotonic=now_stamp(ago),
        StartLimitBurst=burst,
        StartLimitIntervalUSec=interval,
    )
    daemons = Daemons(HostSettings())
    assert bool(daemons.state("shop").refusal) is is_refused
    if is_refused:
        with pytest.raises(NotAccepted, match="would reach its start limit"):
            daemons.restart("shop")
        assert systemctl.calls == []


def test_our_own_restarts_count(
    systemctl: Systemctl, daemons: Daemons, tmp_path: Path
) -> None:
    """Systemd forgets them in what it shows, and not in its limit."""
    began = now_stamp(1)

    def make() -> None:
        """Let it run as though it had been started once, by itself."""
        systemctl.unit("shop.service", StartLimitBurst="5",
                       StartLimitIntervalUSec="1h",
                       ExecMainStartTimestampMonotonic=began)  # fmt: skip

    for number in range(3):
        make()
        # Another job, and another process: it is on the disk.
        errand = Errand(FileNotes(tmp_path, f"job-{number}"))
        assert daemons.restart("shop", errand=errand).is_active
    make()
    errand = Errand(FileNotes(tmp_path, "job-9"))
    with pytest.raises(NotAccepted, match="restarted from here 3 times"):
        daemons.restart("shop", errand=errand)
    systemctl.unit("front.service", ExecMainStartTimestampMonotonic=began,
                   StartLimitIntervalUSec="1h")  # fmt: skip
    assert daemons.restart("front", errand=errand).is_active
    assert len(systemctl.calls) == 4


def test_what_cannot_be_counted_is_not_restarted(
    systemctl: Systemctl, daemons: Daemons, tmp_path: Path
) -> None:
    """Else the next one would not know of it."""
    systemctl.unit("shop.service")
    errand = Errand(FileNotes(tmp_path / "none", "job"))
    with pytest.raises(NotAccepted, match="cannot be written down"):
        daemons.restart("shop", errand=errand)
    assert systemctl.calls == []


def test_a_refusal_by_polkit_is_told_with_its_remedy(
    systemctl: Systemctl, daemons: Daemons
) -> None:
    """Nothing was done, and people read what lets it be done."""
    systemctl.unit("shop.service")
    systemctl.deny("Interactive authentication required.")
    with pytest.raises(NotAccepted) as told:
        daemons.restart("shop")
    assert str(told.value) == (
        "systemd does not let us restart shop.service: Failed to restart"
        " shop.service: Interactive authentication required. See system logs"
        " and 'systemctl status shop.service' for details.; let polkit allow"
        " it: docs/restarting.md"
    )


def test_what_nobody_understands_may_have_been_done(
    systemctl: Systemctl, daemons: Daemons
) -> None:
    """An answer that was lost is no refusal."""
    systemctl.unit("shop.service")
    systemctl.deny("Connection timed out")
    with pytest.raises(OutgoingFailed, match="Connection timed out") as told:
        daemons.restart("shop")
    assert not isinstance(told.value, NotAccepted)


def test_an_alias_is_not_restarted(
    systemctl: Systemctl, daemons: Daemons
) -> None:
    """A name that leads elsewhere could lead anywhere."""
    systemctl.unit("ssh.service")
    systemctl.alias("shop.service", "ssh.service")
    with pytest.raises(NotAccepted, match="another name of ssh"):
        daemons.restart("shop")
    assert systemctl.calls == []


@pytest.mark.parametrize("name", ["shop.socket", "shop.timer", "x.mount"])
def test_only_services_are_restarted(
    systemctl: Systemctl, daemons: Daemons, name: str
) -> None:
    """Other units are looked at, and no more."""
    systemctl.unit(name)
    assert daemons.state(name).is_active
    with pytest.raises(NotAccepted, match="is no service"):
        daemons.restart(name)
    assert systemctl.calls == []


@pytest.mark.parametrize(
    "name",
    ["", ".service", "-h", "--now", "a b", "a;b", "../x", "a..b", "sh*p",
     "a/b", "$(id)", "shop\n", "ѕhop", "x" * 128, "a\x00b", "[s]hop"],
)  # fmt: skip
def test_what_is_no_name_reaches_nobody(
    systemctl: Systemctl, daemons: Daemons, name: str
) -> None:
    """Neither an option nor a pattern is one."""
    if name.strip() == "shop":
        assert fit_name(name) == "shop"
        return
    with pytest.raises(NotAccepted, match="name is none"):
        daemons.restart(name)
    assert systemctl.calls == []


def test_a_unit_that_is_not_there_is_not_known(
    systemctl: Systemctl, daemons: Daemons
) -> None:
    """So nothing of it can be restarted."""
    assert daemons.state("shop").state is State.UNKNOWN
    with pytest.raises(NotAccepted, match="systemd knows no shop"):
        daemons.restart("shop")
    assert systemctl.calls == []


def test_its_log_comes_from_the_journal(
    systemctl: Systemctl, daemons: Daemons
) -> None:
    """A few lines, each cut, without control signs."""
    systemctl.unit("shop.service")
    systemctl.journal("one", "two \x1b[31mred", "x" * 900)
    found = daemons.tail(daemons.state("shop"), lines=2)
    assert found == ("two  [31mred", "x" * 500)
    assert systemctl.asked_journal == (
        "--unit=shop.service --lines=2 --no-pager --quiet --output=short-iso"
    )
    systemctl.journal("no such file", status=1)
    with pytest.raises(OutgoingFailed, match="journalctl: status 1"):
        daemons.tail(daemons.state("shop"))


def test_a_log_with_long_lines_is_shown(
    systemctl: Systemctl, daemons: Daemons
) -> None:
    """As much of its end as is read; that is what went wrong."""
    systemctl.unit("shop.service")
    systemctl.journal(*(f"{n} {'x' * 1_000}" for n in range(199)), "no space")
    found = daemons.tail(daemons.state("shop"), lines=200)
    assert found[-1] == "no space"
    assert found[-2].startswith("198 ")
    assert len(found) > 60


def test_who_waits_may_end_the_waiting(
    systemctl: Systemctl, daemons: Daemons
) -> None:
    """What the waiting raises is not caught."""
    systemctl.unit("shop.service", {})

    def stop(_seconds: float) -> None:
        """End it."""
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        daemons.restart("shop", errand=Errand(wait=stop))


def test_a_supervisor_that_is_away_leaves_it_open_who_keeps_it(
    systemctl: Systemctl, tmp_path: Path
) -> None:
    """A unit of systemd may have the same name: it is not asked for."""
    systemctl.unit("shop.service", **FAILED)
    host = HostSettings(supervisor=f"unix://{tmp_path}/none.sock")
    daemons = Daemons(host)
    with pytest.raises(OutgoingFailed, match=r"none\.sock does not answer"):
        daemons.state("shop")
    with pytest.raises(NotAccepted, match="does not answer"):
        daemons.restart("shop")
    assert systemctl.calls == []
