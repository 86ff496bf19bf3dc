"""Ansible itself: what is played, and what is never done."""

import fcntl
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.act.backends.ansible import Ansible
from app.act.hands import Tame
from app.act.local.hand import Unwilling
from app.act.local.runaway.identity import identify
from app.act.local.runaway.sparing import Sparing, SparingSettings
from app.core.errors import ConfigError, NotAccepted, OutgoingFailed
from app.models.evidence import read_stands_out
from app.models.job import JobState, Order, Progress
from app.ports import Backend, Living
from tests.unit.act.backends.making import (
    follow,
    further,
    make,
    on_a_loop,
    order,
)
from tests.unit.act.backends.stands import (
    ansible_settings,
    need_ansible,
    private_data,
    write_play,
)

HOME = Path(__file__).parents[4]
PLAYBOOK = "diagnostics.yml"
POLLS = 600


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """Return a folder of Ansible's with some playbooks."""
    need_ansible()
    return private_data(tmp_path)


def ansible(folder: Path, private: Path, **more: object) -> Backend:
    """Return the backend with all playbooks."""
    settings = {**ansible_settings(private), **more}
    return make(folder, {"ansible": settings})["ansible"]


def all_below(folder: Path) -> list[Path]:
    """Return all that lies in a folder."""
    return sorted(folder.rglob("*"))


def bare(backend: Backend) -> Ansible:
    """Return the backend without the hand before its mouth."""
    assert isinstance(backend, Tame)
    assert isinstance(backend._backend, Ansible)
    return backend._backend


def pause() -> None:
    """Let the play go on for a moment."""
    time.sleep(0.1)


def alive(folder: Path) -> list[psutil.Process]:
    """Return the processes that were begun for the plays of a test."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if str(folder) in " ".join(process.cmdline()):
                found += [process, *process.children(recursive=True)]
    return found


async def has_said(backend: Backend, sent: Order, text: str) -> Progress:
    """Return what is said of a play that has written a text by now."""
    said = await backend.start(sent)
    for _ in range(POLLS):
        if text in said.output:
            return said
        pause()
        said = await backend.watch(further(sent, said))
    raise AssertionError(f"it never wrote {text!r}")


async def played(backend: Backend, sent: Order) -> tuple[Progress, str]:
    """Return how a play ends that is started now."""
    said = await backend.start(sent)
    return await follow(backend, sent, said, pause, POLLS)


@on_a_loop
async def test_a_value_is_never_a_template(
    tmp_path: Path, private: Path
) -> None:
    """Braces of an alert stay braces: Ansible runs nothing for them."""
    trap = tmp_path / "trap"
    evil = f"{{{{ lookup('pipe', 'touch {trap}') }}}}"
    shown = {"msg": "[{{ service_name }}] {{ service_name | length }}"}
    write_play(private, "show", [{"ansible.builtin.debug": shown}])
    told = {"host": "web-01", "service": evil}
    end, output = await played(
        ansible(tmp_path, private), order("show", arguments=told)
    )
    assert end.state is JobState.SUCCEEDED
    assert f"[{evil}] {len(evil)}" in output.replace('\\"', '"')
    assert not trap.exists()


@on_a_loop
async def test_ends_that_are_no_success(tmp_path: Path, private: Path) -> None:
    """A task that fails, and a play that is for no host of ours."""
    fail = [{"ansible.builtin.fail": {"msg": "it is broken"}}]
    write_play(private, "broken", fail)
    write_play(private, "none", fail, hosts="web-02")
    backend = ansible(tmp_path, private)
    end, output = await played(backend, order("broken", "sj-1"))
    assert (end.state, end.reason) == (JobState.FAILED, "failed on web-01")
    assert "it is broken" in output
    end, _ = await played(backend, order("none", "sj-2"))
    assert end.state is JobState.FAILED
    assert "no play is for this host" in end.reason


@on_a_loop
async def test_diagnostics_of_a_host(tmp_path: Path, private: Path) -> None:
    """The playbook that comes with us gives evidence in our own form."""
    shutil.copy(HOME / "host" / "look.py", private / "project")
    shutil.copy(HOME / "host" / "ansible" / PLAYBOOK, private / "project")
    job = {
        "playbook": PLAYBOOK,
        "extravars": {"topic": "topic"},
        "shows": "stdout",
    }
    backend = ansible(tmp_path, private, jobs={"diagnostics": job})
    told = {"host": "web-01", "topic": "memory"}
    end, output = await played(backend, order("diagnostics", arguments=told))
    assert end.state is JobState.SUCCEEDED, output
    assert output.startswith("# evidence: memory on ")
    assert read_stands_out(output)
    told["topic"] = "$(touch trap)"
    end, output = await played(
        backend, order("diagnostics", "sj-2", arguments=told)
    )
    assert end.state is JobState.FAILED
    assert "that is no topic" in output


@on_a_loop
async def test_what_each_turn_of_a_loop_wrote(
    tmp_path: Path, private: Path
) -> None:
    """And why the one failed that did."""
    asked = {
        "ansible.builtin.command": "cat {{ item }}",
        "loop": ["one", "none", "two"],
        "args": {"chdir": str(tmp_path)},
    }
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"this is {name}\n")
    write_play(private, "turns", [asked])
    job = {"playbook": "turns.yml", "shows": "stdout"}
    backend = ansible(tmp_path, private, jobs={"turns": job})
    end, output = await played(
        backend, order("turns", arguments={"host": "web-01"})
    )
    assert end.state is JobState.FAILED
    lines = output.splitlines()
    assert (lines[0], lines[-2]) == ("this is one", "this is two")
    assert "none: No such file or directory" in output


@on_a_loop
async def test_its_time_is_over(tmp_path: Path, private: Path) -> None:
    """A play ends by itself when its time is over, whoever watches."""
    backend = ansible(tmp_path, private)
    end, _ = await played(backend, order("endless", seconds=3))
    assert end.state is JobState.TIMED_OUT
    assert not alive(tmp_path)


@on_a_loop
async def test_nothing_goes_on_after_an_abort(
    tmp_path: Path, private: Path
) -> None:
    """Ansible's workers are ended, too, and what a task has begun."""
    backend = ansible(tmp_path, private)
    sent = order("endless")
    said = await has_said(backend, sent, "wait_for")
    assert len(alive(tmp_path)) > 2
    await backend.abort(sent)
    end, _ = await follow(backend, further(sent, said), said, pause, POLLS)
    assert end.state is JobState.ABORTED
    assert not alive(tmp_path)


