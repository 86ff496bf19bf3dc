"""Measure brains on sets of labelled alerts: see docs/evaluation.md.

python scripts/run_evals.py run --set tests/evals/cases --brain reflex
python scripts/run_evals.py compare before/ after/
python scripts/run_evals.py calibrate --brain ollama --dry-run
python scripts/run_evals.py import-log log.jsonl --to ours.jsonl
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

# Started by its path, Python looks for modules in this folder only.
sys.path.insert(0, str(Path(__file__).parent.parent))

from app.core.configfile import CONFIG_VARIABLE
from app.core.errors import ConfigError
from app.core.log import set_up_log
from app.decide.calibration import PLACE, keep
from scripts.evals import calibrating, comparing, tables
from scripts.evals.bare import Model
from scripts.evals.field import Field
from scripts.evals.keeping import write_plain
from scripts.evals.ours import HOME
from scripts.evals.ownlog import (
    ask_service,
    import_log,
    read_cases,
    write_rows,
)
from scripts.evals.running import Round, Runner, Told, tell_all
from scripts.evals.truth import Wrong
from scripts.evals.twins import read_set

WORSE = 1
UNUSABLE = 2
DEFAULT_SET = HOME / "tests" / "evals" / "cases"
SETTINGS = HOME / "config" / "smokejumper.yaml"
DEFAULT_BRAINS = ["always-escalate", "keywords", "reflex"]
app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, help=__doc__
)
WIDE = 1_000  # a file or a pipe has no width: nothing is cut there
out_ = Console(
    highlight=False,
    markup=False,
    width=None if sys.stdout.isatty() else WIDE,
)
err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def stop(error: Exception) -> typer.Exit:
    """Say what is wrong, and return how the command ends."""
    err.print(Text(f"Error: {error}", style="red"))
    return typer.Exit(UNUSABLE)


Config = Annotated[
    Path | None, typer.Option(help="The settings file of the service.")
]


@app.command()
def run(  # noqa: PLR0913 (each is an option)
    *,
    sets: Annotated[
        list[Path] | None,
        typer.Option("--set", help="A file or folder of cases; repeatable."),
    ] = None,
    brains: Annotated[
        list[str] | None,
        typer.Option("--brain", help="Who is measured; repeatable, or all."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A folder; a second run goes on.")
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=1, max=256, help="How many rows at a time.")
    ] = 1,
    predictions: Annotated[
        Path | None, typer.Option(help="Write what one brain would do.")
    ] = None,
    config: Config = None,
    url: Annotated[
        str, typer.Option(help="Ollama, for free-tools and constrained.")
    ] = "http://127.0.0.1:11434",
    model: Annotated[
        str, typer.Option(help="Their model; ours stand in the settings.")
    ] = "llama3.2",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget what --out holds.")
    ] = False,
) -> None:
    """Measure brains on sets: a table, and with --out JSON and Markdown."""
    set_up_log("error", "console")
    names = list(dict.fromkeys(brains or DEFAULT_BRAINS))
    if predictions is not None and len(names) > 1:
        raise stop(Wrong("--predictions is for one --brain at a time"))
    try:
        told = read_all(sets or [DEFAULT_SET])
        file = config or Path(os.environ.get(CONFIG_VARIABLE) or SETTINGS)
        with Field(file, os.environ, Model(url, model)) as field:
            if names == ["all"]:
                names = list(field.configured)
            field_ = list(field.make_all(names))
            runner = Runner(out, jobs, fresh=fresh)
            rounds = asyncio.run(runner.run(told, field_))
        publish(rounds, out, predictions)
    except (Wrong, ConfigError) as error:
        raise stop(error) from error
    except KeyboardInterrupt as error:
        raise stop(Wrong("stopped: the same command goes on")) from error


def read_all(paths: list[Path]) -> list[Told]:
    """Return the sets with their cases, or raise Wrong."""
    told = tell_all(read_set(path) for path in paths)
    if len({one.rows.name for one in told}) < len(told):
        raise Wrong("two sets have one name: rename a file")
    return told


def publish(
    rounds: list[Round], out: Path | None, predictions: Path | None
) -> None:
    """Write what was asked for, then show the figures.

    In this order: whoever reads the table may stop to read.
    """
    if out is not None:
        tables.write(rounds, out)
        err.print(f"Written: {out}/results.json and {out}/results.md")
    if predictions is not None:
        said = [one for found in rounds for one in found.predictions]
        write_plain(predictions, said)
    tables.print_rounds(rounds, out_)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="Run A: folder or file.")],
    second: Annotated[Path, typer.Argument(help="Run B.")],
    brain_a: Annotated[str, typer.Option(help="Of run A only this.")] = "",
    brain_b: Annotated[str, typer.Option(help="Of run B this.")] = "",
) -> None:
    """Ends with 1 when B is significantly worse or less safe than A."""
    try:
        found = comparing.compare(
            first, second, comparing.Choose(brain_a, brain_b)
        )
    except Wrong as error:
        raise stop(error) from error
    for one in found:
        for line in comparing.tell(one):
            out_.print(line)
    if any(one.faults for one in found):
        raise typer.Exit(WORSE)


@app.command()
def calibrate(  # noqa: PLR0913 (each is an option)
    *,
    brain: Annotated[str, typer.Option(help="Of its model: ollama, ...")],
    sets: Annotated[
        list[Path] | None,
        typer.Option("--set", help="A file or folder of cases; repeatable."),
    ] = None,
    recorded: Annotated[
        Path | None,
        typer.Option("--from", help="The folder of a run: ask nothing."),
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=1, max=256, help="How many rows at a time.")
    ] = 1,
    to: Annotated[
        Path, typer.Option(help="The file that the service reads.")
    ] = HOME / PLACE,
    config: Config = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show it, write nothing.")
    ] = False,
) -> None:
    """Fit what a language model's own number means; say how well."""
    set_up_log("error", "console")
    try:
        told = read_all(sets or [DEFAULT_SET])
        file = config or Path(os.environ.get(CONFIG_VARIABLE) or SETTINGS)
        if recorded is not None:
            said = calibrating.recall(told, brain, recorded)
        else:
            with Field(file, os.environ, Model("", "")) as field:
                asked = field.make(brain)
                said = asyncio.run(calibrating.ask(told, asked, jobs))
        made = calibrating.calibrate(brain, told, said)
        for line in calibrating.tell(made):
            out_.print(line)
        if not dry_run:
            keep(to, made)
            err.print(f"Written: {to}; the service reads it when it starts.")
    except (Wrong, ConfigError) as error:
        raise stop(error) from error
    except KeyboardInterrupt as error:
        raise stop(Wrong("stopped: nothing was written")) from error


