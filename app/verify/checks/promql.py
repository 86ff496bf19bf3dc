"""What a Prometheus answers to a query of the action's declaration."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec
from pydantic import Field

from app.core.configfile import Section
from app.core.errors import ConfigError, OutgoingFailed
from app.core.http import ask, open_client
from app.core.options import Options
from app.core.remote import RemoteSettings, asking, bearer
from app.models.gauge import Gauge
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, CheckEnv

QUERY = "/api/v1/query?"
# A word in braces; in PromQL no braces look like that. With ~ it is a
# pattern: the name, with a port or without.
PLACE = re.compile(r"\{([a-z][a-z0-9_]*)(~?)\}")
PORT = "(:[0-9]+)?"
BELOW = Gauge(check="promql", share=0.25)
ABOVE = Gauge(check="promql", share=0.25, is_floor=True)


class PromqlOptions(Section):
    """What to ask, and which answer is good."""

    query: str = Field(min_length=1, max_length=4_000)
    limit: float
    good: Literal["below", "above"] = "below"


class Found(msgspec.Struct, rename="camel"):
    """What a query gave."""

    result_type: str
    result: Any


class Answer(msgspec.Struct):
    """The answer of the API."""

    data: Found


ANSWER = msgspec.json.Decoder(Answer)


class Promql:
    """Asks a Prometheus for one number."""

    def __init__(
        self, env: CheckEnv, settings: RemoteSettings, headers: dict[str, str]
    ) -> None:
        """Take where it is, and what proves who asks."""
        self.options = Options(PromqlOptions)
        self._clock = env.clock
        self._settings = settings
        self._headers = headers

    async def measure(self, subject: Subject) -> Reading:
        """Return the worst value of all series; nothing when there is none."""
        options = self.options.read(subject.options)
        gauge = ABOVE if options.good == "above" else BELOW
        query = fill(options.query, subject)
        settings = self._settings
        async with (
            asking(settings),
            open_client(settings.timeout_seconds) as client,
        ):
            url = settings.url + QUERY + urlencode({"query": query})
            body = await ask(client, url, self._headers, settings.body_bytes)
        values = read_values(body)
        now = self._clock.now()
        if not values:
            return gauge.miss(now, "the query gives no series")
        worst = find_worst(values, gauge)
        of = f", the worst of {len(values)}" if len(values) > 1 else ""
        says = f"the query gives {worst:g}{of}"
        reading = gauge.read(now, worst, options.limit, says)
        return msgspec.structs.replace(reading, of=len(values))

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means; a quarter more of bad is worse."""
        gauge = ABOVE if after.is_floor else BELOW
        return gauge.judge(before, after)


def find_worst(values: Sequence[float], gauge: Gauge) -> float:
    """Return the worst value; what is no number may be worse than all."""
    for value in values:
        if math.isnan(value):
            return value
    return min(values) if gauge.is_floor else max(values)


def fill(query: str, subject: Subject) -> str:
    """Return a query with the subject's names in it, as quoted strings.

    Raises:
        OutgoingFailed: it asks for what the action has not.
    """
    known: Mapping[str, str | int] = {
        "host": subject.host,
        **subject.arguments,
    }

    def put(match: re.Match[str]) -> str:
        """Return one name as a string of PromQL."""
        value = str(known.get(match[1], ""))
        if not value:
            raise OutgoingFailed(f"the query needs {match[1]}")
        return quoted(re.escape(value) + PORT if match[2] else value)

    return PLACE.sub(put, query)


def quoted(text: str) -> str:
    """Return a text as a string of PromQL; nothing gets out of it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n") + '"'


def read_values(body: bytes) -> list[float]:
    """Return the numbers in an answer, or raise OutgoingFailed."""
    try:
        found = ANSWER.decode(body).data
        return [float(text) for text in _texts(found)]
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise OutgoingFailed("the answer is none of a query") from error


def _texts(found: Found) -> Iterator[str]:
    """Yield the numbers of what was found, as they are written."""
    if found.result_type == "scalar":
        yield found.result[1]
        return
    if found.result_type != "vector":
        raise ValueError(found.result_type)
    for series in found.result:
        yield series["value"][1]


def plugin(env: CheckEnv) -> Check | None:
    """Return the check, or None without a Prometheus to ask."""
    if not env.is_configured:
        return None
    settings = env.settings(RemoteSettings)
    token = ""
    if settings.token is not None:
        token = env.secret(settings.token, "token")
    try:
        return Promql(env, settings, bearer(token))
    except ValueError as error:
        remedy = "Write another token."
        raise ConfigError([env.problem(f"token {error}", remedy)]) from error
