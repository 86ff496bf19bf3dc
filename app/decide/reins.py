"""The reins: which brains decide, and how sure they must be, right now.

The settings say it first; what people set at run time lies over it, in one
row that every node reads with each case, so that a change holds everywhere
from the next decision on.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any

import msgspec
from pydantic import Field, ValidationError

from app.core.configfile import Section
from app.core.errors import ConfigError, ConfigProblem, Refused
from app.models.entry import Note
from app.store.decisions import Rein, find_rein, put_rein
from app.store.ledger import Connection
from app.store.log import append

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
BrainName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,47}$")]
ModelName = Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
MOST_NAMES = 50


class ReinSettings(Section):
    """What may be set at run time as well."""

    enabled: bool = True
    brain: BrainName = "cascade"
    shadow: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_-]{0,47})?$")] = ""
    confidence: Probability = 0.4
    models: dict[BrainName, ModelName] = Field(
        default_factory=dict, max_length=MOST_NAMES
    )
    thresholds: dict[BrainName, Probability] = Field(
        default_factory=dict, max_length=MOST_NAMES
    )


class DecideSettings(ReinSettings):
    """How incidents are decided on."""

    calls_per_incident: int = Field(3, ge=1, le=100)
    calls_per_minute: int = Field(600, ge=1, le=1_000_000)
    tokens_per_day: int = Field(2_000_000, ge=0)
    share_seconds: float = Field(60.0, ge=0, le=3_600)
    concurrency: int = Field(4, ge=1, le=100)
    timeout_seconds: float = Field(120.0, gt=0, le=3_600)
    settle_seconds: float = Field(0.5, ge=0, le=60)
    rest_seconds: float = Field(30.0, ge=0, le=3_600)
    patience_seconds: float = Field(120.0, ge=0, le=86_400)
    remember_days: int = Field(30, ge=1, le=3_650)


NAMES = tuple(ReinSettings.model_fields)


class Reins(msgspec.Struct, frozen=True, kw_only=True):
    """What is set right now.

    Attributes:
        version: of what was set at run time, 0 when nothing was.
        enabled: whether incidents are decided on at all.
        brain: the one that decides.
        shadow: one that decides beside it without effect, or empty.
        confidence: the least confidence of a call that counts.
        models: the model of a brain, where it is not its own setting.
        thresholds: the least confidence of one action.
        changed_at: when it was set, 0 when it never was.
        changed_by: by whom.
    """

    version: int = 0
    enabled: bool = True
    brain: str = "cascade"
    shadow: str = ""
    confidence: float = 0.4
    models: Mapping[str, str] = {}
    thresholds: Mapping[str, float] = {}
    changed_at: int = 0
    changed_by: str = ""

    @property
    def digest(self) -> str:
        """Return a hash of what a decision depends on."""
        values = self.as_json()
        del values["enabled"], values["shadow"]
        text = msgspec.json.encode(values, order="deterministic")
        return hashlib.sha256(text).hexdigest()[:16]

    def least(self, action: str) -> float:
        """Return how sure a call of an action must be."""
        return self.thresholds.get(action, self.confidence)

    def as_json(self) -> dict[str, Any]:
        """Return what is set, without who set it."""
        return {
            "enabled": self.enabled,
            "brain": self.brain,
            "shadow": self.shadow,
            "confidence": self.confidence,
            "models": dict(self.models),
            "thresholds": dict(self.thresholds),
        }


# What holds for the decision that is under way.
_held: ContextVar[Reins | None] = ContextVar("reins", default=None)


@contextmanager
def holding(reins: Reins) -> Iterator[None]:
    """Let some reins hold for the brains that are asked inside."""
    token = _held.set(reins)
    try:
        yield
    finally:
        _held.reset(token)


def model_of(brain: str) -> str:
    """Return the model of a brain that is set now, empty when none is."""
    reins = _held.get()
    return "" if reins is None else reins.models.get(brain, "")


NOTHING = Reins(brain="")


class Known(msgspec.Struct, frozen=True):
    """What can be set: the names of brains, and of actions."""

    brains: Collection[str]
    actions: Collection[str]


class Wish(msgspec.Struct, frozen=True):
    """What a person wants to set.

    Attributes:
        author: who it is.
        change: values by name; None is what the settings say.
        version: what the person saw, or None.
        comment: why, for people.
    """

    author: str
    change: Mapping[str, Any]
    version: int | None = None
    comment: str = ""


def lay_over(settings: ReinSettings, rein: Rein) -> Reins:
    """Return what holds: the settings, and what was set over them."""
    values = {name: getattr(settings, name) for name in NAMES}
    values |= {n: v for n, v in rein.body.items() if n in values}
    return Reins(
        version=rein.version,
        changed_at=rein.changed_at,
        changed_by=rein.changed_by,
        **values,
    )


def read_reins(connection: Connection, settings: ReinSettings) -> Reins:
    """Return what is set at this moment."""
    return lay_over(settings, find_rein(connection))


def change_reins(
    connection: Connection,
    settings: ReinSettings,
    known: Known,
    wish: Wish,
    now: int,
) -> Reins:
    """Set what a person wants, and write that into the log.

    Args:
        connection: a turn's transaction.
        settings: what the file says.
        known: what can be set.
        wish: what the person wants.
        now: the present.

    Raises:
        Refused: it makes no sense, or somebody was first.
    """
    rein = find_rein(connection)
    before = lay_over(settings, rein)
    if wish.version is not None and wish.version != rein.version:
        raise Refused(
            409,
            "changed_meanwhile",
            f"The reins are at version {rein.version}, changed by"
            f" {rein.changed_by or 'nobody'}.",
            field="if-match",
            remedy="Read them again with GET /api/v1/reins.",
        )
    body = {**rein.body, **wish.change}
    body = {name: one for name, one in body.items() if one is not None}
    body = _check(settings, body)
    changed = Rein(rein.version + 1, body, now, wish.author)
    after = lay_over(settings, changed)
    _check_names(after, before, known)
    if after.as_json() == before.as_json():
        return before
    put_rein(connection, changed)
    append(connection, now, [_tell(before, after, wish)])
    return after


def _check(settings: ReinSettings, body: dict[str, Any]) -> dict[str, Any]:
    """Return what is set as it is kept, or raise what is wrong in it."""
    unknown = sorted(body.keys() - set(NAMES))
    if unknown:
        raise _wrong(
            unknown[0][:80], f"is none of the reins: {', '.join(NAMES)}"
        )
    base = {name: getattr(settings, name) for name in NAMES}
    try:
        checked = ReinSettings.model_validate({**base, **body})
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise _wrong(field, str(first["msg"])) from error
    return {name: getattr(checked, name) for name in body}


def check_settings(settings: ReinSettings, known: Known) -> None:
    """Raise ConfigError when the settings name what is not there."""
    held = lay_over(settings, Rein(0, {}, 0, ""))
    try:
        _check_names(held, NOTHING, known)
    except Refused as error:
        place = f"decide.{error.field}"
        raise ConfigError(
            [ConfigProblem(place, place, error.detail, error.remedy)]
        ) from error


def _check_names(after: Reins, before: Reins, known: Known) -> None:
    """Raise when something that is set newly is not there."""
    brains = [("brain", after.brain), ("shadow", after.shadow)]
    brains += [("models", name) for name in after.models]
    kept = {before.brain, before.shadow, "", *before.models}
    for field, name in brains:
        if name not in kept and name not in known.brains:
            there = ", ".join(sorted(known.brains)) or "none"
            raise _wrong(field, f"there is no brain {name!r}, only: {there}")
    for name in after.thresholds:
        if name not in before.thresholds and name not in known.actions:
            there = ", ".join(sorted(known.actions))
            raise _wrong(
                "thresholds", f"there is no action {name!r}, only: {there}"
            )
    if after.shadow and after.shadow == after.brain:
        raise _wrong("shadow", "is the brain that decides already")


def _wrong(field: str, what: str) -> Refused:
    """Return the refusal of what cannot be set."""
    return Refused(
        422,
        "wrong_rein",
        f"{field}: {what}",
        field=field,
        remedy="See docs/deciding.md for what can be set.",
    )


def _tell(before: Reins, after: Reins, wish: Wish) -> Note:
    """Return what the log says about a change."""
    old, new = before.as_json(), after.as_json()
    changed = [name for name in NAMES if old[name] != new[name]]
    says = ", ".join(f"{name}: {old[name]} -> {new[name]}" for name in changed)
    comment = f" ({wish.comment})" if wish.comment else ""
    return Note(
        kind="reins.changed",
        actor=f"person:{wish.author}",
        summary=f"{says}{comment}"[:500],
        body={
            "version": after.version,
            "before": {name: old[name] for name in changed},
            "after": {name: new[name] for name in changed},
            "comment": wish.comment,
        },
    )
