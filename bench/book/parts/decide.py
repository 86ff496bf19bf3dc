"""Deciding: around a model's call, and without any model."""

from collections.abc import Iterator

from bench import decide as bench
from bench.book.figure import Found, beside
from bench.book.size import Size
from scripts.evals.figures import percentile


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    cases = bench.read_cases()
    if size.is_quick:
        cases = cases[:40]
    costs = bench.measure_calls(cases, size.pick(2, 15, 30))
    ours, bare = (
        percentile(times, 0.5) or 0.0 for times in (costs.ours, costs.bare)
    )
    yield beside("decide.call", ours, bare)
    yield Found(id="decide.share", now=ours / (10 * bench.SECOND))
    bench.keep_to_one_core()
    yield Found(id="decide.gate", now=bench.read_gate())
    for name in bench.BRAINS:
        times = bench.measure_brain(name, cases, size.pick(1, 10))
        for share in (50, 95):
            value = percentile(times, share / 100) or 0.0
            yield Found(id=f"decide.{name}.p{share}", now=value)
        rate = 1000 * len(times) / sum(times)
        yield Found(id=f"decide.{name}.rate", now=rate)