@app.command("import-log")
def take_log(
    log: Annotated[Path, typer.Argument(help="main.py export log, JSON.")],
    to: Annotated[Path, typer.Option(help="The set to write.")],
    decisions: Annotated[
        Path | None,
        typer.Option(help="Decisions with their cases, as JSON lines."),
    ] = None,
    service: Annotated[
        str, typer.Option(help="Else: the service that has the cases.")
    ] = "",
    config: Config = None,
) -> None:
    """Make a set of an action log: people's corrections are the truth."""
    try:
        file = config or Path(os.environ.get(CONFIG_VARIABLE) or SETTINGS)
        with Field(file, os.environ, Model("", "")) as field:
            catalogue = field.workshop.catalogue
            find = read_cases(decisions) if decisions is not None else None
            if find is None and service:
                token = os.environ.get("EVALS_TOKEN", "")
                find = ask_service(service, token)
            found = import_log(log, catalogue, find)
        if found.rows:
            write_rows(found.rows, to)
    except (Wrong, ConfigError) as error:
        raise stop(error) from error
    out_.print(f"{len(found.rows)} rows in {to}")
    for why, count in found.left_out.items():
        out_.print(f"left out, {why}: {count}")
    if not found.rows:
        raise stop(Wrong("no correction can be used; nothing was written"))


if __name__ == "__main__":
    app()
