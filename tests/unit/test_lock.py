"""The lock: what is installed, file for file, is what the lists ask for."""

import shutil
from pathlib import Path

import pytest

from scripts.lock import LISTS, check, is_for_us, read_list, read_lock

HOME = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the lists and their locks."""
    shutil.copytree(HOME / "locks", tmp_path / "locks")
    for name in LISTS:
        shutil.copy(HOME / name, tmp_path)
    return tmp_path


def change(file: Path, old: str, new: str) -> None:
    """Replace a text that must be there."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_the_locks_are_what_the_lists_want() -> None:
    """Each package with its version and a hash, and no other."""
    assert list(check(HOME)) == []


def test_every_list_has_a_lock_and_every_lock_a_list() -> None:
    """A new list is not installed around its lock."""
    there = {file.name for file in HOME.glob("*requirements*.txt")}
    assert there == set(LISTS)
    assert {file.name for file in (HOME / "locks").iterdir()} == there


def test_a_lock_takes_in_what_its_list_takes_in() -> None:
    """With 'dev' comes all that the service runs with, by its own lock."""
    for name in LISTS:
        text = (HOME / "locks" / name).read_text()
        others = read_list(HOME / name).others
        found = [line for line in text.splitlines() if line.startswith("-r")]
        assert found == [f"-r {other}" for other in others]


def test_a_new_version_without_its_hash_is_seen(copy: Path) -> None:
    """Who changes a list makes the lock anew."""
    change(copy / "requirements.txt", "h11==0.16.0", "h11==0.16.1")
    assert list(check(copy)) == ["locks/requirements.txt: h11 is 0.16.0"]


def test_a_package_that_a_list_lacks_is_seen(copy: Path) -> None:
    """Nobody slips one in by the lock, and none is forgotten there."""
    change(copy / "requirements.txt", "h11==0.16.0\n", "more==1\n")
    assert list(check(copy)) == [
        "locks/requirements.txt: h11 is 0.16.0",
        "locks/requirements.txt: more is missing",
    ]


def test_a_package_without_a_hash_is_seen(copy: Path) -> None:
    """Neither none nor one of a weaker kind."""
    lock = copy / "locks" / "requirements.txt"
    ((name, (version, hashes)), *_) = read_lock(lock).items()
    written = f"{name}=={version} \\\n    " + " \\\n    ".join(hashes)
    change(lock, written, f"{name}=={version}")
    assert list(check(copy)) == [
        f"locks/requirements.txt: {name} has no good hash"
    ]
    change(lock, f"{name}=={version}", f"{name}=={version} --hash=md5:00")
    assert list(check(copy)) == [
        f"locks/requirements.txt: {name} has no good hash"
    ]


def test_the_locks_name_no_index() -> None:
    """Where packages come from is a matter of each site."""
    for name in LISTS:
        text = (HOME / "locks" / name).read_text()
        assert "://" not in text
        assert "index-url" not in text


@pytest.mark.parametrize(
    "wheel",
    [
        "a-1-py3-none-any.whl",
        "a-1-py2.py3-none-any.whl",
        "a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "a-1-cp313-cp313-musllinux_1_2_aarch64.whl",
        "a-1-cp38-abi3-macosx_11_0_arm64.whl",
    ],
)
def test_wheels_that_we_may_take(wheel: str) -> None:
    """Every Linux and macOS, every Python that we run on."""
    assert is_for_us(wheel)


@pytest.mark.parametrize(
    "wheel",
    [
        "a-1-cp310-cp310-manylinux_2_17_x86_64.whl",
        "a-1-cp311-cp311-win_amd64.whl",
        "a-1-py3-none-win_amd64.whl",
        "a-1-pp311-pypy311_pp73-manylinux_2_17_x86_64.whl",
        "a-1-cp314-cp314t-manylinux_2_17_x86_64.whl",
        "a-1-py2-none-any.whl",
    ],
)
def test_wheels_that_we_never_take(wheel: str) -> None:
    """They only make the lock longer."""
    assert not is_for_us(wheel)
