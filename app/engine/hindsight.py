"""Hindsight: what another policy would have said, and what people agreed to.

Both only read. What was ruled is put to another policy as it was stored;
how often people agreed says which actions have earned more trust.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec

from app.core.errors import ConfigError, Refused
from app.guard.guard import Guard
from app.guard.policy import Policy, default_policy, parse_policy, read_policy
from app.guard.replay import Past, Replayed, replay
from app.guard.trust import Answers, Results, Standing, report
from app.store.approvals import count_agreement
from app.store.jobs import count_verdicts
from app.store.ledger import Connection
from app.store.reading import Reader, Wish
from app.store.rulings import RULINGS, PastRuling, find_rulings

DAY = 86_400_000_000
# So many rulings are put to another policy, the newest ones.
MOST_RULINGS = 5_000
PAGE = 250
MOST_PROBLEMS = 10
ASSUMED = (
    "Nothing is taken to have run: recent, runs and targets are 0.",
    "What budgets, locks and cool-downs had held back is left out.",
    "What people granted is taken as granted again.",
    "Each motion is put as it was: the catalogue and the inventory of then.",
)
TRUST_ASSUMED = (
    "What people granted unchanged counts for an action.",
    "What they refused or edited counts against it, silence not at all.",
    "A step is earned by the lower end of the interval of 95 %.",
)


class Hindsight(msgspec.Struct, frozen=True):
    """What another policy would have said.

    Attributes:
        replayed: what would have changed.
        unread: how many rulings cannot be read by this release.
        is_cut: whether there were more rulings than are looked at.
        since: the moment from which on they were looked at.
    """

    replayed: Replayed
    unread: int
    is_cut: bool
    since: int


def choose_policy(held: Policy, text: str) -> Policy:
    """Return the policy of a text, or of its file as it is on disk now.

    Raises:
        Refused: it is none; says all that is wrong.
    """
    path = held.source.path
    try:
        if text.strip():
            return parse_policy(text, Path("policy"))
        return read_policy(path) if path.exists() else default_policy()
    except ConfigError as error:
        problems = error.problems[:MOST_PROBLEMS]
        raise Refused(
            422,
            "unfit_policy",
            " ".join(
                f"{Path(one.where).name}: {one.setting}: {one.what}."
                for one in problems
            ),
            field="policy",
            remedy=problems[0].remedy if problems else "",
        ) from error


def look_back(reader: Reader, policy: Policy, since: int) -> Hindsight:
    """Return what a policy would have said since a moment."""
    wish = Wish({"since": since}, limit=MOST_RULINGS)
    page = reader.page(RULINGS, wish)
    unread = 0

    def tell() -> Iterator[Past]:
        """Yield each ruling that can be read."""
        nonlocal unread
        first = page.rows[-1].id if page.rows else 0
        last = page.rows[0].id if page.rows else 0
        for one in _rulings(reader, since, first - 1, last):
            if one.body is None:
                unread += 1
                continue
            yield Past(one.id, one.body.motion, one.outcome, one.rule)

    found = replay(Guard(policy), tell())
    return Hindsight(found, unread, page.has_more, since)


def find_trust(connection: Connection, since: int) -> Sequence[Standing]:
    """Return how far each action may be trusted, by what people said."""
    answers = [Answers(*row) for row in count_agreement(connection, since)]
    results = [Results(*row) for row in count_verdicts(connection, since)]
    return report(answers, results)


def _rulings(
    reader: Reader, since: int, after: int, last: int
) -> Iterator[PastRuling]:
    """Yield rulings between two numbers, a page at a time."""
    while after < last:
        limit = min(PAGE, last - after)
        page = partial(find_rulings, since=since, limit=limit, after=after)
        found = reader.ask(page)
        if not found:
            return
        yield from found
        after = found[-1].id
