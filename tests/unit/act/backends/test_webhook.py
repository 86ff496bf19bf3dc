"""The webhook: what each answer means, and what is never done."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from app.core.errors import ConfigError, NotAccepted, OutgoingFailed
from app.core.sealing import PREFIX, SEAL_HEADER, TIME_HEADER, seal
from app.ingest.auth import AuthSettings, Signature
from app.models.delivery import Delivery
from app.models.job import JobState, Order, Progress
from app.ports import Backend, Hearing
from tests.fakes import FakeClock
from tests.programs import free_port
from tests.receiver import Book, Receiver
from tests.unit.act.backends.making import (
    SECRET,
    endpoint,
    follow,
    further,
    make,
    on_a_loop,
    order,
)


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """Return a running receiver that checks seals."""
    with Receiver(tmp_path_factory.mktemp("receiver"), secret=SECRET) as one:
        yield one


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """Return a key that no other test uses."""
    return f"sj-{abs(hash(request.node.name))}"


def hook(folder: Path, settings: dict[str, Any]) -> Backend:
    """Return the backend with one endpoint, named job."""
    return make(folder, {"webhook": {"endpoints": {"job": settings}}})[
        "webhook"
    ]


def hear(backend: Backend) -> Callable[[Order], Awaitable[object]]:
    """Return what tells a job that the problem is over."""
    assert isinstance(backend, Hearing)
    return lambda sent: backend.hear(sent, "alert_resolved")


@on_a_loop
async def test_done_at_once(
    receiver: Receiver, tmp_path: Path, key: str
) -> None:
    """200 says that it is over, with its output."""
    backend = hook(tmp_path, endpoint(receiver, "done"))
    said = await backend.start(order("job", key))
    assert (said.state, said.output) == (JobState.SUCCEEDED, "all\n")


@on_a_loop
async def test_the_order_is_whole(
    receiver: Receiver, tmp_path: Path, key: str
) -> None:
    """The receiver is told what to do, to what, and for which decision."""
    await hook(tmp_path, endpoint(receiver, "done")).start(order("job", key))
    entry = Book(receiver.ledger).find(key)
    assert entry is not None
    assert entry["told"] == {
        "key": key,
        "job": "job",
        "action": "restart_service",
        "arguments": {"host": "web-01", "service": "nginx"},
        "target": "host:web-01",
        "incident": 7,
        "decision": 1,
        "seconds": 300,
    }


@on_a_loop
async def test_a_hint_stands_beside_the_arguments(
    receiver: Receiver, tmp_path: Path, key: str
) -> None:
    """A receiver that knows of none has the arguments that it knows."""
    sent = order("job", key, hints={"about": "nginx", "other": ""})
    await hook(tmp_path, endpoint(receiver, "done")).start(sent)
    entry = Book(receiver.ledger).find(key)
    assert entry is not None
    assert entry["told"]["arguments"] == sent.arguments
    assert entry["told"]["hints"] == {"about": "nginx"}


@on_a_loop
async def test_an_id_says_where(
    receiver: Receiver, tmp_path: Path, key: str
) -> None:
    """An id in the body is asked for below the endpoint."""
    settings = endpoint(receiver, "id", find_url="")
    said = await hook(tmp_path, settings).start(order("job", key))
    assert said.reference == f"{receiver.url}/id/job/{key}"


@on_a_loop
async def test_output_by_cursor(
    receiver: Receiver, tmp_path: Path, key: str
) -> None:
    """The receiver's cursor is sent back to it, and nothing comes twice."""
    backend = hook(tmp_path, endpoint(receiver, "cursor"))
    sent = order("job", key)
    _, output = await follow(backend, sent, await backend.start(sent))
    assert output == "one\ntwo\nthree\n"


@pytest.mark.parametrize(
    "mode",
    ["error", "huge", "slow", "packed", "garbage", "odd", "elsewhere", "hang"],
)
@on_a_loop
async def test_nobody_knows(
    receiver: Receiver, tmp_path: Path, key: str, mode: str
) -> None:
    """The job runs, whatever the answer was: that is no refusal."""
    settings = endpoint(receiver, mode, timeout_seconds=0.5)
    with pytest.raises(OutgoingFailed) as failure:
        await hook(tmp_path, settings).start(order("job", key))
    assert not isinstance(failure.value, NotAccepted)
    assert receiver.starts(key) == 1


