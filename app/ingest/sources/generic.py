"""Any JSON: JMESPath expressions of the settings say what stands where.

Without settings it reads flat objects with the usual names. Several
instances, each with expressions of its own, may stand side by side.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

import jmespath  # type: ignore[import-untyped]  # it has no types
import msgspec
from jmespath.exceptions import (  # type: ignore[import-untyped]  # same
    JMESPathError,
    JMESPathTypeError,
)
from pydantic import AfterValidator, BeforeValidator, Field

from app.core.configfile import Section
from app.models.alert import Alert, Status, to_severity
from app.models.delivery import Delivery, Flaw, Parsed, Unparsed
from app.models.example import Example
from app.models.payload import as_text, read_json
from app.models.wire import ANY, read_each, read_moment
from app.ports import Source, SourceEnv

EXAMPLE = b"""{
  "name": "Nightly export failed",
  "host": "batch-03",
  "service": "exporter",
  "status": "failed",
  "severity": "high",
  "message": "The export of orders ended with status 2"
}"""
RESOLVED = (
    "ok okay resolved recovered recovery up closed cleared clear normal "
    "success healthy inactive green false 0"
)
# What an expression raises on a payload that it was not written for: an
# error of its own, or of the Python below one of its functions.
MISFITS = (
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
)


def check_expression(text: str) -> str:
    """Return an expression that compiles and calls what there is."""
    try:
        as_text(jmespath.compile(text).search(None))
    except JMESPathTypeError:
        return text  # it wants more than nothing: that is for the payload
    except JMESPathError as error:
        why = " ".join(str(error).split())
        raise ValueError(f"is no JMESPath: {why}") from error
    except TypeError as error:
        raise ValueError("is a JMESPath without a value") from error
    return text


def to_words(values: Any) -> Any:
    """Return words in lower case; YAML reads some as numbers or booleans."""
    if not isinstance(values, (list, tuple)):
        return values
    return tuple(as_text(value).lower() for value in values)


Expression = Annotated[str, AfterValidator(check_expression)]
Words = Annotated[tuple[str, ...], BeforeValidator(to_words)]


class Options(Section):
    """Where in a payload things stand, each as a JMESPath expression.

    Attributes:
        items: the list of alerts, or the only one.
        name: must be found; so must nothing else.
        fingerprint: without one, name and labels tell alerts apart.
        occurrence: tells two episodes apart; else the start does.
        resolved_values: what ``status`` says when all is well again.
    """

    items: Expression = "@"
    name: Expression = "not_null(name, alertname, title)"
    fingerprint: Expression = "fingerprint"
    status: Expression = "not_null(status, state)"
    severity: Expression = "not_null(severity, level, priority)"
    summary: Expression = "not_null(summary, message, description)"
    url: Expression = "not_null(url, link)"
    starts_at: Expression = "not_null(starts_at, startsAt)"
    ends_at: Expression = "not_null(ends_at, endsAt)"
    occurrence: Expression = "occurrence"
    labels: dict[str, Expression] = Field(
        {"host": "not_null(host, hostname)", "service": "service"}
    )
    annotations: dict[str, Expression] = Field(default_factory=dict)
    resolved_values: Words = tuple(RESOLVED.split())


class Finder:
    """Compiled expressions by option, tried on one value after the other."""

    def __init__(self, texts: Mapping[str, str], prefix: str = "") -> None:
        """Compile expressions; the prefix stands before their names."""
        self._prefix = prefix
        self._compiled = {
            name: jmespath.compile(text) for name, text in texts.items()
        }

    def find(self, option: str, value: Any) -> Any:
        """Return what the expression of an option finds, or raise Unparsed."""
        try:
            return self._compiled[option].search(value)
        except MISFITS as error:
            raise self._misfit(option) from error

    def text(self, option: str, value: Any) -> str:
        """Return what is found as text; what is not there is empty."""
        found = self.find(option, value)
        try:
            return as_text(found)
        except MISFITS as error:
            raise self._misfit(option) from error

    def texts(self, value: Any) -> dict[str, str]:
        """Return all that is found and not empty, as text by option."""
        found = {name: self.text(name, value) for name in self._compiled}
        return {name: text for name, text in found.items() if text}

    def _misfit(self, option: str) -> Unparsed:
        """Return the error that names an option, without the payload."""
        detail = "the expression does not fit what came"
        place = f"$: {self._prefix}{option}"
        return Unparsed(Flaw("misfit", place, detail))


class Generic:
    """Reads what its expressions find."""

    example = Example(body=EXAMPLE, names=("Nightly export failed",))
    paths: tuple[str, ...] = ()
    tells_once = False

    def __init__(self, name: str, options: Options) -> None:
        """Take the name of this instance and where its fields are."""
        self.setup = (
            f"POST JSON to http://HOST:8080/webhooks/{name}; say under "
            f"sources.{name}.options where name, host and status stand"
        )
        self._resolved = frozenset(options.resolved_values)
        tree = options.model_dump(exclude={"resolved_values"})
        self._labels = Finder(tree.pop("labels"), "labels.")
        self._annotations = Finder(tree.pop("annotations"), "annotations.")
        self._fields = Finder(tree)

    def parse(self, delivery: Delivery) -> Parsed:
        """Return the alerts; one that is broken does not spoil the others."""
        found = self._fields.find("items", read_json(delivery.body, ANY))
        if found is None:
            raise Unparsed(Flaw("missing", "$: items", "is not there"))
        items = found if isinstance(found, list) else [found]
        return read_each(
            items, "$.items", self._to_alert, delivery.most_alerts
        )

    def _to_alert(self, item: Any) -> Alert:
        """Return the alert of an item, or raise Unparsed with the option."""
        find, text = self._fields.find, self._fields.text
        name = text("name", item)
        if not name:
            raise Unparsed(Flaw("missing", "$: name", "is not there"))
        labels = self._labels.texts(item)
        fingerprint = text("fingerprint", item) or to_hash(name, labels)
        is_over = text("status", item).strip().lower() in self._resolved
        severity = text("severity", item)
        if severity:
            # Not in the fingerprint: it is another one when all is well.
            labels.setdefault("severity", severity)
        starts_at = read_moment(find("starts_at", item))
        start = None if starts_at is None else str(starts_at)
        return Alert(
            fingerprint=fingerprint,
            status=Status.RESOLVED if is_over else Status.FIRING,
            occurrence=text("occurrence", item) or start,
            name=name,
            severity=to_severity(severity),
            summary=text("summary", item),
            labels=labels,
            annotations=self._annotations.texts(item),
            starts_at=starts_at,
            ends_at=read_moment(find("ends_at", item)),
            url=text("url", item),
        )


def to_hash(name: str, labels: Mapping[str, str]) -> str:
    """Return what tells alerts without a fingerprint apart."""
    identity = msgspec.json.encode([name, sorted(labels.items())])
    return hashlib.sha256(identity).hexdigest()[:16]


def plugin(env: SourceEnv) -> Source:
    """Return the source with the expressions of its settings."""
    return Generic(env.name, env.settings(Options))
