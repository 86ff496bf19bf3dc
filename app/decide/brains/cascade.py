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
from app.models.choice import Call, Choice, Option, calls_of
from app.models.menu import Menu
from app.ports import Brain, BrainEnv

# So likely must the gate hold what both chose, that it runs unasked: an
# obedient model agrees with whatever a text asks for.
AGREED = 0.8
# So much of the time for a decision a voice may take, and no more.
MOST_OF_IT = 0.8
AUTO = "auto"
VOICES = ("ollama", "openai", "systemone")
Calls = tuple[Call, ...]
REMEDY = "Configure it under 'brains', or name another; see docs/brains.md."


class CascadeSettings(Section):
    """Which brains have a say.

    Attributes:
        rules: the brain that is asked first; empty for none.
        gate: the brain with restraint.
        voice: the language model that is heard besides: the first that is
            configured for "auto"; empty for none.
        voice_seconds: how long it is waited for, both times together; then
            the gate is alone.
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
                self._rules, self._names.rules, case, menu, self._until()
            )
            if isinstance(ruled, Choice):
                return ruled
            # No rule matches: that is what the voices are for.
            before = ruled
        choice = await self._hear_both(case, menu)
        return _with(choice, calls=(*before, *choice.calls))

    async def _hear_both(self, case: Case, menu: Menu) -> Choice:
        """Return what comes of the gate, and of the voice if there is one."""
        voice = self._voice
        if voice is None or not any(menu.changing()):
            return await self._gate.decide(case, menu)
        name, until = self._names.voice, self._until()
        sober, said = await asyncio.gather(
            self._gate.decide(case, menu),
            self._hear(voice, name, case, menu, until),
        )
        both = combine(sober, said, menu)
        bare = case.without_texts
        if not _spares(sober, both) or bare == case:
            return both
        # Whoever can write a text could have made it agree.
        return confirm(both, await self._hear(voice, name, bare, menu, until))

    def _until(self) -> float:
        """Return until when a brain is waited for, by the loop's clock."""
        return asyncio.get_running_loop().time() + self._names.voice_seconds

    async def _hear(
        self, voice: Brain, name: str, case: Case, menu: Menu, until: float
    ) -> Choice | Calls:
        """Return what a brain chose, or the record of why it did not."""
        try:
            async with asyncio.timeout_at(until):
                return await voice.decide(case, menu)
        except TimeoutError:
            seconds = self._names.voice_seconds
            late = f"no answer within {seconds:g} s"
            return (Call(brain=name, error=late),)
        except BrainFailed as error:
            *earlier, last = calls_of(error) or (Call(brain=name),)
            told = f"{error} {error.remedy}".strip()
            return (*earlier, msgspec.structs.replace(last, error=told))


def combine(sober: Choice, said: Choice | Calls, menu: Menu) -> Choice:
    """Return what the gate and the voice amount to.

    Args:
        sober: what the gate chose.
        said: what the voice chose, or why it did not.
        menu: what may be chosen.
    """
    if not isinstance(said, Choice):
        return _with(sober, calls=(*sober.calls, *said))
    both = _with(
        sober,
        calls=(*sober.calls, *said.calls),
        options=_merge(sober, said),
    )
    if _is_same(said, sober):
        return _with(
            both,
            asks=sober.asks and not _is_likely(sober),
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


def confirm(both: Choice, again: Choice | Calls) -> Choice:
    """Return what is left when the voice was asked without the texts.

    Args:
        both: what the gate and the voice agree on, unasked.
        again: what the voice chose the second time, or why it did not.
    """
    calls = again.calls if isinstance(again, Choice) else again
    both = _with(both, calls=(*both.calls, *calls))
    if isinstance(again, Choice) and _is_same(again, both):
        return both
    told = f"{both.reason} But not without its texts."
    return _with(both, asks=True, reason=told)


def _spares(sober: Choice, both: Choice) -> bool:
    """Tell whether a question of the gate is not asked."""
    return sober.asks and not both.asks


def _is_likely(sober: Choice) -> bool:
    """Tell whether the gate holds its choice likely enough to be backed.

    What a site's people taught it makes no question needless.
    """
    first = sober.options[0].probability if sober.options else None
    if first is None:
        return False
    backing = first if sober.backing is None else sober.backing
    return min(first, backing) >= AGREED


def _is_same(one: Choice, other: Choice) -> bool:
    """Tell whether two choices are one call."""
    return (one.action, one.arguments) == (other.action, other.arguments)


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
    # Who waited for the whole is told what the gate says, not that it is late.
    seconds = min(settings.voice_seconds, MOST_OF_IT * env.patience_seconds)
    named = settings.model_copy(
        update={"voice": name, "voice_seconds": seconds}
    )
    return Cascade(_named(env, "gate", settings.gate), rules, voice, named)


def _named(env: BrainEnv, setting: str, name: str) -> Brain:
    """Return a brain that is named, or raise ConfigError."""
    brain = env.peer(name)
    if brain is None:
        place = f"brains.{env.name}.{setting}"
        what = f"the brain {name!r} is not configured"
        raise ConfigError([ConfigProblem(place, place, what, REMEDY)])
    return brain
