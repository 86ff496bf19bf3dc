"""Runs each part as a process of its own, so that none disturbs the next."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from bench.book import machine
from bench.book.figure import Found, Part
from bench.book.keeping import HOME, Outcome
from bench.book.size import Size

# A part that takes so many times as long as it says hangs.
PATIENCE = 6
LEAST_SECONDS = 300.0
LARGER = 12
FAILED = "failed"


class Said(msgspec.Struct, frozen=True):
    """What a part says: figures, or why there are none."""

    found: tuple[Found, ...] = ()
    why: str = ""


def run(part: Part, size: Size, say: Callable[[str], None]) -> Outcome:
    """Run one part and return what became of it."""
    before, began = machine.look(), time.monotonic()
    pace = machine.pace_ms()
    said = _measure(part, size, say)
    # The quicker one: the other was taken while something else ran.
    pace = min(pace, machine.pace_ms())
    return Outcome(
        seconds=round(time.monotonic() - began, 1),
        machine=before,
        pace=round(pace, 3),
        why=said.why,
        found=said.found,
    )


def _measure(part: Part, size: Size, say: Callable[[str], None]) -> Said:
    """Return what a part says, whatever becomes of its process."""
    with tempfile.TemporaryDirectory(prefix="smokejumper-book-") as name:
        file, noise = Path(name) / "said.json", Path(name) / "noise"
        words = [sys.executable, "-m", "bench.book.one", part.name, size]
        status = _wait([*words, str(file)], noise, _seconds(part, size))
        said = Said(why=FAILED)
        if file.exists():
            said = msgspec.json.decode(file.read_bytes(), type=Said)
        if said.why == FAILED:
            for line in _end_of(noise):
                say(f"  {line}")
            why = f"failed: {status}"
            return msgspec.structs.replace(said, why=why)
        return said


def _seconds(part: Part, size: Size) -> float:
    """Return how long a part may take."""
    often = LARGER if size is Size.LARGE else 1
    return max(LEAST_SECONDS, part.minutes * 60 * PATIENCE) * often


def _wait(words: list[str], noise: Path, seconds: float) -> str:
    """Run a part to its end and return how that came."""
    with noise.open("wb") as output:
        running = subprocess.Popen(
            words,
            cwd=HOME,
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            return f"status {running.wait(seconds)}"
        except subprocess.TimeoutExpired:
            return f"not over after {seconds:.0f} s"
        finally:
            # Politely first: it ends the services that it has started.
            _end(running)


def _end(running: "subprocess.Popen[bytes]") -> None:
    """End a part that is not over yet."""
    if running.poll() is not None:
        return
    running.send_signal(2)
    try:
        running.wait(30)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()


def _end_of(noise: Path) -> Iterator[str]:
    """Yield the last of what a part wrote."""
    yield from noise.read_text(errors="replace").splitlines()[-15:]
