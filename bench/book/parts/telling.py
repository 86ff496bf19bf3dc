"""What telling people costs."""

from collections.abc import Iterator

from bench import telling
from bench.book.figure import Found
from bench.book.size import Size


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    found = telling.measure(size.pick(50, 2_000), 20, size.pick(1, 5))
    yield Found(id="telling.route", now=found.route_us)
    yield Found(id="telling.letter", now=found.letter_us)
    yield Found(id="telling.turn", now=found.turn_ms)
    seconds, megabytes = telling.import_apprise()
    yield Found(id="telling.apprise.cpu", now=seconds)
    yield Found(id="telling.apprise.memory", now=megabytes)
