"""What people ask for through the API and the command line.

Each call is one turn: the word, the columns of the incident and the line of
the log are written together or not at all.
"""

from collections.abc import Callable

import msgspec

from app.core.clock import Clock, to_iso
from app.core.errors import Refused
from app.fold.folding import Folder
from app.fold.regroup import Regrouping
from app.fold.words import said, summarise, tell
from app.models.canary import CANARY
from app.models.incident import Incident, State
from app.models.word import (
    DECISIONS,
    Call,
    Kind,
    Word,
    newest,
)
from app.store.incidents import find_incidents, save_incidents
from app.store.ledger import Connection
from app.store.log import append
from app.store.people import (
    add_words,
    find_by_key,
    find_family,
    find_last,
    find_on_acknowledging,
    next_word,
)

LONGEST_WAY = 100


class People:
    """Does what people ask for, each in a turn of its own."""

    def __init__(self, folder: Folder, clock: Clock) -> None:
        """Take what settles incidents, and the time."""
        self._folder = folder
        self._clock = clock
        self._acts: dict[
            Kind, Callable[[Connection, Call, Incident], Word]
        ] = {
            Kind.NOTE: self._add,
            Kind.CORRECTION: self._add,
            Kind.ACKNOWLEDGE: self._acknowledge,
            Kind.UNACKNOWLEDGE: self._unacknowledge,
            Kind.OWNER: self._own,
            Kind.SPLIT: self._split,
            Kind.MERGE: self._merge,
        }

    def say(self, connection: Connection, call: Call) -> Word:
        """Do what a person asks for; return the word that is kept.

        A second try of the same call gives the first answer.

        Raises:
            Refused: it cannot be done; nothing was changed.
        """
        if call.key:
            word = find_by_key(connection, call.incident, call.key)
            if word is not None:
                return _repeated(word, call)
        incident = find_living_one(connection, call.incident)
        _check_version(connection, incident, call.version)
        return self._acts[call.kind](connection, call, incident)

    def _add(
        self, connection: Connection, call: Call, incident: Incident
    ) -> Word:
        """Keep a word that decides nothing."""
        return self._save(connection, call, incident, self._clock.now())

    def _acknowledge(
        self, connection: Connection, call: Call, incident: Incident
    ) -> Word:
        """Let a person say that they look at it."""
        at, word = self._latest(connection, incident)
        if incident.acknowledged_at is not None:
            if word is not None and word.answers(call):
                return word
            if incident.acknowledged_by != call.author:
                when = to_iso(incident.acknowledged_at)
                raise Refused(
                    409,
                    "already_acknowledged",
                    f"{incident.acknowledged_by} acknowledged incident "
                    f"{incident.id} at {when}.",
                    remedy="Write a note, take it as its owner, or take "
                    "the acknowledgement back first.",
                )
        incident.acknowledged_by = call.author
        incident.acknowledged_at = at
        return self._save(connection, call, incident, at)

    def _unacknowledge(
        self, connection: Connection, call: Call, incident: Incident
    ) -> Word:
        """Let a person say that nobody looks at it."""
        at, word = self._latest(connection, incident)
        if incident.acknowledged_at is None:
            if word is not None and word.answers(call):
                return word
            raise Refused(
                409,
                "not_acknowledged",
                f"Nobody has acknowledged incident {incident.id}"
                f"{_since(word)}.",
            )
        incident.acknowledged_by, incident.acknowledged_at = "", None
        return self._save(connection, call, incident, at)

    def _own(
        self, connection: Connection, call: Call, incident: Incident
    ) -> Word:
        """Let a person say who takes care of it."""
        owner = call.details["owner"]
        if owner == incident.owner:
            word = find_last(connection, incident.id, [Kind.OWNER])
            if word is not None and word.answers(call):
                return word
            has = f"is owned by {owner}" if owner else "has no owner"
            raise Refused(
                409,
                "same_owner",
                f"Incident {incident.id} {has} already{_since(word)}.",
                field="owner",
            )
        incident.owner = owner
        return self._save(connection, call, incident, self._clock.now())

    def _split(
        self, connection: Connection, call: Call, incident: Incident
    ) -> Word:
        """Let a person say that some of it is another problem."""
        work = Regrouping(connection, self._folder, self._clock.now())
        return work.split(call, incident)

    def _merge(
        self, connection: Connection, call: Call, incident: Incident
    ) -> Word:
        """Let a person say that it is the same as another one."""
        number = call.details["into"]
        if number == incident.id:
            raise Refused(
                422,
                "into_itself",
                f"Incident {number} cannot be merged into itself.",
                field="into",
            )
        into = find_living_one(connection, number, "into")
        if CANARY in (incident.source, into.source):
            # It is taken off within the hour, with all that is in it.
            raise Refused(
                422,
                "canary",
                "The canary's incidents are merged with none.",
                field="into",
            )
        work = Regrouping(connection, self._folder, self._clock.now())
        return work.merge(call, incident, into)

    def _latest(
        self, connection: Connection, incident: Incident
    ) -> tuple[int, Word | None]:
        """Return now, and the word on acknowledging that counts.

        Whoever asks now has the last word, whatever the clocks of the
        monitoring systems say.
        """
        family = find_family(connection, incident.id)
        word = newest(find_on_acknowledging(connection, family))
        now = self._clock.now()
        return (now if word is None else max(now, word.at)), word

    def _save(
        self, connection: Connection, call: Call, incident: Incident, at: int
    ) -> Word:
        """Write a word, the incident and the line of the log."""
        now = self._clock.now()
        changed = msgspec.structs.replace(
            incident, version=incident.version + 1, changed_at=now
        )
        word = said(next_word(connection), call, changed, at)
        add_words(connection, [word])
        save_incidents(connection, [], [changed])
        append(connection, now, [tell(changed, word, f"person:{call.author}")])
        return word


