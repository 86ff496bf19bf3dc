"""An export of the action log, and open streams."""

from collections.abc import Iterator

from app.store.ledger import Ledger
from app.store.location import locate
from bench.book.figure import Found
from bench.book.size import Size
from bench.export import KINDS, fill, measure_export, served


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    rows = size.pick(2_000, 200_000)
    with served(with_postgres=False) as (service, url):
        ledger = Ledger(locate(url, service.folder), 30.0)
        fill(ledger, rows)
        for kind in KINDS:
            found = measure_export(service, kind, rows)
            before, most = found.memory_mb
            name = f"export.{kind}"
            yield Found(id=f"{name}.cpu", now=found.cpu_us)
            yield Found(id=f"{name}.rate", now=rows / found.seconds)
            yield Found(id=f"{name}.bytes", now=found.size / rows)
            yield Found(id=f"{name}.memory", now=most - before)
            yield Found(id=f"{name}.health", now=found.wait_ms(0.99))
        ledger.close()
