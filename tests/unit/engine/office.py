"""An office: a theatre in which people are told what is done.

The teller, what is sent and the rules of who is told are the product's;
time and the other ends are the test's.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from app.core.errors import OutgoingFailed
from app.engine.correspondence import Correspondence
from app.engine.factfinding import FactFinder
from app.engine.outgoing import Claimant, Outgoing, Parcel
from app.engine.posting import compose_parcel
from app.engine.proposing import Proposal
from app.engine.telling import Teller
from app.models.entry import Note
from app.models.inventory import Thing
from app.models.job import JobState
from app.models.message import Dispatch, Facts, Letter, Message
from app.models.message_tables import DispatchRow, MessageRow
from app.models.word import Kind
from app.report.composing import Composer
from app.report.settings import ReportSettings
from app.report.templates import Templates
from app.store.dispatches import to_dispatch
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.log import append
from app.store.messages import to_message
from tests.unit.engine.theatre import POLICY, Theatre

LEASE = 9_000_000
ROUTE: dict[str, Any] = {"levels": [{"channels": ["ops"]}]}


class Mailbox:
    """The other end of a channel: it keeps what it gets, or fails."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.error: OutgoingFailed | None = None

    async def send(self, letter: Letter) -> str:
        """Take a letter, or fail as the test says."""
        if self.error is not None:
            raise self.error
        self.letters.append(letter)
        return f"no. {len(self.letters)}"


class Office(Theatre):
    """A theatre that tells people."""

    def __init__(
        self,
        inbox: SqlInbox,
        ledger: Ledger,
        folder: Path,
        report: Mapping[str, Any] | None = None,
        *,
        channels: tuple[str, ...] = ("ops", "mail"),
        policy: str = POLICY,
        looks: bool = False,
    ) -> None:
        super().__init__(inbox, ledger, folder, policy)
        self.settings = ReportSettings.model_validate(
            {"base_url": "https://jump.example.com", **(report or {})}
        )
        self.boxes = {name: Mailbox() for name in channels}
        facts = FactFinder(
            self.casework, lambda: self.inventory, self.settings.base_url
        )
        self.things = (
            Thing(kind="host", name="web-01", team="shop", role="web"),
        )
        self.teller = Teller(
            self.settings,
            channels,
            facts,
            self.clock,
            self.evidence.will_look if looks else None,
        )
        self.outgoing = Outgoing(self.settings, self.clock)
        self.composer = Composer(self.settings, Templates())
        self.correspondence = Correspondence(
            self.boxes, dict.fromkeys(channels, "test"), self.clock
        )

    def report(self) -> list[str]:
        """Tell people what is new; return the kinds of all messages."""
        while True:
            before = len(self.messages())
            self.turn(self.teller.tell)
            if len(self.messages()) == before:
                return [one.kind for one in self.messages()]

    def take(self, holder: str = "here", room: int = 2) -> list[Parcel]:
        """Take what is due."""
        claimant = Claimant(
            holder=holder,
            lease=LEASE,
            room=dict.fromkeys(self.boxes, room),
            busy={},
        )
        return self.turn(lambda c: self.outgoing.take(c, claimant))

    def post(self, room: int = 2) -> list[Letter]:
        """Send all that is due now; return the letters that went."""
        sent = []
        while parcels := self.take(room=room):
            for parcel in parcels:
                letter = compose_parcel(self.composer, parcel)
                box = self.boxes[parcel.channel]
                if box.error is not None:
                    self.fail(parcel, box.error)
                    continue
                box.letters.append(letter)
                sent.append(letter)
                sent_now = partial(
                    self.outgoing.sent, parcel=parcel, reference="ref"
                )
                self.turn(sent_now)
        return sent

    def fail(self, parcel: Parcel, error: OutgoingFailed) -> int:
        """Let a letter have failed; return how many died of it."""
        return self.turn(lambda c: self.outgoing.failed(c, parcel, error, 1.0))

    def note(self, kind: str, incident: int = 0, **more: Any) -> None:
        """Write a line into the log."""
        body = more.pop("body", {})
        note = Note(
            kind=kind,
            incident=incident,
            actor="test",
            summary=more.pop("summary", "it happened"),
            body=body,
            **more,
        )
        self.turn(lambda c: append(c, self.clock.now(), [note]))

    def hear(self, source: str, **more: Any) -> None:
        """Let a source say something about web-01."""
        told = {"labels": {"instance": "web-01"}, **more}
        self.tell(
            "web-01/DiskFull",
            source=source,
            name="DiskFull",
            occurrence="1",
            starts_at=self.clock.now(),
            **told,
        )

    def escalate(self, host: str = "web-01") -> int:
        """Let something be wrong that people get; return the incident."""
        number = self.fire(host)
        self.decide(number, "escalate")
        self.go()
        return number

    def collect(self, number: int, says: str) -> None:
        """Let a person have a look at an incident's host."""
        wish = Proposal(
            incident=number,
            action="collect_diagnostics",
            arguments={"host": "web-01", "topic": "disk"},
            author="ana",
        )
        self.turn(lambda c: self.proposing.propose(c, wish))
        self.go()
        for key in list(self.robot.running):
            self.robot.end(key, JobState.SUCCEEDED, says)
        self.play(5)

    def acknowledge(self, number: int) -> None:
        """Let a person say that they look at it."""
        self.say(Kind.ACKNOWLEDGE, number)

    def messages(self) -> list[Message]:
        """Return all messages, in their order."""
        return [to_message(row) for row in self.rows(MessageRow)]

    def facts(self) -> Facts:
        """Return what the newest message can say."""
        return msgspec.json.decode(self.messages()[-1].facts, type=Facts)

    def labels(self) -> dict[str, str]:
        """Return what routes match the newest message on."""
        found: dict[str, str] = msgspec.json.decode(self.messages()[-1].labels)
        return found

    def ways(self, **where: object) -> list[Dispatch]:
        """Return dispatches whose fields are as the test says."""
        found = [to_dispatch(row) for row in self.rows(DispatchRow)]
        return [
            one
            for one in found
            if all(getattr(one, k) == v for k, v in where.items())
        ]

    def states(self) -> list[str]:
        """Return the states of all dispatches, in their order."""
        return [one.state for one in self.ways()]
