"""Look at the service from outside, for start_environment.sh.

It needs nothing but Python, so that it starts fast: it is asked over and
over while the service starts.
"""

import errno
import json
import socket
import sys
import urllib.error
import urllib.request

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}
ASK_SECONDS = 3.0
FINE, NOT_YET, REFUSED = 0, 1, 2


def url_of(address: str) -> str:
    """Return how to reach, from this machine, what listens on HOST:PORT."""
    host, _, port = address.rpartition(":")
    host = EVERYWHERE.get(host, host)
    return (
        f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    )


def address_in(text: str) -> str:
    """Return the address in check-config's JSON, its last line."""
    address: str = json.loads(text.splitlines()[-1])["address"]
    return address


def url(text: str) -> int:
    """Print where the service will answer; text is check-config's JSON."""
    print(url_of(address_in(text)))
    return FINE


def free(text: str) -> int:
    """Tell whether the service may listen; text is check-config's JSON."""
    host, _, port = address_in(text).rpartition(":")
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        print(why_not(error, host, port), file=sys.stderr)
        return REFUSED
    return FINE


def why_not(error: OSError, host: str, port: str) -> str:
    """Return why nothing can listen there, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return (
            f"Error: port {port} is taken by another program.\n"
            "  Choose another one:   ./start_environment.sh --port "
            f"{int(port) % 65535 + 1}\n"
            f"  or see who has it:    ss -ltnp 'sport = :{port}'"
            f"   (macOS: lsof -i :{port})"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"Error: only root may listen on port {port}.\n"
            "  Choose one from 1024: ./start_environment.sh --port 8080"
        )
    return (
        f"Error: cannot listen on {host}:{port}: {error.strerror}.\n"
        "  Set server.host in the settings to an address of this machine."
    )


def ready(address: str) -> int:
    """Tell whether the service takes alerts; print what it says if not."""
    # A proxy of the environment has no business on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{address}/ready", timeout=ASK_SECONDS):
            return FINE
    except urllib.error.HTTPError as error:
        with error:
            print(error.read(2_000).decode(errors="replace"))
    except OSError as error:
        print(f"{address}/ready does not answer: {error}")
    return NOT_YET


QUESTIONS = {"url": url, "free": free, "ready": ready}


def main(arguments: list[str]) -> int:
    """Answer one question; its matter is an argument or comes on stdin."""
    question = QUESTIONS[arguments[0]]
    return question(arguments[1] if arguments[1:] else sys.stdin.read())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