def find_living_one(
    connection: Connection, number: int, field: str = "incident"
) -> Incident:
    """Return an incident about which something can be said.

    Raises:
        Refused: there is none, or it lives on in another one.
    """
    incident = find_incidents(connection, [number]).get(number)
    if incident is None:
        raise Refused(
            422 if field == "into" else 404,
            "not_found",
            f"There is no incident {number}.",
            field=field,
            remedy="List what there is with GET /api/v1/incidents.",
        )
    if incident.state != State.MERGED:
        return incident
    home = _home(connection, incident)
    raise Refused(
        409,
        "merged",
        f"Incident {number} was merged at {to_iso(incident.changed_at)} and "
        f"lives on in incident {home}.",
        field=field,
        remedy=f"Say it about incident {home}.",
    )


def _home(connection: Connection, incident: Incident) -> int:
    """Return the incident that a merged one lives on in."""
    for _ in range(LONGEST_WAY):
        into = incident.merged_into
        found = find_incidents(connection, [into]).get(into)
        if found is None or not found.merged_into:
            return into
        incident = found
    return incident.merged_into


def _repeated(word: Word, call: Call) -> Word:
    """Return the first answer to a call that comes again."""
    if not word.answers(call):
        raise Refused(
            422,
            "key_used",
            "This Idempotency-Key was used for something else.",
            field="idempotency-key",
            remedy="Choose a new key for each new request.",
        )
    return word


def _check_version(
    connection: Connection, incident: Incident, version: int | None
) -> None:
    """Refuse a call made on what another person has changed since.

    What alerts change does not count, else a storm would keep everybody
    out; nor do notes, which take nothing away.
    """
    if version is None or version == incident.version:
        return
    if version > incident.version:
        raise Refused(
            422,
            "no_such_version",
            f"Incident {incident.id} is at version {incident.version}.",
            field="version",
        )
    word = find_last(connection, incident.id, DECISIONS)
    if word is not None and word.version > version:
        raise Refused(
            409,
            "changed",
            f"Incident {incident.id} was changed by {word.author} at "
            f"{to_iso(word.at)}: {summarise(word)}"[:500],
            field="version",
            remedy="Look at it again, then decide anew.",
        )


def _since(word: Word | None) -> str:
    """Return who said so and when, if anybody did."""
    if word is None:
        return ""
    return f" ({word.author}, {to_iso(word.at)})"
