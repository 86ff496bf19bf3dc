"""What the numbers of language models mean: fitted, kept in one small file.

A model's own number, the probability of the tokens that chose, says little
by itself. A calibration says how often calls of such a number were right on
labelled alerts; without one a number is unknown, and no ground to act on.
``scripts/run_evals.py calibrate`` makes them.
"""

import hashlib
import os
from pathlib import Path

import msgspec

from app.core.errors import ConfigError, ConfigProblem
from app.core.log import get_log
from app.decide.platt import spread
from app.models.choice import Calibrated

PLACE = Path("var") / "calibrations.json"
# Of fewer cases a calibration says nothing.
FEWEST = 50
MOST_KEPT = 100
MOST_BYTES = 1_000_000
STEEPEST = 100.0
REMEDY = "Fit it anew: scripts/run_evals.py calibrate (or take it away)"
log = get_log("calibration")


class Bin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How sure and how right the cases of one tenth are."""

    low: float
    high: float
    cases: int
    confidence: float
    right: float


class Reached(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many cases reach a confidence, and how many of them are right."""

    least: float
    cases: int
    right: int


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Figures on cases whose alert names were held back while fitting.

    Attributes:
        ece_before: the expected calibration error of the number as it came.
        ece_after: the same of what the calibration makes of it.
        reliability: how sure and how right, by tenths.
        coverage: what thresholds leave.
    """

    ece_before: float
    ece_after: float
    reliability: tuple[Bin, ...]
    coverage: tuple[Reached, ...]


class Calibration(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """What the number of one model of one brain means.

    Attributes:
        brain: which brain asks the model.
        model: the model, as the server names it.
        build: which build of it; empty when the server says none.
        slope: how much a raw log-odds counts ...
        shift: ... and where it begins.
        cases: how many labelled cases it rests on.
        names: of how many different alerts they are.
        origin: the sets they are from, each with the hash of its files.
        measured: what it was measured at.
        version: the hash of all that is above; see stamped().
    """

    brain: str
    model: str
    build: str = ""
    slope: float
    shift: float
    cases: int
    names: int
    origin: dict[str, str]
    measured: Measured
    version: str = ""

    def tell(self, raw: float) -> Calibrated:
        """Return how often a call of such a number is right."""
        return Calibrated(spread(raw, self.slope, self.shift), self.version)

    def stamped(self) -> "Calibration":
        """Return it with the version that it must have."""
        plain = msgspec.structs.replace(self, version="")
        digest = hashlib.sha256(msgspec.json.encode(plain)).hexdigest()
        return msgspec.structs.replace(self, version=digest[:12])


class Calibrations(msgspec.Struct, frozen=True):
    """All calibrations that there are, one for a model of a brain."""

    entries: tuple[Calibration, ...] = ()

    def find(self, brain: str, model: str, build: str) -> Calibration | None:
        """Return the calibration of a model; of another build it is none."""
        for one in self.entries:
            is_it = (one.brain, one.model) == (brain, model)
            if is_it and one.build in {"", build}:
                return one
        return None


def find_fault(one: Calibration) -> str:
    """Return why a calibration cannot be used, empty when it can."""
    if one.version != one.stamped().version:
        return "was changed by hand, or by another release"
    if not (0 < one.slope <= STEEPEST and abs(one.shift) <= STEEPEST):
        return "does not tell right from wrong"
    if one.cases < FEWEST:
        return f"rests on {one.cases} cases, fewer than {FEWEST}"
    return ""


def open_calibrations(home: Path) -> Calibrations:
    """Return what is kept there; a wrong file is told, and not used."""
    try:
        found = read_calibrations(home / PLACE)
    except ConfigError as error:
        for problem in error.problems:
            log.error("calibration.refused", error=str(problem))
        return Calibrations()
    for one in found.entries:
        log.info(
            "calibration.used",
            brain=one.brain,
            model=one.model,
            version=one.version,
            cases=one.cases,
        )
    return found


def read_calibrations(path: Path) -> Calibrations:
    """Return what a file holds; nothing when there is none.

    Raises:
        ConfigError: it cannot be read, or something in it cannot be right.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise _refusal(path, f"is longer than {MOST_BYTES:,} bytes")
        found = msgspec.json.decode(text, type=Calibrations)
    except FileNotFoundError:
        return Calibrations()
    except (OSError, msgspec.MsgspecError, RecursionError) as error:
        raise _refusal(path, f"cannot be read: {error}") from error
    _check(path, found)
    return found


def _check(path: Path, found: Calibrations) -> None:
    """Raise ConfigError when something in a file cannot be right."""
    if len(found.entries) > MOST_KEPT:
        raise _refusal(path, f"holds more than {MOST_KEPT} calibrations")
    keys = [(one.brain, one.model) for one in found.entries]
    if len(set(keys)) < len(keys):
        raise _refusal(path, "has two calibrations for one model")
    for one in found.entries:
        fault = find_fault(one)
        if fault:
            name = f"the calibration of {one.brain} {one.model}"
            raise _refusal(path, f"{name} {fault}")


def keep(path: Path, fresh: Calibration) -> None:
    """Write a calibration in the place of an earlier one of that model.

    Raises:
        ConfigError: the file that is there is wrong, or none can be written.
    """
    known = read_calibrations(path).entries
    key = fresh.brain, fresh.model
    others = [one for one in known if (one.brain, one.model) != key]
    wanted = Calibrations((*others, fresh))
    _check(path, wanted)
    text = msgspec.json.format(msgspec.json.encode(wanted)) + b"\n"
    half = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with half.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError as error:
        raise _refusal(path, f"cannot be written: {error}") from error
    finally:
        half.unlink(missing_ok=True)


def _refusal(path: Path, what: str) -> ConfigError:
    """Return the error about a file of calibrations."""
    return ConfigError(
        [ConfigProblem("calibrations", str(path), what, REMEDY)]
    )
