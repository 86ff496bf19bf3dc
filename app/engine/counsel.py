"""Counsel: ask a brain about a case, within the budgets, once for all."""

import asyncio
from functools import partial

import msgspec

from app.core.clock import Clock
from app.core.log import get_log
from app.decide.budgets import Budgets, Refusal
from app.decide.deciding import Decided, Decider, give_up
from app.decide.reins import DecideSettings, holding
from app.decide.sharing import Sharing
from app.engine.casework import Casefile
from app.engine.decidemeters import Meters
from app.models.canary import ANSWER, CANARY, REASON
from app.models.choice import Decision, Why
from app.models.record import Cost, Record, digest_of, tokens_of
from app.store.decisions import Spent

log = get_log("decide")


class NotNow(Exception):
    """A budget is used up that will be free again in a moment."""


class Counsel:
    """Asks brains, and makes the record of what they say."""

    def __init__(
        self,
        decider: Decider,
        settings: DecideSettings,
        clock: Clock,
        meters: Meters,
    ) -> None:
        """Take who decides, and within which bounds."""
        self._decider = decider
        self._settings = settings
        self._clock = clock
        self._meters = meters
        self._budgets = Budgets(settings)
        self._sharing = Sharing(clock, settings.share_seconds)
        self._under_way = 0

    async def decide(
        self, file: Casefile, spent: Spent, *, may_wait: bool
    ) -> Record:
        """Return the decision on a case; it escalates when no call is left.

        Args:
            file: the case.
            spent: what was spent until now.
            may_wait: whether it can be asked again in a moment.

        Raises:
            NotNow: it may wait, and should.
        """
        if file.case.source == CANARY:
            # It asks nobody and costs nothing; the rest of its way is real.
            decision = Decision(action=ANSWER, reason=REASON, confidence=1.0)
            return self._without_call(file, decision, CANARY)
        refusal = self._budgets.refuse(spent, self._under_way)
        if refusal is None:
            return await self._ask(file, file.reins.brain)
        self._meters.refused.labels(refusal.budget.value).inc()
        if refusal.passes and may_wait:
            raise NotNow
        return self._refuse(file, refusal)

    async def shadow(
        self, file: Casefile, live: Decision, beside: int
    ) -> Record:
        """Return what another brain says, and whether it is the same."""
        record = await self._ask(file, file.reins.shadow)
        said = record.decision
        answered = Why.UNAVAILABLE not in (said.why, live.why)
        agrees = answered and (said.action, said.arguments) == (
            live.action,
            live.arguments,
        )
        return msgspec.structs.replace(record, beside=beside, agrees=agrees)

    async def _ask(self, file: Casefile, brain: str) -> Record:
        """Return the record of asking one brain."""
        case, reins = file.case, file.reins
        menu = self._decider.menu(case)
        key = (brain, case.digest, digest_of(menu), reins.digest)
        self._under_way += 1
        try:
            ask = partial(self._ask_in_time, file, brain)
            shared = await self._sharing.ask(key, ask)
        finally:
            self._under_way -= 1
        decided = shared.decided
        cost = Cost()
        if not shared.is_shared:
            tokens = tokens_of(decided.decision)
            cost = Cost(tokens, 1, decided.milliseconds)
        return Record(
            at=self._clock.now(),
            standpoint=file.standpoint,
            case=case,
            menu=decided.menu,
            decision=decided.decision,
            cost=cost,
        )

    async def _ask_in_time(self, file: Casefile, brain: str) -> Decided:
        """Ask a brain; what takes too long, or crashes, is escalated."""
        seconds = self._settings.timeout_seconds
        try:
            with holding(file.reins):
                async with asyncio.timeout(seconds):
                    return await self._decider.decide(
                        file.case, file.reins, brain
                    )
        except TimeoutError:
            why = f"{brain} had no answer within {seconds:g} s."
        except Exception as bug:
            log.exception("decide.crashed", brain=brain)
            why = f"{brain} crashed: {type(bug).__name__}."
        decision = give_up(Why.UNAVAILABLE, why)
        return self._whole(file, decision, brain, 1_000 * seconds)

    def _refuse(self, file: Casefile, refusal: Refusal) -> Record:
        """Return the record of a decision without a call."""
        decision = give_up(Why.BUDGET, refusal.says)
        return self._without_call(file, decision, file.reins.brain)

    def _without_call(
        self, file: Casefile, decision: Decision, brain: str
    ) -> Record:
        """Return the record of a decision that nobody was asked for."""
        whole = self._whole(file, decision, brain, 0.0)
        return Record(
            at=self._clock.now(),
            standpoint=file.standpoint,
            case=file.case,
            menu=whole.menu,
            decision=whole.decision,
        )

    def _whole(
        self, file: Casefile, decision: Decision, brain: str, took: float
    ) -> Decided:
        """Return a decision of our own with what it rests on."""
        menu = self._decider.menu(file.case)
        whole = msgspec.structs.replace(
            decision,
            brain=brain,
            case_digest=file.case.digest,
            catalogue_digest=menu.catalogue,
            settings_digest=file.reins.digest,
        )
        return Decided(file.case, menu, whole, took)
