"""A module that is loaded when it is first used."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.deferred import Deferred


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a module be there that nobody has loaded."""
    (tmp_path / "later_wanted.py").write_text("WORD = object()\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("later_wanted", None)


def test_it_is_loaded_when_something_of_it_is_wanted() -> None:
    """And not before; then it is the module that everybody gets."""
    deferred = Deferred("later_wanted")
    assert "later_wanted" not in sys.modules
    word = deferred.WORD
    assert sys.modules["later_wanted"].WORD is word is deferred.WORD


def test_what_is_not_there_is_said() -> None:
    """A module, or a name in it."""
    with pytest.raises(ModuleNotFoundError):
        _ = Deferred("later_nothing").WORD
    with pytest.raises(AttributeError):
        _ = Deferred("later_wanted").NOTHING
