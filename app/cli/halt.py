"""halt and resume: the kill switch."""

import os
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from app.api.halt import HaltBody, HaltView
from app.bootstrap import HOME, Product, build
from app.cli.asking import Author, ask, me, read_body, tell
from app.cli.output import Json, stop
from app.cli.setup import WRONG_SETTINGS, ConfigFile, explain, place, wire
from app.core.configfile import load_config
from app.core.errors import ConfigError
from app.engine.stopping import Stop
from app.guard.policy import PolicySettings

FACTS = ("halted", "switch", "reason", "by", "at", "version", "file")
Reason = Annotated[str, typer.Option(help="Why.")]


def halt(
    reason: Reason = "halted on the command line",
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Let nothing start any more, and end what runs; on all nodes."""
    wish = _read(author, reason, halted=True)
    try:
        product = build(load_config(place(config), os.environ))
    except ConfigError as error:
        # Whoever halts has no time to mend settings first.
        _write_file(config, wish, explain(error))
    _set(product, wish, is_halted=True, as_json=as_json)


def resume(
    reason: Reason = "resumed on the command line",
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Let actions start again."""
    wish = _read(author, reason, halted=False)
    product = wire(config)
    _set(product, wish, is_halted=False, as_json=as_json)


def _read(author: str | None, reason: str, *, halted: bool) -> Stop:
    """Return what is wanted, or end the command with what is wrong."""
    said = {"author": me(author), "reason": reason, "halted": halted}
    body = read_body(HaltBody, said)
    return Stop(author=body.author, reason=body.reason)


def _write_file(config: Path | None, wish: Stop, why: str) -> NoReturn:
    """Write the file of the kill switch, and end the command."""
    try:
        read = load_config(place(config), os.environ)
        name = read.read(PolicySettings, "policy").halt_file
    except ConfigError:
        name = PolicySettings().halt_file
    file = HOME / name
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{wish.reason} ({wish.author})\n")
    except OSError as error:
        stop(f"{why}\n{file}: {error.strerror}", WRONG_SETTINGS)
    says = (
        f"The settings are wrong, so {file} was written instead: while it is"
        " there, nothing starts on this machine. Halt other nodes there, or"
        " mend the settings and halt again. Remove the file to go on."
    )
    stop(f"{why}\n{says}", WRONG_SETTINGS)


def _set(
    product: Product, wish: Stop, *, is_halted: bool, as_json: bool
) -> None:
    """Set the switch, and show what holds then."""
    stopping = product.acting.stopping
    change = stopping.halt if is_halted else stopping.resume
    held = ask(product, partial(change, stop=wish))
    view = HaltView.of(held, product.acting.halting.look())
    tell(view, FACTS, as_json=as_json)
