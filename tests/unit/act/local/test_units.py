"""The units for systemd: what each process may, and may not."""

import shutil
import subprocess
from pathlib import Path

import pytest

HOST = Path(__file__).parents[4] / "host"
HANDS, WEB = "smokejumper-hands.service", "smokejumper.service"


def read(name: str) -> dict[str, list[str]]:
    """Return what a unit says, each word as often as it stands there."""
    found: dict[str, list[str]] = {}
    for line in (HOST / name).read_text().splitlines():
        word, is_one, value = line.partition("=")
        if is_one and not line.startswith("#"):
            found.setdefault(word, []).append(value)
    return found


def system_calls(name: str) -> set[str]:
    """Return the calls of the system that a unit lets through."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not on this machine")
    allowed: set[str] = set()
    for value in read(name)["SystemCallFilter"]:
        some = calls_of(program, value.removeprefix("~").split())
        allowed = allowed - some if value.startswith("~") else allowed | some
    return allowed


def calls_of(program: str, words: list[str]) -> set[str]:
    """Return the calls that words of a filter stand for."""
    found = set()
    for word in words:
        if not word.startswith("@"):
            found.add(word)
            continue
        said = subprocess.run(
            [program, "syscall-filter", word],
            capture_output=True,
            text=True,
            check=True,
        )
        inner = [line.strip() for line in said.stdout.splitlines()[1:]]
        found |= calls_of(
            program, [one for one in inner if one and one[0] not in "#@"]
        )
        groups = [one for one in inner if one.startswith("@")]
        found |= calls_of(program, groups)
    return found


@pytest.mark.parametrize("name", [HANDS, WEB])
def test_both_see_the_machine(name: str) -> None:
    """The one acts on it, the checks of the other measure it."""
    said = read(name)
    assert said["ProtectProc"] == ["default"]
    assert said["ProcSubset"] == ["all"]
    assert said["ProtectHome"] == ["read-only"]


@pytest.mark.parametrize("name", [HANDS, WEB])
def test_neither_changes_it(name: str) -> None:
    """All is read-only, and no right can be got."""
    said = read(name)
    assert said["ProtectSystem"] == ["strict"]
    assert said["NoNewPrivileges"] == ["true"]
    assert said["SystemCallFilter"][0] == "@system-service"


def test_the_web_process_has_no_right_at_all() -> None:
    """It asks, and others act."""
    assert read(WEB)["CapabilityBoundingSet"] == [""]
    assert read(WEB)["AmbientCapabilities"] == [""]


def test_the_hands_give_their_socket_to_a_group_only() -> None:
    """And read the memory of nobody, though they may look into /proc."""
    calls = system_calls(HANDS)
    assert {"chown", "fchown", "fchownat", "pidfd_send_signal"} <= calls
    assert not calls & {
        "process_vm_readv",
        "process_vm_writev",
        "ptrace",
        "setuid",
        "mount",
        "reboot",
        "init_module",
    }
