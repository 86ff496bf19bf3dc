"""What a newcomer's run leaves to CI, each test by its name.

``./scripts/test.sh`` says ``TESTS=quick``: what took long when CI ran
it stands in tests/slow.txt, and what runs on SQLite is not run again
on a PostgreSQL. ``TESTS=all`` leaves out nothing. Whoever runs pytest gets
all but what is marked as long: that takes half a minute and more, and only
soaks what shorter tests show.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.programs import find

LISTED = Path(__file__).parent / "slow.txt"
ALL, QUICK = "all", "quick"
LONG = "TESTS=all runs it, and so does CI"
AGAIN = "TESTS=all runs it on PostgreSQL, too, and so does CI"


def leave_out(items: Iterable[pytest.Item]) -> None:
    """Mark what is not run, with the reason."""
    wish = os.environ.get("TESTS", "")
    if wish == ALL or os.environ.get("REAL_SYSTEMS") == "required":
        return
    is_quick = wish == QUICK
    slow = read_slow() if is_quick else frozenset()
    # Without the program each test says itself what would add it.
    leaves_postgres = is_quick and find("postgres") is not None
    for item in items:
        reason = ""
        if item.get_closest_marker("long") or name_of(item) in slow:
            reason = LONG
        elif leaves_postgres and is_again(item):
            reason = AGAIN
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


def read_slow() -> frozenset[str]:
    """Return which tests took long."""
    lines = LISTED.read_text(encoding="utf-8").splitlines()
    return frozenset(one for one in lines if one and not one.startswith("#"))


def name_of(item: pytest.Item) -> str:
    """Return a test's place and name, without its variants."""
    return item.nodeid.partition("[")[0]


def is_again(item: pytest.Item) -> bool:
    """Tell whether a test is the variant for PostgreSQL of another one.

    Such a variant is marked as real; the name of a process is not.
    """
    variant = getattr(item, "callspec", None)
    values = variant.params.values() if variant else ()
    # Some values cannot be compared with a word.
    return item.get_closest_marker("real") is not None and any(
        isinstance(one, str) and one == "postgres" for one in values
    )
