"""Voters: whose answers count at this moment.

Whoever was shut out, or may grant nothing any more, has granted nothing:
what waits for a second person, or for the end of a pause, does not start on
the word of an account that was taken away meanwhile.
"""

from collections.abc import Iterable

from app.core.errors import Refused
from app.models.approval import Answer, Approval, Vote, known_as
from app.store.accounts import find_unfit
from app.store.approvals import find_votes
from app.store.ledger import Connection


def check_voter(connection: Connection, person: str) -> None:
    """Return when a person may answer; who has no account, may.

    Raises:
        Refused: their account is disabled, or of a lower role.
    """
    if find_unfit(connection, [known_as(person)]):
        raise Refused(
            403,
            "may_not_answer",
            f"The account of {person} is disabled, or may grant nothing.",
            field="author",
            remedy="Let an approver answer, or ask an admin.",
        )


def keep_counting(connection: Connection, votes: Iterable[Vote]) -> list[Vote]:
    """Return those answers that count still."""
    votes = list(votes)
    names = {known_as(one.person) for one in votes}
    unfit = find_unfit(connection, names) if names else set()
    return [one for one in votes if known_as(one.person) not in unfit]


def has_lapsed(connection: Connection, asked: Approval) -> bool:
    """Tell whether too few of those who granted something still may."""
    votes = find_votes(connection, asked.id)
    counting = keep_counting(connection, votes)
    granted = {
        known_as(one.person)
        for one in counting
        if one.answer == Answer.GRANT.value
    }
    return len(counting) < len(votes) and len(granted) < asked.people
