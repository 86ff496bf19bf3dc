"""hands: the process that does what is allowed on this machine."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.bootstrap import HOME

ENTRY = "app.act.local"


def hands(
    settings: Annotated[
        Path | None,
        typer.Option(
            help="Its own settings file.", show_default="config/hands.yaml"
        ),
    ] = None,
    served: Annotated[
        list[str] | None,
        typer.Option(
            "--for",
            metavar="USER",
            help="The user that the web process runs as.",
        ),
    ] = None,
    grace: Annotated[
        float,
        typer.Option(help="Seconds that what is done may go on at the end."),
    ] = 20.0,
) -> None:
    """Do what is allowed on this machine, as a process of its own.

    This process becomes it: nothing of the web stays in it.
    """
    words = ["-m", ENTRY, "--grace", str(grace)]
    if settings is not None:
        words += ["--settings", str(settings.absolute())]
    for user in served or ():
        words += ["--for", user]
    os.chdir(HOME)
    program = sys.executable
    os.execv(program, [program, *words])  # noqa: S606 fixed words, no shell
