"""Platt's scaling: log-odds, stretched and moved, so that they hold.

Two numbers are fitted on answers of which it is known whether they were
right. The search takes only steps that make it better: the numbers of
language models lie so close to 1 that whole steps would run away.
"""

import math

import numpy as np

EDGE = 1e-4  # nothing is surer than that
ROUNDS = 100
SMALLEST = 1e-9
RIDGE = 1e-6


def fit(raw: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Return the slope and shift that make log-odds mean what they say.

    Args:
        raw: the probabilities as they came.
        right: 1 where the answer was right, else 0; or in between.
    """
    held = np.clip(raw, EDGE, 1 - EDGE)
    odds = np.log(held / (1 - held))
    columns = np.stack([odds, np.ones_like(odds)])
    found = np.array([1.0, 0.0])
    for _ in range(ROUNDS):
        guess = _share(found @ columns)
        bend = (columns * (guess * (1 - guess))) @ columns.T
        slope = columns @ (guess - right)
        step = np.linalg.solve(bend + RIDGE * np.eye(2), slope)
        loss = _loss(found @ columns, right)
        while np.abs(step).max() > SMALLEST:
            if _loss((found - step) @ columns, right) < loss:
                break
            step = step / 2
        else:
            break
        found = found - step
    return float(found[0]), float(found[1])


def spread(raw: float, slope: float, shift: float) -> float:
    """Return a probability whose log-odds were stretched and moved."""
    held = min(max(raw, EDGE), 1 - EDGE)
    odds = slope * math.log(held / (1 - held)) + shift
    return float(_share(np.array(odds)))


def _share(odds: np.ndarray) -> np.ndarray:
    """Return the probabilities of log-odds."""
    shares: np.ndarray = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
    return shares


def _loss(odds: np.ndarray, right: np.ndarray) -> float:
    """Return how badly log-odds fit what was right."""
    return float(np.mean(np.logaddexp(0, odds) - right * odds))
