"""Calibrations as a fit makes them."""

from typing import Any

from app.decide.calibration import Bin, Calibration, Measured, Reached


def make_calibration(**fields: Any) -> Calibration:
    """Return one; what is not said is of a model that is too sure."""
    plain = {
        "brain": "ollama",
        "model": "llama3.2",
        "slope": 0.5,
        "shift": -0.5,
        "cases": 60,
        "names": 12,
        "origin": {"cases": "0123456789abcdef"},
        "measured": Measured(
            ece_before=0.3,
            ece_after=0.05,
            reliability=(Bin(0.5, 0.6, 60, 0.55, 0.5),),
            coverage=(Reached(0.5, 60, 30),),
        ),
    }
    return Calibration(**{**plain, **fields}).stamped()
