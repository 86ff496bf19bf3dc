"""halt and resume: the kill switch."""

from functools import partial
from typing import Annotated

import typer

from app.api.halt import HaltBody, HaltView
from app.bootstrap import Product
from app.cli.asking import Author, ask, me, read_body, tell
from app.cli.output import Json
from app.cli.setup import ConfigFile, wire
from app.engine.stopping import Stop

FACTS = ("halted", "switch", "reason", "by", "at", "version", "file")
Reason = Annotated[str, typer.Option(help="Why.")]


def halt(
    reason: Reason = "halted on the command line",
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Let nothing start any more, and end what runs; on all nodes."""
    stop = _read(author, reason, halted=True)
    product = wire(config)
    _set(product, stop, is_halted=True, as_json=as_json)


def resume(
    reason: Reason = "resumed on the command line",
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Let actions start again."""
    stop = _read(author, reason, halted=False)
    product = wire(config)
    _set(product, stop, is_halted=False, as_json=as_json)


def _read(author: str | None, reason: str, *, halted: bool) -> Stop:
    """Return what is wanted, or end the command with what is wrong."""
    said = {"author": me(author), "reason": reason, "halted": halted}
    body = read_body(HaltBody, said)
    return Stop(author=body.author, reason=body.reason)


def _set(
    product: Product, stop: Stop, *, is_halted: bool, as_json: bool
) -> None:
    """Set the switch, and show what holds then."""
    stopping = product.acting.stopping
    change = stopping.halt if is_halted else stopping.resume
    held = ask(product, partial(change, stop=stop))
    view = HaltView.of(held, product.acting.halting.look())
    tell(view, FACTS, as_json=as_json)
