"""Weights: what was learned, in one small file in which nothing can run."""

import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import msgspec
import numpy as np

from app.decide.gate.features import SIZE
from app.decide.gate.model import Floats, Model
from app.decide.platt import spread

STEPS = 127
# What numpy raises for a file that is empty, cut off, changed or another's.
BROKEN = (
    BadZipFile,
    EOFError,
    IndexError,
    KeyError,
    zlib.error,
    TypeError,
    ValueError,
    msgspec.MsgspecError,
)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about weights.

    Attributes:
        version: a hash of all that they were made of.
        actions: the classes, in the order of the columns.
        topics: the classes of the second model.
        thresholds: from which probability on an action may run unasked.
        slope: the calibration: how much a raw log-odds counts ...
        shift: ... and where it begins.
        learned: how many tellings of lessons were learned.
        confirmed: how many outcomes of the site were learned.
        measured: figures on alerts that were held back, by name.
    """

    version: str
    actions: tuple[str, ...]
    topics: tuple[str, ...]
    thresholds: dict[str, float]
    slope: float = 1.0
    shift: float = 0.0
    learned: int = 0
    confirmed: int = 0
    measured: dict[str, float] = {}

    def calibrate(self, raw: float) -> float:
        """Return how often a call of such a raw probability is right."""
        return spread(raw, self.slope, self.shift)


class Weights(msgspec.Struct, frozen=True):
    """Two models with what is known about them."""

    facts: Facts
    actions: Model
    topics: Model


def save(weights: Weights, path: Path) -> None:
    """Write weights, each in one byte.

    Raises:
        OSError: they cannot be written; those that were there stay.
    """
    facts = msgspec.json.encode(weights.facts)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two who train at once do not write into one file.
    half = path.with_name(f"{path.name}.{os.getpid()}.new")
    parts: dict[str, Any] = {"facts": np.frombuffer(facts, dtype=np.uint8)}
    parts |= _pack("actions", weights.actions)
    parts |= _pack("topics", weights.topics)
    try:
        with half.open("wb") as file:
            np.savez_compressed(file, **parts)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def load(path: Path) -> Weights:
    """Read weights.

    Raises:
        OSError: there is no such file.
        ValueError: it is no file of weights, or one of another release.
    """
    try:
        # Opened here, since numpy leaves a broken file open.
        with (
            path.open("rb") as file,
            np.load(file, allow_pickle=False) as found,
        ):
            facts = msgspec.json.decode(found["facts"].tobytes(), type=Facts)
            actions = _unpack("actions", found, len(facts.actions))
            topics = _unpack("topics", found, len(facts.topics))
    except BROKEN as error:
        raise ValueError(f"{path} holds no weights: {error}") from error
    return Weights(facts, actions, topics)


def rounded(model: Model) -> Model:
    """Return a model as it will be after it was written and read."""
    packed = _pack("x", model)
    return _unpack("x", packed, model.table.shape[1])


def _pack(name: str, model: Model) -> dict[str, Any]:
    """Return the rows that hold anything, each weight as a small number."""
    unit = float(np.abs(model.table).max()) / STEPS or 1.0
    small = np.round(model.table / unit).astype(np.int8)
    rows = np.flatnonzero(small.any(axis=1)).astype(np.uint32)
    return {
        f"{name}_rows": rows,
        f"{name}_values": small[rows],
        f"{name}_unit": np.array([unit], dtype=np.float32),
    }


def _unpack(name: str, found: Mapping[str, Any], classes: int) -> Model:
    """Return the model that was packed."""
    table: Floats = np.zeros((SIZE, classes), dtype=np.float32)
    values = found[f"{name}_values"].astype(np.float32)
    table[found[f"{name}_rows"]] = values * found[f"{name}_unit"][0]
    if not np.isfinite(table).all():
        raise ValueError(f"{name} holds what is no number")
    return Model(table)
