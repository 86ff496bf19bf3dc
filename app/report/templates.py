"""This site's own texts: Jinja templates, one file per kind of message.

Each is rendered once at start-up, with facts that hold everything: one that
is broken stops it, by file and line. They are the operator's own words, and
still sandboxed: what they are filled with was written by others. Loops,
repetition and what comes out are bounded; nothing is fetched or included.
"""

import traceback
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import jinja2
import jinja2.runtime
import msgspec
from jinja2.sandbox import ImmutableSandboxedEnvironment

from app.core.clock import to_iso
from app.core.errors import ConfigError, ConfigProblem
from app.core.yamlfile import read_text
from app.models.message import Facts, Kind
from app.report.wording import cleaned, one_line, sure

SUFFIX = ".txt"
MOST_BYTES = 65_536
MOST_CHARS = 65_536
MOST_FILES = 1_000
MOST_RANGE = 1_000
FILTERS = (
    *("default", "first", "int", "join", "last", "length", "lower"),
    *("round", "sort", "title", "trim", "truncate", "upper"),
)
REMEDY = "Correct it, or take the file away: the built-in text is sent then."
SAMPLE = Facts(
    kind=Kind.ESCALATED.value,
    at=1_795_227_242_000_000,
    incident=7,
    title="HighCPU on host:web-01",
    severity="critical",
    source="alertmanager",
    happened="restart_service did not help",
    call="restart_service(host=web-01, service=nginx)",
    why="the service has hung",
    confidence=0.83,
    brain="rules",
    ruling="allow by rule restarts",
    verdict="not_fixed",
    before=("cpu 98 percent",),
    after=("cpu 97 percent",),
    evidence=("one process takes 390 percent",),
    runbook="Look at the queue first.",
    approval=12,
    expires_at=1_795_230_842_000_000,
    questions=(12, 13),
    links=(
        ("console", "https://smokejumper.example.org/console/incidents/7"),
        ("api", "https://smokejumper.example.org/api/v1/incidents/7"),
    ),
    sampled=("[critical] Yours now: HighCPU on host:web-02 (incident 8)",),
    more=2,
)


class TemplateFailed(Exception):
    """A template cannot be rendered; says why and in which line."""


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja for plain text, where what grows without bounds is an error."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def call_binop(
        self, context: Any, operator: str, left: Any, right: Any
    ) -> Any:
        """Return the result of an operator that could make much of little."""
        is_number = isinstance(left, int | float)
        is_number = is_number and isinstance(right, int | float)
        if operator == "**" or not is_number:
            raise jinja2.TemplateRuntimeError(
                f"{operator} is not allowed here, but for numbers; write ~"
                " between texts"
            )
        return super().call_binop(context, operator, left, right)

    def is_safe_callable(self, obj: Any) -> bool:
        """Tell whether something may be called: ranges, and own macros."""
        return obj is _short_range or isinstance(obj, jinja2.runtime.Macro)


def _short_range(*bounds: int) -> range:
    """Return a range that is not long."""
    found = range(*bounds)
    if len(found) > MOST_RANGE:
        raise jinja2.TemplateRuntimeError(
            f"a range has {MOST_RANGE} numbers at most"
        )
    return found


def _sandbox() -> Sandbox:
    """Return an environment that has nothing but what texts need."""
    made = Sandbox(
        # Plain text; a channel that sends anything else escapes it itself.
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.clear()
    made.globals["range"] = _short_range
    made.filters = {name: made.filters[name] for name in FILTERS}
    made.filters |= {"when": to_iso, "percent": sure, "line": one_line}
    return made


class Template:
    """One file: its first line is the title, the rest is the text."""

    def __init__(self, path: Path, source: str) -> None:
        """Read the text of a template.

        Raises:
            TemplateFailed: it is none.
        """
        self.path = path
        self._name = str(path)
        made = _sandbox()
        try:
            code = made.compile(source, filename=self._name)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateFailed(f"{error.lineno}: {error.message}") from error
        self._template = jinja2.Template.from_code(made, code, made.globals)

    def render(self, facts: Facts, title: str, text: str) -> tuple[str, str]:
        """Return the title and the text.

        Args:
            facts: what it is filled with, each by its name.
            title: the built-in title, as ``built_in_title``.
            text: the built-in text, as ``built_in_text``.

        Raises:
            TemplateFailed: it asks for what is not there, or says too much.
        """
        found = msgspec.structs.asdict(cleaned(facts))
        found |= {"built_in_title": title, "built_in_text": text}
        try:
            said = self._say(found)
        except Exception as error:
            # A filter may raise whatever it likes; people are told all the
            # same, by the built-in text.
            what = one_line(str(error)) or type(error).__name__
            raise TemplateFailed(f"{self._line(error)}: {what}") from error
        first, _, rest = said.strip().partition("\n")
        if not first:
            raise TemplateFailed("1: it says nothing")
        return one_line(first), rest.strip()

    def _say(self, found: Mapping[str, Any]) -> str:
        """Return what it says, or raise whatever a filter raises."""
        said = ""
        for piece in self._template.generate(found):
            said += piece
            if len(said) > MOST_CHARS:
                text = f"it says more than {MOST_CHARS} signs"
                raise jinja2.TemplateRuntimeError(text)
        return said

    def _line(self, error: Exception) -> int:
        """Return the line of the file that an error comes from."""
        frames = traceback.extract_tb(error.__traceback__)
        lines = [f.lineno for f in frames if f.filename == self._name]
        return lines[-1] if lines and lines[-1] else 1


class Templates:
    """All templates of this site, by channel and kind."""

    def __init__(self, found: Mapping[str, Template] | None = None) -> None:
        """Take them by the names of their files, without the ending."""
        self._found = dict(found or {})

    def find(self, channel: str, kind: str) -> Template | None:
        """Return the one of a channel, else that of all, else None."""
        return self._found.get(f"{channel}.{kind}") or self._found.get(kind)


def read_templates(folder: Path, channels: Collection[str]) -> Templates:
    """Return the templates of a folder, which need not be there.

    Raises:
        ConfigError: with all that is wrong in them, by file and line.
    """
    paths = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    found: dict[str, Template] = {}
    problems: list[ConfigProblem] = []
    if len(paths) > MOST_FILES:
        what = f"holds more than {MOST_FILES} templates"
        problems.append(_problem(folder, "", what))
    for path in paths[:MOST_FILES]:
        try:
            found[path.stem] = _read(path, channels)
        except ConfigError as error:
            problems += error.problems
        except TemplateFailed as error:
            line, _, what = str(error).partition(": ")
            problems.append(_problem(path, line, what))
    if problems:
        raise ConfigError(problems)
    return Templates(found)


def _read(path: Path, channels: Collection[str]) -> Template:
    """Return one template that works."""
    channel, _, kind = path.stem.rpartition(".")
    if kind not in list(Kind):
        what = f"is not named after a kind: {', '.join(Kind)}"
        raise ConfigError([_problem(path, "", what)])
    if channel and channel not in channels:
        what = f"is for the channel {channel!r}, which is not there"
        raise ConfigError([_problem(path, "", what)])
    made = Template(path, read_text(path, REMEDY, MOST_BYTES))
    sample = msgspec.structs.replace(SAMPLE, kind=kind)
    made.render(sample, "the title", "the text")
    return made


def _problem(path: Path, line: str, what: str) -> ConfigProblem:
    """Return what is wrong with a file."""
    where = f"{path}:{line}" if line else str(path)
    return ConfigProblem("report.templates", where, what, REMEDY)
