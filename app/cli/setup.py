"""What every command starts with: the settings and the wired product."""

import os
from pathlib import Path
from typing import Annotated

import typer

from app.bootstrap import Product, build
from app.cli.output import stop
from app.core.configfile import CONFIG_VARIABLE, Config, load_config
from app.core.errors import ConfigError
from app.core.home import find_settings

WRONG_SETTINGS = 2
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="The settings file.",
        envvar=CONFIG_VARIABLE,
        show_default="config/smokejumper.yaml",
    ),
]


def place(file: Path | None) -> Path:
    """Return where the settings are."""
    return file or find_settings("smokejumper.yaml")


def read_config(file: Path | None) -> Config:
    """Return the settings, or end the command with what is wrong."""
    try:
        return load_config(place(file), os.environ)
    except ConfigError as error:
        stop(explain(error), WRONG_SETTINGS)


def wire(file: Path | None) -> Product:
    """Return the product, or end the command with what is wrong."""
    try:
        return build(read_config(file))
    except ConfigError as error:
        stop(explain(error), WRONG_SETTINGS)


def explain(error: ConfigError) -> str:
    """Return all that is wrong with the settings, a line each."""
    lines = [f"  {problem}" for problem in error.problems]
    count = len(lines)
    head = "1 setting is wrong:" if count == 1 else f"{count} are wrong:"
    return "\n".join([head, *lines])
