"""reflex train and reflex show."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from app.cli import figures, reflex
from app.cli.commands import app
from app.cli.figures import (
    BEGIN,
    END,
    find_worse,
    put_into,
    to_markdown,
)
from app.decide.gate.place import base_version, open_site, site_file
from app.decide.gate.weights import Facts, Weights, load, save
from app.models.case import Case
from app.models.choice import Decision
from app.store.decisions import add_decision
from app.store.ledger import Ledger
from tests.records import make_record
from tests.unit.cli.conftest import Shell
from tests.unit.decide.gate.school import (
    case_of,
    few_lessons,
    few_weights,
)

LESSONS = len(few_lessons())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where a small product lives, with its own shipped weights."""
    shipped = tmp_path / "shipped.npz"
    save(few_weights(), shipped)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "reflex.md").write_text(f"A\n{BEGIN}\n{END}\nZ\n")
    monkeypatch.setattr(reflex, "HOME", tmp_path)
    monkeypatch.setattr(reflex, "SHIPPED", shipped)
    monkeypatch.setattr(reflex, "read_lessons", few_lessons)
    return tmp_path


def run(*arguments: str) -> Result:
    """Give a command."""
    return CliRunner().invoke(app, ["reflex", *arguments])


def measured(path: Path, **changes: float) -> None:
    """Write weights that were measured otherwise."""
    given = load(path)
    facts = msgspec.structs.replace(
        given.facts, measured={**given.facts.measured, **changes}
    )
    save(Weights(facts, given.actions, given.topics), path)


def decided(shell: Shell, incident: int, case: Case, action: str) -> None:
    """Keep a decision on an incident of the shell."""
    ledger = Ledger(shell.location, 2.0)
    with ledger.turn() as connection:
        add_decision(
            connection,
            make_record(incident, case, Decision(action=action)),
        )
    ledger.close()


def train(shell: Shell, *arguments: str) -> Any:
    """Train, and return what the command says as JSON."""
    done = shell.run("reflex", "train", "--json", *arguments)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_training_learns_what_people_said(shell: Shell, home: Path) -> None:
    """Corrections and confirmations count; the rest is named."""
    for number, service in ((1, "nginx"), (2, "apache2")):
        case = case_of({"instance": "web-1", "service": service})
        decided(shell, number, case, "escalate")
    said = ("--about", "action", "--author", "ana")
    shell.run("correct", "1", "It was a drill.", *said, "--right", "no_action")
    shell.run("correct", "2", "Right so.", *said, "--right", "escalate")
    shell.run("correct", "2", "It is the switch.", "--right", "the switch")
    told = train(shell)
    assert told["is_kept"] is True
    assert (told["outcomes"], told["confirmed"]) == (2, 1)
    assert told["left_out"] == {"names no action that is right": 1}
    kept = open_site(site_file(home)).facts
    assert kept.confirmed == 2
    assert kept.version.startswith(f"{base_version()}+")


def test_training_twice_gives_the_same(shell: Shell, home: Path) -> None:
    """The same words and lessons, the same version and figures."""
    first, again = train(shell), train(shell)
    assert first["after"] == again["after"] == again["before"]
    assert site_file(home).exists()


def test_a_site_is_never_bolder_than_what_is_shipped(
    shell: Shell, home: Path
) -> None:
    """Its thresholds begin where the shipped ones are."""
    given = few_weights()
    closed = dict.fromkeys(given.facts.thresholds, 0.97)
    facts = msgspec.structs.replace(given.facts, thresholds=closed)
    shipped = home / "shipped.npz"
    save(Weights(facts, given.actions, given.topics), shipped)
    least = train(shell)["after"]["thresholds"]
    assert all(value >= 0.97 for value in least.values())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"strict": 1.1}, "right less often"),
        ({"unsafe_unasked": -0.1}, "act unasked"),
    ],
)
def test_worse_weights_do_not_replace_others(
    shell: Shell, home: Path, changes: dict[str, float], why: str
) -> None:
    """The command fails and says why; --force keeps them."""
    train(shell)
    mine = site_file(home)
    measured(mine, **changes)
    before = mine.read_bytes()
    done = shell.run("reflex", "train")
    assert done.exit_code == 1
    assert why in done.stderr
    assert "--force" in done.stderr
    assert mine.read_bytes() == before
    assert train(shell, "--force")["is_kept"] is True
    assert mine.read_bytes() != before


def test_a_little_worse_each_time_is_not_much_worse_in_the_end(
    shell: Shell, home: Path
) -> None:
    """Those shipped are what they are compared with as well."""
    before = train(shell)["after"]["measured"]
    measured(home / "shipped.npz", strict=before["strict"] + 0.03)
    done = shell.run("reflex", "train")
    assert done.exit_code == 1
    assert "beside those shipped they are right less often" in done.stderr


