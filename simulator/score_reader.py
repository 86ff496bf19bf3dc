"""Reads what a score is made of: the truth, and the service's own API.

The service is only read, page by page, with a deadline for each answer and
a bound on the pages. A list that is longer than that is an error, never a
part of it: what was left out could be what speaks against the service.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
from pydantic import ValidationError

from simulator.problem import Away, Refused
from simulator.reading import bearer
from simulator.records import (
    Alert,
    Decision,
    Fact,
    Incident,
    Job,
    Line,
    Row,
    Ruling,
    Story,
)
from simulator.score import ESCALATED, VERDICT

SECONDS = 15.0
PAGE = 500
MOST_PAGES = 100
MOST_BYTES = 64 * 1024 * 1024
# Before the first fault: what was open then, and the clocks.
EARLY = timedelta(minutes=5)
SINCE = "Say with --since from when on it is to be scored"
R = TypeVar("R", bound=Row)


class Reader:
    """Asks a service what it did."""

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        most_pages: int = MOST_PAGES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Take where it is, a token where it wants one, and the bound."""
        self._url = url.rstrip("/")
        self._most_pages = most_pages
        headers = bearer(token)
        self._client = httpx.Client(
            headers=headers,
            timeout=SECONDS,
            transport=transport,
            # Never through a proxy that the environment names.
            trust_env=False,
        )

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self._client.close()

    def story(self, facts: Sequence[Fact]) -> tuple[Story, datetime]:
        """Return what the service did since the first fault, and when read.

        Raises:
            Refused: it does not answer, answers something else, or has more
                to tell than is read.
        """
        read_at = datetime.now(UTC)
        if not facts:
            return Story(), read_at
        since = min(fact.began_at for fact in facts) - EARLY
        story = Story(
            alerts=self._all("alerts", Alert, since),
            incidents=self._all(
                "incidents",
                Incident,
                None,
                state="merged",
                changed_at_since=since.isoformat(),
            ),
            decisions=self._all("decisions", Decision, since),
            rulings=self._all("rulings", Ruling, since),
            jobs=self._all("jobs", Job, since),
            lines=self._all(
                "log", Line, since, kind=[VERDICT, ESCALATED], canary="false"
            ),
        )
        return story, read_at

    def _all(
        self, name: str, row: type[R], since: datetime | None, **query: Any
    ) -> tuple[R, ...]:
        """Return every row of a list since a moment, oldest first."""
        found = [
            _row(row, item, f"/api/v1/{name}")
            for item in self._items(name, since, query)
        ]
        return tuple(reversed(found))

    def _items(
        self, name: str, since: datetime | None, query: dict[str, Any]
    ) -> Iterator[Any]:
        """Yield the items of a list, page by page, newest first."""
        asked: dict[str, Any] = {"limit": PAGE, "count": "none", **query}
        if since is not None:
            asked["since"] = since.isoformat()
        for _ in range(self._most_pages):
            page = self._page(name, asked)
            yield from page["items"]
            if page.get("next") is None:
                return
            # Never the address that came: it could lead anywhere.
            asked["before"] = page["items"][-1]["id"]
        raise Refused(
            f"{self._url} has more than {self._most_pages * PAGE} {name}",
            field="url",
            remedy=SINCE,
        )

    def _page(self, name: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Return one page, or raise Refused with what came instead."""
        where = f"{self._url}/api/v1/{name}"
        answer = fetch(self._client, where, asked)
        items = answer.get("items")
        if not isinstance(items, list) or not (
            items or not answer.get("next")
        ):
            raise Refused(
                f"{where} does not answer with a list",
                field="url",
                remedy="Give the address of a Smokejumper service",
            )
        return answer


def read_facts(
    place: str,
    since: datetime | None = None,
    *,
    token: str = "",
    transport: httpx.BaseTransport | None = None,
) -> list[Fact]:
    """Return the truth, in the order in which the faults began.

    Args:
        place: the address of a simulator, or a truth.jsonl.
        since: only what began at or after this.
        token: of the simulator, where it wants one.
        transport: how it is reached, for tests.

    Raises:
        Refused: it cannot be read, or is not understood.
    """
    if not place.startswith(("http://", "https://")):
        return facts_of(list(_lines(Path(place))), since, place)
    where = f"{place.rstrip('/')}/api/truth"
    query = {} if since is None else {"since": since.isoformat()}
    headers = bearer(token)
    with httpx.Client(
        headers=headers, timeout=SECONDS, transport=transport, trust_env=False
    ) as client:
        told = fetch(client, where, query).get("truth")
    return facts_of(told, since, where)


def facts_of(
    told: object, since: datetime | None = None, where: str = "the simulator"
) -> list[Fact]:
    """Return the truth as it was told, or raise Refused.

    Args:
        told: the list ``truth`` of GET /api/truth.
        since: only what began at or after this.
        where: who told it.
    """
    if not isinstance(told, list):
        raise Refused(
            f"{where} does not answer with the truth",
            field="truth",
            remedy="Give the address of a running simulator, or a file",
        )
    found = (_row(Fact, one, where) for one in told)
    facts = {fact.id: fact for fact in found}
    return sorted(
        (
            fact
            for fact in facts.values()
            if since is None or fact.began_at >= since
        ),
        key=lambda fact: fact.began_at,
    )


def fetch(
    client: httpx.Client, where: str, query: dict[str, Any]
) -> dict[str, Any]:
    """Return a JSON object from an address, or raise Refused."""
    try:
        with client.stream("GET", where, params=query) as answer:
            body = b"".join(_bounded(answer.iter_bytes(), where))
    except httpx.HTTPError as error:
        raise Away(
            f"{where} does not answer: {error or type(error).__name__}",
            field="url",
            remedy="Start it, or give its address",
        ) from error
    except httpx.InvalidURL as error:
        raise Refused(
            f"{where} is no address: {error}",
            field="url",
            remedy="Give an address as http://127.0.0.1:8080",
        ) from error
    found = _parse(body)
    if answer.status_code != 200:
        detail = found.get("detail", "")
        is_closed = answer.status_code in (401, 403)
        refused = Refused(
            f"{where} answers {answer.status_code}: {detail}".rstrip(": "),
            field="token" if is_closed else "url",
            remedy=str(found.get("remedy", "Look at the log there")),
        )
        if is_closed or answer.is_server_error:
            refused.status = answer.status_code
        raise refused
    return found


def _bounded(chunks: Iterable[bytes], where: str) -> Iterator[bytes]:
    """Yield what comes, up to a bound."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MOST_BYTES:
            raise Refused(
                f"{where} answers with more than {MOST_BYTES} bytes",
                field="url",
                remedy=SINCE,
            )
        yield chunk


def _parse(body: bytes) -> dict[str, Any]:
    """Return a JSON object; empty when it is none."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _lines(path: Path) -> Iterator[Any]:
    """Yield every line of a file of truths, and of the one before it.

    A torn line is passed over: a crash leaves one, and what ran then is
    told again by whoever sweeps.
    """
    earlier = path.with_suffix(f"{path.suffix}.1")
    files = [one for one in (earlier, path) if one == path or one.exists()]
    for file in files:
        try:
            said = file.read_bytes()
        except OSError as error:
            raise _no_truth(file, str(error)) from error
        # What was cut off may end in the middle of a letter.
        found = [_parse(line) for line in said.split(b"\n")]
        if not any(found) and not said.isascii():
            raise _no_truth(file, "it is no text")
        yield from filter(None, found)


def _no_truth(file: Path, why: str) -> Refused:
    """Return that a file holds no truths."""
    return Refused(
        f"{file} cannot be read: {why}",
        field="truth",
        remedy="Name a truth.jsonl, or a simulator that runs",
    )


def _row(kind: type[R], item: Any, where: str) -> R:
    """Return a record out of what was told, or raise Refused."""
    try:
        return kind.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise Refused(
            f"{where} tells of a {kind.__name__.lower()} that is not"
            f" understood: {first['msg']}",
            field=field,
            remedy="Use the simulator and the service of one release",
        ) from error
