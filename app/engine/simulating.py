"""Simulating: the problem simulator, as the console's switchboard has it.

It is a program of its own, which this service only calls: what may be
caused, and for how long, is the simulator's own word. Whatever is changed
from here is a line of the action log.
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator, Field, SecretStr, TypeAdapter
from pydantic.networks import IPvAnyNetwork

from app.core.brief import brief
from app.core.clock import Clock
from app.core.configfile import Section
from app.core.egress import Bounds, Call, Egress, Said, trust
from app.core.errors import NotSent, OutgoingFailed, Refused
from app.core.log import get_log
from app.core.remote import Address
from app.models.entry import Note
from app.store.ledger import Connection
from app.store.log import append

LOOK_SECONDS = 4.0
MOST_BYTES = 1_048_576
KIND = "simulator.changed"
# A simulator is close by: on this machine, or on a network of one's own.
NEARBY = TypeAdapter(tuple[IPvAnyNetwork, ...]).validate_python(
    (
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
    )
)
log = get_log("simulator")
_address = TypeAdapter(Address)


def _address_or_none(text: str) -> str:
    """Return an address without its last slash; empty: there is none."""
    return _address.validate_python(text) if text else ""


class SimulatorSettings(Section):
    """Where the problem simulator is; nowhere, unless it is said."""

    url: Annotated[str, AfterValidator(_address_or_none)] = ""
    token: SecretStr = SecretStr("")
    timeout_seconds: float = Field(10.0, gt=0, le=60)
    allow: tuple[IPvAnyNetwork, ...] = NEARBY


class Change(msgspec.Struct, frozen=True):
    """What somebody wants of the simulator.

    Attributes:
        method: POST to begin something, DELETE to end it.
        path: what it is about, such as /api/faults/cpu.
        says: the same in words.
        who: who wants it.
        body: how much of it, and for how long.
    """

    method: str
    path: str
    says: str
    who: str
    body: Mapping[str, Any] = {}


class Simulator:
    """Calls the simulator, and knows what it does.

    Attributes:
        running: the kinds of faults that run, as was seen last.
        lost_at: since when it cannot be asked, None: it can.
    """

    def __init__(
        self, settings: SimulatorSettings, token: str, clock: Clock
    ) -> None:
        """Take where it is, what opens it, and the time."""
        self.running: tuple[str, ...] = ()
        self.lost_at: int | None = None
        self._url = settings.url
        self._clock = clock
        self._headers = {"Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        bounds = Bounds(settings.timeout_seconds, MOST_BYTES, settings.allow)
        self._egress = Egress(bounds, trust()) if self._url else None

    @property
    def is_there(self) -> bool:
        """Tell whether the settings name one."""
        return self._egress is not None

    async def run(self) -> None:
        """See now and then what runs, until cancelled."""
        while self.is_there:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """See what runs; while it does not answer that is what is known."""
        try:
            await self.state()
        except Refused as error:
            # Also the first time: without it no page has its frame.
            if self.lost_at is None:
                self.lost_at = self._clock.now()
                log.warning(
                    "simulator.lost",
                    url=self._url,
                    error=error.detail,
                    remedy=error.remedy,
                )
            return
        if self.lost_at is not None:
            log.info("simulator.found", url=self._url)
        self.lost_at = None

    async def state(self) -> dict[str, Any]:
        """Return all that it can cause, and what runs.

        Raises:
            Refused: there is none, or it does not answer.
        """
        state = await self.ask("GET", "/api/state")
        running = state.get("running", ())
        self.running = tuple(
            str(one.get("fault", ""))[:40]
            for one in running
            if isinstance(one, dict)
        )
        return state

    async def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return what it answers.

        Args:
            method: GET, POST or DELETE.
            path: where, with a query perhaps.
            body: what goes along, None for nothing.

        Raises:
            Refused: there is none, it does not answer, or refuses.
        """
        if self._egress is None:
            raise no_simulator()
        headers, raw = self._headers, b""
        if body is not None:
            headers = {**headers, "Content-Type": "application/json"}
            raw = msgspec.json.encode(body)
        call = Call(method, self._url + path, headers, raw)
        try:
            said = await self._egress.send(call)
        except NotSent as error:
            raise _lost(f"The simulator does not answer: {error}") from error
        except OutgoingFailed as error:
            raise _lost(
                f"Nobody knows whether the simulator did it: {error}"
            ) from error
        return _read(said)

    def note(self, connection: Connection, change: Change) -> None:
        """Write down what somebody changed; runs in a turn."""
        append(
            connection,
            self._clock.now(),
            [
                Note(
                    kind=KIND,
                    actor=f"person:{change.who}",
                    summary=change.says,
                    body={
                        "asked": f"{change.method} {change.path}",
                        **({"order": change.body} if change.body else {}),
                    },
                )
            ],
        )


def no_simulator() -> Refused:
    """Return the refusal of what is not set up here."""
    return Refused(
        404,
        "no_simulator",
        "There is no simulator here.",
        field="path",
        remedy="Set simulator.url, and start: python -m simulator serve.",
    )


def _lost(detail: str) -> Refused:
    """Return the refusal while the simulator cannot be had."""
    return Refused(
        503,
        "simulator_lost",
        detail,
        remedy="Start it, or correct simulator.url and simulator.token.",
    )


def _read(said: Said) -> dict[str, Any]:
    """Return an answer, or raise Refused in the simulator's words."""
    try:
        told = msgspec.json.decode(said.body or b"{}")
    except (msgspec.MsgspecError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise _lost(f"The simulator's answer {said.status} is not its JSON.")
    if said.status in (200, 201):
        return told
    detail = _word(told, "detail") or f"It answered {said.status}."
    if said.status not in (400, 403, 404, 409, 413, 422, 503):
        # Its 401 is about our token: nobody here is signed out by it.
        raise _lost(f"The simulator lets us not in: {detail}")
    raise Refused(
        said.status,
        "simulator_refused",
        detail,
        field=_word(told, "field"),
        remedy=_word(told, "remedy"),
    )


def _word(told: Mapping[str, Any], name: str) -> str:
    """Return a text of an answer, cut short."""
    value = told.get(name, "")
    return brief(value, 400) if isinstance(value, str) else ""
