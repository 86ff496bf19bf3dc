"""What a site changes about actions: how long success must hold, how often.

An action is declared for everybody. A site knows how quick its machines are
and how patient it is; what an action does, and with what, stays declared.
"""

from collections.abc import Mapping

from pydantic import Field, ValidationError

from app.core.configfile import Config, Section, suggest
from app.core.errors import ConfigError, ConfigProblem
from app.models.action import ALWAYS, ActionSpec, Budget, Catalogue, Check

SETTING = ("act", "change")
CHECK = ("hold_seconds", "within_seconds", "every_seconds")


class Change(Section):
    """What is different here about one action; what is left out stays.

    Attributes:
        hold_seconds: so long it must be good, without a break.
        within_seconds: so long after the job it may take to become good.
        every_seconds: how often it is measured.
        cooldown_seconds: so long it is left alone on the same target.
        budget: how often it may run on one target.
    """

    hold_seconds: int | None = Field(None, ge=0, le=86_400)
    within_seconds: int | None = Field(None, ge=1, le=86_400)
    every_seconds: int | None = Field(None, ge=1, le=3_600)
    cooldown_seconds: int | None = Field(None, ge=0, le=2_592_000)
    budget: Budget | None = None


def apply_changes(
    catalogue: Catalogue, changes: Mapping[str, Change], config: Config
) -> Catalogue:
    """Return a catalogue whose actions are as patient as this site is.

    Args:
        catalogue: the actions as they are declared.
        changes: the setting ``act.change``.
        config: says where a setting was written.

    Raises:
        ConfigError: there is no such action, or it cannot be followed so.
    """
    problems: list[ConfigProblem] = []
    specs = {spec.name: spec for spec in catalogue.specs}
    known = tuple(name for name in specs if name not in ALWAYS)
    for name, change in changes.items():
        if name not in known:
            what = "is no action that can run"
            remedy = suggest(name, known)
            problems.append(config.problem((*SETTING, name), what, remedy))
            continue
        try:
            specs[name] = _change(specs[name], change)
        except ValueError as error:
            remedy = "See 'check' in docs/catalogue.md."
            problems.append(
                config.problem((*SETTING, name), _why(error), remedy)
            )
    if problems:
        raise ConfigError(problems)
    return catalogue.changed(lambda spec: specs.get(spec.name, spec))


def _change(spec: ActionSpec, change: Change) -> ActionSpec:
    """Return an action with what is different here, or raise ValueError."""
    said = change.model_dump(exclude_none=True, include={*CHECK})
    check = spec.check
    if said and check is None:
        raise ValueError(f"success of {spec.name} is not measured")
    if check is not None:
        check = Check.model_validate({**check.model_dump(), **said})
    rest: dict[str, object] = {"check": check}
    if change.cooldown_seconds is not None:
        rest["cooldown_seconds"] = change.cooldown_seconds
    if change.budget is not None:
        rest["budget"] = change.budget
    return spec.model_copy(update=rest)


def _why(error: ValueError) -> str:
    """Return what is wrong, in a line."""
    if isinstance(error, ValidationError):
        return "; ".join(one["msg"] for one in error.errors())
    return str(error)
