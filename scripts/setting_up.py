"""The manners of the scripts that set up other systems.

Each of them shows first what it would change, as a diff, and changes nothing
without a yes: ``--yes``, or the word typed at a terminal. Asked twice it has
nothing to do. ``--undo`` takes away what it made and nothing else. A script
makes a list of changes and hands it to ``settle``; what must end it is
raised as ``Stopped``.
"""

import argparse
import difflib
import json
import sys
import urllib.parse
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

HIDDEN = "(hidden)"


class Status(IntEnum):
    """What the exit status of such a script says."""

    DONE = 0  # also when there was nothing to do
    WRONG_USE = 2
    NEEDS_YES = 3
    REFUSED = 4  # by the other side: its API, or its own checker


class Stopped(Exception):
    """The script ends here: why, and what to do about it."""

    def __init__(self, status: Status, reason: str, remedy: str = "") -> None:
        """Keep what to say; a remedy is a second line."""
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.remedy = remedy


class Change(NamedTuple):
    """One thing of the other side, as it is and as it shall be."""

    name: str
    before: str
    after: str
    make: Callable[[], None]


def make_parser(purpose: str) -> argparse.ArgumentParser:
    """Return a parser with the flags that all these scripts have."""
    parser = argparse.ArgumentParser(
        description=purpose,
        epilog="Exit status: 0 done, or nothing to do; 2 wrong use;"
        " 3 it needs --yes; 4 the other side refused.",
    )
    parser.add_argument(
        "--yes", action="store_true", help="change it without asking"
    )
    parser.add_argument(
        "--undo", action="store_true", help="take our own part away again"
    )
    return parser


def run(work: Callable[[Sequence[str]], Status]) -> int:
    """Run a script on the command line's words; return its exit status."""
    try:
        return work(sys.argv[1:])
    except Stopped as stop:
        print(f"Error: {stop.reason}", file=sys.stderr)
        if stop.remedy:
            print(f"  {stop.remedy}", file=sys.stderr)
        return stop.status
    except KeyboardInterrupt:
        print("Stopped; look at what was changed above.", file=sys.stderr)
        return Status.NEEDS_YES


def settle(
    changes: Iterable[Change], *, yes: bool, hide: Sequence[str] = ()
) -> Status:
    """Show what would change, ask, and make the changes in their order.

    Args:
        changes: All of them; what stays as it is is left out.
        yes: Whether the answer was given on the command line.
        hide: Secrets, which no diff shows.

    Raises:
        Stopped: Nobody said yes, or a change was refused.
    """
    real = [one for one in changes if one.before != one.after]
    if not real:
        print("Nothing to do: it is as it should be.")
        return Status.DONE
    for change in real:
        print(diff_of(change, hide))
    confirm(yes=yes)
    for change in real:
        change.make()
        print(f"done: {change.name}")
    return Status.DONE


def diff_of(change: Change, hide: Sequence[str] = ()) -> str:
    """Return a change as a unified diff without a secret in it."""
    lines = difflib.unified_diff(
        _lines(change.before, hide),
        _lines(change.after, hide),
        f"{change.name} (now)",
        f"{change.name} (then)",
        lineterm="",
    )
    return "\n".join(lines)


def _lines(text: str, hide: Sequence[str]) -> list[str]:
    """Return the lines of a text, secrets covered."""
    for secret in filter(None, hide):
        text = text.replace(secret, HIDDEN)
    return text.splitlines()


def text_of(tree: Any) -> str:
    """Return what an API told as lines that a diff can compare."""
    if tree is None:
        return ""
    return json.dumps(tree, indent=2, sort_keys=True, ensure_ascii=False)


def confirm(*, yes: bool) -> None:
    """Return when it may be changed; else say that nothing was."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Stopped(
            Status.NEEDS_YES,
            "nothing was changed: nobody said yes.",
            "Run it again with --yes to make these changes.",
        )
    if input("Make these changes? Type yes: ").strip().lower() != "yes":
        raise Stopped(Status.NEEDS_YES, "nothing was changed.")


def read_secret(path: Path | None) -> str:
    """Return the secret in a file; none without a file."""
    if path is None:
        return ""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Stopped(
            Status.WRONG_USE, f"cannot read the secret in {path}: {error}"
        ) from error
    if not secret or len(secret.split()) != 1:
        raise Stopped(
            Status.WRONG_USE,
            f"{path} must hold the secret and nothing else, on one line.",
        )
    return secret


def web_address(text: str) -> str:
    """Return an http(s) address without a slash at its end, or refuse."""
    parts = urllib.parse.urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no address such as http://127.0.0.1:8080"
        )
    return text.rstrip("/")
