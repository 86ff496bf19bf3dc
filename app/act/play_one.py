"""Play one playbook, in a process of its own that outlives whoever began it.

    python -I play_one.py FOLDER LOCK

FOLDER holds ``order.json``; LOCK is the number of an open file that is
locked as long as we run: whoever finds it free knows that we are gone. What
became of it is in ``end.json``. It needs Ansible Runner and nothing of ours,
so that the Python which has Ansible may be another one.
"""

import fcntl
import importlib
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

GRACE_SECONDS = 2.0
LOOK_SECONDS = 0.05
# How a task ended on a host: well, badly, or not at all.
ENDS = ("runner_on_ok", "runner_on_failed", "runner_on_unreachable")


class Reins:
    """Ends a play that is told to end, or whose time is over.

    Ansible's workers are sessions of their own: Ansible Runner ends only
    the first process, and a task would go on although nobody follows it.
    So what a play has begun is noted before it is ended, and ended after.
    """

    def __init__(self, seconds: float) -> None:
        """Take how long it may take; it begins now."""
        self._until = time.monotonic() + seconds
        self._noted: dict[int, str] = {}
        self.is_told = False
        self.is_late = False

    def tell(self, *_: object) -> None:
        """Let it end; called by a signal."""
        self.is_told = True

    def must_end(self) -> bool:
        """Tell whether it must end; Ansible Runner asks again and again."""
        self.is_late = self.is_late or time.monotonic() >= self._until
        if self.is_told or self.is_late:
            self._noted |= descendants(os.getpid())
            return True
        return False

    def clear(self) -> None:
        """End what is left of a play that was ended."""
        for word in (signal.SIGTERM, signal.SIGKILL):
            until = time.monotonic() + GRACE_SECONDS
            for pid in self._left():
                with suppress(OSError):
                    os.kill(pid, word)
            while self._left() and time.monotonic() < until:
                time.sleep(LOOK_SECONDS)

    def _left(self) -> list[int]:
        """Return what was noted, with what it began since, and is there."""
        for pid in list(self._noted):
            self._noted |= descendants(pid)
        return [
            pid for pid, born in self._noted.items() if stat(pid)[1:] == [born]
        ]


class Listener:
    """Keeps what the tasks of a play themselves have written."""

    def __init__(self, folder: Path) -> None:
        """Take where the file is that keeps it."""
        self._file = folder / "said"

    def __call__(self, event: dict[str, Any]) -> bool:
        """Take what a task has written; tell that the event is kept."""
        if event.get("event") in ENDS:
            result = event.get("event_data", {}).get("res") or {}
            parts = written(result, has_failed=event["event"] != ENDS[0])
            text = "".join(f"{part}\n" for part in parts if part)
            with self._file.open("a", encoding="utf-8", newline="") as file:
                file.write(text.replace("\r\n", "\n"))
        return True


def written(result: dict[str, Any], *, has_failed: bool) -> Iterator[Any]:
    """Yield what a task has written; of a loop what each of its turns has."""
    turns = result.get("results")
    for turn in turns if isinstance(turns, list) else ():
        if isinstance(turn, dict):
            is_bad = bool(turn.get("failed"))
            yield from written(turn, has_failed=is_bad)
    yield result.get("stdout")
    if has_failed:
        yield from (result.get("stderr"), result.get("msg"))


def stat(pid: int) -> list[str]:
    """Return parent and birth of a process, nothing when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return []
    fields = text.rpartition(")")[2].split()
    return [] if fields[0] in "ZX" else [fields[1], fields[19]]


def descendants(pid: int) -> dict[int, str]:
    """Return the births of the processes below one; by their numbers."""
    with suppress(OSError):
        names = [path.name for path in Path("/proc").iterdir()]
        numbers = [int(name) for name in names if name.isdigit()]
        births = {number: stat(number) for number in numbers}
        found: dict[int, str] = {}
        fresh = [pid]
        while fresh:
            parents = {str(one) for one in fresh}
            fresh = [
                number
                for number, seen in births.items()
                if seen and seen[0] in parents and number not in found
            ]
            found |= {number: births[number][1] for number in fresh}
        return found
    return {}


def main() -> None:
    """Leave whoever began us, and play."""
    folder, lock = Path(sys.argv[1]), int(sys.argv[2])
    order = json.loads((folder / "order.json").read_text(encoding="utf-8"))
    if os.fork():
        os._exit(0)
    os.setsid()
    reins = Reins(order["seconds"])
    signal.signal(signal.SIGTERM, reins.tell)
    (folder / "pid").write_text(str(os.getpid()), encoding="ascii")
    # It stays open in us, and in none that we start.
    fcntl.fcntl(lock, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    write(folder, play(folder, order, reins))


def play(folder: Path, order: dict[str, Any], reins: Reins) -> dict[str, Any]:
    """Return what Ansible Runner says of a play when it is over."""
    here = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", "")])
    os.environ["ANSIBLE_NOCOLOR"] = "1"
    os.environ["ANSIBLE_FORCE_COLOR"] = "0"
    os.environ["ANSIBLE_RETRY_FILES_ENABLED"] = "0"
    runner = importlib.import_module("ansible_runner")
    done = runner.run(
        private_data_dir=order["private_data_dir"],
        playbook=order["playbook"],
        limit=order["limit"] or None,
        forks=order["forks"],
        cmdline=shlex.join(["-e", f"@{folder / 'vars.yml'}"]),
        artifact_dir=str(folder),
        ident="run",
        quiet=True,
        cancel_callback=reins.must_end,
        event_handler=Listener(folder) if order["shows"] == "stdout" else None,
        # Or it would write our variables where the next play reads them.
        suppress_env_files=True,
    )
    status = done.status
    if status == "canceled":
        reins.clear()
        status = "timeout" if reins.is_late else status
    return {"status": status, "rc": done.rc, "stats": done.stats or {}}


def write(folder: Path, end: dict[str, Any]) -> None:
    """Write how it ended: all of it, or nothing."""
    half = folder / "end.half"
    with half.open("w", encoding="utf-8") as file:
        json.dump(end, file)
        file.flush()
        os.fsync(file.fileno())
    half.replace(folder / "end.json")


if __name__ == "__main__":
    main()
