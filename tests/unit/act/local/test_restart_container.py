"""Restarting a container: what is let, what is spared, what is told."""

import socket
from pathlib import Path
from typing import Any

import pytest

from app.act.local.deed import Done, read_arguments
from app.act.local.deeds.restart_container import (
    ContainerSettings,
    image_names,
    plugin,
)
from app.act.local.hand import Stopped, Unwilling
from app.act.local.restart.containers import unpack
from app.core.errors import NotAccepted, OutgoingFailed
from app.models.job import JobState
from tests.unit.act.local.engine import ID, NEW, OLD, Engine, container
from tests.unit.act.local.wards import Env, Palm

UP = {"Status": "running", "StartedAt": NEW}
MODULE = "app.act.local.deeds.restart_container"


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often, and for a short while: nothing real has to come up."""
    monkeypatch.setattr(f"{MODULE}.STAY_SECONDS", 0.2)
    monkeypatch.setattr(f"{MODULE}.LOOK_SECONDS", 0.02)


@pytest.fixture
def hand(tmp_path: Path) -> Palm:
    """Return a hand that keeps what is said."""
    return Palm(tmp_path)


def restart(
    engine: Engine, hand: Palm, name: str = "shop", **settings: Any
) -> Done:
    """Return what comes of the deed."""
    given = {"labels": True, "wait_seconds": 1, **settings}
    env = Env({"socket": str(engine.socket), **given})
    deed = plugin(env)
    asked: dict[str, str | int] = {"host": "web-1", "container": name}
    return deed.do(read_arguments(deed.takes, asked), hand)


def test_it_tells_how_it_was_and_how_it_is(tmp_path: Path, hand: Palm) -> None:
    """It is restarted by its id, and seen to run anew."""
    with Engine(tmp_path, container()) as engine:
        done = restart(engine, hand)
    assert engine.asked == [f"/containers/{ID}/restart?t=10"]
    assert done == Done(
        "shop was restarted: shop is running, started 2026-11-21T09:00:00Z"
    )
    assert hand.text.splitlines() == [
        "before: shop is running, started 2026-11-20T08:00:00Z",
        "the last lines of its log:",
        "open",
        "no space left",
        "after: shop is running, started 2026-11-21T09:00:00Z",
    ]


def test_it_gets_the_time_to_end_that_it_was_made_with(
    tmp_path: Path, hand: Palm
) -> None:
    """Somebody knew why it needs longer."""
    with Engine(tmp_path, change("Config.StopTimeout", 45)) as engine:
        restart(engine, hand)
    assert engine.asked == [f"/containers/{ID}/restart?t=45"]


@pytest.mark.parametrize("name", ["shop", "/shop", ID, ID[:12]])
def test_it_is_known_by_its_whole_name_or_its_id(
    tmp_path: Path, hand: Palm, name: str
) -> None:
    """An id is told apart from all others by its first twelve signs."""
    with Engine(tmp_path, container()) as engine:
        assert restart(engine, hand, name).reason


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("3f2a", "3f2a is not the whole name of shop"),
        ("front", "there is no container front"),
    ],
)
def test_what_is_not_named_for_sure_is_not_touched(
    tmp_path: Path, hand: Palm, name: str, why: str
) -> None:
    """The beginning of an id may be another's name tomorrow."""
    with Engine(tmp_path, container()) as engine:
        with pytest.raises(Unwilling, match=why):
            restart(engine, hand, name)
        assert engine.asked == []


@pytest.mark.parametrize("name", ["../images/x", "a/b", "a b", "?x=1", "%2e"])
def test_what_is_no_name_reaches_no_engine(
    tmp_path: Path, hand: Palm, name: str
) -> None:
    """It could lead to another method."""
    with (
        Engine(tmp_path, container()) as engine,
        pytest.raises(NotAccepted, match="is no container"),
    ):
        restart(engine, hand, name)
    assert engine.asked == []


def change(path: str, value: Any, name: str = "shop") -> dict[str, Any]:
    """Return a container in which one thing is different."""
    made = container(name)
    *parts, last = path.split(".")
    place = made
    for part in parts:
        place = place[part]
    place[last] = value
    return made


