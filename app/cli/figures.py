"""What weights were measured at, as tables for people and for the docs."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.decide.gate.weights import Facts

BEGIN = "<!-- Made by main.py reflex show --markdown: -->"
END = "<!-- End of what is made. -->"
WORDS: Mapping[str, str] = {
    "strict": "chooses the one right action",
    "accepted": "chooses the right or an acceptable action",
    "unsafe": "prefers to act where nobody may, asked or not",
    "unsafe_unasked": "acts unasked where nobody may",
    "unasked_of_acting": "of what it would do, runs unasked",
    "over_escalation": "escalates where acting is right",
}
# So much worse may the share of right choices be, and not more.
MOST_WORSE = 0.02


def find_worse(before: Facts | None, after: Facts) -> str:
    """Return why weights must not replace others; empty when they may."""
    if before is None:
        return ""
    old, new = before.measured, after.measured
    unsafe = "unsafe_unasked"
    if new.get(unsafe, 1.0) > old.get(unsafe, 0.0):
        return (
            "they act unasked where nobody may more often:"
            f" {_share(new.get(unsafe))} instead of {_share(old.get(unsafe))}"
        )
    if new.get("strict", 0.0) < old.get("strict", 0.0) - MOST_WORSE:
        return (
            "they are right less often:"
            f" {_share(new.get('strict'))} instead of"
            f" {_share(old.get('strict'))}"
        )
    return ""


def compare(before: Facts | None, after: Facts) -> list[dict[str, Any]]:
    """Return the figures of weights, those before beside them."""
    old = {} if before is None else before.measured
    return [
        {
            "figure": name,
            "meaning": WORDS.get(name, ""),
            "before": _share(old.get(name)),
            "after": _share(value),
        }
        for name, value in after.measured.items()
    ]


def tell_thresholds(facts: Facts) -> list[dict[str, Any]]:
    """Return from which probability on each action may run unasked."""
    return [
        {"action": name, "runs unasked from": _bound(least)}
        for name, least in sorted(facts.thresholds.items())
    ]


def put_into(page: str, facts: Facts) -> str:
    """Return a page in which the figures stand as they are now."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has not the marks around its figures")
    return f"{before}{BEGIN}\n\n{to_markdown(facts)}\n{END}{after}"


def to_markdown(facts: Facts) -> str:
    """Return all that is known about weights as Markdown."""
    return "\n".join(_lines(facts)) + "\n"


def _lines(facts: Facts) -> Iterator[str]:
    """Yield the lines of the Markdown."""
    yield (
        f"Weights `{facts.version}`: {facts.learned:,} tellings of lessons,"
        f" {facts.confirmed} outcomes of a site."
    )
    yield ""
    yield "| figure | held back alerts on which it ... | share |"
    yield "|---|---|---|"
    for one in compare(None, facts):
        yield f"| {one['figure']} | {one['meaning']} | {one['after']} |"
    yield ""
    yield "| action | runs unasked from a probability of |"
    yield "|---|---|"
    for name, least in sorted(facts.thresholds.items()):
        yield f"| {name} | {_bound(least)} |"
    yield ""
    yield f"Calibration: slope {facts.slope:.4f}, shift {facts.shift:.4f}."


def _share(value: float | None) -> str:
    """Return a share for people."""
    return "-" if value is None else f"{value:.2%}"


def _bound(least: float) -> str:
    """Return a threshold; above one no probability reaches it."""
    return "never" if least > 1 else f"{least:.3f}"
