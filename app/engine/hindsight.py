"""Hindsight: what another policy would have said, and what people agreed to.

Both only read. What was ruled is put to another policy as it was stored;
how often people agreed says which actions have earned more trust.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from app.core.errors import ConfigError, Refused
from app.core.yamlfile import read_text
from app.guard.chronicle import Asked, Chronicle, History, Ran
from app.guard.durations import LONGEST
from app.guard.guard import Guard
from app.guard.opinions import to_answers
from app.guard.policy import (
    MOST_BYTES,
    REMEDY,
    Policy,
    default_policy,
    parse_policy,
    read_policy,
)
from app.guard.replay import Past, Replayed, replay
from app.guard.trust import Answers, Results, Standing, report
from app.models.ruling import Motion, Question
from app.store.approvals import count_agreement
from app.store.history import MOST as MOST_RUNS
from app.store.history import find_asked, find_ran
from app.store.jobs import count_verdicts
from app.store.ledger import Connection
from app.store.opinions import find_observed_kinds, find_opinions
from app.store.reading import Reader, Wish
from app.store.rulings import RULINGS, PastRuling, find_rulings
from app.store.teams import Teams

SECOND = 1_000_000
DAY = 86_400 * SECOND
# So many rulings are put to another policy, the newest ones.
MOST_RULINGS = 5_000
PAGE = 250
MOST_PROBLEMS = 10
ASSUMED = (
    "What it allows counts for what comes after, and comes out as it did.",
    "What never ran ends at once, and nobody measures it.",
    "What other rulings led to counts as it was.",
    "A verdict counts from the end of its job on.",
    "What people granted is taken as granted again.",
    "Each motion is put as it was: the catalogue and the inventory of then.",
)
TRUST_ASSUMED = (
    "What people granted unchanged counts for an action.",
    "What they refused or edited counts against it, silence not at all.",
    "Where nobody is asked, corrections count: the same action is for it.",
    "A step is earned by the lower end of the interval of 95 %.",
)


class Hindsight(msgspec.Struct, frozen=True):
    """What another policy would have said.

    Attributes:
        replayed: what would have changed.
        unread: how many rulings cannot be read by this release.
        is_cut: whether there were more rulings than are looked at.
        since: the moment from which on they were looked at.
        is_short: whether more had run than is counted.
    """

    replayed: Replayed
    unread: int
    is_cut: bool
    since: int
    is_short: bool = False

    @property
    def assumed(self) -> list[str]:
        """Return what is taken for granted."""
        few = f"Only the newest {MOST_RUNS} runs, and questions, count."
        return [few, *ASSUMED] if self.is_short else list(ASSUMED)


class OnDisk(msgspec.Struct, frozen=True):
    """The file of the policy as it is now; a node has read it at its start.

    Attributes:
        text: what it says; empty when there is none.
        version: of what it means; empty when it is no policy.
        wrong: why it is none, or empty.
    """

    text: str
    version: str
    wrong: str = ""


def read_disk(held: Policy) -> OnDisk:
    """Return the file of a policy as it is on disk now."""
    path = held.source.path
    if not path.exists():
        return OnDisk("", default_policy().version)
    try:
        text = read_text(path, REMEDY, MOST_BYTES)
    except ConfigError as error:
        return OnDisk("", "", _say_all(error))
    try:
        return OnDisk(text, parse_policy(text, path).version)
    except ConfigError as error:
        return OnDisk(text, "", _say_all(error))


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
            _say_all(error),
            field="policy",
            remedy=problems[0].remedy if problems else "",
        ) from error


def _say_all(error: ConfigError) -> str:
    """Return what is wrong with a policy, without the folder of its file."""
    return " ".join(
        f"{Path(one.where).name}: {one.setting}: {one.what}."
        for one in error.problems[:MOST_PROBLEMS]
    )


def look_back(
    reader: Reader, policy: Policy, since: int, teams: Teams = ()
) -> Hindsight:
    """Return what a policy would have said since a moment.

    Args:
        reader: where the rulings are.
        policy: the policy.
        since: rulings of before are left out.
        teams: only about their incidents; none: about all.
    """
    wish = Wish({"since": since}, limit=MOST_RULINGS, teams=teams)
    page = reader.page(RULINGS, wish)
    kept = {row.id for row in page.rows}
    unread = 0
    begins, ends = _span(page.rows)
    history = _read_history(
        reader, begins, ends, {row.decision_id for row in page.rows}
    )
    chronicle = Chronicle(history)

    def tell() -> Iterator[Past]:
        """Yield each ruling that can be read."""
        nonlocal unread
        first = page.rows[-1].id if page.rows else 0
        last = page.rows[0].id if page.rows else 0
        for one in _rulings(reader, since, first - 1, last):
            if one.id not in kept:
                continue  # of another team
            if one.body is None:
                unread += 1
                chronicle.let_be(one.decision_id)
                continue
            yield _past(one, one.body.motion, one.body.question)

    found = replay(Guard(policy), tell(), chronicle)
    most = max(len(history.runs), len(history.questions))
    is_short = most >= MOST_RUNS
    return Hindsight(found, unread, page.has_more, since, is_short)


def rule_again(reader: Reader, guard: Guard, past: PastRuling) -> Replayed:
    """Return what a guard says now to what was ruled before, alone.

    Raises:
        LookupError: this release cannot read its motion.
    """
    if past.body is None:
        raise LookupError(f"the motion of ruling {past.id}")
    now = past.body.motion.now
    history = _read_history(reader, now, now, (past.decision_id,))
    asked = _past(past, past.body.motion, None)
    return replay(guard, [asked], Chronicle(history))


def find_trust(
    connection: Connection, since: int, teams: Teams = ()
) -> Sequence[Standing]:
    """Return how far each action may be trusted, by what people said."""
    said = count_agreement(connection, since, teams)
    became = count_verdicts(connection, since, teams)
    kinds = find_observed_kinds(connection, since, teams)
    # Where nothing was only observed, nobody can have said anything of it.
    of_it = find_opinions(connection, since, teams) if kinds else []
    answers = [Answers(*row) for row in said] + to_answers(kinds, of_it)
    results = [Results(*row) for row in became]
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


def _past(one: PastRuling, motion: Motion, question: Question | None) -> Past:
    """Return a ruling as it is put once more."""
    return Past(one.id, motion, one.outcome, one.rule, question)


def _span(rows: Sequence[Any]) -> tuple[int, int]:
    """Return when the first and the last of some rulings were."""
    moments = [row.at for row in rows]
    return min(moments, default=0), max(moments, default=0)


def _read_history(
    reader: Reader, begins: int, ends: int, replayed: Collection[int]
) -> History:
    """Return what ran, and was asked, as far as anything may count it."""
    since = begins - LONGEST * SECOND
    # What a ruling leads to is planned, or asked, right after it.
    until = ends + SECOND
    ran = reader.ask(lambda one: find_ran(one, since, until))
    asked = reader.ask(lambda one: find_asked(one, since, until))
    return History(
        runs=[Ran(*row) for row in ran],
        questions=[Asked(*row) for row in asked],
        replayed=replayed,
        since=begins,
    )
