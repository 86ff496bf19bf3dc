"""The book: its figures, its page, and one part of it for real."""

import json
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.book.__main__ import conclude, lines_of, main
from bench.book.comparing import Line
from bench.book.figure import Part, by_id, read_parts
from bench.book.keeping import HOME, RESULTS, last_kept, load
from bench.book.page import asks_for, blocks, fill, named
from bench.book.running import run
from bench.book.size import Size
from bench.book.table import lay_out
from tests.unit.bench.making import figure, found, line, outcome, result

BOOK = read_parts()
PAGES = sorted({part.page for part in BOOK.values()})
PART = Part(
    name="door",
    about="a door",
    minutes=0.1,
    figures=(figure(aim="<= 10", unit="ms"), figure("door.other")),
)


def test_every_part_has_its_file_and_its_aims() -> None:
    """And each figure has the name of its part, and can be read."""
    for name, part in BOOK.items():
        module = f"bench.book.parts.{name.replace('-', '_')}"
        assert find_spec(module), module
        assert part.figures
        for one in part.figures:
            assert one.id.startswith(f"{name}.")
            assert one.goal is None or one.goal.bound >= 0
            assert one.by == "value" or one.reference


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_in_the_book(page: str) -> None:
    """A figure that is gone is not promised any longer."""
    text = (HOME / page).read_text()
    known = by_id(BOOK.values())
    assert [one for one in named(text, BOOK) if one not in known] == []
    for pattern in blocks(text):
        assert any(asks_for([pattern], one) for one in known), pattern


def test_every_figure_is_on_its_page() -> None:
    """What is measured is shown, by name or in a table."""
    for page in PAGES:
        text = (HOME / page).read_text()
        shown, words = list(blocks(text)), set(named(text, BOOK))
        for part in BOOK.values():
            for one in part.figures if part.page == page else ():
                assert one.id in words or asks_for(shown, one.id), one.id


def test_every_kept_result_can_be_read() -> None:
    """And what stands in it is in the book."""
    known = by_id(BOOK.values())
    for file in RESULTS.glob("*.json"):
        kept = last_kept([(file.stem, load(file))])
        assert set(kept) <= set(known), file.name


def test_the_table_says_what_was_missed_and_what_became_worse() -> None:
    """A row each, with what it was."""
    slow = line(figure(aim="<= 10", unit="ms"), 20.0, was=10.0)
    (heads, row) = lay_out([slow]).splitlines()
    assert heads.split()[:3] == ["figure", "aim", "now"]
    assert "+100%" in row
    assert row.endswith("missed, WORSE")


def test_a_part_that_cannot_run_is_said() -> None:
    """It is no failure, and its figures are not silently gone."""
    ran = result("x", door=outcome(why="needs wrk"))
    lines = list(lines_of([PART], ran, {}))
    assert [one.why for one in lines] == ["needs wrk", "needs wrk"]
    assert conclude(lines, compares=True) == 0


def test_what_failed_and_what_became_worse_ends_in_a_status() -> None:
    """The second only where it is asked for."""
    worse: list[Line] = [line(figure(), 20.0, was=10.0)]
    assert conclude(worse, compares=False) == 0
    assert conclude(worse, compares=True) == 1
    ran = result("x", door=outcome(why="failed: status 1"))
    assert conclude(list(lines_of([PART], ran, {})), compares=False) == 1


def test_a_page_gets_its_tables_and_keeps_its_words() -> None:
    """What nobody measured stays as it was."""
    text = "before\n<!-- figures: door -->\nold\n<!-- end -->\nafter\n"
    slow = line(figure(aim="<= 10", unit="ms"), 20.0, was=10.0)
    written = fill(text, {"door.rate": slow})
    assert written.startswith("before\n")
    assert written.endswith("<!-- end -->\nafter\n")
    assert "| `door.rate` | what it is | <= 10 ms, missed | 20.0 ms |" in (
        written
    )
    assert "old" not in written
    assert fill(text, {"log.host": slow}) == text


def test_a_real_part_is_measured_in_a_process_of_its_own(
    tmp_path: Path,
) -> None:
    """Deciding, at a tiny scale; kept, and compared with itself."""
    file = tmp_path / "first.json"
    words = ["telling", "--quick", "--keep", str(file)]
    assert main(words) == 0
    kept = json.loads(file.read_text())
    (part,) = load(file).parts.values()
    assert part.why == ""
    names = {one.id for one in part.found}
    assert {"telling.route", "telling.letter", "telling.turn"} <= names
    assert all(one.now > 0 for one in part.found)
    # As if all had taken a hundredth of it before.
    for outcome_of in kept["parts"].values():
        for one in outcome_of["found"]:
            one["now"] /= 100
    file.write_text(json.dumps(kept))
    again = [*words[:3], str(tmp_path / "second.json")]
    assert main([*again, "--against", str(file), "--compare"]) == 1


def test_a_part_that_breaks_is_a_failure_with_its_last_words() -> None:
    """And not an empty table."""
    said: list[str] = []
    broken = Part(name="no-such-part", about="", minutes=0.1, figures=())
    found_none = run(broken, Size.QUICK, said.append)
    assert found_none.why == "failed: status 1"
    assert any("no_such_part" in one for one in said)


def test_the_command_lists_what_there_is() -> None:
    """The thin front takes its words to the book."""
    done = subprocess.run(
        [HOME / "bench" / "run.sh", "--list"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert [one.split()[0] for one in done.stdout.splitlines()] == [*BOOK]


def test_what_there_is_not_is_refused() -> None:
    """By name."""
    with pytest.raises(SystemExit, match="no part doors"):
        main(["doors"])


def test_a_figure_that_is_only_large_is_asked_of_a_large_run() -> None:
    """A usual run does not miss it."""
    large = Part(
        name="door", about="", minutes=1, figures=(figure(large=True),)
    )
    ran = result("x", door=outcome())
    assert list(lines_of([large], ran, {})) == []
    whole = result("x", Size.LARGE, door=outcome())
    assert len(list(lines_of([large], whole, {}))) == 1
    quick = result("x", Size.QUICK, door=outcome(found(1.0)))
    assert len(list(lines_of([PART], quick, {}))) == 1