ALLOWED = {"smokejumper.restart": "allowed"}


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (change("Config.Labels", None), "is not listed on this machine"),
        (change("Config.Labels", {"smokejumper.restart": "yes"}),
         "is not listed"),
        (change("Config.Labels", {"smokejumper.restart": "never"}),
         "is protected by its label"),
        (change("Config.Labels", {**ALLOWED, "io.kubernetes.pod.name": "x"}),
         "is kept by Kubernetes"),
        (change("Config.Labels", {**ALLOWED, "com.docker.swarm.task.id": "x"}),
         "is kept by the swarm"),
        (change("Config.Image", "postgres:15"), "holds data by its name"),
        (change("Config.Image", "docker.io/bitnami/MongoDB@sha256:" + ID),
         "holds data by its name"),
        (change("Config.Image", "hub:5000/pay/front:2"),
         "is protected by the settings"),
        (change("Config.Image", "shop/front", "redis-cache"),
         "redis-cache holds data by its name"),
        (change("Mounts", [{"Type": "volume", "Destination": "/app"},
                           {"Destination": "/var/lib/mysql/x"}]),
         "holds data at /var/lib/mysql/x"),
        (change("State.Status", "paused"), "is paused"),
        (change("State.Status", "restarting"), "is restarting"),
        (change("State.Status", "created"), "is created"),
        (change("State.Status", "dead"), "is dead"),
        (change("Config.StopTimeout", 90), "may take 90 s to end"),
        (change("Config.StopTimeout", -1), "may take for ever to end"),
        (change("HostConfig.AutoRemove", True), "is removed once it ends"),
    ],
)  # fmt: skip
def test_what_must_not_be_restarted_is_not_touched(
    tmp_path: Path, hand: Palm, found: dict[str, Any], why: str
) -> None:
    """Data, what others keep, what nobody allowed, what is no use."""
    name = found["Name"].removeprefix("/")
    with Engine(tmp_path, found) as engine:
        with pytest.raises(Unwilling, match=why):
            restart(engine, hand, name, protected=["*/pay/*"])
        assert engine.asked == []


@pytest.mark.parametrize(
    ("state", "policy", "why"),
    [
        ({"ExitCode": 1}, "no", ""),
        ({"ExitCode": 1}, "on-failure", ""),
        ({"ExitCode": 137, "OOMKilled": True}, "no", ""),
        ({"ExitCode": 137}, "no", "was told to end"),
        ({"ExitCode": 143}, "no", "was told to end"),
        ({"ExitCode": 0}, "no", "ended without an error"),
        ({"ExitCode": 1}, "always", "somebody ended it"),
        ({"ExitCode": 1}, "unless-stopped", "somebody ended it"),
    ],
)
def test_one_that_ended_is_started_only_when_it_crashed(
    tmp_path: Path, hand: Palm, state: dict[str, Any], policy: str, why: str
) -> None:
    """What somebody ended stays so."""
    found = container(Status="exited", **state)
    found["HostConfig"]["RestartPolicy"]["Name"] = policy
    with Engine(tmp_path, found) as engine:
        if not why:
            assert restart(engine, hand).reason
            assert "before: shop is exited, exit code 1" in hand.text
            return
        with pytest.raises(Unwilling, match=why):
            restart(engine, hand)
        assert engine.asked == []


def test_a_label_counts_only_where_the_settings_say_so(
    tmp_path: Path, hand: Palm
) -> None:
    """An image may bring it along: whoever made it would decide."""
    with Engine(tmp_path, container()) as engine:
        with pytest.raises(Unwilling, match="is not listed on this machine"):
            restart(engine, hand, labels=False)
        assert ContainerSettings().labels is False
        assert restart(engine, hand, labels=False, containers=["sh*"]).reason
    (tmp_path / "d.sock").unlink()
    never = change("Config.Labels", {"smokejumper.restart": "never"})
    with (
        Engine(tmp_path, never) as engine,
        pytest.raises(Unwilling, match="protected by its label"),
    ):
        restart(engine, hand, labels=False, containers=["shop"])


@pytest.mark.parametrize(
    ("name", "image", "is_let"),
    [
        ("smokejumper", "x/front", False),
        ("Smokejumper-hands-1", "x/front", False),
        ("shop", "ghcr.io/x/smokejumper:1.2", False),
        ("shop", "ghcr.io/smokejumper/hands@sha256:" + ID, False),
        ("shop", "docker:24-dind", False),
        ("sshd", "x/front", False),
        ("shop", "docker.io/library/nginx:1", True),
        ("shop", "supervisor.example.net:5000/x/front", True),
    ],
)
def test_what_is_never_restarted_is_so_as_a_container(
    tmp_path: Path, hand: Palm, name: str, image: str, *, is_let: bool
) -> None:
    """By its name or its image, even where somebody listed it."""
    found = change("Config.Image", image, name)
    with Engine(tmp_path, found) as engine:
        if is_let:
            assert restart(engine, hand, name, containers=[name]).reason
            return
        with pytest.raises(Unwilling, match="is protected by its name"):
            restart(engine, hand, name, containers=[name])
        assert engine.asked == []


