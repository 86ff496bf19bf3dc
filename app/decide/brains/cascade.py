"""The default brain: rules first, then two voices that must agree.

A small model always calls something. So the call of a language model counts
only together with a second opinion: the trained gate agrees, or permits
that action on this kind of thing anyway. Where they disagree on acting, a
person is asked or takes over, and sees both.
"""

import asyncio

import msgspec

from app.core.configfile import Section
from app.core.errors import BrainFailed
from app.models.action import ESCALATE
from app.models.case import Case
from app.models.choice import Call, Choice, Option
from app.models.menu import Menu
from app.ports import Brain, BrainEnv

# So likely must the gate hold what both chose, that it runs unasked: an
# obedient model agrees with whatever a text asks for.
AGREED = 0.8


class CascadeSettings(Section):
    """Which brains have a say.

    Attributes:
        rules: the brain that is asked first; empty for none.
        gate: the brain with restraint.
        voice: the language model that is heard besides; empty for none.
    """

    rules: str = "rules"
    gate: str = "reflex"
    voice: str = ""


class Cascade:
    """Asks rules, then the gate and the voice side by side."""

    def __init__(
        self, gate: Brain, rules: Brain | None, voice: Brain | None
    ) -> None:
        """Take the brains that are configured."""
        self._gate = gate
        self._rules = rules
        self._voice = voice

    async def decide(self, case: Case, menu: Menu) -> Choice:
        """Return what a rule says, else what comes of both voices."""
        if self._rules is not None:
            try:
                return await self._rules.decide(case, menu)
            except BrainFailed:
                # No rule matches: that is what the voices are for.
                pass
        if self._voice is None:
            return await self._gate.decide(case, menu)
        sober, said = await asyncio.gather(
            self._gate.decide(case, menu), _hear(self._voice, case, menu)
        )
        return combine(sober, said, menu)


async def _hear(voice: Brain, case: Case, menu: Menu) -> Choice | Call:
    """Return what a voice chose, or the record of why it has no choice."""
    try:
        return await voice.decide(case, menu)
    except BrainFailed as error:
        known = error.call if isinstance(error.call, Call) else Call(brain="")
        return msgspec.structs.replace(known, error=f"{error} {error.remedy}")


def combine(sober: Choice, said: Choice | Call, menu: Menu) -> Choice:
    """Return what the gate and the voice amount to.

    Args:
        sober: what the gate chose.
        said: what the voice chose, or why it did not.
        menu: what may be chosen.
    """
    if isinstance(said, Call):
        return _with(sober, calls=(*sober.calls, said))
    both = _with(
        sober,
        calls=(*sober.calls, *said.calls),
        options=_merge(sober, said),
    )
    if said.action == sober.action and said.arguments == sober.arguments:
        first = sober.options[0].probability if sober.options else None
        is_likely = first is not None and first >= AGREED
        return _with(
            both,
            asks=sober.asks and not is_likely,
            reason=f"{sober.reason} The model agrees.",
        )
    told = f"The model says {said.action}: {said.reason}".strip()
    reason = f"{sober.reason} {told}"
    if _changes(said, menu) and not _changes(sober, menu):
        # One voice alone acts: people see both, or somebody looks first.
        action = sober.action if sober.action != "no_action" else ESCALATE
        arguments = sober.arguments if action == sober.action else {}
        return _with(both, action=action, arguments=arguments, reason=reason)
    return _with(both, reason=reason)


def _changes(choice: Choice, menu: Menu) -> bool:
    """Tell whether a choice would change anything."""
    offer = menu.find(choice.action)
    return offer is not None and offer.spec.changes


def _merge(sober: Choice, said: Choice) -> tuple[Option, ...]:
    """Return the options of the gate, and the call of the voice with them."""
    call = Option(said.action, said.arguments, said.confidence)
    known = [o for o in sober.options if o.action != said.action]
    if len(known) < len(sober.options):
        return sober.options
    return (*sober.options[:3], call)


def _with(choice: Choice, **changes: object) -> Choice:
    """Return a choice with some of it changed."""
    return msgspec.structs.replace(choice, **changes)


def plugin(env: BrainEnv) -> Brain | None:
    """Return the cascade, or None when its gate is not configured."""
    settings = env.settings(CascadeSettings)
    gate = env.peer(settings.gate)
    if gate is None:
        return None
    rules = env.peer(settings.rules) if settings.rules else None
    voice = env.peer(settings.voice) if settings.voice else None
    return Cascade(gate, rules, voice)
