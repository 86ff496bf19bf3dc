"""Chartering: a change of the files that rule is told in the action log.

A file counts from the start of a node on. The first node that starts with
another one says so, once for all; what the database had known before is
what it is compared with.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from functools import partial

import yaml

from app.core.clock import Clock
from app.core.errors import StorageFailed, TooBusy
from app.core.line import Remote
from app.core.log import get_log
from app.decide.reins import DecideSettings
from app.engine.keeper import Keeper
from app.guard.policy import Policy
from app.models.charter import Charter, tell_change
from app.ports import Brain
from app.store.charters import find_charter, put_charter
from app.store.ledger import Connection
from app.store.log import append

POLICY, DECIDE = "policy", "decide"
PAUSE_SECONDS = 1.0
log = get_log("charters")


class Chartering:
    """Tells once, after the start, what was changed; one of the chores."""

    def __init__(
        self,
        keeper: Keeper,
        clock: Clock,
        node: str,
        charters: Sequence[Charter],
    ) -> None:
        """Take who writes, the time, who we are, and what holds here."""
        self._keeper = keeper
        self._clock = clock
        self._node = node
        self._charters = charters

    async def run(self) -> None:
        """Write it down as soon as that is possible, then end."""
        is_told = False
        while True:
            try:
                await asyncio.wrap_future(self._keeper.ask(self._note_all))
            except (StorageFailed, TooBusy) as error:
                if not is_told:
                    log.warning("charters.not_written", error=str(error))
                is_told = True
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                return

    def _note_all(self, connection: Connection) -> None:
        """Write down what holds here; in one turn."""
        note = partial(note_charter, node=self._node, now=self._clock.now())
        for charter in self._charters:
            note(connection, charter)


def note_charter(
    connection: Connection, charter: Charter, node: str, now: int
) -> bool:
    """Write down what a charter says; return whether that was news.

    What nobody knew before is no change: there is nothing to compare.

    Args:
        connection: a turn's transaction.
        charter: what holds on a node.
        node: which one.
        now: the present.
    """
    known = find_charter(connection, charter.name)
    if known is not None and known.version == charter.version:
        return False
    put_charter(connection, charter, node, now)
    if known is None:
        return False
    append(connection, now, [tell_change(known, charter, node)])
    return True


def policy_charter(policy: Policy) -> Charter:
    """Return what a policy means, what it leaves out as well."""
    says = policy.says.model_dump(mode="json", by_alias=True)
    file = policy.source.path.name
    return Charter.make(POLICY, file, policy.version, _write(says))


def decide_charter(
    settings: DecideSettings, brains: Mapping[str, Brain], file: str
) -> Charter:
    """Return what the settings say about brains, without people's changes.

    Args:
        settings: of deciding.
        brains: those that are configured.
        file: where they are.
    """
    says = {
        "decide": settings.model_dump(mode="json"),
        "brains": {
            name: one.model if isinstance(one, Remote) else "embedded"
            for name, one in sorted(brains.items())
        },
    }
    text = _write(says)
    version = hashlib.sha256(text.encode()).hexdigest()[:16]
    return Charter.make(DECIDE, file, version, text)


def _write(says: object) -> str:
    """Return what is said, one thing a line."""
    text: str = yaml.safe_dump(says, sort_keys=False, allow_unicode=True)
    return text
