"""What runs in the simulator's container: the simulator, watch and hands.

All three are started, and told to end when the container is. When one of
them ends by itself the others are ended too, and the exit status says so:
the engine then starts the container anew.

    run.py          start them
    run.py health   exit status 0: all of it is well
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

HOME = Path("/opt/smokejumper")
SETTINGS = Path("/etc/smokejumper")
PORT = 8099
TOKEN = Path("/run/secrets/simulator_token")
HANDS = Path("/state/hands/hands.sock")
WEB_USER = "10001"
END_SECONDS = 20.0
LOOK_SECONDS = 0.2
ASK_SECONDS = 2.0
ONE_ENDED = 1
# The watch is one; another monitoring system may do it instead.
WATCH = "SMOKEJUMPER_WATCH"

stopping: list[int] = []


def programs(environ: Mapping[str, str]) -> dict[str, list[str]]:
    """Return what is to run, by name."""
    python = sys.executable
    found = {
        "simulator": [python, "-m", "simulator", "serve"],
        "hands": [
            *(python, "-m", "app.act.local"),
            *("--settings", str(SETTINGS / "hands.yaml")),
            *("--for", WEB_USER, "--grace", "5"),
        ],
    }
    target = environ.get(WATCH, "")
    if target:
        settings = str(SETTINGS / "watch.yaml")
        found["watch"] = [
            *(python, "main.py", "watch"),
            *("--to", target, "--settings", settings),
        ]
    return found


def stop(number: int, _frame: FrameType | None) -> None:
    """Remember that the container is to end."""
    stopping.append(number)


def read_token() -> str:
    """Return what opens the simulator."""
    return TOKEN.read_text(encoding="utf-8").strip()


def write_settings(file: Path, token: str) -> None:
    """Write the simulator's settings with its token, for ourselves only."""
    text = (SETTINGS / "simulator.yaml").read_text(encoding="utf-8")
    file.touch(mode=0o600)
    line = f"token: {json.dumps(token)}\n"
    file.write_text(text + line, encoding="utf-8")


def end(running: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """End what still runs, politely first."""
    for child in running.values():
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + END_SECONDS
    for child in running.values():
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def run() -> int:
    """Run all of them until told to end, or until one has ended."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    # The socket is for the group of the service, the rest for nobody.
    os.umask(0o027)
    write_settings(Path(os.environ["SIMULATOR_CONFIG"]), read_token())
    running = {
        name: subprocess.Popen(words, cwd=HOME)  # noqa: S603 our own words
        for name, words in programs(os.environ).items()
    }
    try:
        while not stopping:
            for name, child in running.items():
                if child.poll() is not None:
                    sys.stderr.write(f"{name} ended: {child.returncode}\n")
                    return ONE_ENDED
            time.sleep(LOOK_SECONDS)
    finally:
        end(running)
    return 0


def health() -> int:
    """Say what is not well; the exit status tells whether all is."""
    try:
        line = http.client.HTTPConnection("127.0.0.1", PORT, ASK_SECONDS)
        line.request("GET", "/health")
        if line.getresponse().status != http.HTTPStatus.OK:
            sys.stdout.write("the simulator is not well\n")
            return 1
        with socket.socket(socket.AF_UNIX) as hands:
            hands.settimeout(ASK_SECONDS)
            hands.connect(str(HANDS))
    except (OSError, http.client.HTTPException) as error:
        sys.stdout.write(f"not well: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(health() if sys.argv[1:] == ["health"] else run())
