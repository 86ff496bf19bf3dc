"""Run a fixed command of the system: no shell, an end, a little output."""

import asyncio
import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress

from app.core.errors import OutgoingFailed

PLACES = "/usr/bin:/bin:/usr/sbin:/sbin"
MOST_BYTES = 65_536
END_SECONDS = 2.0


async def ask_program(
    program: str,
    arguments: Sequence[str],
    seconds: float,
    *,
    hears_errors: bool = False,
) -> str:
    """Return what a program of the system writes, whatever its status.

    Args:
        program: its name.
        arguments: fixed words.
        seconds: how long it may take.
        hears_errors: whether what it writes as errors is heard, too.

    Raises:
        OutgoingFailed: it is not here, takes too long, or says too much.
    """
    path = shutil.which(program, path=PLACES)
    if path is None:
        raise OutgoingFailed(f"{program} is not on this machine")
    try:
        running = await asyncio.create_subprocess_exec(
            path,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=(
                asyncio.subprocess.STDOUT
                if hears_errors
                else asyncio.subprocess.DEVNULL
            ),
            env={"PATH": PLACES, "LC_ALL": "C", "LANG": "C"},
            cwd=os.sep,
            start_new_session=True,
        )
    except OSError as error:
        raise OutgoingFailed(f"{program}: {error.strerror}") from error
    try:
        async with asyncio.timeout(seconds):
            said = await _read(running)
            if len(said) > MOST_BYTES:
                raise OutgoingFailed(f"{program} says too much")
            await running.wait()
    except TimeoutError as error:
        text = f"{program} did not answer in {seconds:g} s"
        raise OutgoingFailed(text) from error
    finally:
        await _end(running)
    return said.decode(errors="replace")


async def _read(running: asyncio.subprocess.Process) -> bytes:
    """Return what it writes, a little more than is taken at most."""
    said = bytearray()
    while running.stdout is not None and len(said) <= MOST_BYTES:
        chunk = await running.stdout.read(MOST_BYTES + 1 - len(said))
        if not chunk:
            return bytes(said)
        said += chunk
    return bytes(said)


async def _end(running: asyncio.subprocess.Process) -> None:
    """Leave no process behind, nor one that it started.

    What it still says is read away: a full pipe would never be closed, and
    a process is over only when its pipe is.
    """
    if running.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            while running.stdout is not None:
                if not await running.stdout.read(MOST_BYTES):
                    break
            await running.wait()
