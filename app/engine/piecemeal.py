"""Piecemeal: the same is done for many, some in one turn, each by itself.

What one of them raises undoes what was done for it, and nothing else: one
that a bug cannot bear must not hold up all others, for ever.
"""

from collections.abc import Callable, Sequence
from functools import partial

from app.core.errors import SmokejumperError, TooLate
from app.core.log import get_log
from app.engine.ways import Ways
from app.store.ledger import Connection, part

# So many in one turn: others wait for it.
FEW = 20
log = get_log("piecemeal")


async def do_each(
    ways: Ways, numbers: Sequence[int], work: Callable[..., object]
) -> None:
    """Do the same for some missions or incidents.

    Args:
        ways: how the store is reached.
        numbers: which of them.
        work: is given a turn's transaction, and the number of one.

    Raises:
        SmokejumperError: the store did not take it.
    """
    for start in range(0, len(numbers), FEW):
        some = numbers[start : start + FEW]
        await ways.turn(partial(_do_some, numbers=some, work=work))


def _do_some(
    connection: Connection,
    numbers: Sequence[int],
    work: Callable[..., object],
) -> None:
    """Do it for some of them, in one turn."""
    for number in numbers:
        try:
            with part(connection):
                work(connection, number=number)
        except TooLate:
            # Somebody else has it by now.
            continue
        except SmokejumperError:
            raise
        except Exception:
            log.exception("piecemeal.passed_by", number=number)