def test_a_pattern_lists_names_and_only_a_whole_name_lists_data(
    tmp_path: Path, hand: Palm
) -> None:
    """A person wrote that very name."""
    found = change("Config.Labels", {})
    found["Config"]["Image"] = "redis:7"
    with Engine(tmp_path, found) as engine:
        with pytest.raises(Unwilling, match="holds data"):
            restart(engine, hand, containers=["*"])
        assert restart(engine, hand, containers=["shop"]).reason


def test_we_do_not_restart_what_we_run_in(
    tmp_path: Path, hand: Palm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container's name for itself is the beginning of its id."""
    monkeypatch.setattr(socket, "gethostname", lambda: ID[:12])
    with Engine(tmp_path, container()) as engine:
        with pytest.raises(Unwilling, match="is where we run ourselves"):
            restart(engine, hand)
        assert engine.asked == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, Unwilling), (403, Unwilling), (500, OutgoingFailed)],
)
def test_what_the_engine_refuses_is_told(
    tmp_path: Path, hand: Palm, status: int, kind: type[Exception]
) -> None:
    """With its own words; it may have been ended when it says 500."""
    with Engine(tmp_path, container()) as engine:
        engine.refusal = (status, "port is\x1b already allocated")
        with pytest.raises(kind, match="port is  already allocated"):
            restart(engine, hand)


def test_an_answer_that_is_lost_is_looked_for(
    tmp_path: Path, hand: Palm
) -> None:
    """Whether it was restarted is seen, not guessed."""
    with Engine(tmp_path, container()) as engine:
        engine.is_lossy = True
        assert restart(engine, hand).state is JobState.SUCCEEDED
        assert len(engine.asked) == 1


@pytest.mark.parametrize(
    "then",
    [
        [{}],
        [{"Status": "running", "StartedAt": OLD}],
        [{"Status": "exited", "StartedAt": NEW, "ExitCode": 1}],
        [{**UP, "Health": {"Status": "unhealthy"}}],
        [{"Status": "running", "StartedAt": f"2026-11-21T{one:02}:00:00Z"}
         for one in range(24)] * 20,
    ],
    ids=["same", "not started", "ended", "ill", "again and again"],
)  # fmt: skip
def test_what_does_not_stay_up_has_failed(
    tmp_path: Path, hand: Palm, then: list[dict[str, Any]]
) -> None:
    """Its log from after the restart is told, too."""
    with Engine(tmp_path, container()) as engine:
        engine.then = then
        with pytest.raises(OutgoingFailed, match="does not stay up"):
            restart(engine, hand)
    assert hand.text.count("no space left") == 2


def test_a_health_check_is_waited_for(tmp_path: Path, hand: Palm) -> None:
    """Healthy is better than running; slow is not ill."""
    with Engine(tmp_path, container()) as engine:
        starting = {**UP, "Health": {"Status": "starting"}}
        engine.then = [starting, {**UP, "Health": {"Status": "healthy"}}]
        assert "shop is running, healthy" in restart(engine, hand).reason
    (tmp_path / "d.sock").unlink()
    with Engine(tmp_path, container()) as engine:
        engine.then = [starting]
        done = restart(engine, hand)
    assert done.reason.endswith("its own health check has not answered yet")


def test_it_ends_when_it_is_told_to(tmp_path: Path, hand: Palm) -> None:
    """Before the restart nothing is done."""
    hand.stop.touch()
    with Engine(tmp_path, container()) as engine:
        with pytest.raises(Stopped):
            restart(engine, hand)
        assert engine.asked == []


def test_without_an_engine_nothing_is_done(tmp_path: Path, hand: Palm) -> None:
    """It says which socket it asked."""
    engine = Engine(tmp_path)
    engine.socket.unlink()
    with pytest.raises(Unwilling, match=r"d\.sock does not answer"):
        restart(engine, hand)
    engine._server.server_close()


def test_a_log_is_read_out_of_its_frames() -> None:
    """What has none is taken as it is, and what is cut is kept."""
    frames = b"\1\0\0\0\0\0\0\2a\n\2\0\0\0\0\0\0\5b"
    assert unpack(frames) == b"a\nb"
    assert unpack(b"plain text") == b"plain text"
    assert unpack(b"") == b""


@pytest.mark.parametrize(
    ("image", "bare"),
    [
        ("redis", "redis"),
        ("redis:7", "redis"),
        ("hub:5000/a/b/redis:7@sha256:ab", "redis"),
        ("sha256:abc", "sha256"),
        ("", ""),
    ],
)
def test_an_image_has_a_bare_name(image: str, bare: str) -> None:
    """Without its registry, its folder, its tag and its hash."""
    assert image_names(image) == (image, bare)


def test_a_terminal_has_no_frames(tmp_path: Path, hand: Palm) -> None:
    """Its log is what it wrote."""
    with Engine(tmp_path, change("Config.Tty", value=True)) as engine:
        restart(engine, hand)
    assert "open\nno space left\n" in hand.text
