"""What it costs to know who asks."""

from collections.abc import Iterator

from bench.book.figure import Found, beside
from bench.book.size import Size
from bench.sessions import measure


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    found = measure(size.pick(20, 300), size.pick(1, 3))
    yield beside("sessions.request", found.signed_ms, found.open_ms)
    yield Found(id="sessions.look", now=found.look_us)
