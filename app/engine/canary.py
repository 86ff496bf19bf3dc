"""The canary: a synthetic alert goes through the whole pipe every minute.

It is let in as if it had been posted, folded, decided on and written down
like any other, and resolved again. How old the last one is that came through
is the one figure that tells whether everything works.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

import msgspec
from prometheus_client import CollectorRegistry, Gauge
from pydantic import Field

from app.core.clock import Clock
from app.core.configfile import Section
from app.core.errors import Refused, SmokejumperError
from app.core.log import get_log
from app.engine.keeper import Keeper
from app.ingest.allowance import Allowance
from app.ingest.counters import SourceCounters
from app.ingest.intake import Entrance, Intake
from app.models.alert import Alert, Severity, Status
from app.models.canary import CANARY, PROBLEM, Trace, hour_of, name_of
from app.models.delivery import Delivery, Flaw, Parsed, Receipt, Unparsed
from app.models.example import Example
from app.store.canary import find_trace, take_off
from app.store.ledger import Connection
from app.store.marks import get_mark, put_mark
from app.store.reading import Reader

MARK = "canary"
SECOND = 1_000_000
HOUR = 3_600 * SECOND
# The canaries of an hour are kept for a day; who slept looks further back.
KEPT_HOURS, LOOKED_AT_HOURS = 25, 72
LOOK_SECONDS = 0.2
# Of its period: so long it is waited for, and so close is another's beat.
PATIENCE, CLOSE = 0.8, 0.9
FOLDED, DECIDED, CLOSED, TOLD = "folded", "decided", "closed", "told"
BODY = b'{"begins_at":1795227242000000,"status":"firing"}'
log = get_log("canary")


class CanarySettings(Section):
    """Whether there is a canary, and how often it is sent."""

    enabled: bool = True
    every_seconds: float = Field(60.0, ge=1, le=3_600)


class Beat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One delivery of the canary.

    Attributes:
        begins_at: when it was sent.
        status: firing, or resolved.
        ends_at: when it was taken back.
    """

    begins_at: int
    status: Status
    ends_at: int | None = None


class Canary:
    """The source: it is in no settings, and no route leads to it."""

    example = Example(body=BODY, names=(PROBLEM,))
    paths: tuple[str, ...] = ()
    tells_once = False
    setup = "It is built in."

    def parse(self, delivery: Delivery) -> Parsed:
        """Return the alert of a delivery, or raise Unparsed."""
        try:
            beat = msgspec.json.decode(delivery.body, type=Beat)
        except msgspec.MsgspecError as error:
            raise Unparsed(Flaw("not_a_canary", "$", "It is none.")) from error
        hour = hour_of(beat.begins_at)
        alert = Alert(
            fingerprint=name_of(hour),
            status=beat.status,
            occurrence=str(beat.begins_at),
            name=PROBLEM,
            severity=Severity.INFO,
            summary="A synthetic alert: it shows that the pipe works.",
            labels={"alertname": PROBLEM, CANARY: hour},
            starts_at=beat.begins_at,
            ends_at=beat.ends_at,
        )
        return Parsed(alerts=(alert,))


class Closed:
    """Lets nobody in: what we send ourselves proves nothing."""

    def check(self, delivery: Delivery) -> None:
        """Refuse a delivery."""
        del delivery
        raise Refused(403, "not_allowed", "Only the service itself sends it.")


class Meters:
    """What the canary tells Prometheus, by stage."""

    def __init__(
        self, registry: CollectorRegistry, clock: Clock, stages: Sequence[str]
    ) -> None:
        """Make the meters part of a registry.

        Until the first one has come through, its age is that of the service.
        A clock that is set back makes nothing younger.
        """
        self._clock = clock
        self._sent = dict.fromkeys(stages, clock.monotonic())
        age = Gauge(
            "smokejumper_canary_age_seconds",
            "How long ago the last canary was sent that came through",
            ["stage"],
            registry=registry,
        )
        self._took = Gauge(
            "smokejumper_canary_seconds",
            "How long the last canary took that came through",
            ["stage"],
            registry=registry,
        )

        def make(stage: str) -> None:
            """Let the age of one stage be told when it is asked for."""
            age.labels(stage).set_function(
                lambda: clock.monotonic() - self._sent[stage]
            )

        for stage in stages:
            make(stage)

    def came(self, stage: str, seconds: float) -> None:
        """Tell that a canary came through a stage, so long after it went."""
        sent = self._clock.monotonic() - seconds
        self._sent[stage] = max(sent, self._sent[stage])
        self._took.labels(stage).set(seconds)


class Ways(msgspec.Struct, frozen=True):
    """Where the canary leads: in, to who writes, and out.

    Attributes:
        stages: those that it can come through here, in order.
    """

    intake: Intake
    keeper: Keeper
    reader: Reader
    clock: Clock
    meters: Meters
    stages: tuple[str, ...]


