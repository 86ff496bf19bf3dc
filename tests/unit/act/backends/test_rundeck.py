"""Rundeck: what its answers mean, and what is never taken for success."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ConfigError, NotAccepted, OutgoingFailed
from app.models.job import JobState
from app.ports import Backend
from tests.fakes import FakeClock
from tests.machines import TOKEN
from tests.programs import free_port
from tests.rundeck import MODES, FakeRundeck, job_id
from tests.unit.act.backends.making import (
    follow,
    further,
    make,
    on_a_loop,
    order,
)
from tests.unit.act.backends.stands import PASSED, rundeck_settings


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeRundeck]:
    """Return a running Rundeck."""
    with FakeRundeck(tmp_path_factory.mktemp("rundeck")) as one:
        yield one


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """Return a key that no other test uses."""
    return f"sj-{abs(hash(request.node.name))}"


def rundeck(
    folder: Path, machine: FakeRundeck, job: dict[str, Any], **more: object
) -> Backend:
    """Return the backend with one job, named job."""
    given = {"options": PASSED, **job}
    settings = rundeck_settings(machine, jobs={"job": given}, **more)
    return make(folder, {"rundeck": settings})["rundeck"]


def of(mode: str, **more: object) -> dict[str, Any]:
    """Return the settings of a job that does so."""
    return {"id": job_id(mode), **more}


@on_a_loop
async def test_the_order_is_whole(
    machine: FakeRundeck, tmp_path: Path, key: str
) -> None:
    """Options, filter, level and key arrive as they are written down."""
    job = of("later", filter="name: {host}", log_level="DEBUG")
    await rundeck(tmp_path, machine, job).start(order("job", key))
    entry = next(x for x in machine.ledger.started() if x["key"] == key)
    assert entry["told"] == {
        "options": {
            "host": "web-01",
            "service_name": "nginx",
            "smokejumper_key": key,
        },
        "filter": "name: web-01",
        "loglevel": "DEBUG",
    }
    assert entry["query"] == {"meta.smokejumper": key}


@pytest.mark.parametrize(
    ("mode", "status", "may_retry"),
    [
        ("refuse", "400", 0),
        ("forbidden", "403", 0),
        ("missing", "404", 0),
        ("busy", "409", 1),
    ],
)
@on_a_loop
async def test_each_refusal(
    machine: FakeRundeck,
    tmp_path: Path,
    key: str,
    *,
    mode: str,
    status: str,
    may_retry: int,
) -> None:
    """Nothing was started; the code says why, and whether to come again."""
    backend = rundeck(tmp_path, machine, of(mode))
    with pytest.raises(NotAccepted, match=f"{status} api.error") as refusal:
        await backend.start(order("job", key))
    assert refusal.value.may_retry == bool(may_retry)
    assert machine.noted("start", key) == 0


@pytest.mark.parametrize("mode", ["error", "garbage", "hang", "lose"])
@on_a_loop
async def test_nobody_knows_and_it_is_found(
    machine: FakeRundeck, tmp_path: Path, key: str, mode: str
) -> None:
    """The job runs, whatever was answered; a second start only finds it."""
    backend = rundeck(tmp_path, machine, of(mode), timeout_seconds=0.7)
    sent = order("job", key)
    with pytest.raises(OutgoingFailed) as failure:
        await backend.start(sent)
    assert not isinstance(failure.value, NotAccepted)
    found = await backend.find(sent)
    again = await backend.start(sent)
    assert found is not None
    assert again.reference == found.reference
    end, _ = await follow(backend, sent, again)
    assert end.state is JobState.SUCCEEDED
    assert await backend.find(sent) == again, "found when it is over, too"
    assert machine.noted("start", key) == 1


@pytest.mark.parametrize(
    ("mode", "more", "state", "reason"),
    [
        ("failing", {}, JobState.FAILED, "failed on web-01"),
        ("late", {}, JobState.TIMED_OUT, ""),
        ("custom", {}, JobState.FAILED, "it ended as 'splendid'"),
        (
            "elsewhere",
            {"filter": "name: {host}"},
            JobState.FAILED,
            "it ran on other nodes: db-01",
        ),
        ("lie", {}, JobState.SUCCEEDED, ""),
    ],
)
@on_a_loop
async def test_each_end(
    machine: FakeRundeck,
    tmp_path: Path,
    key: str,
    *,
    mode: str,
    more: dict[str, str],
    state: JobState,
    reason: str,
) -> None:
    """What Rundeck says is looked at twice before it is a success."""
    backend = rundeck(tmp_path, machine, of(mode, **more))
    sent = order("job", key)
    end, _ = await follow(backend, sent, await backend.start(sent))
    assert (end.state, end.reason) == (state, reason)
    if mode == "lie":
        assert machine.noted("work", key) == 0, "only measuring finds that"


@on_a_loop
async def test_words_of_this_site(
    machine: FakeRundeck, tmp_path: Path, key: str
) -> None:
    """Settings say what a status of one's own means."""
    own = {"splendid": "succeeded"}
    backend = rundeck(tmp_path, machine, of("custom"), statuses=own)
    sent = order("job", key)
    end, _ = await follow(backend, sent, await backend.start(sent))
    assert end.state is JobState.SUCCEEDED


