"""How sure a model was: the probability of the tokens that chose.

Only the tokens of the function's name count, and those of arguments that
had a choice; the rest of an answer is form. The number is raw: what it is
worth, a calibration tells.
"""

import math
import re
from collections.abc import Iterator, Sequence

from app.models.dialogue import Reading
from app.models.menu import Menu

# What rounding may add to the logarithm of a token that is certain.
TOLERANCE = 1e-6


def surety(
    pieces: Sequence[tuple[str, float]], reading: Reading, menu: Menu
) -> float | None:
    """Return the probability of what was chosen, None when unknown."""
    text = "".join(piece for piece, _ in pieces)
    spans = []
    for value in _chosen(reading, menu):
        match = re.search(rf"(?<![\w.-]){re.escape(value)}(?![\w.-])", text)
        if match is None:
            # The tokens are not those of the text: some servers list what
            # they drew before the schema had its say.
            return None
        spans.append(match.span())
    total = 0.0
    at = 0
    for piece, logarithm in pieces:
        end = at + len(piece)
        if any(at < last and first < end for first, last in spans):
            if logarithm > TOLERANCE:
                # More than certain is no probability.
                return None
            total += logarithm
        at = end
    if not math.isfinite(total):
        return None
    return math.exp(min(total, 0.0))


def _chosen(reading: Reading, menu: Menu) -> Iterator[str]:
    """Yield what a model had a choice about."""
    yield reading.action
    offer = menu.find(reading.action)
    if offer is None:
        return
    for name, value in reading.arguments.items():
        is_said = not any(f"{name} " in repair for repair in reading.repairs)
        if len(offer.candidates[name]) > 1 and is_said:
            yield str(value)
