"""The canary: a synthetic alert goes through the whole pipe every minute.

It is posted to our own door with a secret of this process, folded, decided
on by code, ruled on by the guard, answered by a job, measured before and
after, told to a channel that reaches nobody, and closed: by the same code as
all others, with its rows beside theirs. How old the last one is that came
through tells whether all of it works; where one stands, what does not.
"""

import asyncio
from collections.abc import Callable
from functools import partial

import msgspec
from pydantic import Field

from app.core.clock import Clock
from app.core.configfile import Section
from app.core.errors import OutgoingFailed, SmokejumperError
from app.core.log import get_log
from app.core.loopback import Door
from app.engine.bell import Bell
from app.engine.canarymeters import Meters
from app.engine.keeper import Keeper
from app.engine.ways import Ways
from app.ingest.canary import Beat
from app.models.alert import Status
from app.models.canary import (
    ACCEPTED,
    ACTED,
    CANARY,
    DECIDED,
    FOLDED,
    RULED,
    STAGES,
    Trace,
    hour_of,
)
from app.store.canary import find_trace, take_off
from app.store.halts import find_halt
from app.store.ledger import Connection
from app.store.marks import get_mark, put_mark

MARK = "canary"
PATH = f"/webhooks/{CANARY}"
SECOND = 1_000_000
HOUR = 3_600 * SECOND
# The canaries of an hour are kept for two; who slept looks further back.
KEPT_HOURS, LOOKED_AT_HOURS = 2, 72
# It is looked after when the log has grown, and now and then; of its period
# at least so much lies between two looks, and no more than half a second.
LOOK_SECONDS, REST, REST_SECONDS = 2.0, 0.03, 0.5
# Of its period: so long it is waited for, and so close is another's beat.
PATIENCE, CLOSE = 0.8, 0.9
# On a busy machine a passage takes longer than a short period: the next waits.
LEAST_SECONDS, MOST_SECONDS = 10.0, 120.0
# Why one did not come through; the first three are what somebody wants so.
OFF, HALTED, HELD = "switched_off", "halted", "not_allowed"
FAILED, LATE = "failed", "late"
log = get_log("canary")


class CanarySettings(Section):
    """Whether there is a canary, and how often it is sent."""

    enabled: bool = True
    every_seconds: float = Field(60.0, ge=1, le=3_600)


class Surroundings(msgspec.Struct, frozen=True):
    """Where the canary leads: in, to who writes, and out.

    Attributes:
        door: our own.
        keeper: says when the log has grown.
        ways: how the store and the kill switch are reached.
        clock: the time.
        meters: what Prometheus is told.
        is_deciding: tells whether incidents are decided on.
        is_acting: whether missions follow decisions here.
    """

    door: Door
    keeper: Keeper
    ways: Ways
    clock: Clock
    meters: Meters
    is_deciding: Callable[[Connection], bool]
    is_acting: bool


class Passage(msgspec.Struct):
    """One canary under way.

    Attributes:
        moment: when it was sent.
        is_ours: whether this node sent it.
        began: when that was, by a clock that nobody can set.
        until: so long it is waited for.
        left: the stages that it has not come through yet.
        is_over: whether it was taken back.
    """

    moment: int
    is_ours: bool
    began: float
    until: float
    left: list[str]
    is_over: bool = False


