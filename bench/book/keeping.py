"""Results: one file for each run, and the newest that has a figure."""

import datetime
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from bench.book.figure import Found
from bench.book.machine import Machine
from bench.book.size import Size

HOME = Path(__file__).parents[2]
RESULTS = HOME / "bench" / "results"
BASELINE = "baseline.json"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one part.

    Attributes:
        seconds: how long it took.
        machine: what it ran on, and the load before.
        pace: what a fixed piece of work took beside it, in ms of CPU.
        why: why there is nothing, or empty.
        found: its figures.
    """

    seconds: float
    machine: Machine
    pace: float
    why: str = ""
    found: tuple[Found, ...] = ()


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the book, or of some of its parts.

    Attributes:
        at: when it began, in UTC.
        commit: of which state of the code; with a plus: and what was not
            committed yet.
        size: how much was measured.
        parts: what became of each part.
    """

    at: str
    commit: str
    size: Size
    parts: Mapping[str, Outcome]


class Kept(msgspec.Struct, frozen=True):
    """A figure as it was found before."""

    found: Found
    pace: float
    result: str


def name_of(result: Result) -> str:
    """Return the name of the file of a result."""
    size = "" if result.size is Size.USUAL else f"-{result.size}"
    commit = result.commit.replace("+", "-dirty")
    return f"{result.at[:10]}-{commit}{size}.json"


def save(result: Result, folder: Path = RESULTS) -> Path:
    """Write a result, into what the same state of the code has already."""
    file = folder / name_of(result)
    if file.exists():
        before = load(file)
        parts = {**before.parts, **result.parts}
        result = msgspec.structs.replace(result, parts=parts)
    return write(result, file)


def write(result: Result, file: Path) -> Path:
    """Write a result into a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(result), indent=1)
    file.write_bytes(text + b"\n")
    return file


def load(file: Path) -> Result:
    """Read a result."""
    return msgspec.json.decode(file.read_bytes(), type=Result)


def earlier(size: Size, folder: Path = RESULTS) -> list[tuple[str, Result]]:
    """Return the kept results of a size, the oldest first, by their names."""
    found = [(file.stem, load(file)) for file in folder.glob("*.json")]
    same = [one for one in found if one[1].size is size]
    return sorted(same, key=lambda one: one[1].at)


def last_kept(results: Iterable[tuple[str, Result]]) -> dict[str, Kept]:
    """Return each figure as it was found last, the oldest coming first."""
    return {
        found.id: Kept(found, outcome.pace, name)
        for name, result in results
        for outcome in result.parts.values()
        for found in outcome.found
    }


def now() -> str:
    """Return what time it is, in UTC."""
    moment = datetime.datetime.now(datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def commit() -> str:
    """Return of which state of the code a result is."""
    short = _git("rev-parse", "--short", "HEAD")
    if not short:
        return "unknown"
    places = ("app", "bench", "main.py", "requirements.txt", "tests")
    return short + ("+" if _git("status", "--porcelain", *places) else "")


def _git(*words: str) -> str:
    """Return what git says, or nothing where there is no repository."""
    done = subprocess.run(
        ["git", *words], cwd=HOME, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
