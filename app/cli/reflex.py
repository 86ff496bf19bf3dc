"""reflex train and reflex show: the embedded brain's weights."""

from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import Progress

from app.act import actions
from app.act.catalogue import make_catalogue
from app.bootstrap import HOME
from app.cli.figures import (
    compare,
    find_worse,
    put_into,
    tell_thresholds,
    to_markdown,
)
from app.cli.output import Json, err, out, print_json, print_table, stop
from app.cli.setup import ConfigFile, wire
from app.core.errors import ConfigError, SmokejumperError
from app.core.registry import scan
from app.decide.gate.lessons import read_lessons
from app.decide.gate.outcomes import Learnable, hold, read_outcomes
from app.decide.gate.place import open_site, site_file, stamp
from app.decide.gate.training import Outcome, Teacher
from app.decide.gate.weighing import SHIPPED
from app.decide.gate.weights import Facts, Weights, load, save
from app.decide.grounding import Grounder
from app.decide.knowledge import read_knowledge
from app.models.action import Catalogue
from app.models.inventory import Inventory
from app.store.outcomes import find_corrections, find_measured

WORSE = 1
NO_DATABASE = 3
NOT_WRITTEN = 4
COLUMNS = ("figure", "before", "after", "meaning")
NOTHING = Learnable((), 0, {})
app = typer.Typer(
    help="The embedded brain: what it has learned, and how to teach it.",
    no_args_is_help=True,
)
Shipped = Annotated[
    bool, typer.Option("--shipped", help="Those that the product ships.")
]


class Course(msgspec.Struct, frozen=True):
    """What is to be learned, and what it is compared with.

    Attributes:
        catalogue: what may be done.
        learnable: what the site's people said.
        before: what is known about the weights that are there, or None.
        path: where the weights go.
    """

    catalogue: Catalogue
    learnable: Learnable
    before: Facts | None
    path: Path


@app.command()
def train(
    force: Annotated[
        bool, typer.Option("--force", help="Keep them though they are worse.")
    ] = False,
    shipped: Shipped = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Learn from the lessons, and from what this site's people said."""
    course = _of_the_product() if shipped else _of_the_site(config)
    _check_folder(course.path)
    weights = _teach(course.catalogue, course.learnable.outcomes)
    if not shipped:
        held = stamp(hold(weights.facts, load(SHIPPED).facts))
        weights = msgspec.structs.replace(weights, facts=held)
    worse = find_worse(course.before, weights.facts)
    if not shipped and not worse:
        # A little worse each time would be much worse in the end.
        worse = find_worse(load(SHIPPED).facts, weights.facts)
        worse = worse and f"beside those shipped {worse}"
    is_kept = force or not worse
    if is_kept:
        _keep(weights, course.path)
    _report(course, weights.facts, as_json=as_json, is_kept=is_kept)
    if not is_kept:
        stop(
            f"These weights do not replace those that are there: {worse}."
            " --force keeps them all the same.",
            WORSE,
        )


@app.command()
def show(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print it for a page.")
    ] = False,
    shipped: Shipped = False,
    as_json: Json = False,
) -> None:
    """Show which weights are used, and what they were measured at."""
    facts, path = _in_use(shipped=shipped)
    if as_json:
        print_json({"file": str(path), **msgspec.to_builtins(facts)})
    elif markdown:
        typer.echo(to_markdown(facts), nl=False)
    else:
        out.print(f"Weights {facts.version} of {path}")
        out.print(
            f"made of {facts.learned:,} tellings of lessons"
            f" and {facts.confirmed} outcomes of this site"
        )
        print_table(compare(None, facts), ("figure", "after", "meaning"))
        print_table(tell_thresholds(facts), ("action", "runs unasked from"))


def _check_folder(path: Path) -> None:
    """End where nothing can be written: to learn takes minutes."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        stop(
            f"Nothing can be written to {path.parent}: {error.strerror}."
            " Make room, or let this user write there.",
            NOT_WRITTEN,
        )


def _of_the_product() -> Course:
    """Return what the shipped weights are made of: the lessons alone."""
    catalogue = make_catalogue(scan(actions), [])
    return Course(catalogue, NOTHING, _find_facts(SHIPPED), SHIPPED)


def _of_the_site(config: ConfigFile) -> Course:
    """Return what a site's weights are made of, or end."""
    product = wire(config)
    path = site_file(HOME)
    try:
        # What people say comes later, and counts more.
        said = [
            *product.reader.ask(find_measured),
            *product.reader.ask(find_corrections),
        ]
    except SmokejumperError as error:
        stop(
            f"{product.location}: {error}. 'main.py migrate' prepares it.",
            NO_DATABASE,
        )
    finally:
        product.reader.close()
    knowledge = read_knowledge()
    grounder = Grounder(product.catalogue, Inventory(), knowledge)
    learnable = read_outcomes(said, grounder, knowledge)
    before, _ = _in_use(shipped=False)
    return Course(product.catalogue, learnable, before, path)


def _in_use(*, shipped: bool) -> tuple[Facts, Path]:
    """Return what is known about the weights in use, and their file."""
    path = site_file(HOME)
    if not shipped:
        try:
            return open_site(path).facts, path
        except FileNotFoundError:
            pass
        except ConfigError as error:
            err.print(f"{error}\nThe shipped weights are used.", style="red")
    return load(SHIPPED).facts, SHIPPED


def _find_facts(path: Path) -> Facts | None:
    """Return what is known about weights, or None when there are none."""
    try:
        return load(path).facts
    except (OSError, ValueError):
        return None


def _teach(catalogue: Catalogue, outcomes: tuple[Outcome, ...]) -> Weights:
    """Return new weights; shows how far it is."""
    knowledge = read_knowledge()
    teacher = Teacher(Grounder(catalogue, Inventory(), knowledge), knowledge)
    with Progress(console=err.console, transient=True) as progress:
        task = progress.add_task("reading", total=1.0)

        def tell(what: str, share: float) -> None:
            """Show how far a part of the work is."""
            progress.update(task, description=what, completed=share)

        return teacher.teach(read_lessons(), outcomes, tell)


def _keep(weights: Weights, path: Path) -> None:
    """Write weights, and for those shipped their page, too."""
    try:
        save(weights, path)
    except OSError as error:
        stop(
            f"The weights cannot be written: {error}. Those that were there"
            " are untouched; make room, or let this user write there.",
            NOT_WRITTEN,
        )
    page = HOME / "docs" / "reflex.md"
    if path == SHIPPED and page.exists():
        text = page.read_text(encoding="utf-8")
        page.write_text(put_into(text, weights.facts), encoding="utf-8")


def _report(
    course: Course, facts: Facts, *, as_json: bool, is_kept: bool
) -> None:
    """Print what was learned, and how good it is."""
    learned = course.learnable
    if as_json:
        said: dict[str, Any] = {
            "file": str(course.path),
            "is_kept": is_kept,
            "before": course.before,
            "after": facts,
            "outcomes": len(learned.outcomes),
            "confirmed": learned.confirmed,
            "left_out": learned.left_out,
        }
        print_json(said)
        return
    corrected = len(learned.outcomes) - learned.confirmed
    out.print(
        f"Learned: {facts.learned:,} tellings of lessons,"
        f" {learned.confirmed} decisions confirmed, {corrected} corrected."
    )
    for why, count in sorted(learned.left_out.items()):
        out.print(f"Not learned: {count} ({why})")
    print_table(compare(course.before, facts), COLUMNS)
    if is_kept:
        out.print(f"Kept: version {facts.version} in {course.path}")
