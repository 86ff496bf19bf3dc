"""Runbooks: reviewed Markdown files of this site, found by matchers.

Only files of one folder are read; that they lie there means that somebody
has looked at them. An address in an alert is never followed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import yaml
from pydantic import AfterValidator, Field, ValidationError

from app.core.configfile import Section
from app.core.errors import ConfigError, ConfigProblem
from app.core.log import get_log
from app.decide.casing import tidy
from app.models.matcher import (
    MOST,
    Matcher,
    fit_all,
    read_matcher,
    read_matchers,
)

MOST_BYTES = 65_536
MOST_FILES = 500
MOST_CHARS = 2_000
FENCE = "---"
REMEDY = "See docs/deciding.md for how a runbook begins."
log = get_log("runbooks")


def _readable(text: str) -> str:
    """Return a matcher's text, having read it once."""
    read_matcher(text)
    return text


class RunbookSettings(Section):
    """Where the reviewed runbooks lie; empty: there are none."""

    folder: str = ""


class Head(Section):
    """What stands before a runbook."""

    matchers: Annotated[
        tuple[Annotated[str, AfterValidator(_readable)], ...],
        Field(min_length=1, max_length=MOST),
    ]
    section: str = ""


class Runbook(msgspec.Struct, frozen=True):
    """One runbook: what it is about, and what it says."""

    name: str
    matchers: tuple[Matcher, ...]
    text: str


class Unread(Exception):
    """A runbook cannot be read; says why."""


class Runbooks:
    """The runbooks of a folder, read again when a file changes."""

    def __init__(self, folder: Path | None) -> None:
        """Take the folder, or None when there is none.

        Raises:
            ConfigError: a runbook cannot be read.
        """
        self._folder = folder
        self._stamp: tuple[tuple[str, int, int], ...] = ()
        self._all: tuple[Runbook, ...] = ()
        problems = self._read_again()
        if problems:
            raise ConfigError(problems)

    def find(self, labels: Mapping[str, str]) -> str:
        """Return what the first runbook that fits says, or nothing."""
        for problem in self._read_again():
            log.warning("runbook.not_read", problem=str(problem))
        for one in self._all:
            if fit_all(one.matchers, labels):
                return f"{one.name}: {one.text}"
        return ""

    def _read_again(self) -> list[ConfigProblem]:
        """Read the files if one has changed; return what is wrong."""
        stamp = tuple(self._look())
        if stamp == self._stamp or self._folder is None:
            return []
        self._stamp = stamp
        found, problems = [], []
        for name, _, _ in stamp[:MOST_FILES]:
            file = self._folder / name
            try:
                found.append(read_runbook(file))
            except Unread as why:
                place = ConfigProblem("runbooks", str(file), str(why), REMEDY)
                problems.append(place)
        if len(stamp) > MOST_FILES:
            what = f"holds more than {MOST_FILES} files"
            where = str(self._folder)
            problems.append(ConfigProblem("runbooks", where, what, REMEDY))
        self._all = tuple(found)
        return problems

    def _look(self) -> list[tuple[str, int, int]]:
        """Return the files there are, with what tells that they changed."""
        if self._folder is None:
            return []
        found = []
        try:
            for file in sorted(self._folder.glob("*.md")):
                if file.is_file() and not file.is_symlink():
                    facts = file.stat()
                    found.append((file.name, facts.st_mtime_ns, facts.st_size))
        except OSError as error:
            log.warning("runbooks.not_listed", error=error.strerror)
        return found


def open_runbooks(settings: RunbookSettings, home: Path) -> Runbooks:
    """Return the runbooks of the settings, or raise ConfigError."""
    if not settings.folder:
        return Runbooks(None)
    folder = home / settings.folder
    if not folder.is_dir():
        what = f"there is no folder {folder}"
        problem = ConfigProblem("runbooks.folder", str(folder), what, "")
        raise ConfigError([problem])
    return Runbooks(folder)


def read_runbook(file: Path) -> Runbook:
    """Return the runbook of a file, or raise Unread."""
    try:
        with file.open("rb") as source:
            raw = source.read(MOST_BYTES + 1)
        text = raw.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Unread(f"cannot be read: {type(error).__name__}") from error
    if len(raw) > MOST_BYTES:
        raise Unread("is longer than 64 KiB")
    first, _, rest = text.partition("\n")
    written, fence, body = rest.partition(f"\n{FENCE}\n")
    if first.strip() != FENCE or not fence:
        raise Unread("does not begin with matchers between two lines of ---")
    head = _read_head(written)
    found = tuple(m for one in head.matchers for m in read_matchers(one))
    part = _section(body, head.section) if head.section else body
    if not part.strip():
        raise Unread(f"has no text under {head.section!r}")
    return Runbook(file.stem, found, tidy(part, MOST_CHARS))


def _read_head(written: str) -> Head:
    """Return what stands before a runbook, or raise Unread."""
    try:
        return Head.model_validate(yaml.safe_load(written) or {})
    except yaml.YAMLError as error:
        raise Unread("has no YAML before its text") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Unread(f"{place}: {first['msg']}") from error


def _section(body: str, heading: str) -> str:
    """Return what stands under a heading, up to the next of its level."""
    kept: list[str] = []
    level = 0
    for line in body.splitlines():
        marks = len(line) - len(line.lstrip("#"))
        title = line[marks:].strip()
        if level and 0 < marks <= level:
            break
        if level:
            kept.append(line)
        elif marks and title.casefold() == heading.casefold():
            level = marks
    return "\n".join(kept)
