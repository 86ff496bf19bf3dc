"""Where the weights lie: those of the site first, else those shipped.

A site's weights are used only when they were made for the same actions, by
the same code and lessons: the numbers of another release mean nothing here.
"""

from pathlib import Path
from threading import Lock

import msgspec

from app.core.errors import ConfigError, ConfigProblem
from app.core.log import get_log
from app.decide.gate.lessons import ACTIONS, read_lessons
from app.decide.gate.training import fingerprint
from app.decide.gate.weighing import SHIPPED, TrainedGate, open_gate
from app.decide.gate.weights import Facts, Weights, load
from app.models.case import Case
from app.models.choice import Weighed
from app.models.menu import Menu
from app.models.origins import TOPICS

SITE = Path("var") / "reflex" / "weights.npz"
REMEDY = "Train it anew: .venv/bin/python main.py reflex train"
log = get_log("reflex")


def site_file(home: Path) -> Path:
    """Return where a site's own weights lie."""
    return home / SITE


def base_version() -> str:
    """Return the hash of the lessons and the code of this release."""
    return fingerprint(read_lessons(), ())


def stamp(facts: Facts) -> Facts:
    """Return a site's facts with the release in their version."""
    version = f"{base_version()}+{facts.version}"
    return msgspec.structs.replace(facts, version=version)


class LateGate:
    """Reads its weights with their first use: most commands need none."""

    def __init__(self, home: Path) -> None:
        """Take where the site's files lie."""
        self._home = home
        self._lock = Lock()
        self._gate: TrainedGate | None = None

    def open(self) -> TrainedGate:
        """Return the gate, read once; from any thread."""
        with self._lock:
            if self._gate is None:
                self._gate = open_gate(find_weights(self._home))
            return self._gate

    @property
    def version(self) -> str:
        """Return which weights these are."""
        return self.open().version

    def weigh(self, case: Case, menu: Menu) -> Weighed:
        """Return what it would do, and how sure it is."""
        return self.open().weigh(case, menu)


def find_weights(home: Path) -> Path:
    """Return the file of the weights to use; says in the log which."""
    path = site_file(home)
    try:
        facts = open_site(path).facts
    except FileNotFoundError:
        log.info("reflex.weights_chosen", which="shipped", file=str(SHIPPED))
        return SHIPPED
    except ConfigError as error:
        for problem in error.problems:
            log.error(
                "reflex.weights_refused", error=str(problem), used=str(SHIPPED)
            )
        return SHIPPED
    log.info(
        "reflex.weights_chosen",
        which="site",
        file=str(path),
        version=facts.version,
        confirmed=facts.confirmed,
    )
    return path


def open_site(path: Path) -> Weights:
    """Return a site's weights.

    Raises:
        ConfigError: they cannot be read, or are not for this release.
        FileNotFoundError: there are none.
    """
    try:
        weights = load(path)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise _refusal(path, f"cannot be read: {error}") from error
    facts = weights.facts
    if facts.actions != ACTIONS or facts.topics != TOPICS:
        raise _refusal(path, "was made for other actions or topics")
    if facts.version.partition("+")[0] != base_version():
        raise _refusal(path, "was made by another release")
    return weights


def _refusal(path: Path, what: str) -> ConfigError:
    """Return the error about a file of weights."""
    return ConfigError([ConfigProblem("reflex", str(path), what, REMEDY)])
