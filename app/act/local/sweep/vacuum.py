"""The system's journal: it is made smaller by its own tool only."""

import asyncio
from collections.abc import Callable, Sequence

from app.core.errors import OutgoingFailed
from app.core.program import ask_program

PROGRAM = "journalctl"
FOLDER = "/var/log/journal"
SECONDS = 60.0
PIECE_SECONDS = 0.1
# So many errors are shown: the first ones tell it.
MOST = 5


def vacuum(words: Sequence[str], check: Callable[[], None]) -> str:
    """Let journalctl remove old journals; return what it says before, after.

    Args:
        words: what is kept, as journalctl is told it.
        check: raises when it must end.
    """
    try:
        before = _ask(("--disk-usage",), check)
        # Quiet, it says only what went wrong.
        wrong = _ask(("--quiet", *words), check, hears_errors=True)
        after = _ask(("--disk-usage",), check)
    except OutgoingFailed as error:
        return f"The journal was left alone: {error}"
    told = " ".join((PROGRAM, *words))
    lines = [told, f"  before: {before}", f"  after: {after}"]
    lines += [f"  {PROGRAM}: {line}" for line in wrong.splitlines()[:MOST]]
    return "\n".join(lines)


def _ask(
    words: Sequence[str],
    check: Callable[[], None],
    *,
    hears_errors: bool = False,
) -> str:
    """Return what it says to fixed words, or raise OutgoingFailed."""
    return asyncio.run(_watch(words, check, hears_errors=hears_errors)).strip()


async def _watch(
    words: Sequence[str], check: Callable[[], None], *, hears_errors: bool
) -> str:
    """Wait for it; when it must end, no process is left behind."""
    asking = asyncio.ensure_future(
        ask_program(PROGRAM, words, SECONDS, hears_errors=hears_errors)
    )
    try:
        while not asking.done():
            check()
            await asyncio.wait({asking}, timeout=PIECE_SECONDS)
        return await asking
    finally:
        if not asking.done():
            asking.cancel()
            await asyncio.wait({asking})
