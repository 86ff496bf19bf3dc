"""Look at latency: how fast the listeners of this machine take a caller.

Only a connection is made, and closed: nothing is sent. The program behind a
port may write a line about it into its log.
"""

import errno
import selectors
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from app.act.local.look.amounts import span
from app.act.local.look.lens import Lens
from app.act.local.look.probe import Notes, Probe
from app.act.local.look.sockets import reachable, read_sockets

TITLE = "local listeners"
TOPICS = frozenset({"http", "network", "service", "database", "queue"})
MOST_PORTS = 40
SECONDS = 2.0
SLOW = 0.2
# They count callers that say nothing, and shut out whoever does it often;
# not those of the loopback.
COUNTING = frozenset({3306, 33060})
Place = tuple[str, int]


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, TOPICS, _look)


def _look(lens: Lens, notes: Notes) -> None:
    """Note which listeners take a caller, and how fast."""
    places = sorted(
        {
            (reachable(one), one.port)
            for one in read_sockets(lens)
            if one.state == "LISTEN"
        },
        key=lambda place: (place[1], place[0]),
    )
    places = [place for place in places if _may_call(place)]
    if not places:
        notes.say(TITLE, "nothing listens here")
        return
    for place, seconds in call_all(places[:MOST_PORTS]).items():
        host, port = place
        text = f"{host} port {port}"
        if seconds is None:
            notes.say(TITLE, f"{text}: not connected in {span(SECONDS)}")
            notes.odd(69.0, f"{text} does not accept connections")
            continue
        notes.say(TITLE, f"{text}: connected in {seconds * 1000:.1f} ms")
        if seconds >= SLOW:
            notes.odd(44.0, f"{text} takes {span(seconds)} to connect")
    if len(places) > MOST_PORTS:
        notes.say(TITLE, f"({len(places) - MOST_PORTS} more were not called)")


def _may_call(place: Place) -> bool:
    """Tell whether calling a listener does it no harm."""
    is_loopback = place[0] == "::1" or place[0].startswith("127.")
    return is_loopback or place[1] not in COUNTING


def call_all(
    places: Sequence[Place], seconds: float = SECONDS
) -> dict[Place, float | None]:
    """Return how long each took to connect; None when it did not."""
    found: dict[Place, float | None] = dict.fromkeys(places)
    with ExitStack() as open_now, selectors.DefaultSelector() as waiting:
        for place in places:
            with suppress(OSError):
                _begin(place, open_now, waiting)
        until = time.monotonic() + seconds
        while waiting.get_map() and time.monotonic() < until:
            for key, _ in waiting.select(max(0.0, until - time.monotonic())):
                place, since = key.data
                sock = key.fileobj
                waiting.unregister(sock)
                if isinstance(sock, socket.socket) and not sock.getsockopt(
                    socket.SOL_SOCKET, socket.SO_ERROR
                ):
                    found[place] = time.monotonic() - since
    return found


def _begin(
    place: Place, open_now: ExitStack, waiting: selectors.BaseSelector
) -> None:
    """Begin to connect, or raise OSError."""
    family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
    sock = open_now.enter_context(socket.socket(family, socket.SOCK_STREAM))
    sock.settimeout(0)
    since = time.monotonic()
    code = sock.connect_ex(place)
    if code not in (0, errno.EINPROGRESS):
        raise OSError(code, "it cannot be called")
    waiting.register(sock, selectors.EVENT_WRITE, (place, since))
