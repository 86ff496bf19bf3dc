"""The executor's process: how it starts, what it is, how it ends."""

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from app.act.local.client import Client
from app.core.errors import NotAccepted
from app.models.job import JobState
from tests.unit.act.backends.making import order
from tests.unit.act.local.stands import (
    HOME,
    HandsProcess,
    running,
    wait_for,
)
from tests.unit.act.local.test_server import KEY, works
from tests.unit.act.local.trick import count_starts


def test_what_a_dead_process_left_is_replaced(tmp_path: Path) -> None:
    """After kill -9 the socket is there still, and nobody listens."""
    hands = HandsProcess(tmp_path).start()
    hands.kill()
    assert hands.socket.exists()
    try:
        hands.start()
        works(hands, KEY)
    finally:
        assert hands.stop() == 0
    assert not hands.socket.exists()


def test_a_living_one_is_not_replaced(tmp_path: Path) -> None:
    """A second process ends with a word; the first goes on."""
    with running(tmp_path) as hands:
        second = HandsProcess(tmp_path)
        second.launch()
        assert second.wait() == 4
        assert "somebody listens" in second.log.read_text()
        works(hands, KEY)


def test_the_socket_of_another_program_is_left_alone(tmp_path: Path) -> None:
    """It answers there, so it is no leftover."""
    hands = HandsProcess(tmp_path)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(hands.socket))
        other.listen(1)
        hands.launch()
        assert hands.wait() == 4
    assert "somebody listens" in hands.log.read_text()


def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    """A file in its place is somebody's file."""
    hands = HandsProcess(tmp_path)
    hands.socket.write_text("precious")
    hands.launch()
    assert hands.wait() == 4
    assert hands.socket.read_text() == "precious"


def test_a_polite_end_lets_deeds_end(tmp_path: Path) -> None:
    """No new orders, an answer to who asks, and then the end."""
    with running(tmp_path) as hands:
        client = Client(hands.socket)
        client.start(order("endless"))
        wait_for(lambda: count_starts(tmp_path, KEY))
        psutil.Process(hands.pid).terminate()
        wait_for(lambda: _is_refused(client))
        assert client.watch(order("endless")).state is JobState.STARTED
        client.abort(order("endless"))
        assert hands.wait() == 0
        with pytest.raises(NotAccepted) as refusal:
            client.start(order("later", "sj-3"))
        assert refusal.value.may_retry
    said = _journal_of(hands)
    assert said == "aborted"


def _journal_of(hands: HandsProcess) -> object:
    """Return how the job ended, as it is written down."""
    end = (hands.journal / f"{KEY}.end").read_bytes()
    return msgspec.json.decode(end)["state"]


def _is_refused(client: Client) -> bool:
    """Tell whether new orders are not taken any more."""
    try:
        client.start(order("later", f"sj-{time.monotonic_ns()}"))
    except NotAccepted as error:
        return "about to end" in str(error)
    return False


def test_the_end_cuts_short_what_goes_on(tmp_path: Path) -> None:
    """A deed without an end is told to end, and its end is known."""
    hands = HandsProcess(tmp_path).start("--grace", "0.1")
    try:
        Client(hands.socket).start(order("endless"))
        assert hands.stop() == 0
    finally:
        hands.kill()
    assert _journal_of(hands) == "aborted"


@pytest.mark.parametrize(
    ("local", "says"),
    [
        ({"allow": ["format-disk"]}, "there is no deed"),
        ({"socket": ""}, "socket: is missing"),
        ({"enabled": False}, "nothing is done here"),
        ({"more": 1}, "is not a setting"),
        ({"group": "no-such-group"}, "no group no-such-group"),
        ({"socket": "/proc/none/x.sock"}, "cannot listen"),
    ],
)
def test_wrong_settings_are_told(
    tmp_path: Path, local: dict[str, Any], says: str
) -> None:
    """It ends at once, and says what to mend."""
    hands = HandsProcess(tmp_path, **local)
    hands.launch()
    assert hands.wait() in (2, 4)
    assert says in hands.log.read_text()


def test_its_file_is_its_own(tmp_path: Path) -> None:
    """What stands in the web process's file has no place in it."""
    hands = HandsProcess(tmp_path)
    tree = msgspec.json.decode(hands.settings.read_bytes())
    tree["server"] = {"port": 1}
    hands.settings.write_bytes(msgspec.json.encode(tree))
    hands.launch()
    assert hands.wait() == 2
    assert "server: is not a setting" in hands.log.read_text()


def test_an_unknown_user_is_told(tmp_path: Path) -> None:
    """A typing error lets nobody in, and does not start."""
    hands = HandsProcess(tmp_path)
    hands.launch("--for", "no-such-user")
    assert hands.wait() == 2
    assert "there is no user 'no-such-user'" in hands.log.read_text()


def test_the_command_becomes_the_process(tmp_path: Path) -> None:
    """The command of main.py is only a way to it: the same process id."""
    hands = HandsProcess(tmp_path, allow=[], deeds={})
    words = ["main.py", "hands", "--settings", str(hands.settings)]
    with (
        hands.log.open("ab") as log,
        subprocess.Popen(
            [sys.executable, *words], cwd=HOME, stdout=log, stderr=log
        ) as process,
    ):
        try:
            wait_for(hands.listens, 60)
            shown = psutil.Process(process.pid).cmdline()
            assert shown[1:3] == ["-m", "app.act.local"]
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_nothing_of_the_web_is_in_it() -> None:
    """What listens to the network, or speaks SQL, is not imported."""
    script = (
        "import sys; import app.act.local.__main__ as _;"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        cwd=HOME,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.split()
    web = {"fastapi", "starlette", "uvicorn", "httpx", "sqlalchemy", "typer"}
    assert {"msgspec", "pydantic"} <= set(said)
    assert not web & set(said)
