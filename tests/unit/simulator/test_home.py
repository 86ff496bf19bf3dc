"""The folder: one that is ours, and of one simulator at a time."""

from pathlib import Path

import pytest

from simulator import home as home_module
from simulator.home import MARK, Home
from simulator.problem import Conflict, Unable


def test_a_new_folder_is_made_and_known_again(tmp_path: Path) -> None:
    """Also when it holds something by then."""
    path = tmp_path / "a" / "b"
    Home(path).make()
    assert (path / MARK).exists()
    (path / "more").touch()
    Home(path).make()


@pytest.mark.parametrize("kind", ["foreign", "link", "file"])
def test_what_is_not_ours_is_not_taken(tmp_path: Path, kind: str) -> None:
    """Nothing is put there, and nothing can be removed there."""
    other = tmp_path / "other"
    path = other
    if kind == "file":
        other.write_text("x")
    else:
        other.mkdir()
        (other / "precious").write_text("x")
    if kind == "link":
        path = tmp_path / "link"
        path.symlink_to(other)
    with pytest.raises(Unable) as caught:
        Home(path).make()
    assert caught.value.field == "folder"
    assert not (other / MARK).exists()


def test_where_nothing_can_be_written_it_says_so() -> None:
    """The kernel's own files are nobody's folder."""
    with pytest.raises(Unable, match="cannot be written"):
        Home(Path("/proc/smokejumper")).make()


def test_one_has_it_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is told; when the first lets go, it may have it."""
    monkeypatch.setattr(home_module, "TAKE_SECONDS", 0.05)
    first, second = Home(tmp_path), Home(tmp_path)
    first.take()
    with pytest.raises(Conflict, match="another simulator") as caught:
        second.take()
    assert caught.value.status == 409
    first.release()
    second.take()
    second.release()
    second.release()
