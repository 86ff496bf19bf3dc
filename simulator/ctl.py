"""Ask how a service of the simulator is, or have it restarted.

The commands that a host's settings name for it (host.services): a program
of its own, standard library only, that needs nothing of its environment.

    ctl.py status shop     exit status 0: it answers /health with 200
    ctl.py restart shop    exit status 0: it was started anew

Others: 1 not so, 2 wrong use, 3 the simulator does not answer, 4 refused.
"""

import argparse
import json
import re
import socket
import sys
import time
from typing import Any, NamedTuple

URL = "http://127.0.0.1:8099"
NAME = re.compile(r"[a-z][a-z0-9-]{0,10}", re.ASCII)
HEALTH_SECONDS = 2.0
ASK_SECONDS = 3.0
RESTART_SECONDS = 15.0
MOST_BYTES = 256 * 1024
FINE, NOT_SO, WRONG_USE, NOT_THERE, REFUSED = 0, 1, 2, 3, 4


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes

    def read(self) -> dict[str, Any]:
        """Return the body as JSON; empty when it is none."""
        try:
            said = json.loads(self.body)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}


class Ask(NamedTuple):
    """What is asked of whom."""

    host: str
    port: int
    path: str
    method: str = "GET"
    token: str = ""

    def send(self, seconds: float) -> Answer:
        """Return the answer, or raise OSError within so many seconds."""
        deadline = time.monotonic() + seconds
        with socket.create_connection((self.host, self.port), seconds) as line:
            line.sendall(self._words())
            received = b""
            while len(received) < MOST_BYTES:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"no answer within {seconds:g} s")
                line.settimeout(left)
                more = line.recv(65_536)
                if not more:
                    break
                received += more
        return _parse(received)

    def _words(self) -> bytes:
        """Return the request as it is sent."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        lines = [
            f"{self.method} {self.path} HTTP/1.0",
            f"Host: {host}:{self.port}",
            "Content-Length: 0",
        ]
        if self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        return "\r\n".join([*lines, "", ""]).encode()


def _parse(received: bytes) -> Answer:
    """Return an answer, or raise OSError when it is none."""
    head, _, body = received.partition(b"\r\n\r\n")
    words = head.split(b"\r\n")[0].split()
    if len(words) < 2 or not words[1].isdigit():
        raise ConnectionError("it was no answer")
    return Answer(int(words[1]), body)


def read_url(url: str) -> tuple[str, int]:
    """Return host and port of an address, or raise ValueError."""
    found = re.fullmatch(r"http://(\[[0-9a-f:]+\]|[\w.-]+)(:\d+)?/?", url)
    if found is None:
        raise ValueError(f"{url!r} is not http://HOST:PORT")
    return found[1].strip("[]"), int((found[2] or ":80")[1:])


def tell(words: str, status: int) -> int:
    """Say how it went, and return the exit status for it."""
    stream = sys.stdout if status == FINE else sys.stderr
    stream.write(words + "\n")
    return status


def ask_simulator(ask: Ask, seconds: float) -> tuple[int, dict[str, Any], str]:
    """Return an exit status, what the simulator said, and the complaint."""
    try:
        answer = ask.send(seconds)
    except OSError as error:
        where = f"{ask.host}:{ask.port}"
        text = f"the simulator does not answer on {where}: {error}"
        return NOT_THERE, {}, text
    said = answer.read()
    if answer.status >= 300:
        detail = str(said.get("detail", f"it answered {answer.status}"))
        return REFUSED, said, detail
    return FINE, said, ""


def status(name: str, ask: Ask) -> int:
    """Say whether a service answers that it is fine."""
    code, said, complaint = ask_simulator(ask, ASK_SECONDS)
    if code:
        return tell(complaint, code)
    port, state = said.get("port"), said.get("state")
    if state != "running" or not isinstance(port, int) or port < 1:
        return tell(f"{name} is {state}: {said.get('says', '')}", NOT_SO)
    try:
        health = Ask("127.0.0.1", port, "/health").send(HEALTH_SECONDS)
    except OSError as error:
        return tell(f"{name} does not answer: {error}", NOT_SO)
    if health.status != 200:
        return tell(f"{name} answers {health.status}", NOT_SO)
    return tell(f"{name} is fine", FINE)


def restart(name: str, ask: Ask) -> int:
    """Have a service started anew."""
    asked = ask._replace(method="POST", path=f"{ask.path}/restart")
    code, said, complaint = ask_simulator(asked, RESTART_SECONDS)
    if code:
        return tell(complaint, code)
    state, says = said.get("state"), said.get("says", "")
    if state != "running":
        return tell(f"{name} was restarted and is {state}: {says}", NOT_SO)
    return tell(f"{name} was restarted", FINE)


def read_token(path: str) -> str:
    """Return the token that a file holds, nothing when none is named."""
    if not path:
        return ""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 (a quick start)
        return file.read().strip()


def main(given: list[str] | None = None) -> int:
    """Do one command and return the exit status."""
    parser = argparse.ArgumentParser(
        "ctl.py", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("command", choices=["status", "restart"])
    parser.add_argument("name")
    parser.add_argument("--url", default=URL, help=f"the simulator; {URL}")
    parser.add_argument("--token-file", default="", help="holds its token")
    asked = parser.parse_args(given)
    name = asked.name
    if NAME.fullmatch(name) is None:
        return tell(f"{name!r} is not the name of a service", WRONG_USE)
    try:
        host, port = read_url(asked.url)
        token = read_token(asked.token_file)
    except (OSError, ValueError) as error:
        return tell(str(error), WRONG_USE)
    ask = Ask(host, port, f"/api/services/{name}", token=token)
    return (status if asked.command == "status" else restart)(name, ask)


if __name__ == "__main__":
    sys.exit(main())