@on_a_loop
async def test_rundeck_tries_again_by_itself(
    machine: FakeRundeck, tmp_path: Path, key: str
) -> None:
    """The job goes on as another execution, which is followed."""
    backend = rundeck(tmp_path, machine, of("retry"))
    sent = order("job", key)
    first = await backend.start(sent)
    end, output = await follow(backend, sent, first)
    assert end.state is JobState.SUCCEEDED
    assert end.reference != first.reference
    # What the first one wrote, and all of the second.
    assert output.splitlines() == ["line 1", "line 1", "line 2"]


@on_a_loop
async def test_options_that_get_lost_are_no_success(
    machine: FakeRundeck, tmp_path: Path, key: str
) -> None:
    """Such a job is aborted at once, and never succeeds."""
    backend = rundeck(tmp_path, machine, of("drop"))
    sent = order("job", key)
    end, _ = await follow(backend, sent, await backend.start(sent))
    assert end.state is JobState.FAILED
    assert "it ran without host, service_name" in end.reason
    number = machine.ledger.started()[-1]["id"]
    assert machine.ledger.count("abort", number) >= 1


@on_a_loop
async def test_another_jobs_execution_is_not_believed(
    machine: FakeRundeck, tmp_path: Path, key: str
) -> None:
    """Numbers that were given twice do not make us follow a stranger."""
    backend = rundeck(tmp_path, machine, of("later"))
    sent = order("job", key)
    await rundeck(tmp_path, machine, of("foreign")).start(sent)
    number = machine.ledger.started()[-1]["id"]
    stranger = order("job", key, reference=str(number))
    with pytest.raises(OutgoingFailed, match="another job's"):
        await backend.watch(stranger)


@on_a_loop
async def test_a_status_that_nobody_knows(
    machine: FakeRundeck, tmp_path: Path, key: str
) -> None:
    """It is neither success nor failure."""
    backend = rundeck(tmp_path, machine, of("strange"))
    sent = order("job", key)
    sent = further(sent, await backend.start(sent))
    with pytest.raises(OutgoingFailed, match="dancing"):
        await backend.watch(sent)


@on_a_loop
async def test_passive_mode(tmp_path: Path, key: str) -> None:
    """While Rundeck runs nothing, nothing is sent; later it is."""
    with FakeRundeck(tmp_path) as one:
        backend = rundeck(tmp_path, one, of("later"))
        one.ledger.note("mode", mode="disable")
        with pytest.raises(NotAccepted, match="passive") as refusal:
            await backend.start(order("job", key))
        assert refusal.value.may_retry
        assert one.noted("refused") == 0, "it was not even asked for"
        one.ledger.note("mode", mode="enable")
        await backend.start(order("job", key))
        assert one.noted("start", key) == 1


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"token": "wrong"}, "403 .*unauthorized"),
        ({"api_version": 99}, "api-version.unsupported"),
        ({"project": "other"}, "doesnotexist"),
    ],
)
@on_a_loop
async def test_what_cannot_be_looked_at_before_is_not_started(
    machine: FakeRundeck,
    tmp_path: Path,
    key: str,
    more: dict[str, Any],
    what: str,
) -> None:
    """A start that could be the second one does not happen."""
    backend = rundeck(tmp_path, machine, of("later"), **more)
    with pytest.raises(NotAccepted, match=what) as refusal:
        await backend.start(order("job", key))
    assert refusal.value.may_retry
    assert machine.noted("start", key) == 0


@on_a_loop
async def test_nobody_listens(
    machine: FakeRundeck, tmp_path: Path, key: str
) -> None:
    """What was certainly not sent may be sent once more."""
    url = f"http://127.0.0.1:{free_port()}"
    blind = of("later", key_option="")
    for job in (of("later"), blind):
        backend = rundeck(tmp_path, machine, job, url=url)
        with pytest.raises(NotAccepted) as refusal:
            await backend.start(order("job", key))
        assert refusal.value.may_retry


