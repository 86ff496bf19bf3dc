"""Two users: the web process can ask, and cannot act by itself."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.act.local.stands import HandsProcess, run_as
from tests.unit.act.local.test_server import NOBODY

# Another ordinary user; it need not have a name.
WEB = 65_500
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root may take on two other users"
)
# What a web process could try by itself, one line for each.
TRIES = """
victim, journal, socket_file = int(sys.argv[1]), sys.argv[2], sys.argv[3]
def attempt(what, call):
    try:
        call()
        print(what, "worked")
    except PermissionError:
        print(what, "denied")
attempt("signal", lambda: os.kill(victim, signal.SIGTERM))
attempt("pidfd", lambda: signal.pidfd_send_signal(
    os.pidfd_open(victim), signal.SIGTERM))
attempt("journal", lambda: os.listdir(journal))
attempt("forge", lambda: open(journal + "/sj-9.order", "w"))
attempt("socket", lambda: os.unlink(socket_file))
attempt("become", lambda: os.setuid(0))
"""
IMPORTS = """
import os, signal, sys
from pathlib import Path
from app.act.local.client import Client
from app.core.errors import NotAccepted
from tests.unit.act.backends.making import order
"""
ASK = """
client = Client(Path(sys.argv[1]))
print(client.start(order("later", "sj-apart")).reference)
for name in ("kill-process", "sh", "later; kill"):
    try:
        said = {"pid": int(sys.argv[2])}
        client.start(order(name, "sj-other", arguments=said))
        print("started")
    except NotAccepted as error:
        print("refused", error.may_retry)
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that other users can go into, and not write in."""
    folder = Path("/tmp") / f"apart-{os.getpid()}-{os.urandom(3).hex()}"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def victim() -> Iterator["subprocess.Popen[bytes]"]:
    """Return a process of the executor's user."""
    options: dict[str, Any] = {"user": NOBODY, "group": NOBODY}
    with subprocess.Popen(
        ["sleep", "600"], extra_groups=[], **options
    ) as process:
        yield process
        process.send_signal(signal.SIGKILL)


def test_the_web_process_cannot_act_by_itself(
    open_folder: Path, victim: "subprocess.Popen[bytes]"
) -> None:
    """It signals nobody, forges nothing, and becomes nobody else.

    Over the socket it has what the executor's own settings list, and
    nothing beyond.
    """
    hands = HandsProcess(open_folder)
    try:
        hands.start("--for", str(WEB), user=NOBODY)
        assert hands.socket.stat().st_uid == NOBODY
        os.chown(hands.socket, NOBODY, WEB)
        asked = run_as(WEB, IMPORTS, ASK, str(hands.socket), str(victim.pid))
        assert asked.stdout.splitlines() == [
            "local:sj-apart",
            *["refused False"] * 3,
        ], asked.stderr
        tries = run_as(
            WEB,
            IMPORTS,
            TRIES,
            str(victim.pid),
            str(hands.journal),
            str(hands.socket),
        )
        said = dict(line.split() for line in tries.stdout.splitlines())
        assert set(said.values()) == {"denied"}, tries.stderr
        assert len(said) == 6
        assert victim.poll() is None
        names = {file.stem for file in hands.journal.glob("*.order")}
        assert names == {"sj-apart"}
    finally:
        hands.kill()