@on_a_loop
async def test_what_does_not_end_is_killed(
    tmp_path: Path, private: Path
) -> None:
    """A runner that hangs is told once, and killed when that was in vain."""
    backend = ansible(tmp_path, private)
    sent = order("endless")
    said = await has_said(backend, sent, "wait_for")
    place = tmp_path / "var" / "ansible" / sent.key
    os.kill(int((place / "pid").read_text()), signal.SIGSTOP)
    await backend.abort(sent)
    assert not (await backend.watch(further(sent, said))).has_ended
    os.utime(place / "stop", (1, 1))
    await backend.abort(sent)
    end, _ = await follow(backend, further(sent, said), said, pause, POLLS)
    assert end.state is JobState.ABORTED
    assert "killed" in end.reason
    assert not alive(tmp_path)


@on_a_loop
async def test_its_process_is_killed(tmp_path: Path, private: Path) -> None:
    """What died without a word is unknown, and is not started again."""
    backend = ansible(tmp_path, private)
    sent = order("endless")
    await has_said(backend, sent, "line 1")
    place = tmp_path / "var" / "ansible" / sent.key
    pid = int((place / "pid").read_text())
    # Nor does anybody here take it, or what it began, for a runaway.
    for process in (psutil.Process(pid), *psutil.Process(pid).children()):
        who = identify(process.pid)
        assert who is not None
        with pytest.raises(Unwilling, match="our own process"):
            Sparing(SparingSettings(users=(os.getuid(),))).refuse(who)
    os.kill(pid, signal.SIGKILL)
    said = await backend.watch(sent)
    for _ in range(POLLS):
        if said.has_ended:
            break
        pause()
        said = await backend.watch(sent)
    assert said.state is JobState.UNKNOWN
    again = await ansible(tmp_path, private).start(sent)
    assert again.state is JobState.UNKNOWN
    assert (tmp_path / "played").read_text().splitlines() == [sent.key]
    for process in alive(tmp_path):
        with suppress(psutil.NoSuchProcess):
            process.kill()


