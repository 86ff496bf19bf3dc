"""Look at latency: how fast the listeners of this machine take a caller.

Only a connection is made, and closed: nothing is sent. The program behind a
port may write a line about it into its log.
"""

import errno
import os
import selectors
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack

from app.act.local.look.lens import Lens
from app.act.local.look.probe import Notes, Probe, why
from app.act.local.look.sockets import reachable, read_sockets
from app.core.look.amounts import span

TITLE = "local listeners"
TOPICS = frozenset({"http", "network", "service", "database", "queue"})
MOST_PORTS = 40
SECONDS = 2.0
SLOW = 0.2
# They count callers that say nothing, and shut out whoever does it often;
# not those of the loopback.
COUNTING = frozenset({3306, 33060})
Place = tuple[str, int]
# How long it took, why it could not be, or that nothing came back in time.
Answer = float | OSError | None


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, TOPICS, _look)


def _look(lens: Lens, notes: Notes) -> None:
    """Note which listeners take a caller, and how fast."""
    found = _find_places(lens)
    places = sorted(found, key=lambda place: (place[1], place[0]))
    places = [place for place in places if _may_call(place)]
    if not places:
        notes.say(TITLE, "nothing listens here")
        return
    answers = call_all(places[:MOST_PORTS])
    # Who refuses has ended since it was looked at, or is behind a wall.
    refused = any(isinstance(said, OSError) for said in answers.values())
    left = _find_places(lens) if refused else set()
    for place, said in answers.items():
        note_call(notes, place, said, is_there=place in left)
    if len(places) > MOST_PORTS:
        notes.say(TITLE, f"({len(places) - MOST_PORTS} more were not called)")


def _find_places(lens: Lens) -> set[Place]:
    """Return where somebody listens."""
    return {
        (reachable(one), one.port)
        for one in read_sockets(lens)
        if one.state == "LISTEN"
    }


def note_call(
    notes: Notes, place: Place, said: Answer, *, is_there: bool
) -> None:
    """Note what came of one call.

    Args:
        notes: takes it.
        place: who was called.
        said: what came of it.
        is_there: whether it listened after the call as well.
    """
    text = f"{place[0]} port {place[1]}"
    if said is None:
        notes.say(TITLE, f"{text}: not connected in {span(SECONDS)}")
        notes.odd(69.0, f"{text} does not accept connections")
    elif isinstance(said, ConnectionRefusedError):
        words = "it listens all the same" if is_there else "it has just ended"
        notes.say(TITLE, f"{text}: refused: {words}")
        if is_there:
            notes.odd(61.0, f"{text} listens and refuses connections")
    elif isinstance(said, OSError):
        notes.say(TITLE, f"{text}: not called: {why(said)}")
    else:
        notes.say(TITLE, f"{text}: connected in {said * 1000:.1f} ms")
        if said >= SLOW:
            notes.odd(44.0, f"{text} takes {span(said)} to connect")


def _may_call(place: Place) -> bool:
    """Tell whether calling a listener does it no harm."""
    is_loopback = place[0] == "::1" or place[0].startswith("127.")
    return is_loopback or place[1] not in COUNTING


def call_all(
    places: Sequence[Place], seconds: float = SECONDS
) -> dict[Place, Answer]:
    """Return how long each took to connect, or why it did not."""
    found: dict[Place, Answer] = dict.fromkeys(places)
    with ExitStack() as open_now, selectors.DefaultSelector() as waiting:
        for place in places:
            try:
                _begin(place, open_now, waiting)
            except OSError as error:
                found[place] = error
        until = time.monotonic() + seconds
        while waiting.get_map() and time.monotonic() < until:
            for key, _ in waiting.select(max(0.0, until - time.monotonic())):
                place, since = key.data
                sock = key.fileobj
                waiting.unregister(sock)
                if not isinstance(sock, socket.socket):
                    continue
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                passed = time.monotonic() - since
                failed = OSError(code, os.strerror(code))
                found[place] = failed if code else passed
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
        raise OSError(code, os.strerror(code))
    waiting.register(sock, selectors.EVENT_WRITE, (place, since))
