"""Change a settings file of another program: checked, in one step, kept.

The new text is written beside the old one and shown to the program's own
checker, where that is here; only what it takes becomes the file. The old one
is kept beside it.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import httpx

from scripts.setting_up import Change, Status, Stopped

CHECK_SECONDS = 60
RELOAD_SECONDS = 30.0


class Checker(NamedTuple):
    """A program that knows whether a file is right."""

    program: str
    words: tuple[str, ...]

    def refuses(self, file: Path) -> str:
        """Return why it does not take a file; nothing if it does."""
        program = shutil.which(self.program)
        if program is None:
            print(f"({self.program} is not here: nobody checked the file)")
            return ""
        ended = subprocess.run(
            [program, *self.words, str(file)],
            capture_output=True,
            text=True,
            timeout=CHECK_SECONDS,
            check=False,
        )
        if ended.returncode == 0:
            return ""
        return f"{ended.stdout}{ended.stderr}".strip()


def change_file(
    path: Path, wanted: Callable[[str], str], checker: Checker
) -> Change:
    """Return what is to be changed in a file.

    Args:
        path: The file.
        wanted: Makes of the text that is there the one that shall be there.
        checker: Whom the new one must please.
    """
    before = read_file(path)
    after = wanted(before)
    return Change(
        str(path), before, after, lambda: replace_file(path, after, checker)
    )


def read_file(path: Path) -> str:
    """Return the text of a user's file."""
    try:
        # As bytes: the ends of lines must survive.
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Stopped(
            Status.WRONG_USE, f"cannot read {path}: {error}"
        ) from error


def replace_file(path: Path, text: str, checker: Checker) -> None:
    """Put a text in the place of a user's file, if the checker takes it.

    The mode and, where we may, the owner stay as they were. A link stays a
    link: what it points to is replaced.
    """
    target = path.resolve()
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    kept = target.with_name(f"{target.name}.before-{stamp}")
    try:
        draft = _write_beside(target, text)
        try:
            _please(checker, draft, path)
            shutil.copy2(target, kept)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise Stopped(
            Status.WRONG_USE,
            f"cannot write {target}: {error}",
            "Run this as the user that owns it and its folder.",
        ) from error
    print(f"The old one is kept as {kept}")


def _please(checker: Checker, draft: Path, path: Path) -> None:
    """Stop when a checker does not take what is to be written."""
    reason = checker.refuses(draft)
    if reason:
        raise Stopped(
            Status.REFUSED,
            f"{checker.program} refuses it, so {path} stays as it is:\n"
            f"{reason.replace(str(draft), str(path))}",
        )


def _write_beside(target: Path, text: str) -> Path:
    """Return a file in the same folder, with the same mode and owner."""
    was = target.stat()
    # The folder is the same: what the file names is found from there.
    number, name = tempfile.mkstemp(
        dir=target.parent, prefix=".smokejumper-", suffix=target.suffix
    )
    draft = Path(name)
    with os.fdopen(number, "wb") as file:
        file.write(text.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(was.st_mode & 0o7777)
    if os.geteuid() == 0:
        os.chown(draft, was.st_uid, was.st_gid)
    return draft


def reload(url: str) -> None:
    """Let a running Alertmanager or Prometheus read its file again."""
    try:
        answer = httpx.post(
            f"{url}/-/reload", timeout=RELOAD_SECONDS, trust_env=False
        )
    except httpx.HTTPError as error:
        raise Stopped(
            Status.REFUSED,
            f"{url} was not reached, so it has not read the file: {error}",
            "Let it read the file again, or restart it.",
        ) from error
    if not answer.is_success:
        raise Stopped(
            Status.REFUSED,
            f"{url} did not read the file again: {answer.status_code}"
            f" {answer.text.strip()[:500]}",
            "Prometheus needs --web.enable-lifecycle for it; else send the"
            " program SIGHUP, or restart it.",
        )
    print(f"{url} has read the file again")
