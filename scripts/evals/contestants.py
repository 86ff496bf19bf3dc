"""Who is measured: brains of ours, and baselines beside them.

A contestant takes a case and says what it would do. Ours goes the whole way
of the product, app/decide/deciding.py; a baseline goes as far as its name
says, so that what each part adds can be seen.
"""

from time import perf_counter
from typing import Any, Protocol

from app.core.errors import Unreadable
from app.decide.deciding import Decided, Decider, Held
from app.decide.grounding import Grounder
from app.models.action import ESCALATE, NO_ACTION
from app.models.case import Case
from app.models.choice import Decision, Why
from app.models.menu import Menu
from scripts.evals.scoring import Prediction
from scripts.evals.truth import Call

NO_CALL = "(no call)"


class Contestant(Protocol):
    """Says what it would do about a case.

    Attributes:
        name: what it is called in tables.
        digest: changes when it may answer otherwise than before.
    """

    @property
    def name(self) -> str:
        """Return what it is called in tables."""

    @property
    def digest(self) -> str:
        """Return what changes when it may answer otherwise."""

    async def answer(self, case: Case) -> Prediction:
        """Return what it would do; a failure is told in ``error``."""

    async def close(self) -> None:
        """Give back what it holds open; called on the loop it ran on."""


class Ours:
    """A brain of the product, with all that the product does around it."""

    def __init__(
        self, name: str, decider: Decider, held: Held, stamp: str
    ) -> None:
        """Take the decider, what is set, and what the answers rest on."""
        self.name = name
        self.digest = stamp
        self._decider = decider
        self._held = held

    async def answer(self, case: Case) -> Prediction:
        """Return the decision."""
        return to_prediction(await self._decider.decide(case, self._held))

    async def close(self) -> None:
        """Close what its brains hold open."""
        await self._decider.close()


def to_prediction(decided: Decided) -> Prediction:
    """Return a decision as it is scored."""
    decision = decided.decision
    is_failure = decision.why == Why.UNAVAILABLE
    return Prediction(
        id="",
        **said_alone(decision),
        action=decision.action,
        arguments=dict(decision.arguments),
        confidence=decision.confidence,
        asked=decision.asks,
        is_grounded=is_on(
            decided.menu, decision.action, dict(decision.arguments)
        ),
        why=decision.why,
        error=decision.reason if is_failure else "",
        milliseconds=decided.milliseconds,
        tokens_in=sum(call.tokens_in for call in decision.calls),
        tokens_out=sum(call.tokens_out for call in decision.calls),
    )


def said_alone(decision: Decision) -> dict[str, Any]:
    """Return what a model chose by itself, and its own number for that."""
    last = decision.calls[-1] if decision.calls else None
    if last is None or last.surety is None or last.brain != decision.brain:
        return {}
    first = decision.options[0]
    return {
        "chosen": Call(first.action, dict(first.arguments)),
        "surety": last.surety,
        "model": last.model,
        "build": last.model_digest,
    }


def is_on(menu: Menu, action: str, arguments: dict[str, str | int]) -> bool:
    """Tell whether a call stands on a menu, argument by argument.

    Looked up here and not asked of the code that made the decision.
    """
    offer = menu.find(action)
    if offer is None or not arguments.keys() <= offer.candidates.keys():
        return False
    for name, value in arguments.items():
        if offer.parameter(name).is_within(value):
            continue
        if value not in [one.value for one in offer.candidates[name]]:
            return False
    return True


class Always:
    """Hands over whatever comes: what restraint alone is worth."""

    name = "always-escalate"
    digest = "1"

    async def answer(self, case: Case) -> Prediction:
        """Return to escalate; resolved or not, it does not look."""
        del case
        return Prediction(id="", action=ESCALATE)

    async def close(self) -> None:
        """Hold nothing open."""


# The first that is found in name or summary: what it calls for.
KEYWORDS = (
    (("watchdog", "heartbeat test", "has changed", "restarted"), NO_ACTION),
    (("certificate", "backup", "replica", "raid", "login"), ESCALATE),
    (("database", "mysql", "postgres", "mongo", "kafka"), ESCALATE),
    (("oom", "latency", "error rate", "timeout"), "collect_diagnostics"),
    (("inode", "disk", "filesystem", "space"), "free_disk_space"),
    (("pod",), "restart_pod"),
    (("container",), "restart_container"),
    (("process",), "kill_process"),
    (("memory",), "free_memory"),
    (("service", "down", "failed", "not running"), "restart_service"),
    (("cpu", "load", "queue", "network"), "collect_diagnostics"),
)


class Keywords:
    """What is usually written first: a table of words."""

    name = "keywords"

    def __init__(self, grounder: Grounder) -> None:
        """Take what fills the arguments."""
        self._grounder = grounder
        self.digest = "1"

    async def answer(self, case: Case) -> Prediction:
        """Return what the first word found calls for."""
        began = perf_counter()
        menu = self._grounder.menu(case)
        action = NO_ACTION if case.status == "resolved" else spot(case)
        offer = menu.find(action) or menu.find(ESCALATE)
        if offer is None:
            raise Unreadable("escalate is on every menu")
        return Prediction(
            id="",
            action=offer.name,
            arguments=dict(offer.best()),
            milliseconds=1000 * (perf_counter() - began),
        )

    async def close(self) -> None:
        """Hold nothing open."""


def spot(case: Case) -> str:
    """Return what the words of an alert's name and summary call for."""
    text = f"{case.name} {case.summary}".lower()
    for words, action in KEYWORDS:
        if any(word in text for word in words):
            return action
    return ESCALATE
