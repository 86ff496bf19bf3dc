"""Services: systemctl is asked with fixed words, and read with care."""

import shutil
import stat
import sys
import time
import xmlrpc.client
from pathlib import Path

import pytest

from app.core import program
from app.core.errors import OutgoingFailed
from app.core.host import Declared, HostSettings
from app.core.systemd import PROPERTIES
from app.models.verdict import Judgement, Reading
from app.verify.checks.service_is_active import plugin
from tests.unit.core.nearby_server import saying, speaking
from tests.unit.verify.making import FakeEnv, here, make_check, measure

ANSWER = """LoadState={load}
ActiveState={active}
SubState={sub}
NRestarts={restarts}
"""


def install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    """Put a program named systemctl where programs of the system are."""
    file = folder / "systemctl"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(program, "PLACES", f"{folder}:/usr/bin:/bin")


def ask(service: str = "nginx") -> tuple[Reading, Judgement]:
    """Return a reading of a service, and what it means alone."""
    check = make_check("service_is_active")
    found = measure(check, here(arguments={"service": service}))
    return found, check.judge(None, found)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("loaded active running", Judgement.GOOD),
        ("loaded reloading reload", Judgement.GOOD),
        ("loaded activating auto-restart", Judgement.BAD),
        ("loaded inactive dead", Judgement.BAD),
        ("loaded failed failed", Judgement.BAD),
        ("not-found inactive dead", Judgement.UNKNOWN),
    ],
)
def test_a_state_of_systemd_means(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    expected: Judgement,
) -> None:
    """Active is good; what systemd does not know is no reading."""
    load, active, sub = state.split()
    said = ANSWER.format(load=load, active=active, sub=sub, restarts=0)
    install(tmp_path, monkeypatch, f"cat <<'.'\n{said}.")
    found, judgement = ask()
    assert judgement is expected
    assert found.says


def test_systemctl_gets_fixed_words_and_no_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit's name comes last, after the end of all options."""
    monkeypatch.setenv("DATABASE_URL", "secret")
    told = tmp_path / "told"
    script = f'echo "$*" > {told}; env >> {told}; echo ActiveState=active'
    install(tmp_path, monkeypatch, script)
    assert ask("nginx.service")[1] is Judgement.GOOD
    words, *environment = told.read_text().splitlines()
    assert words == f"show --property={PROPERTIES} -- nginx.service"
    assert "InvocationID" in PROPERTIES
    assert not any("secret" in line for line in environment)


def test_restarts_by_systemd_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People see that it crashes again and again."""
    said = ANSWER.format(
        load="loaded", active="active", sub="running", restarts=7
    )
    install(tmp_path, monkeypatch, f"cat <<'.'\n{said}.")
    assert "restarted by systemd 7 times" in ask()[0].says


@pytest.mark.parametrize("name", ["--now", "a b", "a;b", "../x", "$(id)"])
def test_what_is_no_name_reaches_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It ends before anything is started."""
    told = tmp_path / "told"
    install(tmp_path, monkeypatch, f"touch {told}")
    with pytest.raises(OutgoingFailed, match="name is none"):
        ask(name)
    assert not told.exists()


def test_a_machine_without_systemd_has_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the program is missing, or has nobody to ask."""
    monkeypatch.setattr(program, "PLACES", str(tmp_path))
    with pytest.raises(OutgoingFailed, match="systemctl is not on this"):
        ask()
    install(tmp_path, monkeypatch, "echo no bus >&2; exit 1")
    found, judgement = ask()
    assert judgement is Judgement.UNKNOWN
    assert found.says == "systemd does not run this machine"


def test_a_systemctl_that_hangs_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves no process behind."""
    told = tmp_path / "pid"
    install(tmp_path, monkeypatch, f"echo $$ > {told}; exec sleep 60")
    monkeypatch.setattr("app.verify.checks.service_is_active.SECONDS", 0.5)
    with pytest.raises(OutgoingFailed, match=r"did not answer in 0\.5 s"):
        ask()
    pid = told.read_text().strip()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_systemctl_that_talks_for_ever_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it says is bounded."""
    install(tmp_path, monkeypatch, "exec yes")
    with pytest.raises(OutgoingFailed, match="says too much"):
        ask()


def test_a_program_of_supervisor_is_measured(tmp_path: Path) -> None:
    """No systemctl is asked for what another one keeps."""
    file = tmp_path / "s.sock"
    shop = {
        "name": "shop",
        "group": "shop",
        "pid": 7,
        "start": 100,
        "now": 160,
        "description": "pid 7",
        "statename": "RUNNING",
    }
    fatal = {**shop, "name": "jobs", "group": "jobs", "statename": "FATAL"}
    said = xmlrpc.client.dumps(([shop, fatal],), methodresponse=True)
    check = plugin(
        FakeEnv("x", host=HostSettings(supervisor=f"unix://{file}"))
    )
    with speaking(file, saying(said.encode())):
        good, bad = (
            measure(check, here(arguments={"service": name}))
            for name in ("shop", "jobs")
        )
    assert (good.value, good.says) == (1.0, "shop is RUNNING: pid 7")
    assert (bad.value, bad.says) == (0.0, "jobs is FATAL: pid 7")
    assert check.judge(good, bad) is Judgement.WORSE
    with pytest.raises(OutgoingFailed, match=r"s\.sock does not answer"):
        measure(check, here(arguments={"service": "shop"}))


@pytest.mark.parametrize(("status", "value"), [(0, 1.0), (1, 0.0)])
def test_a_daemon_with_a_command_of_its_own_is_measured(
    status: int, value: float
) -> None:
    """Its status says it, and what it writes is told."""
    code = f"print('all well?'); raise SystemExit({status})"
    declared = Declared(
        status=(sys.executable, "-c", code), restart=("/bin/false",)
    )
    host = HostSettings(services={"ownd": declared})
    check = plugin(FakeEnv("service_is_active", host=host))
    found = measure(check, here(arguments={"service": "ownd.service"}))
    assert found.value == value
    assert found.says.endswith(f"ended with {status}: all well?")


def test_the_real_systemctl_is_understood() -> None:
    """Where there is none, or no systemd, there is no value."""
    try:
        found, judgement = ask("surely-no-service")
    except OutgoingFailed:
        assert shutil.which("systemctl", path=program.PLACES) is None
        return
    assert judgement is Judgement.UNKNOWN
    assert "systemd" in found.says
