"""Commands: fixed words, an end, a little output, nothing left behind."""

import os
import signal
import stat
import sys
import time
from pathlib import Path

import pytest

from app.core import program
from app.core.command import Starter, run_program
from app.core.errors import NotSent, OutgoingFailed

PYTHON = sys.executable
# A child that ends a second after nobody would have waited for it.
CHILD = """
import os, sys, time
if os.fork():
    sys.exit(0)
open(sys.argv[1], "w").write(str(os.getpid()))
time.sleep(60)
"""


def wait_for_pid(file: Path) -> int:
    """Return the process that a file names, once it does."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        text = file.read_text() if file.exists() else ""
        if text:
            return int(text)
        time.sleep(0.01)
    raise AssertionError(f"{file} was never written")


def is_running(pid: int) -> bool:
    """Tell whether a process has not ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def test_what_it_writes_and_how_it_ends_is_told() -> None:
    """Its answer and its troubles apart; a failure is no error of ours."""
    code = "import sys; print('a'); print('b', file=sys.stderr); sys.exit(4)"
    said = run_program(PYTHON, ["-c", code], 30)
    assert (said.status, said.text, said.error) == (4, "a\n", "b\n")
    code = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    assert run_program(PYTHON, ["-c", code], 30).status == -signal.SIGTERM


def test_it_gets_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment, no input, no folder, no session."""
    monkeypatch.setenv("DATABASE_URL", "secret")
    code = (
        "import os, sys; print(dict(os.environ), repr(sys.stdin.read()),"
        " os.getcwd(), os.getsid(0) == os.getpid())"
    )
    said = run_program(PYTHON, ["-c", code], 30).text
    assert "secret" not in said
    assert said.endswith("'' / True\n")


def test_words_are_never_a_script(tmp_path: Path) -> None:
    """They reach the program as they are."""
    words = ["$(id)", "; touch x", "`id`", "a b", "*"]
    code = "import sys; print(sys.argv[1:])"
    said = run_program(PYTHON, ["-c", code, *words], 30)
    assert said.text == f"{words}\n"
    assert not any(tmp_path.iterdir())


def test_a_name_is_looked_for_where_the_system_keeps_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not where the environment says."""
    file = tmp_path / "mine"
    file.write_text("#!/bin/sh\necho mine\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotSent, match="mine is not on this machine"):
        run_program("mine", [], 30)
    monkeypatch.setattr(program, "PLACES", str(tmp_path))
    assert run_program("mine", [], 30).text == "mine\n"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("/no/such/program", []), ("/", []), (PYTHON, ["a\x00b"])],
)
def test_what_cannot_be_started_was_not_sent(
    name: str, arguments: list[str]
) -> None:
    """So nothing has happened."""
    with pytest.raises(NotSent, match=name):
        run_program(name, arguments, 30)
    with pytest.raises(NotSent, match=name):
        Starter(name, arguments)


def test_what_takes_too_long_is_ended_with_all_it_started(
    tmp_path: Path,
) -> None:
    """Nothing is left behind."""
    file = tmp_path / "pid"
    code = CHILD.replace("sys.exit(0)", "time.sleep(60)")
    with pytest.raises(OutgoingFailed, match=r"did not answer in 1\.5 s"):
        run_program(PYTHON, ["-c", code, str(file)], 1.5)
    pid = wait_for_pid(file)
    deadline = time.monotonic() + 20
    while is_running(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("pipe", [1, 2])
def test_what_talks_for_ever_is_ended(pipe: int) -> None:
    """On either way out."""
    code = f"import os\nwhile True: os.write({pipe}, b'y' * 4096)"
    with pytest.raises(OutgoingFailed, match="says too much"):
        run_program(PYTHON, ["-c", code], 30)


def test_of_a_log_the_end_is_kept() -> None:
    """In whole lines, whatever it says of its troubles besides."""
    code = (
        "import sys\n"
        "for n in range(3_000):\n"
        "    print(f'line {n}', 'x' * 90)\n"
        "    print(f'trouble {n}', 'x' * 90, file=sys.stderr)\n"
    )
    said = run_program(PYTHON, ["-c", code], 30, keeps_end=True)
    for text, word in ((said.text, "line"), (said.error, "trouble")):
        lines = text.splitlines()
        assert lines[-1].startswith(f"{word} 2999 ")
        assert all(one.startswith(word) for one in lines)
        assert 60_000 < len(text) <= program.MOST_BYTES
    short = run_program(PYTHON, ["-c", "print('a')"], 30, keeps_end=True)
    assert short.text == "a\n"
    # The end of one line alone could be the half of a secret.
    code = "print('x' * 200_000)"
    assert not run_program(PYTHON, ["-c", code], 30, keeps_end=True).text


def test_a_daemon_that_a_command_starts_is_left_alone(tmp_path: Path) -> None:
    """Nobody waits for it, and nobody ends it."""
    file = tmp_path / "pid"
    starter = Starter(PYTHON, ["-c", CHILD, str(file)])
    assert starter.wait(30, time.sleep) == 0
    assert starter.has_ended
    pid = wait_for_pid(file)
    try:
        assert is_running(pid)
        given = [Path(f"/proc/{pid}/fd/{one}") for one in (0, 1, 2)]
        assert {str(one.readlink()) for one in given} == {"/dev/null"}
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_starter_that_takes_long_is_left_running(tmp_path: Path) -> None:
    """It may have ended a daemon that it has not started yet."""
    file = tmp_path / "pid"
    code = (
        "import os, sys, time\n"
        "open(sys.argv[1], 'w').write(str(os.getpid()))\n"
        "while os.path.exists(sys.argv[1]): time.sleep(0.01)\n"
        "sys.exit(7)"
    )
    starter = Starter(PYTHON, ["-c", code, str(file)])
    assert starter.wait(0.5, time.sleep) is None
    pid = wait_for_pid(file)
    assert is_running(pid)
    assert not starter.has_ended

    def stop(_seconds: float) -> None:
        """End the waiting."""
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        starter.wait(30, stop)
    assert is_running(pid)
    file.unlink()
    assert starter.wait(30, time.sleep) == 7


def test_the_status_of_a_starter_is_told() -> None:
    """Whoever asks decides what it means."""
    starter = Starter(PYTHON, ["-c", "raise SystemExit(9)"])
    assert starter.wait(30, time.sleep) == 9
