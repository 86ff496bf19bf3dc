"""The commands: what they do, say and end with."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner, Result

from simulator.commands import cli
from simulator.problem import Refused
from simulator.reading import read_duration, read_moment, read_options
from tests.programs import free_port
from tests.unit.simulator.running import Simulator, wait_for

WRONG_USE, NOT_RUNNING, REFUSED = 2, 3, 4
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def simulator(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Simulator]:
    """Share one running simulator."""
    running = Simulator(tmp_path_factory.mktemp("commands"))
    try:
        yield running.start()
    finally:
        assert running.stop() == 0


@pytest.fixture
def run(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command with the simulator's settings."""
    monkeypatch.setenv("SIMULATOR_CONFIG", str(simulator.config))
    monkeypatch.delenv("SIMULATOR_URL", raising=False)

    def command(*words: str, **environ: str) -> Result:
        """Run one."""
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(cli, list(words))

    return command


def told(result: Result) -> Any:
    """Return what a command printed as JSON."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_fault_is_switched_on_and_off(run: Run) -> None:
    """Level, duration and options arrive; the state shows it."""
    words = ("clock", "--level", "60", "--for", "1m30s")
    truth = told(run("on", *words, "--option", "service=shop", "--json"))
    assert (truth["level"], truth["seconds"]) == (60, 90)
    shown = run("state")
    assert shown.exit_code == 0
    assert "What runs now:" in shown.stdout
    assert "service=shop" in shown.stdout
    ended = told(run("off", "clock", "--json"))["truth"]
    assert [one["id"] for one in ended] == [truth["id"]]
    assert "Nothing ran." in run("off", "--all").stdout
    assert "Nothing runs." in run("state").stdout


def test_a_scenario_is_played(run: Run) -> None:
    """It is listed, played, and ended with all the rest."""
    assert "self-healing" in run("scenarios").stdout
    said = told(run("play", "self-healing", "--json"))
    assert said["scenario"] == "self-healing"
    second = run("play", "self-healing")
    assert second.exit_code == REFUSED
    assert run("off", "--all").exit_code == 0
    assert told(run("state", "--json"))["playing"] is None


def test_what_really_happened_is_scored_from_a_file(
    run: Run, tmp_path: Path
) -> None:
    """Without any fault there is a score, too; files are written."""
    truth = tmp_path / "truth.jsonl"
    truth.write_text("")
    card, picture = tmp_path / "card.json", tmp_path / "card.svg"
    words = ("--truth", str(truth), "--json", str(card))
    result = run("score", *words, "--picture", str(picture))
    assert result.exit_code == 0, result.output
    assert json.loads(card.read_text())["summary"]["n"] == 0
    assert picture.read_text().startswith("<svg")


def test_no_service_to_score_is_said(run: Run) -> None:
    """Nobody answers there: it is named, and nothing is made up."""
    run("on", "clock", "--for", "1m")
    run("off", "--all")
    result = run("score", "--url", f"http://127.0.0.1:{free_port()}")
    assert result.exit_code == NOT_RUNNING
    assert "does not answer" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("on", "flood"), "kind"),
        (("on", "clock", "--for", "soon"), "--for"),
        (("on", "clock", "--option", "service"), "--option"),
        (("on", "clock", "--option", "x=1"), "options.x"),
        (("on", "clock", "--level", "much"), "level"),
        (("on", "clock", "--for", "9h"), "seconds"),
        (("off",), "off --all"),
        (("off", "cpu", "--all"), "off --all"),
        (("off", "flood"), "kind"),
        (("play", "none-such"), "name"),
        (("score", "--since", "soon"), "--since"),
        (("score", "--truth", "/nowhere/truth.jsonl"), "truth.jsonl"),
        (("--url", "ftp://x y", "state"), "url"),
        (("--url", "http://[::1", "state"), "url"),
        (("--url", "http://127.0.0.1:no", "state"), "url"),
    ],
)
def test_wrong_use_is_explained(
    run: Run, words: tuple[str, ...], said: str
) -> None:
    """It ends with 2, says what is meant, and does nothing."""
    result = run(*words, SIMULATOR_URL="")
    assert result.exit_code == WRONG_USE, result.output
    assert said in result.stderr


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("SIMULATOR_TOKEN", ("state",)),
        ("SMOKEJUMPER_TOKEN", ("score", "--truth", "/dev/null")),
    ],
)
def test_a_token_that_cannot_be_sent_is_explained(
    run: Run, variable: str, words: tuple[str, ...]
) -> None:
    """Of whichever of both: it is named, not thrown."""
    result = run(*words, **{variable: "\u00fcber"})
    assert result.exit_code == WRONG_USE, result.output
    assert "token: " in result.stderr


def test_no_simulator_is_a_status_of_its_own(run: Run) -> None:
    """It says how to start it."""
    url = f"http://127.0.0.1:{free_port()}"
    result = run("--url", url, "state", SIMULATOR_URL="")
    assert result.exit_code == NOT_RUNNING
    assert "python -m simulator serve" in result.stderr


def test_switched_off_it_does_not_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shipped settings cause nothing: it says which one to change."""
    config = tmp_path / "simulator.yaml"
    config.write_text(f"folder: {tmp_path}/sim\n")
    monkeypatch.setenv("SIMULATOR_CONFIG", str(config))
    result = CliRunner().invoke(cli, ["serve"])
    assert result.exit_code == REFUSED
    assert "enabled: true" in result.stderr
    assert not (tmp_path / "sim").exists()


