"""A room with people who talk about incidents while alerts come in."""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from app.core.clock import to_iso
from app.fold.folding import Folder
from app.fold.people import People
from app.fold.rules import FoldSettings, make_rules
from app.models.alert import Severity, Status
from app.models.incident import Incident
from app.models.tables import EntryRow, EpisodeRow, IncidentRow, WordRow
from app.models.word import Call, Kind, Word
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.people import find_family, find_words
from tests.fakes import FakeClock, make_alert, make_filing

SECOND = 1_000_000
MINUTE = 60 * SECOND
T = TypeVar("T")


class Room:
    """A database that is told alerts and words, folded at once."""

    def __init__(self, inbox: SqlInbox, ledger: Ledger) -> None:
        """Take the two ways to write."""
        self.clock = FakeClock()
        self.inbox = inbox
        self.ledger = ledger
        self.folder = Folder(make_rules(FoldSettings()), self.clock)
        self.people = People(self.folder, self.clock)
        self._bodies = count(1)

    def tell(self, fingerprint: str, **more: Any) -> None:
        """Let a source say something, and fold it."""
        source = more.pop("source", "alertmanager")
        alert = make_alert(fingerprint, **{"occurrence": None, **more})
        filing = make_filing(
            alert,
            body=str(next(self._bodies)).encode(),
            source=source,
            received_at=self.clock.now(),
        )
        self.inbox.write([filing])
        self.fold()

    def fire(
        self,
        host: str,
        name: str = "DiskFull",
        begins: int = 0,
        severity: Severity = Severity.WARNING,
    ) -> int:
        """Let a symptom of a host fire; return its incident's number.

        Args:
            host: the target.
            name: the problem.
            begins: seconds from now at which it began.
            severity: how bad it is.
        """
        starts_at = self.clock.now() + begins * SECOND
        self.tell(
            f"{host}/{name}",
            name=name,
            occurrence=str(starts_at),
            labels={"instance": host},
            severity=severity,
            starts_at=starts_at,
        )
        return int(self.rows(EpisodeRow)[-1].incident_id)

    def end(self, host: str, name: str = "DiskFull") -> None:
        """Let a symptom of a host be over."""
        now = self.clock.now()
        self.tell(
            f"{host}/{name}",
            name=name,
            occurrence=str(now),
            status=Status.RESOLVED,
            labels={"instance": host},
            ends_at=now,
        )

    def update(self, host: str, at: int, **told: Any) -> None:
        """Let a person say something in Zabbix about a problem of a host.

        Args:
            host: the target.
            at: when, in seconds from now.
            told: what the source's annotations say; and, when it is not
                known yet, when the problem began.
        """
        began = told.pop("began", None)
        moment = to_iso(self.clock.now() + at * SECOND) or ""
        annotations = {f"update_{name}": text for name, text in told.items()}
        self.tell(
            f"{host}/DiskFull",
            status=Status.UPDATED,
            occurrence=f"{moment} {sorted(told.items())}",
            labels={"instance": host},
            starts_at=began or self.began(host),
            annotations={**annotations, "updated_at": moment},
        )

    def began(self, host: str) -> int | None:
        """Return when the problem of a host began, if it did."""
        found = [
            row.begins_at
            for row in self.rows(EpisodeRow)
            if row.fingerprint == f"{host}/DiskFull"
        ]
        return found[-1] if found else None

    def fold(self) -> None:
        """Fold what came in."""
        self.turn(self.folder.fold)

    def turn(self, work: Callable[[Connection], T]) -> T:
        """Do some work in a turn of its own."""
        with self.ledger.turn() as connection:
            return work(connection)

    def say(
        self, kind: Kind, incident: int, author: str = "ana", **more: Any
    ) -> Word:
        """Let a person say something about an incident."""
        known = {"text", "key", "version"}
        call = Call(
            incident=incident,
            kind=kind,
            author=author,
            details={k: v for k, v in more.items() if k not in known},
            **{k: v for k, v in more.items() if k in known},
        )
        return self.turn(lambda turn: self.people.say(turn, call))

    def merge(self, gone: int, into: int) -> Word:
        """Let a person merge two incidents."""
        return self.say(Kind.MERGE, gone, into=into)

    def split(self, incident: int, *episodes: int) -> int:
        """Let a person split episodes off; return where they are."""
        word = self.say(Kind.SPLIT, incident, episodes=sorted(episodes))
        return int(word.details["into"])

    def rows(self, table: Any) -> list[Any]:
        """Return the rows of a table by id."""
        query = select(table.__table__).order_by(table.id)
        return self.turn(lambda turn: list(turn.execute(query)))

    def incident(self, number: int) -> Incident:
        """Return an incident."""
        (found,) = (r for r in self.rows(IncidentRow) if r.id == number)
        return Incident(**found._asdict())

    def episodes(self, incident: int) -> list[int]:
        """Return the ids of the episodes of an incident."""
        rows = self.rows(EpisodeRow)
        return [row.id for row in rows if row.incident_id == incident]

    def partition(self) -> Mapping[int, frozenset[int]]:
        """Return the episodes of each incident that has any."""
        found: dict[int, set[int]] = {}
        for row in self.rows(EpisodeRow):
            found.setdefault(row.incident_id, set()).add(row.id)
        return {number: frozenset(ids) for number, ids in found.items()}

    def words(self, incident: int) -> list[Word]:
        """Return what people see said about an incident."""
        return self.turn(
            lambda turn: find_words(
                turn, find_family(turn, incident), 0, 1_000
            )
        )

    def log(self, kind: str) -> list[Any]:
        """Return what the action log says of one kind."""
        return [row for row in self.rows(EntryRow) if row.kind == kind]

    def count_words(self) -> int:
        """Return how many words there are in all."""
        return len(self.rows(WordRow))
