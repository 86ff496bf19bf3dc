"""The containers for real: built, started, broken into, killed, removed.

Where an engine can be started as root. The tests share one stack and run in
their order; the last ones end it.
"""

import json
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.docker.engine import Engine
from tests.docker.stack import PORT, PYTHON_TAG, SIMULATOR, WEB, Stack

pytestmark = pytest.mark.real
OURS = {
    WEB: "10001",
    SIMULATOR: "10002",
    "simulated-machine": "10002",
    "postgres": "999",
}
NO_RIGHTS = "0000000000000000"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Return the running stack, started by the one command."""
    with Engine() as engine:
        home = tmp_path_factory.mktemp("docker") / "a copy"
        made = Stack(engine, home)
        made.prepare()
        done = made.script("--without-model")
        assert done.returncode == 0, (done.stdout[-6000:], made.told())
        assert "Smokejumper runs in containers." in done.stdout
        made.welcome = done.stdout
        yield made


def test_all_are_well_and_open_to_whom_they_should(stack: Stack) -> None:
    """The status says so; only who has the token reads."""
    done = stack.script("--status")
    assert done.returncode == 0, done.stdout
    assert f"{WEB} healthy" in done.stdout
    assert f"{SIMULATOR} healthy" in done.stdout
    assert stack.get("/api/v1/incidents", "a guess")[0] == 401
    assert stack.get("/ready")[0] == 200
    folder = stack.home / "var" / "docker"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_start_tells_how_far_it_is(stack: Stack) -> None:
    """Each change is a line, and the last one says that all is well."""
    told = [one for one in stack.welcome.splitlines() if f"{WEB}: " in one]
    assert len(told) > 1
    assert told[-1].count(": ok") == len(OURS)
    assert told[0] != told[-1]


def test_the_first_admin_comes_in_by_the_link(stack: Stack) -> None:
    """The console is closed; what the start printed opens the set-up."""
    address = f"http://127.0.0.1:{PORT}"
    assert f"{address}/console/incidents" in stack.welcome
    found = re.findall(rf"{address}(/console/setup\?token=\S+)", stack.welcome)
    assert len(found) == 1, stack.welcome
    status, page = stack.get(found[0], "")
    assert status == 200
    assert 'name="password"' in page
    assert stack.get("/console/setup?token=a-guess", "")[0] != 200
    assert stack.get("/api/v1/incidents", "")[0] == 401
    # It is told again as long as nobody has used it.
    assert found[0] in stack.script("--status").stdout


def test_the_logs_are_those_of_all(stack: Stack) -> None:
    """What each container writes, with its name before it."""
    done = stack.script("--logs")
    assert done.returncode == 0, done.stdout
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    names = {line.split()[0] for line in said.splitlines() if line.strip()}
    assert {WEB, SIMULATOR, "postgres"} <= names, names
    assert "setup.link_written" in done.stdout
    assert "token=" not in done.stdout


@pytest.mark.parametrize(("name", "user"), OURS.items())
def test_none_has_a_right(stack: Stack, name: str, user: str) -> None:
    """Own users, no capability, nothing to gain, nothing to write."""
    said = stack.within(name, "cat", "/proc/self/status").stdout
    status = dict(line.split(":", 1) for line in said.splitlines())
    assert status["Uid"].split()[0] == user
    for kind in ("CapEff", "CapPrm", "CapBnd", "CapAmb"):
        assert status[kind].strip() == NO_RIGHTS, kind
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Seccomp"].strip() == "2"
    for place in ("/", "/opt/smokejumper", "/etc", "/usr"):
        done = stack.within(name, "touch", f"{place}/x")
        assert done.returncode != 0, (name, place)
    mounts = stack.within(name, "cat", "/proc/self/mounts").stdout
    root = next(line for line in mounts.splitlines() if " / " in line)
    assert "ro" in root.split()[3].split(","), root


def test_the_parts_keep_out_of_each_others_state(stack: Stack) -> None:
    """One volume; the web process reads neither journal nor truth."""
    for place in ("/state/simulator", "/state/hands/journal"):
        assert stack.within(WEB, "ls", place).returncode != 0
    assert stack.within(SIMULATOR, "ls", "/state/web").returncode != 0
    assert stack.within(WEB, "touch", "/state/web/x").returncode == 0
    assert stack.within(WEB, "touch", "/var/log/shop/x").returncode != 0


def test_a_new_volume_of_models_belongs_to_who_writes_there(
    stack: Stack,
) -> None:
    """Our image hands its folder's owner on; Ollama needs no root then."""
    run = ("run", "--rm", "--volume", "models-of-a-test:/models")
    image = "smokejumper/middleware:dev"
    stack.engine.run(*run, "--entrypoint", "true", image)
    bare = ("--read-only", "--cap-drop", "ALL", "--user", "10003:10003")
    tried = ("touch /models/x && stat -c '%u %a' /models; touch /x",)
    done = stack.engine.run(
        *run, *bare, PYTHON_TAG, "sh", "-c", *tried, check=False
    )
    stack.engine.run("volume", "rm", "models-of-a-test")
    assert done.stdout.split() == ["10003", "700"], done.stderr
    assert done.returncode != 0