class CanaryChore:
    """Sends the canary, and sees how far it comes."""

    def __init__(self, settings: CanarySettings, around: Surroundings) -> None:
        """Take how often, and where it leads."""
        self._every = settings.every_seconds
        self._around = around
        self._bell = Bell()
        self._state: str | None = None
        self._swept: set[str] = set()

    async def run(self) -> None:
        """Go on until cancelled."""
        clock = self._around.clock
        self._bell.hang(self._around.keeper)
        while True:
            began = clock.monotonic()
            try:
                await self.beat()
            except SmokejumperError as error:
                self._tell(ACCEPTED, LATE, str(error))
            except Exception:
                log.exception("canary.crashed")
                self._tell(ACCEPTED, FAILED, "it has a bug")
            took = clock.monotonic() - began
            await asyncio.sleep(max(self._every - took, 0.05))

    async def beat(self) -> None:
        """Send one, unless another node did, and see how far it comes.

        Raises:
            SmokejumperError: it could not be sent.
        """
        moment, is_ours = await self._around.ways.turn(self._claim)
        passage = self._begin(moment, is_ours=is_ours)
        try:
            if is_ours:
                await self._send(Beat(moment, Status.FIRING))
            await self._follow(passage)
        except SmokejumperError:
            # Not when it is cancelled: the door closes with the service, and
            # the end must not become a failure that is tried again.
            await self._take_back(passage)
            raise
        await self._take_back(passage)
        if is_ours:
            await self._take_off(moment)

    def _claim(self, connection: Connection) -> tuple[int, bool]:
        """Return when the present one was sent, and whether we shall send it.

        In a turn of the keeper: of several nodes one sends it.
        """
        now, last = self._around.clock.now(), get_mark(connection, MARK)
        if 0 <= now - last < CLOSE * self._every * SECOND:
            return last, False
        put_mark(connection, MARK, now)
        return now, True

    def _begin(self, moment: int, *, is_ours: bool) -> Passage:
        """Return a canary under way."""
        clock = self._around.clock
        # Another node may have sent it a while ago, by its clock.
        ago = (clock.now() - moment) / SECOND
        now = clock.monotonic()
        wait = max(LEAST_SECONDS, PATIENCE * self._every)
        return Passage(
            moment=moment,
            is_ours=is_ours,
            began=now - min(max(ago, 0.0), self._every),
            until=now + min(wait, MOST_SECONDS),
            left=list(STAGES),
        )

    async def _send(self, beat: Beat) -> None:
        """Return when our door has taken a delivery, or raise why not."""
        body = msgspec.json.encode(beat)
        status = await self._around.door.post(PATH, body)
        if not 200 <= status < 300:
            raise OutgoingFailed(f"our own door answered {status}")

    async def _take_back(self, passage: Passage) -> None:
        """Say that a canary of ours is over, once."""
        if passage.is_ours and not passage.is_over:
            now = self._around.clock.now()
            await self._send(Beat(passage.moment, Status.RESOLVED, now))
            passage.is_over = True

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
            await self._around.ways.turn(partial(take_off, hour=hour))
            self._swept.add(hour)

    async def _follow(self, passage: Passage) -> None:
        """See how far a canary comes, until it is time for the next."""
        around, trace = self._around, Trace()
        while passage.left and around.clock.monotonic() < passage.until:
            find = partial(find_trace, moment=passage.moment)
            trace = await around.ways.look(find)
            self._measure(passage, trace)
            if ACTED in trace.stages:
                # As a monitoring system does that sees the effect.
                await self._take_back(passage)
            if trace.ruling or not passage.left:
                break
            await asyncio.sleep(min(REST_SECONDS, REST * self._every))
            await self._bell.wait(LOOK_SECONDS)
        if not passage.left:
            self._tell("", "", "")
            return
        stage = trace.held or passage.left[0]
        halted = await around.ways.halted()
        explain = partial(self._explain, stage=stage, trace=trace, file=halted)
        self._tell(stage, *await around.ways.look(explain))

    def _measure(self, passage: Passage, trace: Trace) -> None:
        """Note the stages that a canary has come through since."""
        come = trace.stages
        if come or passage.is_ours:
            # What is in the store has come in by some node's door.
            come = (ACCEPTED, *come)
        took = self._around.clock.monotonic() - passage.began
        for stage in come:
            if stage in passage.left:
                passage.left.remove(stage)
                self._around.meters.came(stage, took)

    def _explain(
        self, connection: Connection, stage: str, trace: Trace, file: str
    ) -> tuple[str, str]:
        """Return why a canary does not come through a stage, and in words."""
        if stage not in (ACCEPTED, FOLDED):
            if stage == DECIDED and not self._around.is_deciding(connection):
                return OFF, "deciding is switched off"
            held = find_halt(connection)
            if held.is_halted or file:
                said = f"{held.by}: {held.reason}" if held.is_halted else file
                return HALTED, f"halted: {said}"
            if stage == RULED and not self._around.is_acting:
                return OFF, "acting is switched off"
        if trace.ruling:
            return HELD, f"the policy does not let it through: {trace.ruling}"
        return (FAILED, trace.failure) if trace.failure else (LATE, "")

    def _tell(self, stage: str, why: str, says: str) -> None:
        """Measure how it goes, and log it, once for each change."""
        self._around.meters.stuck(stage, why)
        if self._state == stage + why:
            return
        self._state = stage + why
        if stage:
            text = f"it was not {stage}: {says or why}"
            log.warning("canary.lost", stage=stage, why=why, says=text)
        else:
            log.info("canary.came_through")
