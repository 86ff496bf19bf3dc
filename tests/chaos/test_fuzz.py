"""Some seconds of each fuzzer; scripts/soak.sh gives them an hour."""

import os
import random
from pathlib import Path

import pytest

from scripts.fuzz.cases import Score
from scripts.fuzz.door import fuzz_door
from scripts.fuzz.pages import fuzz_pages
from scripts.fuzz.parsers import fuzz_parsers
from tests.programs import need

pytestmark = pytest.mark.chaos
SECONDS = 4.0 * float(os.environ.get("CHAOS_SCALE", "1"))
DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.real)]
# Where a case stays that failed.
KEPT = Path(__file__).parents[2] / "var" / "fuzz"


@pytest.fixture(scope="module")
def seed() -> int:
    """Return a seed that no run had before; it is told when one fails."""
    return random.SystemRandom().randrange(2**32)


def judge(score: Score, seed: int) -> None:
    """Fail with all there is to know when something went wrong."""
    assert score.is_good, f"seed {seed}: {score}"
    assert score.cases, score


def test_parsers(seed: int) -> None:
    """No body makes a parser raise or hang."""
    judge(fuzz_parsers(SECONDS, seed, KEPT), seed)


@pytest.mark.parametrize("database", DATABASES)
def test_the_door(seed: int, database: str) -> None:
    """No 5xx, no hang, no growth, nothing acknowledged is lost."""
    if database == "postgres":
        need("initdb", "postgresql")
    judge(fuzz_door(SECONDS, seed, KEPT, database), seed)


@pytest.mark.parametrize("database", DATABASES)
def test_every_route(seed: int, database: str) -> None:
    """As admin, as viewer and as a stranger."""
    if database == "postgres":
        need("initdb", "postgresql")
    judge(fuzz_pages(SECONDS, seed, KEPT, database), seed)