def test_the_bill_of_materials_is_in_the_image(stack: Stack) -> None:
    """It names what is installed, ours by the pinned versions."""
    bill = stack.within(WEB, "cat", "sbom.cdx.json").stdout
    pinned = (stack.home / "requirements.txt").read_text()
    for line in pinned.splitlines():
        if "==" in line:
            name, version = line.split("#")[0].strip().split("==")
            plain = name.lower().replace("_", "-")
            assert f'"pkg:pypi/{plain}@{version}"' in bill
    assert '"pkg:deb/debian/libc6@' in bill


def test_a_runaway_is_ended_and_measured(stack: Stack) -> None:
    """From the fault to the verdict, across both containers."""
    assert stack.api("/status")["faults"] == 0
    stack.cause("cpu", "--level", "95", "--for", "2m")
    # The console has its frame then.
    stack.wait_for("frame", lambda: stack.api("/status")["faults"] == 1)
    mission = stack.over("ProcessRunaway")
    assert mission["end"] == "fixed", stack.told()
    (truth,) = [one for one in stack.truth() if one["fault"] == "cpu"]
    assert truth["ended_by"] == "remedy"


def test_a_full_disk_is_cleaned_up(stack: Stack) -> None:
    """The volume that both see, which only one of them may write."""
    stack.cause("disk", "--for", "2m")
    mission = stack.over("HostOutOfDiskSpace")
    assert mission["end"] == "fixed", stack.told()


def test_a_dead_service_is_restarted(stack: Stack) -> None:
    """The web process cannot measure it: its alert says that it is over."""
    stack.cause("service", "--for", "2m")
    mission = stack.over("ServiceDown")
    assert mission["end"] == "fixed", stack.told()
    assert "alert_is_over" in mission["reason"]


def test_kill_9_loses_nothing(stack: Stack) -> None:
    """The engine brings it back; the log goes on where it was, whole."""
    before = stack.api("/log?limit=200")["items"]
    simulator = stack.inspect(SIMULATOR)["State"]["Pid"]
    os.kill(stack.inspect(WEB)["State"]["Pid"], signal.SIGKILL)

    def is_back() -> bool:
        """Tell whether it was started anew, and is well."""
        found = stack.inspect(WEB)
        return found["RestartCount"] > 0 and stack.is_healthy(WEB)

    stack.wait_for("restart", is_back)
    assert stack.inspect(SIMULATOR)["State"]["Pid"] == simulator
    after = {one["id"]: one for one in stack.api("/log?limit=500")["items"]}
    assert before
    for one in before:
        assert after[one["id"]] == one
    settings = ("--config", "/etc/smokejumper/smokejumper.yaml")
    done = stack.within(WEB, "python", "main.py", "log", "verify", *settings)
    assert done.returncode == 0, done.stdout


def test_a_dead_simulator_comes_back_alone(stack: Stack) -> None:
    """The processes are another container's: the service stays."""
    web = stack.inspect(WEB)["State"]["Pid"]
    os.kill(stack.inspect(SIMULATOR)["State"]["Pid"], signal.SIGKILL)

    def is_back() -> bool:
        """Tell whether it was started anew, and is well."""
        found = stack.inspect(SIMULATOR)
        return found["RestartCount"] > 0 and stack.is_healthy(SIMULATOR)

    stack.wait_for("restart", is_back)
    assert stack.inspect(WEB)["State"]["Pid"] == web


