"""Fuzz the routes: all that the OpenAPI page allows, as each kind of person.

Schemathesis makes the requests out of the page, and as many again that the
page forbids. Whoever asks gets an answer below 500, soon.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from scripts.fuzz.cases import (
    BROKEN,
    GROWTH,
    HANG,
    MEGABYTE,
    Case,
    Score,
)
from scripts.fuzz.memory import memory_of
from scripts.fuzz.service import ANSWER_SECONDS, Stand, standing

# A stream never ends, and what is asked for in the background is not waited
# for: tests/flow/test_stream.py asks for both.
ENDLESS = "/api/v1/stream"
ROLES = ("admin", "viewer", "")
EXAMPLES = 8
MOST_GROWTH = 192 * MEGABYTE
WARM_CASES = 300
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
# What a proxy on the way writes, and what a request cannot do without.
LEFT_OUT = ("host", "content-length", "connection", "accept-encoding")


class Pages:
    """Plays operations of the page, and judges the answers."""

    def __init__(self, stand: Stand, score: Score, deadline: float) -> None:
        """Take the service, the score, and when it is enough."""
        self._stand = stand
        self._score = score
        self._deadline = deadline
        self.before = 0

    def play(
        self, operation: Any, role: str, mode: GenerationMode, seed: int
    ) -> None:
        """Send some requests for one operation, as somebody."""
        with self._stand.client(role) as client:

            @seeded(seed)
            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                phases=(Phase.explicit, Phase.generate),
                suppress_health_check=list(HealthCheck),
            )
            @given(made=operation.as_strategy(generation_mode=mode))
            def send(made: Any) -> None:
                """Send one request."""
                if time.monotonic() < self._deadline:
                    self._send(client, made, role)

            # Where nothing may be sent, there is nothing that is forbidden.
            with suppress(Unsatisfiable):
                send()

    def _send(self, client: httpx.Client, made: Any, role: str) -> None:
        """Send one request and judge the answer."""
        try:
            case = self._to_case(made, role)
        except httpx.InvalidURL:
            # No client could send that; longer ones are the door's business.
            return
        self._score.cases += 1
        wrong = judge(client, case, self._score)
        if wrong is not None:
            self._score.fail(*wrong, case)
        if self._score.cases == WARM_CASES:
            self.before = memory_of(self._stand.service.pid)

    def _to_case(self, made: Any, role: str) -> Case:
        """Return what schemathesis made, as a case of ours."""
        raw = made.as_transport_kwargs(base_url=self._stand.service.url)
        request = httpx.Request(
            raw["method"],
            raw["url"],
            params=raw.get("params"),
            headers=plain_headers(raw.get("headers") or {}),
            cookies=plain_headers(raw.get("cookies") or {}),
            **body_of(raw),
        )
        address = request.url.raw_path.decode("ascii")
        headers = tuple(
            (name, value)
            for name, value in request.headers.items()
            if name not in LEFT_OUT
        )
        return Case(
            "pages",
            f"{request.method} {address}",
            headers,
            request.read(),
            role,
            self._stand.database,
        )


def plain_headers(found: Any) -> dict[str, str]:
    """Return headers that a client can send at all."""
    return {
        str(name): str(value).encode("latin-1", "replace").decode("latin-1")
        for name, value in dict(found).items()
    }


def body_of(raw: Any) -> dict[str, Any]:
    """Return the body that schemathesis made, as httpx takes it."""
    if "json" in raw:
        return {"json": raw["json"]}
    data = raw.get("data")
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if isinstance(data, bytes):
        return {"content": data}
    return {"data": data} if isinstance(data, dict) else {}


def judge(
    client: httpx.Client, case: Case, score: Score
) -> tuple[str, str] | None:
    """Send a case; return what is wrong with the answer, if anything."""
    method, _, address = case.target.partition(" ")
    headers = dict(client.headers) | dict(case.headers)
    # Somebody who was invented is a stranger, whatever the page allows.
    headers.pop("cookie", None)
    try:
        answer = client.request(
            method, address, content=case.body, headers=headers
        )
    except (httpx.LocalProtocolError, httpx.InvalidURL):
        # No client could send that.
        return None
    except httpx.TimeoutException:
        return HANG, f"{case.target[:200]}: no answer"
    except httpx.TransportError as error:
        return BROKEN, f"{case.target[:200]}: {type(error).__name__}"
    score.count(answer.status_code)
    if answer.status_code == 503 and "retry-after" in answer.headers:
        score.later += 1
    elif answer.status_code >= 500:
        return BROKEN, f"{case.target[:200]}: {answer.status_code}"
    return None


def rounds(
    operations: Sequence[Any], seed: int
) -> Iterator[tuple[Any, str, GenerationMode, int]]:
    """Yield every operation with every role, for ever."""
    turn = 0
    while True:
        for number, operation in enumerate(operations):
            # Each round has another role and mode for the same operation.
            role = ROLES[(number + turn) % len(ROLES)]
            mode = MODES[(number + turn // len(ROLES)) % len(MODES)]
            yield operation, role, mode, seed + turn
        turn += 1


def fuzz_pages(
    seconds: float, seed: int, folder: Path, database: str
) -> Score:
    """Ask for everything, as everybody, for some time."""
    score = Score(f"pages {database}", folder)
    with standing(database) as stand:
        page = schemathesis.openapi.from_url(
            f"{stand.service.url}/openapi.json", timeout=ANSWER_SECONDS
        ).exclude(path=ENDLESS)
        operations: list[Any] = [
            one.ok()
            for one in page.get_all_operations()
            if isinstance(one, Ok)
        ]
        asked = set()
        deadline = time.monotonic() + seconds
        pages = Pages(stand, score, deadline)
        for operation, role, mode, number in rounds(operations, seed):
            if time.monotonic() > deadline:
                break
            asked.add((operation.label, role))
            pages.play(operation, role, mode, number)
        now = memory_of(stand.service.pid)
        score.growth = now - (pages.before or now)
        if score.growth > MOST_GROWTH:
            score.fail(GROWTH, f"{score.growth // MEGABYTE} MB")
        for line in stand.errors():
            score.fail(BROKEN, f"in the log: {line[:300]}")
        score.notes.append(
            f"{len(asked)} of {len(operations) * len(ROLES)} routes x roles"
        )
    return score


def replay(case: Case) -> str:
    """Send one case again; return what is wrong, empty when nothing is."""
    score = Score("replay", Path())
    with standing(case.database) as stand, stand.client(case.role) as client:
        wrong = judge(client, case, score)
        return ": ".join(wrong) if wrong else "\n".join(stand.errors())