def test_a_port_that_is_taken_is_refused(run: Run) -> None:
    """Nothing is touched, and it says what to do."""
    result = run("serve")
    assert result.exit_code == REFUSED
    assert "cannot listen" in result.stderr
    assert run("state").exit_code == 0


def test_a_folder_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    """What the server finds out when it starts is said in words, too."""
    simulator = Simulator(tmp_path)
    simulator.home.write_text("in the way")
    assert simulator.launch().wait(60) == REFUSED
    said = simulator.log.read_text()
    assert "Refused: " in said
    assert "Traceback" not in said


def test_nothing_is_left_when_it_is_killed(tmp_path: Path) -> None:
    """Even a service that hangs ends with a simulator that is killed."""
    simulator = Simulator(tmp_path).start()
    order = {"options": {"shape": "hang"}, "seconds": 60}
    simulator.ask("POST", "/api/faults/service", json=order)
    simulator.ask("POST", "/api/faults/clock", json={"seconds": 60})
    assert simulator.process is not None
    one = psutil.Process(simulator.process.pid)
    family = one.children(recursive=True)
    assert "sim-shop" in {child.name() for child in family}
    assert simulator.kill() == -signal.SIGKILL
    wait_for(lambda: not any(map(is_alive, family)), "all have ended")
    services = simulator.home / "services"
    wait_for(lambda: list(services.iterdir()) == [], "its files are gone")
    lines = (simulator.home / "truth.jsonl").read_text().splitlines()
    ended = [json.loads(line)["ended_by"] for line in lines[2:]]
    assert ended == ["crash", "crash"]


def is_alive(one: psutil.Process) -> bool:
    """Tell whether a process is there, and no zombie."""
    try:
        return one.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("2m", 120), ("1h", 3600), ("1m30s", 90)],
)
def test_durations_are_read(text: str, seconds: int) -> None:
    """As people write them."""
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5s", "2 m", "1.5m", "5m3", "m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Rather than guessed; a last number without a unit is seconds."""
    if text == "5m3":
        assert read_duration(text) == 303
        return
    with pytest.raises(Refused, match="no duration"):
        read_duration(text)


def test_moments_and_options_are_read() -> None:
    """A moment may be so long ago; an option is said once."""
    assert read_moment("2026-11-21T20:00:00Z") < read_moment("1s")
    assert read_moment("999999h" * 90) < read_moment("1h")
    assert read_options(["a=1", "b=x=y"]) == {"a": "1", "b": "x=y"}
    with pytest.raises(Refused, match="twice"):
        read_options(["a=1", "a=2"])