@on_a_loop
async def test_a_job_without_a_place(
    receiver: Receiver, tmp_path: Path, key: str
) -> None:
    """It is asked for by its key, where that is possible, else unknown."""
    backend = hook(tmp_path, endpoint(receiver, "placeless", hears=True))
    sent = order("job", key)
    said = await backend.start(sent)
    assert said.reference == f"{receiver.url}/find?key={key}"
    sent = further(sent, said)
    assert (await backend.watch(sent)).state is JobState.STARTED
    for ask in (backend.abort, hear(backend)):
        with pytest.raises(OutgoingFailed, match="nowhere"):
            await ask(sent)
    assert receiver.noted("abort", key) == 0
    blind = hook(tmp_path, endpoint(receiver, "placeless", find_url=""))
    with pytest.raises(OutgoingFailed) as failure:
        await blind.start(sent)
    assert not isinstance(failure.value, NotAccepted)


@on_a_loop
async def test_nobody_listens(tmp_path: Path) -> None:
    """What was certainly not sent may be sent once more."""
    settings = {
        "url": f"http://127.0.0.1:{free_port()}/job",
        "secret": SECRET,
        "allow": ["127.0.0.1/32"],
    }
    with pytest.raises(NotAccepted) as refusal:
        await hook(tmp_path, settings).start(order("job"))
    assert refusal.value.may_retry


@on_a_loop
async def test_an_inner_address_is_not_called(
    receiver: Receiver, tmp_path: Path, key: str
) -> None:
    """Without a list not even loopback is called; trying on is in vain."""
    settings = endpoint(receiver, "done", allow=[])
    with pytest.raises(NotAccepted, match="allow") as refusal:
        await hook(tmp_path, settings).start(order("job", key))
    assert not refusal.value.may_retry
    assert receiver.starts(key) == 0


@pytest.mark.parametrize(
    ("mode", "status"), [("redirect", "302"), ("conflict", "409")]
)
@on_a_loop
async def test_neither_taken_nor_refused(
    receiver: Receiver, tmp_path: Path, key: str, mode: str, status: str
) -> None:
    """Nobody knows what it means; a redirect is not followed."""
    with pytest.raises(OutgoingFailed, match=status) as failure:
        await hook(tmp_path, endpoint(receiver, mode)).start(order("job", key))
    assert not isinstance(failure.value, NotAccepted)
    assert receiver.noted("refused", key) == 1


@pytest.mark.parametrize(
    "place",
    [
        "http://192.0.2.7/jobs/1",
        "//192.0.2.7/jobs/1",
        "https://127.0.0.1/jobs/1",
        "http://user:pw@{netloc}/jobs/1",
        "file:///etc/passwd",
    ],
)
@on_a_loop
async def test_a_place_elsewhere_is_not_called(
    receiver: Receiver, tmp_path: Path, place: str
) -> None:
    """Neither to watch nor to abort nor to tell."""
    backend = hook(tmp_path, endpoint(receiver, "later", hears=True))
    netloc = f"127.0.0.1:{receiver.port}"
    sent = order("job", reference=place.format(netloc=netloc))
    for ask in (backend.watch, backend.abort, hear(backend)):
        with pytest.raises(OutgoingFailed, match="elsewhere"):
            await ask(sent)


@on_a_loop
async def test_a_wrong_secret_starts_nothing(
    receiver: Receiver, tmp_path: Path, key: str
) -> None:
    """The receiver does not believe the seal, and the job is refused."""
    settings = endpoint(receiver, "done", secret="another one")
    with pytest.raises(NotAccepted, match="401") as refusal:
        await hook(tmp_path, settings).start(order("job", key))
    assert not refusal.value.may_retry
    assert receiver.starts(key) == 0


def test_a_seal_is_what_our_own_sources_ask_for() -> None:
    """The same that ``kind: hmac`` checks, so there is one way to do it."""
    clock = FakeClock()
    settings = AuthSettings(
        kind="hmac",
        header=SEAL_HEADER,
        timestamp_header=TIME_HEADER,
        prefix=PREFIX,
    )
    headers = seal(SECRET, clock.now(), b'{"a":1}')
    delivery = Delivery(
        source="x",
        body=b'{"a":1}',
        received_at=clock.now(),
        peer="127.0.0.1",
        headers=tuple(
            (name.lower().encode(), text.encode())
            for name, text in headers.items()
        ),
    )
    Signature(settings, [SECRET], clock).check(delivery)


@on_a_loop
async def test_only_an_answer_that_names_the_key_is_believed(
    receiver: Receiver, tmp_path: Path, key: str
) -> None:
    """Whoever answers about another key says nothing about ours."""
    settings = endpoint(receiver, "later")
    settings["find_url"] = f"{receiver.url}/jobs/other?key={{key}}"
    with pytest.raises(OutgoingFailed, match="that key"):
        await hook(tmp_path, settings).find(order("job", key))


