"""The default brain: rules first, then two voices that must agree.

A small model always calls something. So the call of a language model counts
only together with a second opinion: the trained gate agrees, or permits
that action on this kind of thing anyway. Where they disagree on acting, a
person is asked or takes over, and sees both.
"""

import asyncio

import msgspec
from pydantic import Field

from app.core.configfile import Section
from app.core.errors import BrainFailed, ConfigError, ConfigProblem
from app.models.action import ESCALATE, NO_ACTION
from app.models.case import Case
from app.models.choice import Call, Choice, Option
from app.models.menu import Menu
from app.ports import Brain, BrainEnv

# So likely must the gate hold what both chose, that it runs unasked: an
# obedient model agrees with whatever a text asks for.
AGREED = 0.8
AUTO = "auto"
VOICES = ("ollama", "openai", "systemone")
REMEDY = "Configure it under 'brains', or name another; see docs/brains.md."


class CascadeSettings(Section):
    """Which brains have a say.

    Attributes:
        rules: the brain that is asked first; empty for none.
        gate: the brain with restraint.
        voice: the language model that is heard besides: the first that is
            configured for "auto"; empty for none.
        voice_seconds: how long it is waited for; then the gate is alone.
    """

    rules: str = "rules"
    gate: str = "reflex"
    voice: str = AUTO
    voice_seconds: float = Field(60.0, gt=0, le=3_600)


class Cascade:
    """Asks rules, then the gate and the voice side by side."""

    def __init__(
        self,
        gate: Brain,
        rules: Brain | None,
        voice: Brain | None,
        settings: CascadeSettings | None = None,
    ) -> None:
        """Take the brains that are configured, and what they are called."""
        self._gate = gate
        self._rules = rules
        self._voice = voice
        self._names = settings or CascadeSettings()

    async def decide(self, case: Case, menu: Menu) -> Choice:
        """Return what a rule says, else what comes of both voices."""
        before: tuple[Call, ...] = ()
        if self._rules is not None:
            ruled = await self._hear(
                self._rules, self._names.rules, case, menu
            )
            if isinstance(ruled, Choice):
                return ruled
            # No rule matches: that is what the voices are for.
            before = (ruled,)
        choice = await self._hear_both(case, menu)
        return _with(choice, calls=(*before, *choice.calls))

    async def _hear_both(self, case: Case, menu: Menu) -> Choice:
        """Return what comes of the gate, and of the voice if there is one."""
        voice = self._voice
        if voice is None or not any(menu.changing()):
            return await self._gate.decide(case, menu)
        sober, said = await asyncio.gather(
            self._gate.decide(case, menu),
            self._hear(voice, self._names.voice, case, menu),
        )
        return combine(sober, said, menu)

    async def _hear(
        self, voice: Brain, name: str, case: Case, menu: Menu
    ) -> Choice | Call:
        """Return what a brain chose, or the record of why it did not."""
        seconds = self._names.voice_seconds
        try:
            async with asyncio.timeout(seconds):
                return await voice.decide(case, menu)
        except TimeoutError:
            return Call(brain=name, error=f"no answer within {seconds:g} s")
        except BrainFailed as error:
            known = error.call
            call = known if isinstance(known, Call) else Call(brain=name)
            told = f"{error} {error.remedy}".strip()
            return msgspec.structs.replace(call, error=told)


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
    both = _with(both, reason=f"{sober.reason} {told}")
    if _changes(sober, menu):
        # The voices differ about acting: people see both, and say.
        return _with(both, asks=True)
    if _changes(said, menu) and sober.action == NO_ACTION:
        return _with(
            both,
            action=ESCALATE,
            arguments={},
            confidence=_likelihood(ESCALATE, sober),
        )
    return both


def _likelihood(action: str, choice: Choice) -> float | None:
    """Return how likely the gate held an action, None when it did not say."""
    found = (o.probability for o in choice.options if o.action == action)
    return next(found, None)


def _changes(choice: Choice, menu: Menu) -> bool:
    """Tell whether a choice would change anything."""
    offer = menu.find(choice.action)
    return offer is not None and offer.spec.changes


def _merge(sober: Choice, said: Choice) -> tuple[Option, ...]:
    """Return the options of the gate, and the call of the voice with them."""
    call = Option(said.action, said.arguments, said.confidence)
    calls = [(o.action, o.arguments) for o in sober.options]
    if (call.action, call.arguments) in calls:
        return sober.options
    return (*sober.options[:3], call)


def _with(choice: Choice, **changes: object) -> Choice:
    """Return a choice with some of it changed."""
    return msgspec.structs.replace(choice, **changes)


def plugin(env: BrainEnv) -> Brain | None:
    """Return the cascade.

    Raises:
        ConfigError: a brain that is named is not configured.
    """
    settings = env.settings(CascadeSettings)
    rules = env.peer(settings.rules) if settings.rules else None
    name = settings.voice
    if name == AUTO:
        name = next((n for n in VOICES if env.peer(n) is not None), "")
    voice = _named(env, "voice", name) if name else None
    named = settings.model_copy(update={"voice": name})
    return Cascade(_named(env, "gate", settings.gate), rules, voice, named)


def _named(env: BrainEnv, setting: str, name: str) -> Brain:
    """Return a brain that is named, or raise ConfigError."""
    brain = env.peer(name)
    if brain is None:
        place = f"brains.{env.name}.{setting}"
        what = f"the brain {name!r} is not configured"
        raise ConfigError([ConfigProblem(place, place, what, REMEDY)])
    return brain