def test_prometheus_sees_what_is_caused(stack: Stack) -> None:
    """The profile for real, of Debian's programs, without our own watch."""
    words = ("--without-model", "--profile", "prometheus")
    done = stack.script(*words, SMOKEJUMPER_WATCH="")
    assert done.returncode == 0, (done.stdout[-6000:], stack.told())

    def ask(query: str) -> set[str]:
        """Return of which jobs or alerts a query has something."""
        path = f"/api/v1/query?{urlencode({'query': query})}"
        _, body = stack.get(path, "", 9090)
        rows = [one["metric"] for one in json.loads(body)["data"]["result"]]
        return {one.get("alertname") or one["job"] for one in rows}

    jobs = {"node", "process", "smokejumper"}
    stack.wait_for("targets", lambda: ask("up == 1") == jobs)
    for fault in ("service", "disk", "cpu"):
        stack.cause(fault, "--for", "3m")
    names = {"ServiceDown", "HostOutOfDiskSpace", "ProcessRunaway"}
    # What was fixed meanwhile counts, too.
    fired = 'max_over_time(ALERTS{alertstate="firing"}[10m])'
    stack.wait_for("alerts", lambda: ask(fired) >= names)

    def came() -> bool:
        """Tell whether all of them came to us, from Alertmanager."""
        rows = stack.api("/alerts?limit=200")["items"]
        ours = [one for one in rows if one["source"] == "alertmanager"]
        return {one["name"] for one in ours} >= names

    stack.wait_for("alerts here", came)


def test_two_builds_make_the_same_layers(stack: Stack, tmp_path: Path) -> None:
    """Of another copy, with other dates and modes, and no cache."""
    other = tmp_path / "other"
    shutil.copytree(stack.home, other, ignore=shutil.ignore_patterns("docker"))
    shutil.copytree(stack.home / "docker", other / "docker")
    for file in other.rglob("*"):
        os.utime(file, (1_000_000_000, 1_000_000_000))
        if file.is_file() and {"app", "simulator"} & {*file.parts}:
            file.chmod(0o600)
    # The other image has its packages from a cache, which is the same stage.
    for name, cache in (("middleware", ["--no-cache"]), ("simulator", [])):
        file = other / "docker" / name / "Dockerfile"
        stack.engine.run(
            *("build", "--quiet", *cache, "-t", "again"),
            *("-f", str(file), str(other)),
        )
        kept = stack.inspect(f"smokejumper/{name}:dev")["RootFS"]["Layers"]
        again = stack.inspect("again")["RootFS"]["Layers"]
        assert kept == again, name
        stack.engine.run("image", "rm", "again")


def test_stop_leaves_the_data_and_nothing_else(stack: Stack) -> None:
    """No container and no network of ours; what was known is still known."""
    done = stack.script("--stop")
    assert done.returncode == 0, done.stdout
    assert stack.engine.lines("ps", "--all", "--quiet") == []
    names = stack.engine.lines("network", "ls", "--format", "{{.Name}}")
    assert not [name for name in names if "smokejumper" in name]
    volumes = stack.engine.lines("volume", "ls", "--quiet")
    assert "smokejumper_database" in volumes
    assert stack.script("--status").returncode == 3


def test_clean_asks_and_then_leaves_nothing(stack: Stack) -> None:
    """Without a yes nothing is removed; with it, all that is ours."""
    done = stack.script("--clean")
    assert done.returncode == 1
    assert "--yes" in done.stdout
    assert "smokejumper_database" in stack.engine.lines("volume", "ls", "-q")
    done = stack.script("--clean", "--yes")
    assert done.returncode == 0, done.stdout
    assert stack.engine.lines("volume", "ls", "--quiet") == []
    tags = stack.engine.lines("images", "--format", "{{.Repository}}")
    assert not [tag for tag in tags if "smokejumper" in tag]
    assert "<none>" not in tags
    assert not (stack.home / "var" / "docker").exists()
