"""Sight: what a caller of some teams may see; for them the rest is not there.

Whatever has a number in its address is checked here, before any route: what
is hidden is answered as what is not there, so that numbers tell nothing. A
route of a new kind is closed to them until it is named here.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated

from fastapi import Depends
from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request

from app.core.errors import Refused
from app.fold.muting import no_mute
from app.models.account import Caller
from app.models.matcher import Matcher, named
from app.store import mutes
from app.store.approvals import APPROVALS
from app.store.decisions import DECISIONS
from app.store.dispatches import DISPATCHES
from app.store.jobs import JOBS
from app.store.ledger import Connection
from app.store.listings import INCIDENTS, LOG, Listing
from app.store.messages import MESSAGES
from app.store.missions import MISSIONS
from app.store.reading import Reader
from app.store.rulings import RULINGS
from app.store.teams import Teams, sees_row
from app.store.tracing import sees_alert

# No longer than what a database counts with.
PLAIN = re.compile("[0-9]{1,18}")
# What a number in an address stands for: its list, and what it is called.
OWNED: Mapping[str, tuple[Listing, str]] = {
    "incident_id": (INCIDENTS, "incidents"),
    "entry_id": (LOG, "log"),
    "decision_id": (DECISIONS, "decisions"),
    "mission_id": (MISSIONS, "missions"),
    "ruling_id": (RULINGS, "rulings"),
    "job_id": (JOBS, "jobs"),
    "approval_id": (APPROVALS, "approvals"),
    "message_id": (MESSAGES, "messages"),
    "dispatch_id": (DISPATCHES, "dispatches"),
}
# These are of no incident; their routes say who may see them.
FREE = frozenset({"name", "account_id", "session_id", "token_id"})


def teams_of(request: Request) -> Teams:
    """Return whose incidents the caller sees; none: all."""
    caller: Caller = request.state.caller
    return caller.teams


def all_teams(request: Request) -> None:
    """Refuse who sees some teams only; a dependency of a route."""
    if teams_of(request):
        raise needs_all_teams()


def check_owned(listing: Listing, teams: Teams) -> None:
    """Refuse a list whose rows are of no team to who sees some teams."""
    if teams and listing.owner is None:
        raise needs_all_teams()


OfTeams = Annotated[Teams, Depends(teams_of)]


class Sight:
    """Knows what callers of some teams may see."""

    def __init__(self, reader: Reader, label: str) -> None:
        """Take where to read, and which label names a team."""
        self._reader = reader
        self.label = label

    async def check(self, path: Mapping[str, str], teams: Teams) -> None:
        """Return when all that an address names may be seen.

        Raises:
            Refused: it may not, or is not there.
        """
        if teams and path:
            await run_in_threadpool(self.check_all, path, teams)

    async def check_into(self, incident_id: int, teams: Teams) -> None:
        """Return when an incident that a body names may be seen."""
        await self.check({"incident_id": str(incident_id)}, teams)

    def check_all(self, path: Mapping[str, str], teams: Teams) -> None:
        """Do the same, on a thread that may wait for the store."""
        with self._reader.snapshot() as connection:
            for field, value in path.items():
                if field not in FREE:
                    number = to_number(field, value)
                    self._check_one(connection, field, number, teams)

    def _check_one(
        self, connection: Connection, field: str, number: int, teams: Teams
    ) -> None:
        """Return when one thing may be seen."""
        if field in OWNED:
            listing, many = OWNED[field]
            if not sees_row(connection, listing, number, teams):
                raise not_there(field, number, many)
        elif field == "alert_id":
            if not sees_alert(connection, number, teams, self.label):
                raise not_there(field, number, "alerts")
        elif field == "mute_id":
            mute = mutes.find(connection, number)
            if mute is None or not named(
                mute.wish.matchers, self.label, teams
            ):
                raise no_mute(number)
        else:
            raise needs_all_teams()


def to_number(field: str, value: str) -> int:
    """Return a number as an address has it, written plainly.

    A route takes ``2.0`` and ``+2`` for 2, too: whatever is written in
    another way is not there, so that no way leads around the check.
    """
    if PLAIN.fullmatch(value):
        return int(value)
    raise Refused(
        404,
        "not_found",
        "There is no such thing.",
        field=field,
        remedy="Write its number in plain digits.",
    )


def check_named(matchers: Iterable[Matcher], label: str, teams: Teams) -> None:
    """Refuse conditions that reach beyond some teams.

    Args:
        matchers: the conditions.
        label: which label names a team.
        teams: who wants them; none: they see all.
    """
    if teams and not named(matchers, label, teams):
        raise Refused(
            403,
            "names_no_team",
            "This is not about your team only.",
            field="matchers",
            remedy=f'Add a matcher such as {label}="{teams[0]}".',
        )


def not_there(field: str, number: int, many: str) -> Refused:
    """Return the refusal of what is not there, or not for everybody."""
    what = field.removesuffix("_id")
    return Refused(
        404,
        "not_found",
        f"There is no {what} {number}.",
        field=field,
        remedy=f"List what there is with GET /api/v1/{many}.",
    )


def needs_all_teams() -> Refused:
    """Return the refusal of what is of no team."""
    return Refused(
        403,
        "needs_all_teams",
        "This is not parted by teams, and you see some teams only.",
        field="teams",
        remedy="Ask somebody who sees all teams.",
    )
