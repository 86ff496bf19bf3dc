"""A real supervisord: what it keeps is measured, restarted, seen to stay."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from app.act.local.deed import Done, read_arguments
from app.act.local.deeds.restart_service import plugin
from app.act.local.hand import Stopped, Unwilling
from app.core.daemons import Daemons
from app.core.errors import NotAccepted, OutgoingFailed
from app.core.host import HostSettings
from app.core.warden import Standing, State
from app.models.job import JobState
from app.models.verdict import Judgement
from app.verify.checks.service_is_active import plugin as make_check
from tests.real.supervisor import PAIR, Supervisord
from tests.real.waiting import wait_for
from tests.unit.act.local.rounds import Round
from tests.unit.act.local.test_look_services import Part
from tests.unit.act.local.wards import Env, Palm
from tests.unit.verify.making import FakeEnv, here, measure

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisord]:
    """Return a supervisord that the tests of this file share."""
    with Supervisord(tmp_path_factory.mktemp("s") / "s") as found:
        yield found


@pytest.fixture
def real(_shared: Supervisord) -> Iterator[Supervisord]:
    """Return it with a shop that is open, and leave it so."""
    wait_until(Daemons(host_of(_shared)), "shop", "RUNNING")
    yield _shared
    for name in ("broken", "deaf"):
        (_shared.folder / name).unlink(missing_ok=True)
    if not _shared.answers():
        Daemons(host_of(_shared)).restart("shop")


@pytest.fixture
def daemons(real: Supervisord) -> Daemons:
    """Return what knows it."""
    return Daemons(host_of(real))


@pytest.fixture
def hand(tmp_path: Path) -> Palm:
    """Return a hand that keeps what is said."""
    return Palm(tmp_path)


class Impatient(Palm):
    """A hand that is told to end as soon as it waits for anything."""

    def wait(self, seconds: float) -> None:
        """End."""
        del seconds
        raise Stopped(JobState.ABORTED, "it was told to end")


def host_of(real: Supervisord) -> HostSettings:
    """Return the settings of a machine on which it runs."""
    return HostSettings(supervisor=real.url)


def restart(real: Supervisord, hand: Palm, service: str = "shop") -> Done:
    """Return what comes of the deed."""
    deed = plugin(Env({"services": ["*"], "wait_seconds": 8}, host_of(real)))
    asked: dict[str, str | int] = {"host": "web-1", "service": service}
    return deed.do(read_arguments(deed.takes, asked), hand)


def judge(real: Supervisord, service: str = "shop") -> tuple[Judgement, str]:
    """Return what the check measures."""
    check = make_check(FakeEnv("service_is_active", host=host_of(real)))
    found = measure(check, here(arguments={"service": service}))
    return check.judge(None, found), found.says


def wait_until(daemons: Daemons, name: str, text: str) -> Standing:
    """Return how a program is once that says something."""

    def look() -> Standing | None:
        """Return it, None when it is not so."""
        found = daemons.state(name)
        is_at_it = "STARTING" in found.says
        return found if text in found.says and not is_at_it else None

    found = wait_for(text or "end of its start", look)
    assert found is not None
    return found


def test_a_program_that_died_is_brought_back(
    real: Supervisord, daemons: Daemons, hand: Palm
) -> None:
    """Found dead, restarted, found up; with the figures and its log."""
    assert judge(real)[0] is Judgement.GOOD
    before = daemons.state("shop")
    os.kill(before.pid, signal.SIGKILL)
    wait_until(daemons, "shop", "EXITED")
    assert judge(real)[0] is Judgement.BAD
    starts = real.starts
    done = restart(real, hand)
    assert done.reason.startswith("shop was restarted by supervisor: shop is")
    assert "before: shop is EXITED" in hand.text
    assert "stdout: shop [31mopens[0m" in hand.text
    assert "after: shop is RUNNING" in hand.text
    assert real.starts == starts + 1
    wait_for("open shop", real.answers)
    assert judge(real)[0] is Judgement.GOOD
    assert daemons.state("shop").pid not in (0, before.pid)


def test_a_program_that_hangs_is_ended_and_started(
    real: Supervisord, daemons: Daemons, hand: Palm
) -> None:
    """It runs, answers nobody, and does not end when it is asked to."""
    before = daemons.state("shop")
    os.kill(before.pid, signal.SIGUSR1)
    wait_for("hanging shop", (real.folder / "deaf").exists)
    assert not real.answers()
    assert judge(real)[0] is Judgement.GOOD
    restart(real, hand)
    after = daemons.state("shop")
    assert after.is_active
    assert after.pid != before.pid
    wait_for("open shop", real.answers)


def look_at_what_was_given_up(real: Supervisord, folder: Path) -> None:
    """See it with its log, as here, and as the look at other hosts does."""
    found = Round("units", "about", host=host_of(real), service="shop")
    program = next(one for one in found.first if one.startswith("shop ("))
    assert "shop is FATAL" in program
    assert any("crasher is BACKOFF" in one for one in found.first)
    assert not any(" is RUNNING" in one for one in found.first)
    assert not any("manual" in one for one in found.first)
    assert "stderr: no space left on device" in found.lines("log of shop")
    ctl = folder / "supervisorctl"
    words = f"{sys.executable} -m supervisor.supervisorctl -s {real.url}"
    ctl.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    ctl.chmod(0o755)
    said = Part("supervisor", MORE_PLACES=str(folder))
    assert said.odd[0].startswith("shop (supervisor) is FATAL: Exited too q")
    assert "  stderr: no space left on device" in said.lines
    assert not any("manual" in one for one in said.lines)
    about = Part("a service", "shop", PLACES="", MORE_PLACES=str(folder))
    assert about.odd[0].startswith("shop (supervisor) is FATAL: ")
    assert "  stderr: no space left on device" in about.lines


def test_what_was_given_up_is_started_once_more(
    real: Supervisord, daemons: Daemons, hand: Palm, tmp_path: Path
) -> None:
    """While its trouble lasts it fails, and that is told; then it comes."""
    (real.folder / "broken").touch()
    os.kill(daemons.state("shop").pid, signal.SIGKILL)
    wait_until(daemons, "shop", "EXITED")
    with pytest.raises(OutgoingFailed, match="does not stay up") as told:
        restart(real, hand)
    assert not isinstance(told.value, NotAccepted)
    assert "stderr: no space left on device" in hand.text
    found = wait_until(daemons, "shop", "FATAL")
    assert found.state is State.FAILED
    assert judge(real)[0] is Judgement.BAD
    wait_until(daemons, "crasher", "BACKOFF")
    look_at_what_was_given_up(real, tmp_path)
    (real.folder / "broken").unlink()
    assert restart(real, hand).reason
    assert judge(real)[0] is Judgement.GOOD


def test_what_is_being_restarted_is_left_to_it(
    real: Supervisord, daemons: Daemons, hand: Palm
) -> None:
    """Another restart would not help, and would be one more."""
    found = wait_until(daemons, "crasher", "BACKOFF")
    assert found.state is State.STARTING
    assert judge(real, "crasher")[0] is Judgement.BAD
    with pytest.raises(Unwilling, match="supervisor is at it already"):
        restart(real, hand, "crasher")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("manual", "was never started"),
        ("slow", "may take 600 s to end"),
        ("redis", "redis holds data by its name"),
        ("twin", "twin is 2 programs: name one of twin:twin_0, twin:twin_1"),
    ],
)
def test_what_must_not_be_restarted_is_not_touched(
    real: Supervisord, daemons: Daemons, hand: Palm, name: str, why: str
) -> None:
    """It runs on as it did."""
    before = wait_until(daemons, name, "")
    with pytest.raises(Unwilling, match=why):
        restart(real, hand, name)
    assert daemons.state(name).run == before.run


def test_one_program_of_a_group_is_restarted_by_its_whole_name(
    daemons: Daemons,
) -> None:
    """The others of the group run on."""
    one, other = (f"twin:twin_{number}" for number in range(2))
    first = wait_until(daemons, one, "RUNNING")
    second = wait_until(daemons, other, "RUNNING")
    after = daemons.restart(one)
    assert after.is_active
    assert after.pid != first.pid
    assert daemons.state(other).pid == second.pid
    assert daemons.state("twin_0").name == one
    with pytest.raises(NotAccepted, match="another name of twin:twin_0"):
        daemons.restart("twin_0")


def test_a_job_that_is_told_to_end_leaves_nothing_ended(
    real: Supervisord, daemons: Daemons, tmp_path: Path
) -> None:
    """Between the end of a program and its start nobody is listened to."""
    before = daemons.state("shop")
    os.kill(before.pid, signal.SIGUSR1)
    wait_for("hanging shop", (real.folder / "deaf").exists)
    with pytest.raises(Stopped):
        restart(real, Impatient(tmp_path))
    wait_for("open shop", real.answers)
    assert daemons.state("shop").pid != before.pid


def test_its_name_and_password_are_asked_for(real: Supervisord) -> None:
    """Over HTTP, as most have it; neither is in what is told."""
    name, password = (quote(one, safe="") for one in PAIR)
    place = f"127.0.0.1:{real.port}/RPC2"
    host = HostSettings(supervisor=f"http://{name}:{password}@{place}")
    assert Daemons(host).state("shop").is_active
    for login in ("", f"{name}:wrong@"):
        host = HostSettings(supervisor=f"http://{login}{place}")
        with pytest.raises(OutgoingFailed) as told:
            Daemons(host).state("shop")
        assert str(told.value) == (
            "supervisor wants another name and password"
        )


def test_a_supervisor_that_ended_says_nothing(tmp_path: Path) -> None:
    """What it kept is unknown, which is neither good nor bad."""
    with Supervisord(tmp_path / "s") as real:
        host = host_of(real)
        wait_until(Daemons(host), "shop", "RUNNING")
        check = make_check(FakeEnv("service_is_active", host=host))
        subject = here(arguments={"service": "shop"})
        assert measure(check, subject).value == 1.0
    with pytest.raises(OutgoingFailed, match="does not answer"):
        measure(check, subject)
    with pytest.raises(NotAccepted, match="does not answer"):
        Daemons(host).restart("shop")
    assert not real.answers()
