"""The commands: python -m simulator serve | on | off | state | ...

All but serve ask a running simulator. Exit status: 0 it is done, 2 wrong
use, 3 the simulator (for score: or the service) does not answer, 4 it was
refused.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from simulator.asking import URL, Client, NotRunning
from simulator.problem import Away, Refused
from simulator.reading import read_duration, read_moment, read_options
from simulator.scoring import Wanted, make_card
from simulator.serving import serve as run_server
from simulator.settings import load_settings, place_of_settings
from simulator.showing import (
    say,
    show_json,
    show_table,
    show_truths,
    stop,
)

WRONG_USE, NOT_RUNNING, REFUSED = 2, 3, 4
SERVICE = "http://127.0.0.1:8080"
LOOK_SECONDS = 0.5
START = "Start it with: python -m simulator serve"

Json = Annotated[
    bool, typer.Option("--json", help="Print JSON instead of a table.")
]
cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@contextmanager
def explained() -> Iterator[None]:
    """End with what is wrong and the status that says so."""
    try:
        yield
    except NotRunning as error:
        stop(f"The simulator does not answer: {error}. {START}", NOT_RUNNING)
    except Away as error:
        stop(str(error), NOT_RUNNING)
    except Refused as error:
        stop(f"Refused: {error}", _status(error))


def _status(error: Refused) -> int:
    """Return the exit status for a refusal: whose fault it was."""
    is_typing = error.status in (400, 404, 413, 422)
    return WRONG_USE if is_typing else REFUSED


@cli.callback()
def choose(
    url: Annotated[
        str,
        typer.Option(
            help="Where the simulator is; else SIMULATOR_URL, else as in"
            " its settings. A token is in SIMULATOR_TOKEN, or there."
        ),
    ] = "",
) -> None:
    """Cause real trouble on this machine, and end it again."""
    if url:
        os.environ[URL] = url


@cli.command()
def serve(
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="The settings' file."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Listen here instead.", min=0)
    ] = None,
) -> None:
    """Run the simulator until told to stop (SIGTERM or Ctrl-C)."""
    with explained():
        settings = load_settings(config or place_of_settings())
        if port is not None:
            settings = settings.model_copy(update={"port": port})
        run_server(settings)


@cli.command()
def on(
    kind: str,
    level: Annotated[int | None, typer.Option(help="How strong.")] = None,
    duration: Annotated[
        str, typer.Option("--for", help="How long: 90s, 2m.")
    ] = "",
    option: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE, repeatable.")
    ] = None,
    *,
    in_json: Json = False,
) -> None:
    """Begin a fault."""
    with explained():
        body: dict[str, Any] = {"options": read_options(option or [])}
        if level is not None:
            body["level"] = level
        if duration:
            body["seconds"] = read_duration(duration)
        with Client() as client:
            truth = client.ask("POST", "faults", kind, body=body)
    if in_json:
        show_json(truth)
        return
    show_truths([truth])


@cli.command()
def off(
    kind: Annotated[str, typer.Argument()] = "",
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Scenario and all faults.")
    ] = False,
    in_json: Json = False,
) -> None:
    """End a fault, or with --all whatever runs."""
    if bool(kind) == everything:
        stop("Say which: off KIND, or off --all.", WRONG_USE)
    with explained(), Client() as client:
        path = ("faults", kind) if kind else ("faults",)
        said = client.ask("DELETE", *path)
    if in_json:
        show_json(said)
    elif said["truth"]:
        show_truths(said["truth"])
    else:
        say("Nothing ran.")


@cli.command()
def state(*, in_json: Json = False) -> None:
    """Show what there is and what runs."""
    with explained(), Client() as client:
        said = client.ask("GET", "state")
    if in_json:
        show_json(said)
        return
    say(f"SIMULATOR ON, host {said['host']}")
    show_table(
        ("fault", "level", "seconds", "purpose"),
        [
            (
                one["kind"],
                f"{one['level']} {one['unit']}",
                one["seconds"],
                one["purpose"],
            )
            for one in said["faults"]
        ],
    )
    if said["playing"]:
        say(f"The scenario {said['playing']['scenario']} is played.")
    say("What runs now:" if said["running"] else "Nothing runs.")
    if said["running"]:
        show_truths(said["running"])


@cli.command()
def scenarios(*, in_json: Json = False) -> None:
    """Show what can be played."""
    with explained(), Client() as client:
        said = client.ask("GET", "scenarios")
    if in_json:
        show_json(said)
        return
    rows = [
        (one["name"], one.get("seconds", ""), _purpose(one))
        for one in said["scenarios"]
    ]
    show_table(("scenario", "seconds", "purpose"), rows)


def _purpose(one: dict[str, Any]) -> str:
    """Return what a scenario shows, or what is wrong with it."""
    problem = one.get("problem")
    return f"WRONG: {problem['detail']}" if problem else str(one["purpose"])


@cli.command()
def play(
    name: str,
    *,
    wait: Annotated[
        bool, typer.Option("--wait", help="Return when it has ended.")
    ] = False,
    in_json: Json = False,
) -> None:
    """Play a scenario."""
    with explained(), Client() as client:
        client.ask("POST", "scenarios", name)
        said = client.ask("GET", "state")["played"]
        while wait and not said["ended"]:
            time.sleep(LOOK_SECONDS)
            said = client.ask("GET", "state")["played"]
    if in_json:
        show_json(said)
    elif not said["ended"]:
        say(f"{name} is played, for {said['seconds']:g} s at most.")
    else:
        say(f"{name}: {said['ended']}. {said['problem']}".strip())
    if said["ended"] == "failed":
        raise typer.Exit(REFUSED)


@cli.command("score")
def score_it(
    url: Annotated[
        str, typer.Option(help="The service that was to help.")
    ] = SERVICE,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write JSON here; - prints.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw it here, as SVG.")
    ] = None,
    since: Annotated[
        str, typer.Option(help="Only what began after: 10m, or a moment.")
    ] = "",
    truth: Annotated[
        Path | None, typer.Option(help="A truth.jsonl, not the simulator.")
    ] = None,
) -> None:
    """Score the service: what it did about what really happened."""
    with explained():
        moment = read_moment(since) if since else None
        make_card(Wanted(url, truth, moment, json_file, picture))