@on_a_loop
async def test_a_place_that_became_another_jobs_is_not_believed(
    receiver: Receiver, tmp_path: Path, key: str
) -> None:
    """A receiver that was restarted may use a number once more."""
    backend = hook(tmp_path, endpoint(receiver, "later"))
    other = order("job", f"{key}-other")
    await follow(backend, other, await backend.start(other))
    ours = order("job", key)
    await backend.start(ours)
    place = f"{receiver.url}/jobs/{other.key}"
    with pytest.raises(OutgoingFailed, match="another job"):
        await backend.watch(replace(ours, reference=place))


@on_a_loop
async def test_words_of_the_receiver(
    receiver: Receiver, tmp_path: Path, key: str
) -> None:
    """Settings say what a receiver's own words mean."""
    settings = endpoint(receiver, "odd", statuses={"splendid": "succeeded"})
    said = await hook(tmp_path, settings).start(order("job", key))
    assert said.state is JobState.SUCCEEDED


@on_a_loop
async def test_an_abort_by_post(
    receiver: Receiver, tmp_path: Path, key: str
) -> None:
    """Where DELETE is not known, a word is posted to a page of its own."""
    url = f"{receiver.url}/abort/{{key}}"
    backend = hook(tmp_path, endpoint(receiver, "endless", abort_url=url))
    sent = order("job", key)
    sent = further(sent, await backend.start(sent))
    assert not (await backend.abort(sent)).has_ended
    assert (await backend.watch(sent)).state is JobState.ABORTED


@on_a_loop
async def test_it_is_told_only_where_it_listens(
    receiver: Receiver, tmp_path: Path, key: str
) -> None:
    """A word goes to endpoints that want it, with what happened."""
    for hears in (False, True):
        backend = hook(tmp_path, endpoint(receiver, "endless", hears=hears))
        sent = order("job", key)
        sent = further(sent, await backend.start(sent))
        assert await hear(backend)(sent) is hears
        assert list(receiver.words(key)) == ["alert_resolved"] * hears


@on_a_loop
async def test_it_is_asked_now_and_then(tmp_path: Path, key: str) -> None:
    """Between two questions lies the pause that the endpoint wants."""
    clock = FakeClock()
    # One that does not look at seals: theirs would be too old.
    with Receiver(tmp_path) as plain:
        job = endpoint(plain, "later", poll_seconds=60)
        sections = {"webhook": {"endpoints": {"job": job}}}
        backend = make(tmp_path, sections, clock)["webhook"]
        sent = order("job", key)
        sent = further(sent, await backend.start(sent))
        states = []
        for seconds in (0, 1, 1, 60):
            clock.advance(seconds)
            states.append((await backend.watch(sent)).state)
    running = JobState.STARTED
    assert states == [running, running, running, JobState.SUCCEEDED]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"url": "ftp://x"}, "job.url"),
        ({"url": "http://u:p@host/"}, "job.url"),
        ({"url": "http://0177.0.0.1/"}, "endpoints.job"),
        ({"allow": ["10.0.0.1/8"]}, "job.allow"),
        ({"find_url": "http://127.0.0.1/x"}, "job.find_url"),
        ({"find_url": "http://192.0.2.1/{key}"}, "endpoints.job"),
        ({"secret": "env:NOT_SET"}, "job.secret"),
        ({"secret": None}, "job.secret"),
        ({"ca_file": "/nowhere.pem"}, "job.ca_file"),
        ({"statuses": {"fine": "great"}}, "job.statuses.fine"),
        ({"extra": 1}, "job.extra"),
    ],
)
def test_wrong_settings_are_told(
    tmp_path: Path, change: dict[str, Any], where: str
) -> None:
    """Each mistake is named with its place, and no secret is shown."""
    settings = {"url": "http://127.0.0.1/job", "secret": SECRET, **change}
    with pytest.raises(ConfigError) as problem:
        hook(tmp_path, settings)
    assert where in problem.value.problems[0].setting
    assert SECRET not in str(problem.value)


def test_proxies_of_the_environment_are_ignored(
    receiver: Receiver,
    tmp_path: Path,
    key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A variable does not lead an order elsewhere."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    backend = hook(tmp_path, endpoint(receiver, "done"))
    said: Progress = asyncio.run(backend.start(order("job", key)))
    assert said.state is JobState.SUCCEEDED
