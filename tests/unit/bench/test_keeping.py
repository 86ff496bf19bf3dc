"""Results are kept by day and commit, and the newest one counts."""

from pathlib import Path

from bench.book.keeping import earlier, last_kept, load, save, write
from bench.book.size import Size
from tests.unit.bench.making import found, outcome, result

DAY, NEXT = "2026-11-22T04:00:00Z", "2026-11-23T04:00:00Z"


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    """With its machine and its range."""
    one = outcome(found(1.5, ratio=0.5, low=0.4, high=0.6))
    file = save(result(DAY, door=one), tmp_path)
    assert file.name == "2026-11-22-abc1234.json"
    assert load(file) == result(DAY, door=one)
    assert load(file).parts["door"].machine.cores >= 1


def test_parts_of_one_state_share_a_file(tmp_path: Path) -> None:
    """A second run of a part takes the place of the first."""
    save(result(DAY, door=outcome(found(1.0))), tmp_path)
    save(result(DAY, log=outcome(found(2.0, "log.host"))), tmp_path)
    file = save(result(DAY, door=outcome(found(3.0))), tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    parts = load(file).parts
    assert parts["door"].found[0].now == 3.0
    assert parts["log"].found[0].now == 2.0


def test_what_was_not_committed_has_a_name_of_its_own(tmp_path: Path) -> None:
    """It is no result of that commit."""
    clean = save(result(DAY, door=outcome()), tmp_path)
    changed = save(result(DAY, commit="abc1234+", door=outcome()), tmp_path)
    assert clean != changed
    assert changed.name == "2026-11-22-abc1234-dirty.json"


def test_the_newest_of_the_same_size_counts(tmp_path: Path) -> None:
    """Whatever its file is called; a figure may be in an older one only."""
    old = result(
        DAY, door=outcome(found(1.0)), log=outcome(found(5.0, "log.host"))
    )
    write(old, tmp_path / "baseline.json")
    save(result(NEXT, door=outcome(found(2.0))), tmp_path)
    quick = result(NEXT, Size.QUICK, door=outcome(found(9.0)))
    save(quick, tmp_path)
    kept = last_kept(earlier(Size.USUAL, tmp_path))
    assert kept["door.rate"].found.now == 2.0
    assert kept["log.host"].found.now == 5.0
    assert kept["log.host"].result == "baseline"
