"""The system's journal: it is made smaller by its own tool only."""

import asyncio
from collections.abc import Callable, Sequence

from app.core.errors import OutgoingFailed
from app.core.program import ask_program

PROGRAM = "journalctl"
FOLDER = "/var/log/journal"
SECONDS = 60.0
PIECE_SECONDS = 0.1


def vacuum(words: Sequence[str], check: Callable[[], None]) -> str:
    """Let journalctl remove old journals; return what it says before, after.

    Args:
        words: what is kept, as journalctl is told it.
        check: raises when it must end.
    """
    try:
        before = _ask(("--disk-usage",), check)
        _ask(words, check)
        after = _ask(("--disk-usage",), check)
    except OutgoingFailed as error:
        return f"The journal was left alone: {error}"
    told = " ".join((PROGRAM, *words))
    return f"{told}\n  before: {before}\n  after: {after}"


def _ask(words: Sequence[str], check: Callable[[], None]) -> str:
    """Return what it says to fixed words, or raise OutgoingFailed."""
    return asyncio.run(_watch(words, check)).strip()


async def _watch(words: Sequence[str], check: Callable[[], None]) -> str:
    """Wait for it; when it must end, no process is left behind."""
    asking = asyncio.ensure_future(ask_program(PROGRAM, words, SECONDS))
    try:
        while not asking.done():
            check()
            await asyncio.wait({asking}, timeout=PIECE_SECONDS)
        return await asking
    finally:
        if not asking.done():
            asking.cancel()
            await asyncio.wait({asking})