def test_where_nothing_can_be_written_nothing_is_learned(
    shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes minutes, and would be lost."""
    monkeypatch.setattr(reflex, "read_lessons", None)
    (home / "var").mkdir()
    (home / "var" / "reflex").write_text("a file in its place")
    done = shell.run("reflex", "train")
    assert done.exit_code == 4
    assert "Nothing can be written to" in done.stderr
    assert "Make room" in done.stderr


def test_a_full_disk_leaves_what_was_there(
    shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said in words, and no half of a file stays."""
    train(shell)
    mine = site_file(home)
    before = mine.read_bytes()

    def fill(*_: object) -> None:
        """Have no room."""
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fill)
    done = shell.run("reflex", "train")
    assert done.exit_code == 4
    assert "No space left" in done.stderr
    assert mine.read_bytes() == before
    assert list(mine.parent.iterdir()) == [mine]


def test_a_broken_file_is_no_reason_not_to_train(
    shell: Shell, home: Path
) -> None:
    """It is named, the shipped ones are what is compared, and it goes."""
    mine = site_file(home)
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"broken")
    done = shell.run("reflex", "train")
    assert done.exit_code == 0, done.stderr
    assert "cannot be read" in done.stderr
    assert open_site(mine).facts.learned == 8 * LESSONS


def test_without_a_database_it_says_so(bare: Shell, home: Path) -> None:
    """With the command that mends it; nothing is written."""
    done = bare.run("reflex", "train")
    assert done.exit_code == 3
    assert "main.py migrate" in done.stderr
    assert not site_file(home).exists()


def test_the_product_s_own_are_made_of_lessons_alone(home: Path) -> None:
    """They need no settings and no database, and their page follows."""
    done = run("train", "--shipped")
    assert done.exit_code == 0, done.stderr
    facts = load(home / "shipped.npz").facts
    assert facts == few_weights().facts
    page = (home / "docs" / "reflex.md").read_text()
    assert page == f"A\n{BEGIN}\n\n{to_markdown(facts)}\n{END}\nZ\n"
    assert facts.version in done.stdout
    assert not site_file(home).exists()


def test_the_first_weights_have_nothing_to_be_worse_than(home: Path) -> None:
    """A missing or broken file is replaced."""
    (home / "shipped.npz").write_bytes(b"broken")
    done = run("train", "--shipped")
    assert done.exit_code == 0, done.stderr
    assert load(home / "shipped.npz").facts.confirmed == 0


def test_show_names_what_is_used(shell: Shell, home: Path) -> None:
    """The site's weights when it has some, else the shipped ones."""
    before = json.loads(run("show", "--json").stdout)
    assert before["file"] == str(home / "shipped.npz")
    train(shell)
    after = json.loads(run("show", "--json").stdout)
    assert after["file"] == str(site_file(home))
    shipped = json.loads(run("show", "--shipped", "--json").stdout)
    assert shipped == before
    assert after["version"] in run("show").stdout
    assert "restart_service" in run("show").stdout


def test_show_prints_what_stands_in_the_page(home: Path) -> None:
    """As Markdown, for weights of any kind."""
    del home
    facts = few_weights().facts
    assert run("show", "--markdown").stdout == to_markdown(facts)


def facts_of(**figures: float) -> Facts:
    """Return facts with these figures."""
    return Facts(
        version="v",
        actions=(),
        topics=(),
        thresholds={"kill_process": 1.02, "free_memory": 0.6},
        measured=figures,
    )


@pytest.mark.parametrize(
    ("before", "after", "is_worse"),
    [
        ((0.8, 0.0), (0.8, 0.0), False),
        ((0.8, 0.0), (0.785, 0.0), False),
        ((0.8, 0.0), (0.775, 0.0), True),
        ((0.8, 0.0), (0.99, 0.0001), True),
        ((0.8, 0.01), (0.8, 0.005), False),
    ],
)
def test_what_is_worse(
    before: tuple[float, float], after: tuple[float, float], is_worse: bool
) -> None:
    """One more unsafe call, or more than two points of right ones."""
    old, new = (
        facts_of(strict=strict, unsafe_unasked=unsafe)
        for strict, unsafe in (before, after)
    )
    assert bool(find_worse(old, new)) is is_worse
    assert not find_worse(None, new)


def test_figures_that_are_missing_are_not_good() -> None:
    """Who cannot say how often it is unsafe does not replace who can."""
    assert find_worse(facts_of(strict=0.8, unsafe_unasked=0.0), facts_of())


def test_a_closed_action_reads_as_never() -> None:
    """A threshold above one is none that is reached."""
    text = to_markdown(facts_of(strict=0.8371))
    assert "| kill_process | never |" in text
    assert "| free_memory | 0.600 |" in text
    assert "| strict | chooses the one right action | 83.71% |" in text


@pytest.mark.parametrize("page", ["", BEGIN, f"{END} {BEGIN}"])
def test_a_page_without_its_marks_is_not_touched(page: str) -> None:
    """Nobody knows where the figures belong."""
    with pytest.raises(ValueError, match="marks"):
        put_into(page, facts_of())


def test_every_figure_that_is_measured_has_a_meaning() -> None:
    """A figure without words tells nobody anything."""
    assert set(few_weights().facts.measured) == set(figures.WORDS)
