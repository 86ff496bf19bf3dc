"""Fuzz the door: strange bodies over HTTP, to a service that runs.

Whatever comes, it answers below 500, or 503 with the promise that a retry
helps; soon; and what it acknowledged is there, byte for byte, at the end.
"""

import random
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import httpx

from scripts.fuzz.cases import (
    BROKEN,
    GROWTH,
    HANG,
    LOST,
    MEGABYTE,
    Case,
    Score,
)
from scripts.fuzz.memory import memory_of
from scripts.fuzz.mutating import Mutator
from scripts.fuzz.seeds import Headers, Seed, load_seeds
from scripts.fuzz.service import ANSWER_SECONDS, Stand, standing
from tests.chaos.ledger import Found, read_postgres, read_sqlite

WARM_CASES = 200
DRAIN_SECONDS = 120.0
# What a service keeps in memory of what it has seen has bounds of its own.
MOST_GROWTH = 192 * MEGABYTE
TYPES = (
    "application/json",
    "application/json; charset=utf-16",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "a" * 300,
    "",
)
WAITING = (
    "smokejumper_fold_waiting_alerts",
    "smokejumper_commit_lag_seconds",
)


class Door:
    """Sends cases, and remembers what was acknowledged."""

    def __init__(self, stand: Stand, score: Score) -> None:
        """Take the service, and where it is written what goes wrong."""
        self._stand = stand
        self.score = score
        self._client = httpx.Client(
            base_url=stand.service.url, timeout=ANSWER_SECONDS
        )
        self._accepted: dict[int, Case] = {}

    def send(self, case: Case) -> None:
        """Send a case and judge the answer."""
        self.score.cases += 1
        wrong = self.try_one(case)
        if wrong is not None:
            self.score.fail(*wrong, case)

    def try_one(self, case: Case) -> tuple[str, str] | None:
        """Return what is wrong with how a case is answered."""
        headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in case.headers
        ]
        try:
            answer = self._client.post(
                case.target, content=case.body, headers=headers
            )
        except httpx.TimeoutException:
            return HANG, f"{case.target}: no answer"
        except httpx.TransportError as error:
            self._client.close()
            base = self._stand.service.url
            self._client = httpx.Client(base_url=base, timeout=ANSWER_SECONDS)
            return BROKEN, f"{case.target}: {type(error).__name__}"
        self.score.count(answer.status_code)
        if answer.status_code == 503 and "retry-after" in answer.headers:
            self.score.later += 1
        elif answer.status_code >= 500:
            return BROKEN, f"{case.target}: {answer.status_code}"
        elif answer.status_code == 202:
            self._accepted[answer.json()["delivery"]] = case
        return None

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def drain(self) -> None:
        """Wait until all that was accepted is in incidents."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while any(self._waiting()):
            if time.monotonic() > deadline:
                told = f"alerts wait for ever: {self._waiting()}"
                self.score.fail(HANG, told)
                return
            time.sleep(0.1)

    def _waiting(self) -> list[float]:
        """Return how much is still to be done."""
        text = self._client.get("/metrics").text
        return [
            float(line.split()[-1])
            for line in text.splitlines()
            if line.startswith(WAITING)
        ]

    def compare(self) -> None:
        """Look for each acknowledged body in the database."""
        found = self._read()
        bodies = dict(found.deliveries)
        for flaw in found.flaws:
            self.score.fail(LOST, flaw)
        for number, case in self._accepted.items():
            if bodies.get(number) != case.body:
                self.score.fail(LOST, f"delivery {number}", case)
        self.score.notes.append(f"{len(self._accepted)} were acknowledged")

    def _read(self) -> Found:
        """Return what is in the database."""
        if self._stand.database == "sqlite":
            return read_sqlite(self._stand.service.database)
        return read_postgres(self._stand.url)


def make_case(
    mutator: Mutator, seeds: Sequence[Seed], chance: random.Random
) -> Case:
    """Return a strange delivery."""
    one = mutator.choose(seeds)
    body = one.body
    if chance.random() < 0.95:
        body = mutator.change(body, [seed.body for seed in seeds])
    headers: Headers = one.headers
    if chance.random() < 0.1:
        kind = (("content-type", mutator.choose(TYPES)),)
        headers = (*kind, *(h for h in headers if h[0] != "content-type"))
    return Case("door", f"/webhooks/{one.source}", headers, body)


def fuzz_door(seconds: float, seed: int, folder: Path, database: str) -> Score:
    """Send strange bodies for some time."""
    score = Score(f"door {database}", folder)
    mutator, chance, seeds = Mutator(seed), random.Random(seed), load_seeds()
    with standing(database) as stand, closing(Door(stand, score)) as door:
        before, deadline = 0, time.monotonic() + seconds
        while time.monotonic() < deadline:
            case = make_case(mutator, seeds, chance)
            door.send(case._replace(database=database))
            if score.cases == WARM_CASES:
                before = memory_of(stand.service.pid)
        door.drain()
        now = memory_of(stand.service.pid)
        score.growth = now - (before or now)
        if score.growth > MOST_GROWTH:
            score.fail(GROWTH, f"{score.growth // MEGABYTE} MB")
        for line in stand.errors():
            score.fail(BROKEN, f"in the log: {line[:300]}")
        stand.service.stop()
        door.compare()
    return score


def replay(case: Case) -> str:
    """Send one case again; return what is wrong, empty when nothing is."""
    score = Score("replay", Path())
    with (
        standing(case.database) as stand,
        closing(Door(stand, score)) as door,
    ):
        wrong = door.try_one(case)
        door.drain()
        errors = [*score.notes, *stand.errors()]
        return ": ".join(wrong) if wrong else "\n".join(errors)