@on_a_loop
async def test_what_is_written_down_stays_with_us(
    tmp_path: Path, private: Path
) -> None:
    """Nobody else may read it, and Ansible's own folder is left as it was."""
    before = all_below(private)
    end, _ = await played(ansible(tmp_path, private), order("later"))
    assert end.state is JobState.SUCCEEDED
    place = tmp_path / "var" / "ansible" / "sj-1-abc"
    assert place.stat().st_mode & 0o077 == 0
    assert (place / "vars.yml").stat().st_mode & 0o077 == 0
    assert (place / "end.json").exists()
    assert all_below(private) == before


@on_a_loop
async def test_it_reaches_the_hosts_of_its_inventory(
    tmp_path: Path, private: Path
) -> None:
    """Which Ansible itself tells; a group is no host."""
    backend = ansible(tmp_path, private)
    assert isinstance(bare(backend), Living)
    assert backend.reaches("db-01", is_here=False), "not read yet"
    await bare(backend).read_inventory()
    assert backend.reaches("WEB-01", is_here=False)
    assert not backend.reaches("web", is_here=False)
    assert not backend.reaches("db-01", is_here=True)
    for host in ("web", "all", "web-*"):
        told = {"host": host, "service": "nginx"}
        with pytest.raises(NotAccepted, match=r"one$|one host"):
            await backend.start(order("later", arguments=told))
    some = ansible(tmp_path, private, hosts=["db-*"])
    assert some.reaches("db-01", is_here=False)
    assert not some.reaches("web-01", is_here=False)


@on_a_loop
async def test_a_value_that_is_no_line(tmp_path: Path, private: Path) -> None:
    """It is refused before anything is written down."""
    backend = ansible(tmp_path, private)
    for service in ("a\nb", "naïve", "", "x" * 2_000):
        told = {"host": "web-01", "service": service}
        with pytest.raises(NotAccepted):
            await backend.start(order("later", arguments=told))
    assert not (tmp_path / "var").exists()


@on_a_loop
async def test_what_could_not_begin_may_begin_later(
    tmp_path: Path, private: Path
) -> None:
    """A runner that never came to play did nothing, and says why."""
    (tmp_path / "bin").mkdir()
    real = Path(sys.executable).parent / "ansible-inventory"
    programs = {"python": "/bin/false", "ansible-playbook": "/bin/true"}
    for name, target in {**programs, real.name: str(real)}.items():
        (tmp_path / "bin" / name).symlink_to(target)
    python = str(tmp_path / "bin" / "python")
    sent = order("later")
    with pytest.raises(NotAccepted, match="could not begin"):
        await ansible(tmp_path, private, python=python).start(sent)
    end, _ = await played(ansible(tmp_path, private), sent)
    assert end.state is JobState.SUCCEEDED


@on_a_loop
async def test_what_is_about_to_be_started(
    tmp_path: Path, private: Path
) -> None:
    """While another process starts it, nobody says that it never ran."""
    backend = ansible(tmp_path, private)
    sent = order("later")
    place = tmp_path / "var" / "ansible" / sent.key
    place.mkdir(parents=True)
    lock = os.open(place / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    for ask in (backend.find, backend.start):
        with pytest.raises(OutgoingFailed, match="about to be started"):
            await ask(sent)
    os.close(lock)
    assert await backend.find(sent) is None


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        ({"private_data_dir": None}, "private_data_dir", "string"),
        ({"python": "/nowhere/python"}, "ansible.python", "not beside"),
        ({"jobs": {"x": {"playbook": "../x.yml"}}}, "x.playbook", "below"),
        ({"jobs": {"x": {"playbook": "/etc/x"}}}, "x.playbook", "below"),
        ({"jobs": {"x": {"playbook": "no.yml"}}}, "jobs.x", "not there"),
        (
            {
                "jobs": {
                    "x": {"playbook": "later.yml", "extravars": {"a b": "c"}}
                }
            },
            "extravars",
            "a b",
        ),
    ],
)
def test_wrong_settings_are_told(
    tmp_path: Path,
    private: Path,
    *,
    change: dict[str, Any],
    where: str,
    what: str,
) -> None:
    """Each mistake is named with its place."""
    with pytest.raises(ConfigError, match=what) as problem:
        ansible(tmp_path, private, **change)
    assert where in problem.value.problems[0].setting


def test_without_ansible_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command to type is in the answer, and nothing else is tried."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    (tmp_path / "project").mkdir()
    settings = {"ansible": {"private_data_dir": "."}}
    with pytest.raises(
        ConfigError, match="pip install ansible-runner=="
    ) as no:
        make(tmp_path, settings)
    assert sys.executable in str(no.value)