@pytest.mark.parametrize(
    ("job", "arguments", "what"),
    [
        ({"options": {"host": "host"}}, {}, "not told service"),
        ({"only": {"service": ["redis*"]}}, {}, "not for this service"),
        ({"options": {**PASSED, "pod": "pod"}}, {}, "no 'pod'"),
        ({"filter": "name: {host}"}, {"host": "all"}, "one host"),
        ({"filter": "name: {host}"}, {"host": "web.*"}, "one host"),
        ({}, {"service": "a\nb"}, "plain line"),
    ],
)
@on_a_loop
async def test_what_a_job_is_not_for(
    machine: FakeRundeck,
    tmp_path: Path,
    key: str,
    *,
    job: dict[str, Any],
    arguments: dict[str, str],
    what: str,
) -> None:
    """An argument that would be lost, or mean more, starts nothing."""
    backend = rundeck(tmp_path, machine, of("later", **job))
    told = {"host": "web-01", "service": "nginx", **arguments}
    with pytest.raises(NotAccepted, match=what) as refusal:
        await backend.start(order("job", key, arguments=told))
    assert not refusal.value.may_retry
    assert machine.noted("start", key) == 0


@on_a_loop
async def test_it_is_asked_now_and_then(
    machine: FakeRundeck, tmp_path: Path, key: str
) -> None:
    """Every 2 s, and every 5 s when there was nothing new."""
    clock = FakeClock()
    settings = rundeck_settings(
        machine, jobs={"job": of("endless", options=PASSED)}, poll_seconds=2
    )
    backend = make(tmp_path, {"rundeck": settings}, clock)["rundeck"]
    sent = order("job", key)
    sent = further(sent, await backend.start(sent))
    number = machine.ledger.started()[-1]["id"]
    asked = []
    for _ in range(12):
        sent = further(sent, await backend.watch(sent))
        asked.append(machine.ledger.count("asked", number))
        clock.advance(1)
    assert asked == [1, 1, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4]


@on_a_loop
async def test_a_job_is_looked_for_on_many_pages(
    tmp_path: Path, key: str
) -> None:
    """It is found among hundreds, and it is said when there are too many."""
    with FakeRundeck(tmp_path) as one:
        backend = rundeck(tmp_path, one, of("lie"))
        sent = order("job", key)
        first = await backend.start(sent)
        told = one.ledger.started()[0]["told"]
        other = {
            **told,
            "options": {**told["options"], "smokejumper_key": "x"},
        }
        for number in range(2, 150):
            one.ledger.note(
                "start", id=number, key="x", mode="lie", told=other
            )
        found = await backend.find(sent)
    assert found is not None
    assert found.reference == first.reference


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"url": "ftp://x"}, "rundeck.url"),
        ({"token": "env:NOT_SET"}, "rundeck.token"),
        ({"token": "two\nlines"}, "rundeck"),
        ({"project": "../x"}, "rundeck.project"),
        ({"ca_file": "/nowhere.pem"}, "rundeck"),
        ({"jobs": {"job": {"id": "../x"}}}, "job.id"),
        ({"jobs": {"job": {"id": "x", "filter": "name: a"}}}, "job.filter"),
        ({"statuses": {"fine": "great"}}, "statuses.fine"),
    ],
)
def test_wrong_settings_are_told(
    machine: FakeRundeck, tmp_path: Path, change: dict[str, Any], where: str
) -> None:
    """Each mistake is named with its place, and no token is shown."""
    settings = rundeck_settings(machine, **change)
    with pytest.raises(ConfigError) as problem:
        make(tmp_path, {"rundeck": settings})
    assert where in problem.value.problems[0].setting
    assert TOKEN not in str(problem.value)


def test_which_hosts_it_reaches(machine: FakeRundeck, tmp_path: Path) -> None:
    """All, unless patterns say which."""
    some = rundeck(tmp_path, machine, of("later"), hosts=["web-*"])
    every = rundeck(tmp_path, machine, of("later"))
    for backend, reached in ((some, False), (every, True)):
        assert backend.reaches("WEB-01", is_here=False)
        assert backend.reaches("", is_here=False)
        assert backend.reaches("db-01", is_here=True) is reached


def test_every_way_to_go_wrong_is_tried() -> None:
    """No job of the fake is there in vain."""
    home = Path(__file__).parent
    files = [*home.glob("test_rundeck*.py"), home / "test_stalls.py"]
    tried = "".join(file.read_text(encoding="utf-8") for file in files)
    contract = {"later", "endless", "lose", "refuse", "busy"}
    for mode in set(MODES) - contract:
        assert f'"{mode}"' in tried
