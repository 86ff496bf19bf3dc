"""Recall: all that runs is told to end, in one turn; the kill switch does it.

What is told stands in the log before it is said. One turn for all of them,
so that the last job waits for no other one's end.
"""

from collections.abc import Collection, Sequence

import msgspec

from app.engine.running import Following, Jobs
from app.models.job import HALTED, UNSENT, Job
from app.models.mission import SECOND, Mission, Stage
from app.store.ledger import Connection
from app.store.lending import Loan
from app.store.missions import LENDING, claim_now, find_live

# What nobody knows the backend's name of is looked up again so soon.
AGAIN = SECOND // 2


class Taken(msgspec.Struct, frozen=True):
    """A mission that was taken.

    Attributes:
        mission: the mission.
        told: its job, when that was told to end and is to be ended now.
    """

    mission: Mission
    told: Following | None = None


def find_unaware(
    connection: Connection, live: Sequence[Job], now: int
) -> tuple[int, ...]:
    """Return missions that nobody has, and whose jobs do not know of a halt.

    Args:
        connection: where to ask.
        live: the jobs that go on.
        now: the time.

    What is under way already is let be: that would be done again and again.
    A job that no backend has told of is looked up first, now and then. What
    runs comes before what was not sent yet.
    """
    jobs = [job for job in live if not job.told.startswith(HALTED)]
    jobs.sort(key=lambda job: job.state in UNSENT)
    going = find_live(connection, {job.incident_id for job in jobs})
    found: list[int] = []
    for job in jobs:
        one = going.get(job.incident_id)
        is_known = bool(job.reference) or job.state in UNSENT
        rest = 0 if is_known else AGAIN
        if one and max(one.lease_until, one.changed_at + rest) <= now:
            found.append(one.id)
    return tuple(found)


class Recall:
    """Tells what runs to end."""

    def __init__(self, jobs: Jobs) -> None:
        """Take who writes about jobs."""
        self._jobs = jobs

    def take(
        self,
        connection: Connection,
        loan: Loan,
        ids: Collection[int],
        loose: Collection[int],
        halted: str,
    ) -> list[Taken]:
        """Take missions, and write down that their jobs are told to end.

        Args:
            connection: a turn's transaction.
            loan: by whom they are taken, and for how long.
            ids: which, whenever they are due.
            loose: those of them that whoever takes them has let go of.
            halted: what the file of the kill switch says, or empty.
        """
        LENDING.free(connection, holder=loan.holder, ids=loose)
        found = claim_now(connection, loan, ids)
        acting = [one for one in found if one.stage == Stage.ACTING]
        told = self._jobs.recall(connection, acting, halted)
        return [Taken(one, told.get(one.id)) for one in found]
