"""Make the checks out of the settings, and measure with them.

A check is named in the catalogue: as the success of an action, or as what
must hold right before it. What cannot be measured is never a success.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from app.core.clock import Clock
from app.core.configfile import Config, suggest
from app.core.errors import ConfigError, ConfigProblem, OutgoingFailed
from app.core.options import Options
from app.core.place import Place
from app.core.registry import Factory
from app.models.action import ActionSpec, Catalogue
from app.models.inventory import Inventory
from app.models.ruling import Precondition
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, Readings

SECTION = "checks"
# What every alert has: whether its monitoring system says that it is over.
LAST = "alert_is_over"
NOT_MEASURED = "not measured before"
SECONDS = 10.0
HOLDS: Mapping[Judgement, bool | None] = {
    Judgement.GOOD: True,
    Judgement.BAD: False,
    Judgement.WORSE: False,
    Judgement.UNKNOWN: None,
}


class Around(msgspec.Struct, frozen=True):
    """What is around the checks.

    Attributes:
        environ: where secrets may lie.
        clock: the time.
        inventory: returns what there is, as it is known now.
        readings: what is measured here; None when nothing watches.
    """

    environ: Mapping[str, str]
    clock: Clock
    inventory: Callable[[], Inventory]
    readings: Readings | None = None


class Env(Place):
    """What one check gets when it is made."""

    def __init__(self, name: str, config: Config, around: Around) -> None:
        """Take the check's name and what is around it."""
        super().__init__(SECTION, name, config, around.environ)
        self.clock = around.clock
        self.inventory = around.inventory
        self.readings = around.readings


def make_checks(
    config: Config,
    plugins: Mapping[str, Factory],
    around: Around,
) -> dict[str, Check]:
    """Return the checks that there are, or raise all that is wrong.

    Args:
        config: all settings.
        plugins: how each check is made, by the name of its file.
        around: what they may need.
    """
    named = {name.replace("-", "_"): make for name, make in plugins.items()}
    problems = [
        config.problem(
            (SECTION, name), "is not a check", suggest(name, tuple(named))
        )
        for name in config.names(SECTION)
        if name not in named
    ]
    made = {}
    for name, make in named.items():
        try:
            check = make(Env(name, config, around))
        except ConfigError as error:
            problems += error.problems
        else:
            if check is not None:
                made[name] = check
    if problems:
        raise ConfigError(problems)
    return made


def check_names(
    catalogue: Catalogue, checks: Mapping[str, Check]
) -> Sequence[ConfigProblem]:
    """Return what is wrong with the checks that actions name."""
    problems = []
    for spec in catalogue.specs:
        named: list[tuple[str, Mapping[str, object]]] = [
            (name, {}) for name in spec.preconditions
        ]
        if spec.check is not None:
            named.append((spec.check.name, spec.check.options))
        for name, options in named:
            problems += _complain(spec.name, name, options, checks)
    return problems


def _complain(
    action: str,
    name: str,
    options: Mapping[str, object],
    checks: Mapping[str, Check],
) -> list[ConfigProblem]:
    """Return what is wrong with one check that an action names."""
    setting = f"actions.{action}.{name}"
    if name not in checks:
        remedy = f"Set it up in 'checks'. {suggest(name, tuple(checks))}"
        what = f"there is no check {name!r} here"
        return [ConfigProblem(setting, action, what, remedy)]
    known = getattr(checks[name], "options", None)
    if isinstance(known, Options):
        wrong = known.complain(options)
    else:
        wrong = [f"option {one!r} is not known" for one in options]
    remedy = "See docs/verify.md for what it needs."
    return [ConfigProblem(setting, action, what, remedy) for what in wrong]


class Verifier:
    """Measures whether an action may begin, and whether it helped."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        clock: Clock,
        seconds: float = SECONDS,
    ) -> None:
        """Take the checks, and how long one measurement may take."""
        self._checks = checks
        self._clock = clock
        self._seconds = seconds

    async def measure(self, spec: ActionSpec, subject: Subject) -> Reading:
        """Return one reading of an action's check.

        When it has no value, the alert's own state is read instead, and
        the reading says so.
        """
        name, options = LAST, {}
        if spec.check is not None:
            name, options = spec.check.name, spec.check.options
        subject = replace(subject, options=dict(options))
        reading = await self._ask(name, subject)
        if reading.value is not None or name == LAST:
            return reading
        other = await self._ask(LAST, replace(subject, options={}))
        if other.value is None:
            return reading
        says = f"{other.says} ({name} cannot say: {reading.says})"
        return replace(other, says=says)

    async def follow(
        self, spec: ActionSpec, subject: Subject, before: Reading | None
    ) -> Reading:
        """Return what is measured after an action, and what it means.

        A check that was good before the action sees nothing of the problem,
        like a service that runs and answers nobody; of one that had no value
        nobody knows whether it changed. Unless it is bad by now, the alert's
        own state tells whether it helped, beside that of before if it was
        read then.
        """
        found = self.judge(spec, before, await self.measure(spec, subject))
        if found.judgement is not Judgement.GOOD or found.check == LAST:
            return found
        earlier = Judgement.UNKNOWN
        if before is not None and before.check == found.check:
            earlier = before.judgement
        if HOLDS[earlier] is False:
            return found
        was = "good before as well" if HOLDS[earlier] else NOT_MEASURED
        other = await self._ask(LAST, replace(subject, options={}))
        why = f"{found.check} was {was}: {found.says}"
        told = replace(other, says=f"{other.says} ({why})")
        return self.judge(spec, before, told)

    async def preconditions(
        self, spec: ActionSpec, subject: Subject
    ) -> tuple[Precondition, ...]:
        """Return what must hold right before an action, and whether it does.

        Nothing stands in for a precondition that cannot be measured.
        """
        subject = replace(subject, options={})
        readings = await asyncio.gather(
            *(self._ask(name, subject) for name in spec.preconditions)
        )
        return tuple(
            Precondition(
                name, HOLDS[self._judge(name, None, reading)], reading.says
            )
            for name, reading in zip(spec.preconditions, readings, strict=True)
        )

    def judge(
        self, spec: ActionSpec, before: Reading | None, after: Reading
    ) -> Reading:
        """Return a reading with what it means.

        What was measured otherwise before the action says nothing.

        Args:
            spec: the action.
            before: what was measured before it, or None.
            after: what was measured after it.
        """
        known = {LAST} if spec.check is None else {LAST, spec.check.name}
        if after.check not in known:
            return replace(after, judgement=Judgement.UNKNOWN)
        if before is not None and before.check != after.check:
            before = None
        judgement = self._judge(after.check, before, after)
        return replace(after, judgement=judgement)

    async def _ask(self, name: str, subject: Subject) -> Reading:
        """Return what a check measures, or why it has no value."""
        check = self._checks.get(name)
        if check is None:
            return self._miss(name, f"there is no check {name} here")
        try:
            async with asyncio.timeout(self._seconds):
                return await check.measure(subject)
        except TimeoutError:
            return self._miss(name, f"no answer in {self._seconds:g} s")
        except OutgoingFailed as error:
            return self._miss(name, str(error))

    def _judge(
        self, name: str, before: Reading | None, after: Reading
    ) -> Judgement:
        """Return what a reading of a check means."""
        check = self._checks.get(name)
        if check is None or after.value is None:
            return Judgement.UNKNOWN
        return check.judge(before, after)

    def _miss(self, name: str, says: str) -> Reading:
        """Return a reading without a value."""
        return Reading(check=name, at=self._clock.now(), says=says)
