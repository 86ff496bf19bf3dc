"""The service that an alert is about: how it is, and what its log says."""

import os
import time
from pathlib import Path

import pytest

from app.act.local.look.probe import Notes
from app.act.local.look.troubles import is_error, note_log
from app.core import program
from tests.unit.act.local.rounds import Round, write
from tests.unit.act.local.wards import Systemctl, systemctl

__all__ = ["systemctl"]
TITLE = "the service of the alert"
TWO_FAILED = """
if [ "$1" = list-units ]; then
    echo 'nginx.service loaded failed failed x'
    echo 'other.service loaded failed failed x'
else
    echo "Id=$4"
    echo "Names=$4"
    echo LoadState=loaded
    echo ActiveState=failed
    echo SubState=failed
fi
"""
CALM = [f"GET /{n} 200" for n in range(40)]


def look(root: Path, service: str = "nginx") -> Round:
    """Return what is seen of a service."""
    return Round("about", root=root, service=service)


def test_one_that_runs_and_writes_errors(
    systemctl: Systemctl, tmp_path: Path
) -> None:
    """Neither failed nor starting: its errors come first all the same."""
    systemctl.unit("nginx.service")
    systemctl.journal("connect() failed (111)", "no live upstreams", *CALM)
    found = look(tmp_path)
    (state,) = found.lines(TITLE)
    assert state.startswith("nginx (systemd): nginx.service is active (runn")
    log = found.lines("log of nginx")
    assert log[:2] == [
        "errors in 1 of its last 42 lines, the newest first:",
        "connect() failed (111)",
    ]
    assert log[-1] == CALM[-1]
    assert found.first == [
        (
            "log of nginx: errors in 1 of its last 42 lines, the newest:"
            " connect() failed (111)"
        ),
        state,
    ]
    assert "--unit=nginx.service --lines=200" in systemctl.asked_journal


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        ({"ActiveState": "inactive", "SubState": "dead"}, "is inactive (dead"),
        ({"ActiveState": "failed", "SubState": "failed"}, "is failed (failed"),
    ],
)
def test_one_that_does_not_run(
    systemctl: Systemctl, tmp_path: Path, shown: dict[str, str], says: str
) -> None:
    """Somebody stopped it, or it failed: it is worse than any figure."""
    systemctl.unit("nginx.service", **shown)
    systemctl.journal("Stopped nginx.")
    found = look(tmp_path)
    assert says in found.first[0]
    assert found.oddities[0].weight > 70
    assert found.lines("log of nginx") == ["Stopped nginx."]


def test_it_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is one of those that failed, too; the others are all said."""
    programs = {"systemctl": TWO_FAILED, "journalctl": "echo 'cannot open'"}
    for name, code in programs.items():
        file = tmp_path / name
        file.write_text(f"#!/bin/sh\n{code}\n")
        file.chmod(0o755)
    monkeypatch.setattr(program, "PLACES", f"{tmp_path}:/usr/bin:/bin")
    found = Round("about", "units", root=tmp_path, service="nginx")
    assert [one.partition(" (")[0] for one in found.first] == [
        "nginx",
        "other",
        (
            "log of nginx: errors in 1 of its last 1 lines, the newest: cannot"
            " open"
        ),
    ]
    titles = [one.title for one in found.sections]
    assert titles.count("log of nginx") == titles.count("log of other") == 1


def test_one_that_nobody_knows(systemctl: Systemctl, tmp_path: Path) -> None:
    """It is said, and no journal is asked for."""
    found = look(tmp_path, "shop")
    assert found.first == ["shop (systemd): systemd knows no shop.service"]
    assert [one.title for one in found.sections] == [TITLE]
    assert not list(tmp_path.glob("programs/asked"))
    del systemctl


def test_nothing_is_said_where_no_service_is_named(tmp_path: Path) -> None:
    """Most alerts are about none."""
    found = look(tmp_path, "")
    assert (found.sections, found.oddities) == ([], [])


def test_its_own_log_files_are_read(
    systemctl: Systemctl, tmp_path: Path
) -> None:
    """Those of errors first; no link, no fifo, and not who called for what."""
    systemctl.unit("nginx.service")
    systemctl.journal("Started nginx.")
    log = "var/log/nginx"
    write(tmp_path, f"{log}/error.log", "[crit] token=hunter2x no such file\n")
    write(tmp_path, f"{log}/other.log", "well\n")
    write(tmp_path, f"{log}/access.log", "GET / 500 error\n")
    write(tmp_path, f"{log}/old.log.1", "error\n")
    write(tmp_path, "etc/shadow", "root error\n")
    (tmp_path / log / "link.log").symlink_to(tmp_path / "etc/shadow")
    os.mkfifo(tmp_path / log / "fifo.log")
    found = look(tmp_path)
    titles = [one.title for one in found.sections]
    own = [f"log of {tmp_path / log}/{one}.log" for one in ("error", "other")]
    assert titles == [TITLE, "log of nginx", *own]
    assert found.lines(own[0]) == ["[crit] token=(SECRET) no such file"]
    assert found.first[0].startswith(f"{own[0]}: errors in 1 of its last 1 l")
    assert "hunter2" not in str(found.oddities)


def test_errors_of_long_ago_are_no_news(
    systemctl: Systemctl, tmp_path: Path
) -> None:
    """They are shown, and do not stand out."""
    systemctl.unit("nginx.service")
    systemctl.journal("Started nginx.")
    write(tmp_path, "var/log/nginx.log", "fatal: gone\n")
    long_ago = time.time() - 3 * 86_400
    os.utime(tmp_path / "var/log/nginx.log", (long_ago, long_ago))
    found = look(tmp_path)
    (lines,) = [found.lines(s.title) for s in found.sections[2:]]
    assert lines == ["nothing was written for 3 days", "fatal: gone"]
    assert len(found.first) == 1


@pytest.mark.parametrize(
    "line",
    [
        "2026/11/21 [error] 7#7: *1 connect() failed",
        "[alert] worker process 9 exited on signal 11",
        "java.lang.NullPointerException: x",
        "ERROR: could not open relation",
        "level=error msg=oops",
        "kernel: Out of memory: Killed process 4712",
        "upstream timed out",
        "Traceback (most recent call last):",
    ],
)
def test_what_is_an_error(line: str) -> None:
    """In the words of many programs."""
    assert is_error(line)


@pytest.mark.parametrize(
    "line",
    [
        "GET /errorless 200",
        'level=info msg="retry after an error"',
        "web1 app[7]: INFO 3 requests failed before, now well",
        "finished: 0 errors, 12 files",
        '{"level":"debug","error":null}',
        "alertmanager started",
    ],
)
def test_what_is_none(line: str) -> None:
    """What a program calls information, whatever it speaks of."""
    assert not is_error(line)


def test_a_long_log_is_bounded() -> None:
    """20 errors, the newest first, and the last 30 lines."""
    notes = Notes()
    note_log(notes, "x", [f"error {n}" for n in range(200)], weight=5.0)
    ((lines,),) = [[one.lines for one in notes.sections(500)]]
    assert len(lines) == 52
    assert lines[1] == "error 199"
    assert lines[20] == "error 180"
    assert lines[-1] == "error 199"
