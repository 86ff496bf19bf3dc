"""The embedded brain: a small trained classifier, no server, no network.

It is called what it is: a reflex. It acts unasked only on a class of alert
and a kind of thing that it was measured to be right about.
"""

from time import perf_counter

from app.core.configfile import Section
from app.models.action import ESCALATE
from app.models.case import Case
from app.models.choice import Call, Choice, Option, Weighed
from app.models.menu import Menu
from app.ports import Brain, BrainEnv, Gate


class ReflexSettings(Section):
    """There is nothing to set: what it knows lies in its weights."""


class Reflex:
    """Chooses what the trained gate holds most likely, if it may."""

    def __init__(self, name: str, gate: Gate) -> None:
        """Take the trained classifier."""
        self._name = name
        self._gate = gate

    async def decide(self, case: Case, menu: Menu) -> Choice:
        """Return the choice; what may not run unasked is asked."""
        began = perf_counter()
        weighed = self._gate.weigh(case, menu)
        best = weighed.options[0]
        offer = menu.find(best.action)
        changes = offer is not None and offer.spec.changes
        call = Call(
            brain=self._name,
            model="reflex",
            model_digest=weighed.version,
            milliseconds={"weigh": 1000 * (perf_counter() - began)},
        )
        return Choice(
            action=best.action,
            arguments=best.arguments,
            reason=explain(best, weighed),
            confidence=weighed.confidence,
            asks=changes and best.action not in weighed.allows,
            options=weighed.options,
            calls=(call,),
            backing=weighed.backing,
        )


def explain(best: Option, weighed: Weighed) -> str:
    """Return in one sentence why it is this."""
    others = [o for o in weighed.options[1:2] if o.probability is not None]
    beside = "".join(f", {o.action} {o.probability:.0%}" for o in others)
    sure = f"{best.probability:.0%}" if best.probability is not None else "?"
    if best.action == ESCALATE:
        return f"People should look: escalate {sure}{beside}."
    return f"Most like what {best.action} is right for: {sure}{beside}."


def plugin(env: BrainEnv) -> Brain:
    """Return the embedded brain; it is always there."""
    env.settings(ReflexSettings)
    return Reflex(env.name, env.gate())
