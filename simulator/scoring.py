"""The command score: what really happened, and what the service did.

A module of its own, which the other commands need not load.
"""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import typer

from simulator.asking import Client
from simulator.picture import draw
from simulator.problem import Refused
from simulator.records import Fact
from simulator.score import score
from simulator.score_reader import Reader, facts_of, read_facts
from simulator.scorecard import as_json, as_table
from simulator.showing import out

SERVICE_TOKEN = "SMOKEJUMPER_TOKEN"  # noqa: S105  the name of a variable
PRINTED = Path("-")


class Wanted(NamedTuple):
    """What is to be scored, and where to.

    Attributes:
        url: where the service is.
        truth: a truth.jsonl; None asks the simulator.
        since: only what began after.
        json_file: where JSON goes; ``-`` prints it.
        picture: where a picture goes.
    """

    url: str
    truth: Path | None = None
    since: datetime | None = None
    json_file: Path | None = None
    picture: Path | None = None


def make_card(wanted: Wanted) -> None:
    """Score, write what is wanted and print the rest, or raise Refused."""
    facts = _facts(wanted)
    with Reader(wanted.url, os.environ.get(SERVICE_TOKEN, "")) as reader:
        story, read_at = reader.story(facts)
    found = score(facts, story, read_at)
    text = json.dumps(as_json(found), indent=2, ensure_ascii=False)
    if wanted.json_file not in (None, PRINTED):
        _write(wanted.json_file, f"{text}\n")
    if wanted.picture is not None:
        _write(wanted.picture, draw(found))
    if wanted.json_file == PRINTED:
        typer.echo(text)
    else:
        out.print(as_table(found))


def _facts(wanted: Wanted) -> list[Fact]:
    """Return what really happened: of a file, or of the simulator."""
    if wanted.truth is not None:
        return read_facts(str(wanted.truth), wanted.since)
    with Client() as client:
        told = client.ask("GET", "truth")["truth"]
    return facts_of(told, wanted.since)


def _write(path: Path, text: str) -> None:
    """Write a file, or raise Refused."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(
            f"{path} cannot be written: {error.strerror}", field="file"
        ) from error
