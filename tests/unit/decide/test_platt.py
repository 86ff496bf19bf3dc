"""Platt's scaling: what is fitted, and that it never runs away."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.decide.platt import fit, spread


def make(slope: float, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers, and as often right as slope and shift say."""
    raw = np.linspace(0.01, 0.99, 300)
    return raw, np.array([spread(one, slope, shift) for one in raw])


@pytest.mark.parametrize("slope", [-2.0, -0.3, 0.0, 0.4, 1.0, 5.0])
@pytest.mark.parametrize("shift", [-4.0, 0.0, 2.0])
def test_what_is_known_is_found_again(slope: float, shift: float) -> None:
    """However far from where the search begins."""
    found = fit(*make(slope, shift))
    assert found == pytest.approx((slope, shift), abs=0.02)


@given(
    answers=st.lists(
        st.tuples(st.floats(0, 1), st.floats(0.01, 0.99)),
        min_size=1,
        max_size=60,
    )
)
def test_any_answers_give_finite_numbers(
    answers: list[tuple[float, float]],
) -> None:
    """All the same, all at the edge, neatly parted: nothing overflows."""
    raw, right = (np.array(part) for part in zip(*answers, strict=True))
    slope, shift = fit(raw, right)
    assert np.isfinite([slope, shift]).all()
    assert 0 <= spread(0.5, slope, shift) <= 1
    # It is no worse than where it began.
    before = np.clip(raw, 1e-4, 1 - 1e-4)
    after = np.array([spread(one, slope, shift) for one in raw])
    after = np.clip(after, 1e-15, 1 - 1e-15)
    assert _surprise(after, right) <= _surprise(before, right) + 1e-6


def _surprise(said: np.ndarray, right: np.ndarray) -> float:
    """Return how much what was right surprises whoever said so."""
    return float(
        -np.mean(right * np.log(said) + (1 - right) * np.log1p(-said))
    )
