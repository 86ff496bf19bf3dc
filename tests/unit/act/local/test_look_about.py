"""host/look.py at the service that an alert is about, and at supervisor."""

import os
import runpy
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from app.act.local.look.troubles import ERROR, FINE
from tests.unit.act.local.rounds import write
from tests.unit.act.local.test_look_services import LOOK, Part
from tests.unit.act.local.wards import Systemctl, systemctl

__all__ = ["systemctl"]
# Follows supervisorctl of supervisor 4: its words, columns and status.
SUPERVISORCTL = """
    import sys

    words = sys.argv[1:]
    if words == ["status"]:
        print("mailer                   FATAL     Exited too quickly")
        print("shop:web                 RUNNING   pid 7, uptime 1:02:03")
        print("shop:queue               BACKOFF   Exited too quickly")
        print("once                     EXITED    Nov 23 01:00 AM")
        print("manual                   STOPPED   Not started")
        sys.exit(3)
    assert words[:2] == ["tail", "-16384"], words
    name, kind = words[2:]
    if name == "mailer" and kind == "stderr":
        print("no space left on device, password=hunter2x")
    elif name == "shop:web" and kind == "stdout":
        print("upstream refused\\n" + "GET / 200\\n" * 9)
    else:
        print(f"{name}: ERROR (no log file)")
"""


def test_it_takes_the_same_lines_for_trouble_as_our_own_look() -> None:
    """It runs where nothing of ours is, so it has them written down again."""
    told = runpy.run_path(str(LOOK))
    for own, other in ((ERROR, told["TROUBLE"]), (FINE, told["FINE"])):
        assert (own.pattern, own.flags) == (other.pattern, other.flags)


def install(folder: Path) -> str:
    """Put a supervisorctl there; return where programs are looked for."""
    file = folder / "supervisorctl"
    code = textwrap.dedent(SUPERVISORCTL)
    file.write_text(f"#!{sys.executable} -IS\n{code}")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return f"{folder}:/usr/bin:/bin"


def look(systemctl: Systemctl, root: Path, service: str = "nginx") -> Part:
    """Return what is seen of a service on a host of systemd."""
    return Part(
        "a service",
        service,
        PLACES=systemctl.places,
        MORE_PLACES=systemctl.places,
        LOGS=str(root / "log"),
    )


def test_programs_that_are_not_well_come_with_their_logs(
    tmp_path: Path,
) -> None:
    """The worst first; one that somebody stopped is as it should be."""
    said = Part("supervisor", MORE_PLACES=install(tmp_path))
    assert said.odd == [
        "mailer (supervisor) is FATAL: Exited too quickly",
        "shop:queue (supervisor) is BACKOFF: Exited too quickly",
        "once (supervisor) is EXITED: Nov 23 01:00 AM",
    ]
    assert said.lines == [
        "5 programs, 3 not well",
        said.odd[0],
        "  stderr: no space left on device, password=(SECRET)",
        *said.odd[1:],
    ]


def test_without_supervisor_it_says_so(tmp_path: Path) -> None:
    """It is not there, or says why it does not answer."""
    said = Part("supervisor", MORE_PLACES=str(tmp_path))
    assert said.lines == ["not readable: supervisorctl is not on this machine"]
    install(tmp_path)
    text = "unix:///run/supervisor.sock no such file"
    (tmp_path / "supervisorctl").write_text(f"#!/bin/sh\necho '{text}'\n")
    said = Part("supervisor", MORE_PLACES=str(tmp_path))
    assert said.lines == [f"not readable: {text}"]
    assert said.odd == []


def test_one_that_runs_and_writes_errors(
    systemctl: Systemctl, tmp_path: Path
) -> None:
    """Its errors come first, and stand out."""
    systemctl.unit("nginx.service")
    systemctl.journal("connect() failed (111)", *["served"] * 40)
    said = look(systemctl, tmp_path)
    state = "nginx (systemd) is active (running)"
    many = "log of nginx: errors in 1 of its last 41 lines, the newest"
    assert said.odd == [f"{many}: connect() failed (111)", state]
    assert said.lines[:3] == [
        state,
        f"{many} first:",
        "  connect() failed (111)",
    ]
    assert len(said.lines) == 29


def test_one_that_was_stopped(systemctl: Systemctl, tmp_path: Path) -> None:
    """Neither failed nor starting, and not there."""
    systemctl.unit("nginx.service", ActiveState="inactive", SubState="dead")
    systemctl.journal("Stopped nginx.")
    said = look(systemctl, tmp_path)
    assert said.odd == ["nginx (systemd) is inactive (dead)"]
    assert said.lines[-1] == "  Stopped nginx."


def test_its_own_log_files_are_read(
    systemctl: Systemctl, tmp_path: Path
) -> None:
    """Those of errors first; no link, no fifo, and not who called for what."""
    write(tmp_path, "log/nginx/error.log", "[crit] no such file\n")
    write(tmp_path, "log/nginx/access.log", "GET / 500 error\n")
    write(tmp_path, "log/secret", "root error\n")
    (tmp_path / "log/nginx/link.log").symlink_to(tmp_path / "log/secret")
    os.mkfifo(tmp_path / "log/nginx/fifo.log")
    said = look(systemctl, tmp_path)
    assert said.lines == [
        "systemd knows no nginx.service",
        f"the end of the log of {tmp_path}/log/nginx/error.log:",
        "  [crit] no such file",
    ]
    assert len(said.odd) == 1


def test_a_program_of_supervisor(tmp_path: Path) -> None:
    """By its own name, or by its group's."""
    places = install(tmp_path)
    told = {"PLACES": str(tmp_path), "MORE_PLACES": places, "LOGS": "/nowhere"}
    said = Part("a service", "web", **told)
    state = "shop:web (supervisor) is RUNNING: pid 7, uptime 1:02:03"
    assert state in said.lines
    assert said.odd == [
        (
            "log of shop:web: errors in 1 of its last 10 lines, the newest:"
            " stdout: upstream refused"
        ),
        state,
    ]
    group = Part("a service", "shop", **told)
    assert group.odd[0].startswith("shop:queue (supervisor) is BACKOFF")
    assert set(said.odd) < set(group.odd)


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    """Return what comes of the file itself."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(LOOK), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=os.sep,
    )


@pytest.mark.parametrize("words", [(), ("",), ("shop.service",)])
def test_the_service_is_a_word_that_may_be_missing(
    words: tuple[str, ...],
) -> None:
    """A job that tells none works as ever."""
    done = run("time", *words)
    assert done.returncode == 0, done.stderr
    is_there = "\n## service shop\n" in done.stdout
    assert is_there is ("shop.service" in words)
    assert done.stdout.count("\n## service ") == is_there


@pytest.mark.parametrize(
    "said",
    [
        "-x", "--host=evil", "../../etc/shadow", "/etc/shadow", "a/b", "a..b",
        "a b", "nginx;reboot", "$(reboot)", "ngіnx", "a\nb", "*", "x" * 128,
    ],
)  # fmt: skip
def test_what_is_no_service_is_refused(said: str) -> None:
    """Nothing is looked at for it."""
    done = run("time", said)
    assert (done.returncode, done.stdout) == (1, "")
    assert "that is no service" in done.stderr
