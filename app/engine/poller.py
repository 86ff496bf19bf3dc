"""The poller: asks an Alertmanager now and then what fires.

What is news becomes a delivery like any other: it is on disk, counted and
folded. Who is down, slow, or talks nonsense has said nothing: nothing is
resolved by it, and it is asked again later.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

import httpx
import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge

from app.core.clock import Clock
from app.core.errors import (
    OutgoingFailed,
    Refused,
    SmokejumperError,
    TooBusy,
)
from app.core.http import ask, open_client
from app.core.log import get_log
from app.engine.keeper import Keeper
from app.fold.folding import FOLDED
from app.ingest.intake import Intake
from app.ingest.poll import (
    ALERTS,
    MOST_IN_ONE,
    RECEIVER,
    STATUS,
    Answer,
    Found,
    Memory,
    Told,
    compare,
    read_answer,
    to_body,
    to_resolved,
    unite,
)
from app.ingest.polls import Poll
from app.models.delivery import Delivery, Receipt, Unparsed
from app.store.aside import ask_aside
from app.store.ledger import Connection
from app.store.ongoing import Beliefs
from app.store.stale import touch

HEADERS = ((b"content-type", b"application/json"),)
# One poll writes at so many episodes at most that they go on.
MOST_TOUCHES = 1_000
# So often it looks, so far apart, whether folding has caught up.
LOOKS, LOOK_SECONDS = 40, 0.1
WORKS, FAILED, YOUNG = "works", "failed", "is young"
log = get_log("poller")


class Meters:
    """What polling tells Prometheus, by source."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make the meters part of a registry."""
        self.polls = Counter(
            "smokejumper_polls",
            "How often a source was asked what fires",
            ["source"],
            registry=registry,
        )
        self.failures = Counter(
            "smokejumper_poll_failures",
            "Polls that not every address answered, or that were not taken",
            ["source"],
            registry=registry,
        )
        self.found = Counter(
            "smokejumper_poll_alerts",
            "Alerts that only a poll told",
            ["source"],
            registry=registry,
        )
        self.last_success = Gauge(
            "smokejumper_poll_last_success_timestamp_seconds",
            "When every address of a source answered for the last time",
            ["source"],
            registry=registry,
        )


class Ways(msgspec.Struct, frozen=True):
    """Where a poller leads: in, out, and to what is believed here."""

    intake: Intake
    keeper: Keeper
    beliefs: Beliefs
    clock: Clock
    meters: Meters
    most_alerts: int