class CanaryChore:
    """Sends the canary, and sees how far it comes."""

    def __init__(self, settings: CanarySettings, ways: Ways) -> None:
        """Take how often, and where it leads."""
        self._every = settings.every_seconds
        self._ways = ways
        self._state: str | None = None
        self._swept: set[str] = set()
        self._entrance = Entrance(
            name=CANARY,
            kind=CANARY,
            source=Canary(),
            authenticator=Closed(),
            allowance=Allowance({}),
            is_strict=True,
            counters=SourceCounters(),
        )

    async def run(self) -> None:
        """Go on until cancelled."""
        clock = self._ways.clock
        while True:
            began = clock.monotonic()
            try:
                await self.beat()
            except SmokejumperError as error:
                self._tell(f"it could not be sent: {error}")
            except Exception:
                log.exception("canary.crashed")
            took = clock.monotonic() - began
            await asyncio.sleep(max(self._every - took, 0.05))

    async def beat(self) -> None:
        """Send one, unless another node did, and see how far it comes.

        Raises:
            SmokejumperError: it could not be sent.
        """
        asked = self._ways.keeper.ask(self._claim)
        moment, is_ours = await asyncio.wrap_future(asked)
        if is_ours:
            await self._send(Beat(moment, Status.FIRING))
        await self._follow(moment)
        if is_ours:
            now = self._ways.clock.now()
            await self._send(Beat(moment, Status.RESOLVED, now))
            await self._take_off(moment)

    def _claim(self, connection: Connection) -> tuple[int, bool]:
        """Return when the present one was sent, and whether we shall send it.

        In a turn of the keeper: of several nodes one sends it.
        """
        now, last = self._ways.clock.now(), get_mark(connection, MARK)
        if 0 <= now - last < CLOSE * self._every * SECOND:
            return last, False
        put_mark(connection, MARK, now)
        return now, True

    async def _send(self, beat: Beat) -> None:
        """Return when a delivery is on disk, or raise SmokejumperError."""
        delivery = Delivery(
            source=CANARY,
            body=msgspec.json.encode(beat),
            received_at=self._ways.clock.now(),
            headers=((b"content-type", b"application/json"),),
            peer=CANARY,
        )
        loop = asyncio.get_running_loop()
        on_disk: asyncio.Future[Receipt | Refused] = loop.create_future()

        def answer(result: Receipt | Refused) -> None:
            """Pass it on, unless nobody waits for it any more."""
            if not on_disk.done():
                on_disk.set_result(result)

        self._ways.intake.take(self._entrance, delivery, answer)
        result = await on_disk
        if isinstance(result, Refused):
            raise result

    async def _take_off(self, moment: int) -> None:
        """Take off the canaries of one hour that is long over."""
        old = {
            hour_of(moment - back * HOUR)
            for back in range(KEPT_HOURS, LOOKED_AT_HOURS)
        }
        self._swept &= old
        left = old - self._swept
        if left:
            hour = max(left)
            sweep = partial(take_off, hour=hour)
            await asyncio.wrap_future(self._ways.keeper.ask(sweep))
            self._swept.add(hour)

    async def _follow(self, moment: int) -> None:
        """See how far a canary comes, until it is time for the next."""
        ways, left = self._ways, list(self._ways.stages)
        # Another node may have sent it a while ago, by its clock.
        ago = (ways.clock.now() - moment) / SECOND
        began = ways.clock.monotonic() - min(max(ago, 0.0), self._every)
        until = ways.clock.monotonic() + PATIENCE * self._every
        while left and ways.clock.monotonic() < until:
            trace = await asyncio.to_thread(self._look, moment)
            while left and _has_come(trace, left[0]):
                took = ways.clock.monotonic() - began
                ways.meters.came(left.pop(0), took)
            if left:
                await asyncio.sleep(LOOK_SECONDS)
        self._tell(f"it was not {left[0]}" if left else "")

    def _look(self, moment: int) -> Trace:
        """Return how far a canary has come; on a thread."""
        with self._ways.reader.snapshot() as connection:
            return find_trace(connection, moment)

    def _tell(self, why: str) -> None:
        """Log how it goes, once for each change."""
        if why == self._state:
            return
        self._state = why
        if why:
            log.warning("canary.lost", why=why)
        else:
            log.info("canary.came_through")


def _has_come(trace: Trace, stage: str) -> bool:
    """Tell whether a canary has come through a stage."""
    come = {
        FOLDED: trace.is_folded,
        DECIDED: trace.is_decided,
        CLOSED: trace.is_closed,
        TOLD: trace.is_told,
    }
    return come[stage]
