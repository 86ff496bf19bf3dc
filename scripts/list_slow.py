"""List the tests that take long: a newcomer's run leaves them to CI.

    TESTS=all ./scripts/test.sh --junitxml=var/tests.xml
    python -m scripts.list_slow var/tests.xml

Writes tests/slow.txt: each test that took so long in all its variants
together, without those for PostgreSQL, which that run leaves out anyway.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree

HOME = Path(__file__).parent.parent
LISTED = HOME / "tests" / "slow.txt"
SECONDS = 0.75
HEAD = """\
# What takes a newcomer too long, and CI runs; read by tests/quick.py, written
# by `python -m scripts.list_slow`: {seconds:g} seconds and more.
"""


def main() -> None:
    """Read the times of a run, and write the list anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    taken = add_up(options.reports)
    slow = sorted(
        name for name, took in taken.items() if took >= options.seconds
    )
    head = HEAD.format(seconds=options.seconds)
    LISTED.write_text(head + "".join(f"{one}\n" for one in slow))
    left = sum(taken.values()) - sum(taken[name] for name in slow)
    print(f"{len(slow)} of {len(taken)} tests; the others take {left:.0f} s")


def add_up(reports: Iterable[Path]) -> dict[str, float]:
    """Return how long each test took in its slowest run, by its name."""
    slowest: dict[str, float] = {}
    for report in reports:
        taken: dict[str, float] = defaultdict(float)
        for name, seconds in read(report):
            taken[name] += seconds
        for name, seconds in taken.items():
            slowest[name] = max(seconds, slowest.get(name, 0.0))
    return slowest


def read(report: Path) -> Iterator[tuple[str, float]]:
    """Yield the tests of a report of pytest, with their seconds."""
    for one in ElementTree.parse(report).iter("testcase"):
        name, _, variant = one.get("name", "").partition("[")
        if "postgres" not in variant:
            place = find_place(one.get("classname", ""))
            yield f"{place}::{name}", float(one.get("time", 0))


def find_place(dotted: str) -> str:
    """Return a module as a path, with the class behind it if there is one."""
    words = dotted.split(".")
    end = 1 + next(
        (at for at, one in enumerate(words) if one.startswith("test_")),
        len(words),
    )
    return "::".join(["/".join(words[:end]) + ".py", *words[end:]])


if __name__ == "__main__":
    main()
