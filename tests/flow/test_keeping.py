"""Backup, restore and clean-up from the command line."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import msgspec
import pytest
import typer

from app.cli import keeping
from app.engine.keeper import Bug
from tests.flow.wire import group
from tests.service import Service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Return a running service of one's own."""
    with Service(tmp_path) as one:
        yield one


def send(service: Service, number: int) -> None:
    """Let one alert come in."""
    url = f"{service.url}/webhooks/alertmanager"
    answer = httpx.post(url, content=group(f"f-{number}"), timeout=10)
    assert answer.status_code == 202


def test_a_backup_is_made_while_alerts_come_in(
    service: Service, tmp_path: Path
) -> None:
    """What was acknowledged before the backup is in it; nobody is refused."""
    for number in range(20):
        send(service, number)
    is_over = threading.Event()
    failures: list[Exception] = []

    def keep_sending() -> None:
        """Send until the backup is made."""
        number = 1_000
        while not is_over.is_set():
            try:
                send(service, number)
            except (AssertionError, httpx.HTTPError) as error:
                failures.append(error)
            number += 1

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        made = service.run("backup", str(tmp_path / "one.db"), "--json")
    finally:
        is_over.set()
        sender.join()
    assert made.returncode == 0, made.stderr
    assert not failures
    (tmp_path / "two").mkdir()
    other = Service(tmp_path / "two")
    back = other.run("restore", str(tmp_path / "one.db"), "--json")
    assert back.returncode == 0, back.stderr
    saved = msgspec.json.decode(made.stdout)
    assert msgspec.json.decode(back.stdout)["hash"] == saved["hash"]
    with other:
        url = f"{other.url}/api/v1/deliveries"
        items = httpx.get(url, params={"limit": 500}).json()["items"]
        assert {one["id"] for one in items} >= set(range(1, 21))


def test_restore_into_a_running_service_is_refused(
    service: Service, tmp_path: Path
) -> None:
    """A database that is in use is never replaced."""
    send(service, 1)
    service.run("backup", str(tmp_path / "one.db"))
    back = service.run("restore", str(tmp_path / "one.db"))
    assert back.returncode == 3
    assert "is there already" in back.stderr


def test_cleanup_says_what_it_took(service: Service) -> None:
    """The command cleans up at once and names each table."""
    send(service, 1)
    done = service.run("cleanup", "--json")
    assert done.returncode == 0, done.stderr
    gone = msgspec.json.decode(done.stdout)
    assert gone == {"delivery": 0, "alert": 0, "incident": 0, "entry": 0}


def test_a_wrong_file_is_named(service: Service, tmp_path: Path) -> None:
    """A backup that is not there is an error with its name."""
    (tmp_path / "two").mkdir()
    other = Service(tmp_path / "two")
    back = other.run("restore", str(tmp_path / "nothing.db"))
    assert back.returncode == 3
    assert "nothing.db is no file" in back.stderr.replace("\n", " ")
    assert service.is_ready()


def test_a_bug_while_cleaning_is_told_not_shown_as_a_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A turn that crashed ends the command with a line and an exit code."""
    stopped: list[bool] = []

    class Crashing:
        """Stands for a keeper and a cleaner whose turns crash."""

        def start(self) -> None:
            """Start nothing."""

        def stop(self) -> None:
            """Note that it was stopped."""
            stopped.append(True)

        async def clean(self) -> dict[str, int]:
            """Meet a bug."""
            raise Bug("KeyError")

    product = SimpleNamespace(keeper=Crashing(), cleaner=Crashing())
    monkeypatch.setattr(keeping, "wire", lambda _config: product)
    with pytest.raises(typer.Exit) as ended:
        keeping.cleanup()
    assert ended.value.exit_code == 3
    assert "not all is cleaned up: KeyError" in capsys.readouterr().err
    assert stopped == [True]
