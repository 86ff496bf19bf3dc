"""Weights: what was written is read, and nothing else is taken for them."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.decide.gate.lessons import ACTIONS
from app.decide.gate.weights import Weights, load, rounded, save
from tests.unit.decide.gate.school import any_weights, few_weights


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Return a file of weights."""
    path = tmp_path / "deep" / "weights.npz"
    save(few_weights(), path)
    return path


def test_what_was_written_is_read(written: Path) -> None:
    """Facts and both tables come back as they were."""
    found, given = load(written), few_weights()
    assert found.facts == given.facts
    assert np.array_equal(found.actions.table, given.actions.table)
    assert np.array_equal(found.topics.table, given.topics.table)


def test_nothing_is_left_beside_it(written: Path) -> None:
    """The new file takes the place of the old one at once."""
    save(any_weights(1), written)
    assert load(written).facts.version == "any-1"
    assert [path.name for path in written.parent.iterdir()] == ["weights.npz"]


def test_what_fails_leaves_the_old_ones(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk takes nothing away."""

    def fail(*_: object, **__: object) -> None:
        """Be a full disk."""
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(OSError, match="No space"):
        save(any_weights(1), written)
    assert load(written).facts == few_weights().facts


def test_rounding_costs_little() -> None:
    """A weight in a byte is at most half a step of the largest away."""
    model = any_weights(3).actions
    unit = np.abs(model.table).max() / 127
    assert np.abs(rounded(model).table - model.table).max() <= unit * 0.51


def test_nothing_is_pickled(written: Path) -> None:
    """Every part is plain numbers: reading it can run nothing."""
    with zipfile.ZipFile(written) as file:
        assert all(name.endswith(".npy") for name in file.namelist())
        for name in file.namelist():
            assert b"'descr': '|O" not in file.read(name)[:256]
    with np.load(written, allow_pickle=False) as found:
        assert all(found[name].dtype.kind in "iuf" for name in found.files)


class Bomb:
    """What would leave a trace if anybody unpickled it."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        """Ask to be made by touching a file."""
        return (_touch, ("unpickled",))


def _touch(name: str) -> object:
    """Leave a trace."""
    Path(name).touch()
    return name


def test_what_would_run_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with an object in it is not read, and runs nothing."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "weights.npz"
    np.savez(path, facts=np.array([Bomb()], dtype=object))
    with pytest.raises(ValueError, match="holds no weights"):
        load(path)
    assert not (tmp_path / "unpickled").exists()


def _cut(raw: bytes) -> bytes:
    """Return the first half of a file."""
    return raw[: len(raw) // 2]


def _flip(raw: bytes) -> bytes:
    """Return a file with one byte changed in the middle."""
    place = len(raw) // 2
    return raw[:place] + bytes([raw[place] ^ 255]) + raw[place + 1 :]


def _other(_raw: bytes) -> bytes:
    """Return a file of another kind."""
    return b"version: 1\n"


def _empty(_raw: bytes) -> bytes:
    """Return a file with nothing in it."""
    return b""


@pytest.mark.parametrize("spoil", [_cut, _flip, _other, _empty])
def test_a_broken_file_is_refused(
    written: Path, spoil: Callable[[bytes], bytes]
) -> None:
    """The error says which file it is."""
    written.write_bytes(spoil(written.read_bytes()))
    with pytest.raises(ValueError, match=r"weights\.npz holds no weights"):
        load(written)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    """Nobody takes it for a broken one."""
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "weights.npz")


def _parts(weights: Weights, path: Path) -> dict[str, np.ndarray]:
    """Return what lies in a file of weights."""
    save(weights, path)
    with np.load(path, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("facts", np.frombuffer(b"{}", dtype=np.uint8)),
        ("facts", np.frombuffer(b"[", dtype=np.uint8)),
        ("actions_rows", np.array([9_999_999], dtype=np.uint32)),
        ("actions_values", np.ones((1, len(ACTIONS) + 1), dtype=np.int8)),
        ("actions_unit", np.array([np.nan], dtype=np.float32)),
        ("topics_unit", np.array([np.inf], dtype=np.float32)),
        ("topics_unit", np.array([], dtype=np.float32)),
    ],
)
def test_a_foreign_part_is_refused(
    tmp_path: Path, name: str, value: np.ndarray
) -> None:
    """Rows, columns and numbers must be those of this release."""
    path = tmp_path / "weights.npz"
    parts = _parts(few_weights(), path)
    np.savez(path, allow_pickle=False, **{**parts, name: value})
    with pytest.raises(ValueError, match="holds no weights"):
        load(path)


@pytest.mark.parametrize("gone", ["facts", "actions_rows", "topics_values"])
def test_a_missing_part_is_refused(tmp_path: Path, gone: str) -> None:
    """All of it must be there."""
    path = tmp_path / "weights.npz"
    parts = _parts(few_weights(), path)
    del parts[gone]
    np.savez(path, allow_pickle=False, **parts)
    with pytest.raises(ValueError, match="holds no weights"):
        load(path)
