"""The commands of main.py: what a person and a script get to see."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flow.wire import group
from tests.service import HOME, OPEN, Service


def test_help_lists_the_commands() -> None:
    """Each with one line."""
    done = subprocess.run(
        [sys.executable, "main.py", "--help"],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    commands = ("serve", "check-config", "migrate", "replay", "log")
    lists = ("deliveries", "alerts", "incidents", "incident", "sources")
    for command in (*commands, *lists, "version"):
        assert command in done.stdout


def test_version_as_text_and_as_json(tmp_path: Path) -> None:
    """One release, two forms."""
    del tmp_path
    plain, as_json = (
        subprocess.run(
            [sys.executable, "main.py", "version", *more],
            cwd=HOME,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for more in ([], ["--json"])
    )
    assert json.loads(as_json)["version"] in plain


def test_check_config_says_what_it_amounts_to(tmp_path: Path) -> None:
    """Exit 0 and the facts, without touching the database."""
    service = Service(tmp_path)
    done = service.run("check-config", "--json")
    assert done.returncode == 0
    result = json.loads(done.stdout)
    assert result["ok"] is True
    assert result["sources"][0]["path"] == "/webhooks/alertmanager"
    assert not service.database.exists()


@pytest.mark.parametrize("command", ["check-config", "serve", "alerts"])
def test_wrong_settings_stop_every_command(
    tmp_path: Path, command: str
) -> None:
    """Exit 2; every mistake with its line and a remedy, no traceback."""
    settings = {"sources": {"alertmanager": {"auth": {"kind": "magic"}}}}
    done = Service(tmp_path, settings).run(command)
    assert done.returncode == 2
    text = " ".join(done.stderr.split())
    assert "sources.alertmanager.auth.kind" in text
    assert "SMOKEJUMPER_SOURCES__ALERTMANAGER__AUTH__KIND" in text
    assert "Traceback" not in text


def test_check_config_tells_programs_too(tmp_path: Path) -> None:
    """The problems as JSON, exit 2."""
    service = Service(tmp_path, {"srever": {}})
    done = service.run("check-config", "--json")
    assert done.returncode == 2
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["setting"] == "srever"


def test_migrate_makes_the_database_once(tmp_path: Path) -> None:
    """The second time there is nothing to do."""
    service = Service(tmp_path)
    first = json.loads(service.run("migrate", "--json").stdout)
    again = json.loads(service.run("migrate", "--json").stdout)
    assert first["before"] == ""
    assert first["after"] == again["before"] == again["after"] != ""


def test_a_database_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Exit 3 with the command that makes it."""
    done = Service(tmp_path).run("alerts")
    assert done.returncode == 3
    assert "migrate" in done.stderr


def test_reading_before_migrate_makes_no_file(tmp_path: Path) -> None:
    """The first file is made by migrate, and is its owner's alone."""
    service = Service(tmp_path)
    for command in ("log", "deliveries", "alerts", "incidents"):
        assert service.run(command).returncode == 3
    assert not service.database.exists()
    assert service.run("migrate").returncode == 0
    assert service.database.stat().st_mode & 0o077 == 0


def test_a_taken_port_is_exit_4(tmp_path: Path) -> None:
    """With what to do, and nothing left running."""
    service = Service(tmp_path)
    with socket.create_server(("127.0.0.1", service.port)):
        done = service.run("serve")
    assert done.returncode == 4
    assert f"127.0.0.1:{service.port}" in done.stderr
    assert "server.port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "settings",
    [
        {"sources": {1: OPEN}},
        {"sources": ["x"]},
        {"database": [1]},
        {"log": "loud"},
        {"database": {"url": "postgresql://u@h/x?password=topsecret"}},
    ],
)
def test_no_wrong_settings_end_in_a_traceback(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    """Exit 2, the file and the line, and never the value."""
    service = Service(tmp_path, settings)
    done = service.run("check-config")
    assert done.returncode == 2
    assert f"{service.config}:" in done.stderr
    assert "Traceback" not in done.stderr
    assert "topsecret" not in done.stdout + done.stderr


def test_quarantine_and_replay(tmp_path: Path) -> None:
    """Mend the settings, replay while the service runs, see the alert."""
    body = group("mended")
    generic = {"type": "generic", **OPEN, "options": {"name": "nothing"}}
    with Service(tmp_path, {"sources": {"shop": generic}}) as service:
        url = f"{service.url}/webhooks/shop"
        receipt = httpx.post(url, content=body).json()
        assert receipt["unparsed"] == 1
        text = service.config.read_text()
        right = "name: alerts[0].labels.alertname"
        service.config.write_text(text.replace("name: nothing", right))
        done = service.run("replay", "--json")
        assert done.returncode == 0, done.stderr
        (one,) = json.loads(done.stdout)
        assert one["receipt"]["accepted"] == 1
        assert one["flaw"] is None
        listed = json.loads(service.run("alerts", "--json").stdout)
        assert [alert["name"] for alert in listed] == ["A"]
        assert "A" in service.run("alerts").stdout
        rows = json.loads(service.run("deliveries", "--json").stdout)
        assert rows[0]["outcome"] == "parsed"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("deliveries --outcome parsd", 2, "'parsed', 'unparsed'"),
        ("alerts --status fireing", 2, "'firing', 'resolved', 'updated'"),
        ("replay --delivery 7", 1, "There is no delivery 7"),
        ("replay --source alertmanger", 1, "no source 'alertmanger'"),
        (f"replay --delivery {2**63}", 2, "than or equal to"),
    ],
)
def test_a_word_that_is_mistyped_is_no_empty_list(
    tmp_path: Path, words: str, status: int, said: str
) -> None:
    """Nobody takes it for good news that nothing was found."""
    service = Service(tmp_path)
    assert service.run("migrate").returncode == 0
    done = service.run(*words.split())
    assert done.returncode == status
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert service.run("replay", "--source", "alertmanager").returncode == 0


@pytest.mark.parametrize("command", ["replay", "alerts"])
def test_a_database_that_is_none_is_named(
    tmp_path: Path, command: str
) -> None:
    """With its place, and what to do."""
    service = Service(tmp_path)
    service.database.write_bytes(b"no database" * 1_000)
    done = service.run(command)
    assert done.returncode == 3
    assert str(service.database) in done.stderr
    assert "restore" in done.stderr


def test_texts_of_strangers_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """Escape sequences in a summary are shown, not obeyed."""
    evil = b'"annotations": {"summary": "\\u001b[2Jowned"}'
    body = group("evil").replace(b'"annotations": {}', evil)
    with Service(tmp_path) as service:
        url = f"{service.url}/webhooks/alertmanager"
        assert httpx.post(url, content=body).json()["accepted"] == 1
        shown = service.run("alerts").stdout
    assert "\x1b[2J" not in shown


def test_a_file_that_cannot_be_written_is_exit_1(tmp_path: Path) -> None:
    """Exit 5 means that the action log was changed, and nothing else."""
    service = Service(tmp_path)
    assert service.run("migrate").returncode == 0
    file = tmp_path / "missing" / "log.ndjson"
    done = service.run("export", "log", "--output", str(file))
    assert done.returncode == 1
    assert str(file) in done.stderr
    assert "Traceback" not in done.stderr
