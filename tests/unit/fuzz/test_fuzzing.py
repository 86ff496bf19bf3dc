"""The fuzzers themselves: a fault that is there is found, kept and told."""

import json
import random
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import httpx
import pytest

from app.models.alert import Alert, Status
from app.models.delivery import Delivery, Parsed
from app.models.example import Example
from scripts.fuzz import door, pages, parsers
from scripts.fuzz.cases import BROKEN, HANG, LOST, Case, Score
from scripts.fuzz.guiding import Reach
from scripts.fuzz.mutating import Mutator, places
from scripts.fuzz.seeds import load_seeds
from tests.chaos.ledger import Found
from tests.unit.sources.making import KINDS, make_source

CASE = Case("door", "/webhooks/odd", (("a", "b"),), b"\xff\0", "admin")


class Odd:
    """A source with a fault that a test chooses."""

    example = Example(body=b"{}", names=())
    paths: tuple[str, ...] = ()
    tells_once = False
    setup = ""

    def __init__(self, fault: Any) -> None:
        self._fault = fault

    def parse(self, delivery: Delivery) -> Parsed:
        """Do what the test says."""
        found = self._fault(delivery)
        return found if isinstance(found, Parsed) else Parsed()


def fail(_: Delivery) -> None:
    """Fail as a parser with a bug does."""
    raise KeyError("alerts")


def with_half_a_character(_: Delivery) -> Parsed:
    """Return an alert that no database takes."""
    alert = Alert(
        fingerprint="f",
        status=Status.FIRING,
        occurrence="1",
        name="\ud800",
        labels={},
    )
    return Parsed(alerts=(alert,))


@pytest.mark.parametrize("fault", [fail, with_half_a_character])
def test_a_parser_with_a_bug_is_found(fault: Any) -> None:
    """One that raises, and one that hands on what cannot be stored."""
    found = parsers.judge(Odd(fault), CASE, Reach())
    assert found is not None
    assert found[0] == BROKEN


def test_a_parser_that_hangs_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is interrupted, and told."""
    monkeypatch.setattr(parsers, "HANG_SECONDS", 0.02)
    found = parsers.judge(Odd(lambda _: time.sleep(30)), CASE, Reach())
    assert found is not None
    assert found[0] == HANG


def test_a_good_parser_is_good() -> None:
    """Nothing is made up."""
    assert parsers.judge(Odd(lambda _: None), CASE, Reach()) is None


def test_a_case_is_kept_and_read_again(tmp_path: Path) -> None:
    """Byte for byte."""
    score = Score("a part", tmp_path)
    score.fail(BROKEN, "why", CASE)
    score.fail(BROKEN, "why", CASE)
    first, second = sorted(tmp_path.iterdir())
    assert Case.load(first) == Case.load(second) == CASE
    assert not score.is_good
    assert f"--replay {first}" in str(score)


def test_the_same_seed_makes_the_same_bodies() -> None:
    """So that a run can be had again; another seed makes others."""
    bodies = [seed.body for seed in load_seeds()]

    def made(seed: int) -> list[bytes]:
        """Return what a mutator makes of the first bodies."""
        mutator = Mutator(seed)
        return [mutator.change(body, bodies) for body in bodies[:9]]

    assert made(1) == made(1)
    assert made(1) != made(2)


def test_every_source_has_a_seed() -> None:
    """None is left out, also one that nobody has written yet."""
    assert {seed.source for seed in load_seeds()} == set(KINDS)


def test_most_bodies_are_still_understood_somewhere() -> None:
    """Mutations get into a parser, not only up to its decoder."""
    mutator = Mutator(3)
    body = make_source("alertmanager").example.body
    whole = 0
    for _ in range(300):
        try:
            json.loads(mutator.change(body, [body]))
        except (ValueError, RecursionError):
            continue
        whole += 1
    assert 100 < whole < 300
    assert len(places(json.loads(body))) > 10


def test_reach_tells_what_is_new() -> None:
    """A body that gets no further than another is not kept."""
    source, reach = make_source("alertmanager"), Reach()
    good = Case("parsers", "alertmanager", body=source.example.body)
    for body, is_new in ((b"[", True), (b"[", False), (good.body, True)):
        assert parsers.judge(source, good._replace(body=body), reach) is None
        assert reach.is_new is is_new


class Answering(BaseHTTPRequestHandler):
    """Answers what the test wants."""

    status: ClassVar[int] = 200
    promise: ClassVar[bool] = False

    def do_POST(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers["content-length"]))
        body = b'{"delivery": 1}'
        self.send_response(self.status)
        if self.promise:
            self.send_header("retry-after", "1")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Town:
    """Stands where a running service would."""

    def __init__(self, url: str, folder: Path) -> None:
        self.service = self
        self.database = "sqlite"
        self.url = url
        self.folder = folder


@contextmanager
def answering(status: int, *, promise: bool, folder: Path) -> Iterator[Town]:
    """Lend a server that answers all alike."""
    made = {"status": status, "promise": promise}
    handler = type("Handler", (Answering,), made)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Town(f"http://127.0.0.1:{server.server_port}", folder)
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def opened(town: Any, folder: Path) -> Iterator[door.Door]:
    """Lend the door fuzzer with nothing wrong so far."""
    with closing(door.Door(town, Score("door", folder))) as made:
        yield made


@pytest.mark.parametrize(
    ("status", "promise", "is_wrong"),
    [
        (202, False, False),
        (422, False, False),
        (500, False, True),
        (500, True, True),
        (503, False, True),
        (503, True, False),
    ],
)
def test_answers_that_are_wrong(
    tmp_path: Path, status: int, *, promise: bool, is_wrong: bool
) -> None:
    """A 5xx is, but for a 503 that says when to come again."""
    with (
        answering(status, promise=promise, folder=tmp_path) as town,
        opened(town, tmp_path) as at_door,
        httpx.Client(base_url=town.url) as client,
    ):
        assert (at_door.try_one(CASE) is not None) is is_wrong
        score = at_door.score
        asked = CASE._replace(target="POST /x", headers=())
        found = pages.judge(client, asked, score)
        assert (found is not None) is is_wrong
        assert score.later == 2 * (status == 503 and promise)


def test_a_service_that_breaks_the_line_is_found(tmp_path: Path) -> None:
    """Nobody listens there any more."""
    with answering(200, promise=False, folder=tmp_path) as town:
        pass
    with opened(town, tmp_path) as at_door:
        found = at_door.try_one(CASE)
    assert found is not None
    assert found[0] == BROKEN


def test_what_was_acknowledged_and_is_lost_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is not there, and one that is there with other bytes."""
    with (
        answering(202, promise=False, folder=tmp_path) as town,
        opened(town, tmp_path) as at_door,
    ):
        at_door.send(CASE)
        counted = []
        for rows in ([], [(1, b"other")], [(1, CASE.body)]):
            found = Found(rows, [], [])
            monkeypatch.setattr(at_door, "_read", lambda found=found: found)
            at_door.compare()
            counted.append(at_door.score.wrong[LOST])
    assert counted == [1, 2, 2]


def test_strange_deliveries_name_every_source() -> None:
    """The door is asked for each of them."""
    mutator, chance = Mutator(1), random.Random(1)
    seeds = load_seeds()
    made = [door.make_case(mutator, seeds, chance) for _ in range(600)]
    assert {one.target for one in made} == {f"/webhooks/{k}" for k in KINDS}
