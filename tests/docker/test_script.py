"""What --docker says where something is missing, without an engine."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]
PROGRAMS = "bash cat dirname sed tr head grep"
Done = subprocess.CompletedProcess[str]
# Stands in for the client of an engine: says what it is told to.
CLIENT = """#!/bin/sh
case "$1 $2" in
"compose version") exit {compose} ;;
"version "*) echo "{said}" >&2; exit {status} ;;
"ps "*) echo "{running}"; exit 0 ;;
esac
exit 9
"""


class Machine:
    """A PATH with few programs on it, and maybe a client."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in PROGRAMS.split():
            for place in ("/usr/bin", "/bin"):
                if (Path(place) / name).exists():
                    (folder / name).symlink_to(Path(place) / name)
                    break

    def add_client(
        self, said: str, status: int, compose: int = 0, running: str = ""
    ) -> None:
        """Put a client on the PATH."""
        file = self.folder / "docker"
        file.write_text(
            CLIENT.format(
                said=said, status=status, compose=compose, running=running
            )
        )
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def run(self, *words: str) -> Done:
        """Run the one command there."""
        return subprocess.run(
            ["/bin/bash", HOME / "start_environment.sh", *words],
            env={"PATH": str(self.folder), "HOME": os.environ["HOME"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine without Docker."""
    return Machine(tmp_path)


def test_without_docker_it_says_what_to_install(machine: Machine) -> None:
    """And that it goes without."""
    done = machine.run("--docker")
    assert done.returncode == 1
    assert "no docker on the PATH" in done.stdout
    assert "apt-get install docker.io" in done.stdout
    assert "./start_environment.sh" in done.stdout


def test_without_rights_it_says_who_may(machine: Machine) -> None:
    """The group is named, and what it is worth."""
    machine.add_client("permission denied while trying to connect", 1)
    done = machine.run("--docker")
    assert done.returncode == 1
    assert "may not use the Docker engine" in done.stdout
    assert "group 'docker'" in done.stdout


def test_without_an_engine_it_says_how_to_start_one(machine: Machine) -> None:
    """With what the client said."""
    machine.add_client("Cannot connect to the Docker daemon at unix:///x", 1)
    done = machine.run("--docker", "--stop")
    assert done.returncode == 1
    assert "does not answer" in done.stdout
    assert "unix:///x" in done.stdout


def test_without_compose_it_says_what_to_install(machine: Machine) -> None:
    """Neither the new one nor the old one is there."""
    machine.add_client("20.10", 0, compose=1)
    done = machine.run("--docker")
    assert done.returncode == 1
    assert "has no compose" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--profile", "nagios"), "--profile needs one of"),
        (("--profile",), "--profile needs one of"),
        (("--profile=zabbix", "--profile=prometheus"), "one monitoring-ser"),
        (("--port", "web"), "--port needs a number"),
        (("--port=99999",), "no port 99999"),
        (("--port=0",), "no port 0"),
        (("--port", "9" * 30), "--port needs a number"),
        (("--status", "--clean", "--yes"), "--status and --clean do not go"),
        (("--prune",), "there is no option --prune"),
    ],
)
def test_a_wrong_word_leads_to_the_help(
    machine: Machine, words: tuple[str, ...], said: str
) -> None:
    """Nothing is asked of an engine before all words are right."""
    done = machine.run("--docker", *words)
    assert done.returncode == 2
    assert said in done.stdout
    assert "--docker --clean" in done.stdout


@pytest.mark.parametrize(
    ("profile", "running"),
    [
        ("zabbix", "prometheus Up 3 minutes (healthy)"),
        ("zabbix", "prometheus Exited (137) 2 hours ago"),
        ("prometheus", "zabbix-server Up 3 minutes"),
    ],
)
def test_another_monitoring_server_is_refused(
    machine: Machine, profile: str, running: str
) -> None:
    """Before anything is made, with what to do."""
    machine.add_client("20.10", 0, running=f"postgres Up\n{running}")
    done = machine.run("--docker", "--profile", profile)
    assert done.returncode == 1
    assert "monitoring-server is there already" in done.stdout
    assert "--docker --stop" in done.stdout
    assert "Building" not in done.stdout


def test_the_help_names_every_option(machine: Machine) -> None:
    """Both helps lead on; none needs an engine."""
    assert "--docker" in machine.run("--help").stdout
    done = machine.run("--docker", "--help")
    assert done.returncode == 0
    for word in ("profile", "without-model", "status", "logs", "stop", "yes"):
        assert f"--{word}" in done.stdout
