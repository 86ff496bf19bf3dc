"""What the incidents and the log must be, whatever happened to them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.core.errors import StorageFailed
from app.models.chain import Anchor
from app.store.location import locate
from app.store.log import find_end, verify
from app.store.snapshot import Connection, snapshot
from tests.chaos.ledger import Ledger

WAIT = 10.0
# Each alert of the load has a target of its own, so each is an incident.
UNFOLDED = (
    "SELECT count(*) FROM alert WHERE id >"
    " coalesce((SELECT position FROM mark WHERE name = 'folded'), 0)"
)
TOLD = "SELECT incident_id, kind, count(*) FROM entry GROUP BY 1, 2"


class Proof:
    """Looks into a database, and says all that is wrong."""

    def __init__(self, url: str) -> None:
        """Take the address of a database; the service may be running."""
        self._location = locate(url, Path())

    def is_folded(self) -> bool:
        """Tell whether all that came in was folded."""
        with snapshot(self._location, WAIT) as connection:
            return connection.execute(text(UNFOLDED)).scalar() == 0

    def end(self) -> Anchor:
        """Return where the log ends."""
        with snapshot(self._location, WAIT) as connection:
            end = find_end(connection)
        return Anchor(end.id, end.hash.hex())

    def chain_faults(self, anchors: Sequence[Anchor] = ()) -> list[str]:
        """Return what is wrong with the log, and what was folded twice."""
        try:
            with snapshot(self._location, WAIT) as connection:
                breach = verify(connection, anchors).breach
                faults = list(_doubles(connection))
        except StorageFailed as error:
            return [f"unreadable: {error}"]
        return [*faults, *([str(breach)] if breach else [])]

    def fold_faults(self, ledger: Ledger) -> list[str]:
        """Return what was acknowledged and is not folded exactly once."""
        statuses = {
            one.fingerprint: one.status
            for post in ledger.posts
            for one in post.alerts
        }
        with snapshot(self._location, WAIT) as connection:
            query = text("SELECT fingerprint, alerts, ended FROM episode")
            episodes = {row[0]: row[1:] for row in connection.execute(query)}
            query = text("SELECT fingerprint FROM strand")
            strands = Counter(connection.execute(query).scalars())
        faults = []
        for name, status in statuses.items():
            # What never fired is remembered, and is no episode.
            wanted = (1, "") if status == "firing" else None
            found = episodes.get(name)
            if strands[name] != 1 or (found and tuple(found)) != wanted:
                faults.append(f"{name} {status}: {strands[name]} {found}")
        return faults


def _doubles(connection: Connection) -> list[str]:
    """Return incidents that are there twice, or told of twice."""

    def ask(query: str) -> list[Any]:
        """Return the rows of a question."""
        return list(connection.execute(text(query)).all())

    episodes = Counter(
        row[0] for row in ask("SELECT incident_id FROM episode")
    )
    names = Counter(row[0] for row in ask("SELECT fingerprint FROM episode"))
    incidents = Counter(row[0] for row in ask("SELECT target FROM incident"))
    faults = [
        f"{what} {name} is there {count} times"
        for what, counts in (
            ("incident of episode", episodes),
            ("episode", names),
            ("incident on", incidents),
        )
        for name, count in counts.items()
        if count > 1
    ]
    if episodes.total() != incidents.total():
        faults.append(f"{episodes.total()} but {incidents.total()} incidents")
    told: Counter[str] = Counter()
    for incident, kind, count in ask(TOLD):
        if kind in {"incident.opened", "incident.resolved"} and count > 1:
            faults.append(f"{kind} is told {count} times of {incident}")
        told[kind] += count
    if told["incident.opened"] != incidents.total():
        faults.append(f"{told['incident.opened']} are told to be opened")
    return faults
