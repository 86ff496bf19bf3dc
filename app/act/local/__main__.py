"""The executor as a process: ``python -m app.act.local --help``.

It is an entry of its own, so that nothing of the web is in this process.
"""

import argparse
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

from app.act.local import slim
from app.act.local.starting import SETTINGS, make_plan, start
from app.core.errors import ConfigError

WRONG_SETTINGS = 2
NOT_SERVED = 4
GRACE_SECONDS = 20.0


def read_arguments(words: Sequence[str]) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        prog="hands",
        description="Do what is allowed on this machine, as another user"
        " than the web process.",
        epilog=f"It runs without {slim.LEFT_OUT}, to stay small.",
    )
    parser.add_argument(
        "--settings",
        type=Path,
        default=SETTINGS,
        help="its own settings file (config/hands.yaml)",
    )
    parser.add_argument(
        "--for",
        dest="served",
        action="append",
        default=[],
        metavar="USER",
        help="the user that the web process runs as; more than once for more",
    )
    parser.add_argument(
        "--grace",
        type=float,
        default=GRACE_SECONDS,
        metavar="SECONDS",
        help="how long what is done may go on when it is told to end",
    )
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Run until told to end; return the exit status."""
    said = read_arguments(words)
    try:
        plan = make_plan(said.settings, said.served)
    except ConfigError as error:
        sys.stderr.writelines(f"{one}\n" for one in error.problems)
        return WRONG_SETTINGS
    # What is here now stays to the end: the collector need not look at it.
    gc.collect()
    gc.freeze()
    try:
        start(plan, said.grace)
    except OSError as error:
        why = error.strerror or str(error)
        sys.stderr.write(f"It cannot listen at {plan.socket}: {why}\n")
        return NOT_SERVED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
