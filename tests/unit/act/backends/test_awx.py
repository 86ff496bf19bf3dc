"""AWX: what its answers mean, and that nothing it drops goes unseen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ConfigError, NotAccepted, OutgoingFailed
from app.models.job import JobState, Progress
from app.ports import Backend
from tests.awx import MODES, READ_TOKEN, FakeAwx
from tests.machines import TOKEN
from tests.programs import free_port
from tests.unit.act.backends.making import (
    follow,
    further,
    make,
    on_a_loop,
    order,
)
from tests.unit.act.backends.stands import awx_settings


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeAwx]:
    """Return a running AWX."""
    with FakeAwx(tmp_path_factory.mktemp("awx")) as one:
        yield one


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """Return a key that no other test uses."""
    return f"sj-{abs(hash(request.node.name))}"


def awx(folder: Path, machine: FakeAwx, **more: object) -> Backend:
    """Return the backend with all templates, by their names."""
    return make(folder, {"awx": awx_settings(machine, **more)})["awx"]


def number_of(machine: FakeAwx, key: str) -> int:
    """Return the number of the job with a key."""
    started = machine.ledger.started()
    return int(next(x["id"] for x in started if x["key"] == key))


@on_a_loop
async def test_the_order_is_whole(
    machine: FakeAwx, tmp_path: Path, key: str
) -> None:
    """Variables, limit and key arrive; a template may be a number, too."""
    told = {"service_name": "service"}
    jobs = {"job": {"template": 0, "extra_vars": told}}
    await awx(tmp_path, machine, jobs=jobs).start(order("job", key))
    entry = next(x for x in machine.ledger.started() if x["key"] == key)
    assert entry["mode"] == "later"
    assert entry["told"] == {
        "extra_vars": {"service_name": "nginx", "smokejumper_key": key},
        "limit": "web-01",
    }


@pytest.mark.parametrize(
    ("mode", "what"),
    [
        ("refuse", "needs a password"),
        ("unlimited", "does not ask for a limit"),
        ("unvarying", "variables service_name, smokejumper_key"),
        ("forbidden", "403"),
    ],
)
@on_a_loop
async def test_a_template_that_does_not_listen_is_not_launched(
    machine: FakeAwx, tmp_path: Path, key: str, mode: str, what: str
) -> None:
    """What would be dropped is said before anything runs."""
    with pytest.raises(NotAccepted, match=what) as refusal:
        await awx(tmp_path, machine).start(order(mode, key))
    assert not refusal.value.may_retry
    assert machine.noted("start", key) == 0


@on_a_loop
async def test_a_survey_takes_its_own_variables(
    machine: FakeAwx, tmp_path: Path, key: str
) -> None:
    """Its questions are variables that may be told, and others are not."""
    told = {"service_name": "service"}
    jobs = {
        "right": {"template": "surveyed", "extra_vars": told},
        "wrong": {
            "template": "surveyed",
            "extra_vars": {"unit": "service"},
        },
    }
    backend = awx(tmp_path, machine, jobs=jobs)
    assert (await backend.start(order("right", key))).reference
    with pytest.raises(NotAccepted, match="variables unit"):
        await backend.start(order("wrong", f"{key}-2"))


@pytest.mark.parametrize("mode", ["drop", "sly"])
@on_a_loop
async def test_a_dropped_limit_is_never_a_success(
    machine: FakeAwx, tmp_path: Path, key: str, mode: str
) -> None:
    """The job, which runs everywhere, is cancelled at once and fails."""
    backend = awx(tmp_path, machine)
    sent = order(mode, key)
    said = await backend.start(sent)
    assert machine.noted("abort", key) == 1, "before anybody asked"
    end, _ = await follow(backend, sent, said)
    assert end.state is JobState.FAILED
    assert end.reason == "it ran without limit"
    found = await backend.find(sent)
    assert found is not None
    assert "limit" in found.reference, "a restart does not forget it"


@on_a_loop
async def test_a_dropped_limit_that_could_not_be_cancelled(
    machine: FakeAwx, tmp_path: Path, key: str
) -> None:
    """Found by its key after a crash it is cancelled by the next look."""
    backend = awx(tmp_path, machine)
    sent = order("sly", key)
    number = len(machine.ledger.started()) + 1
    machine.ledger.note(
        "start",
        id=number,
        key=key,
        mode="sly",
        told={
            "limit": "web-01",
            "extra_vars": {"service_name": "nginx", "smokejumper_key": key},
        },
    )
    found = await backend.find(sent)
    assert found is not None
    end, _ = await follow(backend, sent, found)
    assert end.state is JobState.FAILED
    assert machine.noted("abort", key) >= 1


@pytest.mark.parametrize("mode", ["error", "garbage", "hang", "lose"])
@on_a_loop
async def test_nobody_knows_and_it_is_found(
    machine: FakeAwx, tmp_path: Path, key: str, mode: str
) -> None:
    """The job runs, whatever was answered; a second start only finds it."""
    backend = awx(tmp_path, machine, timeout_seconds=0.7)
    sent = order(mode, key)
    with pytest.raises(OutgoingFailed) as failure:
        await backend.start(sent)
    assert not isinstance(failure.value, NotAccepted)
    found = await backend.find(sent)
    again = await backend.start(sent)
    assert found is not None
    assert again.reference == found.reference
    end, _ = await follow(backend, sent, again)
    assert end.state is JobState.SUCCEEDED
    assert machine.noted("start", key) == 1


@pytest.mark.parametrize(
    ("mode", "state", "reason"),
    [
        ("failing", JobState.FAILED, ""),
        ("broken", JobState.FAILED, "the node is gone"),
        ("lie", JobState.SUCCEEDED, ""),
    ],
)
@on_a_loop
async def test_each_end(
    machine: FakeAwx,
    tmp_path: Path,
    key: str,
    *,
    mode: str,
    state: JobState,
    reason: str,
) -> None:
    """A word of AWX is one of ours; whether it is true is measured."""
    backend = awx(tmp_path, machine)
    sent = order(mode, key)
    end, _ = await follow(backend, sent, await backend.start(sent))
    assert (end.state, end.reason) == (state, reason)
    assert machine.noted("work", key) == (mode != "lie")


@on_a_loop
async def test_a_job_waits_for_its_turn(
    machine: FakeAwx, tmp_path: Path, key: str
) -> None:
    """That is no failure, and it says so."""
    backend = awx(tmp_path, machine)
    sent = order("waiting", key)
    said = await backend.start(sent)
    first = await backend.watch(further(sent, said))
    assert first.state is JobState.STARTED
    assert first.reason == "it waits for its turn"
    end, output = await follow(backend, sent, first)
    assert end.state is JobState.SUCCEEDED
    assert output == "line 1\nline 2\n", "without colours"


@on_a_loop
async def test_what_is_over_cannot_be_cancelled(
    machine: FakeAwx, tmp_path: Path, key: str
) -> None:
    """AWX refuses it, and the job keeps the end that it has."""
    backend = awx(tmp_path, machine)
    sent = order("later", key)
    end, _ = await follow(backend, sent, await backend.start(sent))
    sent = further(sent, end)
    await backend.abort(sent)
    assert (await backend.watch(sent)).state is JobState.SUCCEEDED
    assert machine.noted("abort", key) == 0


@on_a_loop
async def test_another_ones_job_is_not_believed(
    machine: FakeAwx, tmp_path: Path, key: str
) -> None:
    """Numbers that were given twice do not make us follow a stranger."""
    backend = awx(tmp_path, machine)
    await backend.start(order("foreign", key))
    stranger = Progress(reference=str(number_of(machine, key)))
    with pytest.raises(OutgoingFailed, match="another one's"):
        await backend.watch(further(order("later", f"{key}-2"), stranger))


@on_a_loop
async def test_a_name_that_two_have(
    machine: FakeAwx, tmp_path: Path, key: str
) -> None:
    """Nothing is launched by guess."""
    jobs = {"job": {"template": "nobody", "limit": "host"}}
    backend = awx(tmp_path, machine, jobs=jobs)
    sent = order("job", key, arguments={"host": "web-01"})
    with pytest.raises(NotAccepted, match="0 templates"):
        await backend.start(sent)


@pytest.mark.parametrize(
    ("host", "what"),
    [
        ("all", "one host"),
        ("web-*", "one host"),
        ("web-01:db-01", "one host"),
        ("!web-01", "one host"),
        ("~web.*", "one host"),
        ("@/etc/hosts", "one host"),
    ],
)
@on_a_loop
async def test_a_limit_is_one_host(
    machine: FakeAwx, tmp_path: Path, key: str, host: str, what: str
) -> None:
    """A pattern of hosts is never passed on, wherever it came from."""
    told = {"host": host, "service": "nginx"}
    with pytest.raises(NotAccepted, match=what):
        await awx(tmp_path, machine).start(order("later", key, arguments=told))
    assert machine.noted("start", key) == 0


@on_a_loop
async def test_tokens(machine: FakeAwx, tmp_path: Path, key: str) -> None:
    """One that may only look launches nothing, and a wrong one neither."""
    reader = awx(tmp_path, machine, token=READ_TOKEN)
    with pytest.raises(NotAccepted, match="403") as refusal:
        await reader.start(order("later", key))
    assert not refusal.value.may_retry
    stranger = awx(tmp_path, machine, token="wrong")
    with pytest.raises(NotAccepted, match="401"):
        await stranger.start(order("later", key))
    assert machine.noted("start", key) == 0


@on_a_loop
async def test_nobody_listens(
    machine: FakeAwx, tmp_path: Path, key: str
) -> None:
    """What was certainly not sent may be sent once more."""
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(NotAccepted) as refusal:
        await awx(tmp_path, machine, url=url).start(order("blind", key))
    assert refusal.value.may_retry


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"url": "http://u:p@host"}, "awx.url"),
        ({"token": "env:NOT_SET"}, "awx.token"),
        ({"jobs": {"job": {"template": ""}}}, "job.template"),
        ({"jobs": {"job": {}}}, "job.template"),
        ({"jobs": {"job": {"template": 1, "limit": "a b"}}}, "job.limit"),
    ],
)
def test_wrong_settings_are_told(
    machine: FakeAwx, tmp_path: Path, change: dict[str, Any], where: str
) -> None:
    """Each mistake is named with its place, and no token is shown."""
    with pytest.raises(ConfigError) as problem:
        awx(tmp_path, machine, **change)
    assert where in problem.value.problems[0].setting
    assert TOKEN not in str(problem.value)


def test_which_hosts_it_reaches(machine: FakeAwx, tmp_path: Path) -> None:
    """All, unless patterns say which."""
    some = awx(tmp_path, machine, hosts=["web-*"])
    assert some.reaches("web-01", is_here=False)
    assert not some.reaches("db-01", is_here=True)
    assert awx(tmp_path, machine).reaches("db-01", is_here=False)


def test_every_way_to_go_wrong_is_tried() -> None:
    """No template of the fake is there in vain."""
    home = Path(__file__).parent
    files = [*home.glob("test_awx*.py"), home / "test_stalls.py"]
    tried = "".join(file.read_text(encoding="utf-8") for file in files)
    for mode in set(MODES) - {"later", "endless", "busy"}:
        assert f'"{mode}"' in tried