class Poller:
    """Polls one source."""

    def __init__(self, poll: Poll, ways: Ways, stale: int) -> None:
        """Take whom to ask, where it leads, and when silence is too long."""
        self._poll = poll
        self._ways = ways
        self._name = poll.entrance.name
        self._memory = Memory()
        self._state = ""
        # Often enough that what is confirmed never gets stale.
        self._touch_after = stale // 4
        ways.meters.polls.labels(self._name)
        ways.meters.failures.labels(self._name)
        ways.meters.found.labels(self._name)

    async def run(self) -> None:
        """Poll again and again, until cancelled."""
        settings = self._poll.settings
        async with open_client(settings.timeout_seconds) as client:
            while True:
                started = self._ways.clock.monotonic()
                await self._try(client)
                took = self._ways.clock.monotonic() - started
                await asyncio.sleep(max(settings.seconds - took, 0.05))

    async def poll(self, client: httpx.AsyncClient) -> str:
        """Poll once; return the state of it.

        Raises:
            SmokejumperError: it could not be done.
        """
        newest = await ask_aside(self._ways.beliefs.newest)
        asked_at = self._ways.clock.now()
        answers, why = await self._ask_all(client)
        state = WORKS
        if any(asked_at - a.up_since < self._poll.uptime for a in answers):
            state = YOUNG
        if not answers or not await self._is_folded(newest):
            raise OutgoingFailed(why or "folding is behind")
        is_whole = not why and state == WORKS
        told, found = await ask_aside(
            self._judge, answers, asked_at, is_whole=is_whole
        )
        size = min(self._ways.most_alerts, MOST_IN_ONE)
        for start in range(0, len(told), size):
            await self._deliver(told[start : start + size])
        await self._confirm(found, asked_at)
        if why:
            raise OutgoingFailed(why)
        return state

    async def _try(self, client: httpx.AsyncClient) -> None:
        """Poll once, whatever comes of it, and tell how it went."""
        meters = self._ways.meters
        meters.polls.labels(self._name).inc()
        try:
            state, why = await self.poll(client), ""
        except (SmokejumperError, Unparsed) as error:
            state, why = FAILED, str(error)
        except Exception:
            log.exception("poll.crashed", source=self._name)
            state, why = FAILED, "a bug"
        if state == FAILED:
            self._memory.forget()
            meters.failures.labels(self._name).inc()
        else:
            now = self._ways.clock.now() / 1e6
            meters.last_success.labels(self._name).set(now)
        self._tell(state, why)

    def _tell(self, state: str, why: str) -> None:
        """Log how polling goes, once for each change."""
        if state == self._state:
            return
        self._state = state
        if state == FAILED:
            log.warning("poll.failed", source=self._name, error=why)
        else:
            log.info("poll.works", source=self._name, resolves=state == WORKS)

    async def _ask_all(
        self, client: httpx.AsyncClient
    ) -> tuple[list[Answer], str]:
        """Return what the members said, and why some said nothing."""
        asked = (self._ask(client, url) for url in self._poll.urls)
        results = await asyncio.gather(*asked)
        answers = [one for one in results if isinstance(one, Answer)]
        failures = [one for one in results if isinstance(one, str)]
        return answers, "; ".join(failures)

    async def _ask(self, client: httpx.AsyncClient, url: str) -> Answer | str:
        """Return what one member said, or why it said nothing."""
        settings = self._poll.settings
        get = partial(
            ask,
            client,
            headers=self._poll.headers,
            most_bytes=settings.body_bytes,
        )
        try:
            async with asyncio.timeout(settings.timeout_seconds):
                status = await get(url + STATUS)
                alerts = await get(url + ALERTS)
            return await asyncio.to_thread(read_answer, status, alerts)
        except TimeoutError:
            return f"{url}: no answer in {settings.timeout_seconds:g} s"
        except (OutgoingFailed, Unparsed) as error:
            return f"{url}: {error}"

    async def _is_folded(self, newest: int) -> bool:
        """Tell whether all that came before we asked is in an incident.

        Else what we believe is no ground to judge from.
        """
        for _ in range(LOOKS):
            if await ask_aside(self._ways.beliefs.has_read, FOLDED, newest):
                return True
            await asyncio.sleep(LOOK_SECONDS)
        return False

    def _judge(
        self, answers: Sequence[Answer], now: int, *, is_whole: bool
    ) -> tuple[list[Told], Found]:
        """Return what is to be told, and what was found; off the loop.

        Args:
            answers: what the members said.
            now: when they were asked.
            is_whole: whether all of them answered and know all.
        """
        ongoing = self._ways.beliefs.find(self._name)
        found = compare(unite(answers), ongoing, self._poll.wants)
        if not is_whole:
            self._memory.forget()
        beginnings = [one.beginning for one in found.news]
        over = self._ways.beliefs.find_resolved(self._name, beginnings)
        told = self._memory.settle_refired(over, found.news, now)
        if is_whole:
            told += self._resolve(found, now)
        return told, found

    def _resolve(self, found: Found, now: int) -> list[Told]:
        """Return the ends of what is certainly not listed any more."""
        vanished = self._memory.settle_vanished(
            found.missing, now, self._poll.age
        )
        strands = {one.strand for one, _ in vanished}
        labels = self._ways.beliefs.find_labels(strands)
        return [
            to_resolved(one, labels.get(one.strand, {}), since)
            for one, since in vanished
        ]

    async def _deliver(self, told: Sequence[Told]) -> None:
        """Let alerts in; one that is refused does not keep others out.

        Raises:
            TooBusy: it was not taken, and the rest would not be.
        """
        try:
            receipt = await self._file(to_body(told))
        except TooBusy:
            raise
        except Refused:
            # Counted by the intake, with its reason.
            half = len(told) // 2
            if half:
                await self._deliver(told[:half])
                await self._deliver(told[half:])
            return
        found = self._ways.meters.found
        found.labels(self._name).inc(receipt.accepted)

    async def _file(self, body: bytes) -> Receipt:
        """Return the receipt of a delivery when it is on disk.

        Raises:
            Refused: it was not taken.
        """
        delivery = Delivery(
            source=self._name,
            body=body,
            received_at=self._ways.clock.now(),
            headers=HEADERS,
            peer=RECEIVER,
        )
        loop = asyncio.get_running_loop()
        on_disk: asyncio.Future[Receipt | Refused] = loop.create_future()

        def answer(result: Receipt | Refused) -> None:
            """Pass it on, unless nobody waits for it any more."""
            if not on_disk.done():
                on_disk.set_result(result)

        self._ways.intake.take(self._poll.entrance, delivery, answer)
        result = await on_disk
        if isinstance(result, Refused):
            raise result
        return result

    async def _confirm(self, found: Found, now: int) -> None:
        """Write down that what goes on in both places was heard of."""
        if not self._touch_after:
            return
        before = now - self._touch_after
        heard = [
            (one.episode, now)
            for one in found.confirmed
            if one.seen_at < before
        ]
        if heard:
            some = heard[:MOST_TOUCHES]

            def write(connection: Connection) -> None:
                """Touch them, in a turn of the keeper."""
                touch(connection, some)

            await asyncio.wrap_future(self._ways.keeper.ask(write))
