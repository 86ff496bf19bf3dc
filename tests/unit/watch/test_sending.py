"""Alerts go out until they are taken, in order, and bounded."""

import asyncio

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from app.ingest.sources.alertmanager import plugin
from app.models.alert import Status
from app.models.delivery import Delivery
from app.watch.rules import Alert, Text
from app.watch.sending import (
    MOST_OF_ONE,
    MOST_SECONDS,
    Outbox,
    Sender,
    to_body,
)
from tests.fakes import FakeClock
from tests.unit.watch.making import NOW

FIRING = Alert(
    name="ProcessRunaway",
    labels={"alertname": "ProcessRunaway", "host": "h", "process": "p"},
    text=Text("p takes all", "it does"),
    starts_at=NOW,
)
OVER = msgspec.structs.replace(FIRING, ends_at=NOW + 5_000_000)


def other(process: str) -> Alert:
    """Return an alert about another process."""
    labels = {**FIRING.labels, "process": process}
    return msgspec.structs.replace(FIRING, labels=labels)


def statuses(outbox: Outbox, now: float) -> list[bool]:
    """Return of what is due whether it is an end."""
    return [one.is_end for one in outbox.due(now)]


@pytest.mark.parametrize("alert", [FIRING, OVER])
def test_our_own_source_reads_what_is_sent(alert: Alert) -> None:
    """It is Alertmanager's webhook, one episode from begin to end."""
    body = to_body(alert)
    delivery = Delivery(source="watch", body=body, received_at=NOW)
    (found,) = plugin(None).parse(delivery).alerts  # type: ignore[arg-type]
    over = alert is OVER
    assert found.status is (Status.RESOLVED if over else Status.FIRING)
    assert found.fingerprint == FIRING.fingerprint
    assert found.starts_at == NOW
    assert found.ends_at == (OVER.ends_at if over else None)
    assert found.summary == "p takes all"
    assert found.labels == dict(FIRING.labels)


def test_the_same_labels_are_found_again() -> None:
    """The order of labels does not matter, their values do."""
    turned = dict(reversed(list(FIRING.labels.items())))
    same = msgspec.structs.replace(FIRING, labels=turned)
    assert same.fingerprint == FIRING.fingerprint
    assert other("q").fingerprint != FIRING.fingerprint


def test_what_goes_on_is_repeated() -> None:
    """Byte for byte the same, after its time."""
    outbox = Outbox(60.0)
    outbox.add(FIRING, 0.0)
    (post,) = outbox.due(0.0)
    outbox.accept(post, 0.0)
    assert outbox.due(59.0) == []
    (again,) = outbox.due(60.0)
    assert again.body == post.body
    assert outbox.next_due() == 60.0
    assert outbox.waiting() == 0


def test_what_is_over_is_told_until_it_is_taken() -> None:
    """And then never again."""
    outbox = Outbox(60.0)
    outbox.add(FIRING, 0.0)
    outbox.accept(outbox.due(0.0)[0], 0.0)
    outbox.add(OVER, 5.0)
    for now in (5.0, 10.0, 20.0):
        (post,) = outbox.due(now)
        assert post.is_end
        outbox.fail(post, now)
    outbox.accept(post, 30.0)
    assert outbox.due(1e6) == []
    assert outbox.next_due() is None


def test_what_began_and_ended_meanwhile_is_told_in_order() -> None:
    """The service was away for all of it."""
    outbox = Outbox(60.0)
    for alert in (FIRING, OVER, FIRING):
        outbox.add(alert, 0.0)
    told = []
    for now in range(3):
        (post,) = outbox.due(float(now))
        told.append(post.is_end)
        outbox.accept(post, float(now))
    assert told == [False, True, False]
    assert statuses(outbox, 100.0) == [False]


def test_pauses_grow_and_stay_bounded() -> None:
    """A service that is away is not asked all the time."""
    outbox = Outbox(60.0)
    outbox.add(FIRING, 0.0)
    now, pauses = 0.0, []
    for _ in range(8):
        (post,) = outbox.due(now)
        outbox.fail(post, now)
        due = outbox.next_due()
        assert due is not None
        pauses.append(due - now)
        now = due
    assert pauses[:4] == [1.0, 2.0, 4.0, 8.0]
    assert max(pauses) == MOST_SECONDS


def test_all_of_it_is_bounded() -> None:
    """What does not fit is counted."""
    outbox = Outbox(60.0, most=2)
    for process in "abc":
        outbox.add(other(process), 0.0)
    assert (len(outbox.due(0.0)), outbox.lost) == (2, 1)
    for _ in range(10):
        outbox.add(other("a"), 0.0)
        outbox.add(msgspec.structs.replace(other("a"), ends_at=NOW), 0.0)
    assert outbox.waiting() <= MOST_OF_ONE + 1
    assert outbox.lost > 1


def test_what_nobody_will_be_told_is_in_the_log() -> None:
    """By its name: the service is away, and there is no room."""
    sender = Sender(Outbox(60.0, most=1), "http://x", {}, FakeClock())
    with capture_logs() as lines:
        sender.add(other("a"))
        sender.add(other("b"))
    (line,) = lines
    assert line["event"] == "watch.lost"
    assert (line["alert"], line["waiting"]) == (other("b").name, 1)


class Door:
    """A service that answers as it is told to."""

    def __init__(self, *answers: int | type[Exception]) -> None:
        self.answers = list(answers)
        self.got: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer, or fail."""
        self.got.append(request)
        answer = self.answers.pop(0) if self.answers else 202
        if isinstance(answer, int):
            return httpx.Response(answer)
        raise answer("away")

    def client(self) -> httpx.AsyncClient:
        """Return a client whose calls come here."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self))


async def send(door: Door) -> Outbox:
    """Send an alert three times a pause apart; return what is left."""
    clock, outbox = FakeClock(), Outbox(60.0)
    headers = {"Authorization": "Bearer s3cret"}
    sender = Sender(outbox, "http://h/webhooks/watch", headers, clock)
    sender.add(FIRING)
    async with door.client() as client:
        for _ in range(3):
            await sender.send_due(client)
            clock.advance(4.0)
    return outbox


@pytest.mark.parametrize(
    "answer", [500, 503, 401, 413, httpx.ConnectError, httpx.ReadTimeout]
)
def test_a_door_that_is_shut_is_tried_again(
    answer: int | type[Exception],
) -> None:
    """Whatever it says, but a 2xx: nothing is lost."""
    door = Door(answer, answer)
    outbox = asyncio.run(send(door))
    assert len(door.got) == 3
    assert outbox.waiting() == 0
    assert door.got[0].content == door.got[2].content
    assert door.got[0].headers["authorization"] == "Bearer s3cret"


def test_an_alert_does_not_wait_for_the_next_repeat() -> None:
    """The bell wakes whoever sends, and it goes out at once."""

    async def go() -> list[httpx.Request]:
        """Add one alert while the sender waits; return what came."""
        door, came = Door(), asyncio.Event()

        def answer(request: httpx.Request) -> httpx.Response:
            """Take it."""
            came.set()
            return door(request)

        sender = Sender(
            Outbox(60.0),
            "http://h/webhooks/watch",
            {},
            FakeClock(),
            lambda: httpx.AsyncClient(transport=httpx.MockTransport(answer)),
        )
        task = asyncio.create_task(sender.run())
        await asyncio.sleep(0)
        sender.add(FIRING)
        async with asyncio.timeout(10):
            await came.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return door.got

    assert len(asyncio.run(go())) == 1
