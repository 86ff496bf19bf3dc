"""note, correct, ack, unack, take, release, split and merge.

These write through the store themselves, in a turn of their own: they work
while the service runs, and when it does not.
"""

from typing import Annotated, Any

import typer

from app.api.speech import (
    AcknowledgeBody,
    CorrectionBody,
    MergeBody,
    NoteBody,
    OwnerBody,
    Speech,
    SplitBody,
    WordView,
)
from app.cli.asking import me, read_body
from app.cli.output import Json, out, print_json, stop
from app.cli.setup import ConfigFile, wire
from app.core.errors import Refused, StorageFailed
from app.core.numbers import LAST_ID
from app.fold.words import summarise
from app.models.word import Call, Kind, Word
from app.store.ledger import Ledger

REFUSED = 1
NO_DATABASE = 3
Number = Annotated[
    int, typer.Argument(help="The incident.", min=1, max=LAST_ID)
]
Author = Annotated[
    str | None,
    typer.Option(help="Who says so.", show_default="who you are logged in as"),
]
Text = Annotated[str, typer.Argument(help="What there is to say.")]
Why = Annotated[str, typer.Option(help="What there is to say about it.")]


def note(
    incident: Number,
    text: Text,
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Write a note about an incident."""
    call = _read(NoteBody, Kind.NOTE, incident, author, text=text)
    _say(config, call, as_json=as_json)


def correct(  # noqa: PLR0913, PLR0917 (each option is a parameter)
    incident: Number,
    text: Text,
    about: Annotated[
        str, typer.Option(help="What was wrong: action, target ...")
    ] = "",
    right: Annotated[str, typer.Option(help="What is right.")] = "",
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Say what was wrong about an incident."""
    more = {"about": about, "correct": right}
    given = {name: word for name, word in more.items() if word}
    call = _read(
        CorrectionBody, Kind.CORRECTION, incident, author, text=text, **given
    )
    _say(config, call, as_json=as_json)


def ack(
    incident: Number,
    text: Why = "",
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Say that you look at an incident."""
    kind = Kind.ACKNOWLEDGE
    call = _read(AcknowledgeBody, kind, incident, author, text=text)
    _say(config, call, as_json=as_json)


def unack(
    incident: Number,
    text: Why = "",
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Take an acknowledgement back."""
    kind = Kind.UNACKNOWLEDGE
    call = _read(AcknowledgeBody, kind, incident, author, text=text)
    _say(config, call, as_json=as_json)


def take(
    incident: Number,
    owner: Annotated[
        str | None, typer.Option(help="Who; you, when it is not said.")
    ] = None,
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Make somebody the owner of an incident."""
    who = owner or me(author)
    call = _read(OwnerBody, Kind.OWNER, incident, author, owner=who)
    _say(config, call, as_json=as_json)


def release(
    incident: Number,
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Leave an incident without an owner."""
    call = _read(OwnerBody, Kind.OWNER, incident, author, owner="")
    _say(config, call, as_json=as_json)


def split(  # noqa: PLR0913, PLR0917 (each option is a parameter)
    incident: Number,
    episodes: Annotated[list[int], typer.Argument(help="Those that go.")],
    text: Why = "",
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Move some episodes of an incident into one of their own."""
    more = {"episodes": episodes, "text": text}
    call = _read(SplitBody, Kind.SPLIT, incident, author, **more)
    _say(config, call, as_json=as_json)


def merge(  # noqa: PLR0913, PLR0917 (each option is a parameter)
    incident: Number,
    into: Annotated[int, typer.Argument(help="The one that lives on.")],
    text: Why = "",
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Move all of an incident into another one."""
    more = {"into": into, "text": text}
    call = _read(MergeBody, Kind.MERGE, incident, author, **more)
    _say(config, call, as_json=as_json)


def _read(
    body: type[Speech],
    kind: Kind,
    incident: int,
    author: str | None,
    **values: Any,
) -> Call:
    """Return the options as the API would take them, or end."""
    said = read_body(body, {"author": me(author), **values})
    return said.to_call(kind, incident)


def _say(config: ConfigFile, call: Call, *, as_json: bool) -> None:
    """Have a call done in a turn of its own, and show what came of it."""
    product = wire(config)
    wait = product.settings.server.limits.waiting_seconds
    ledger = Ledger(product.location, wait)
    try:
        with ledger.turn() as connection:
            word = product.people.say(connection, call)
    except Refused as refusal:
        stop(f"{refusal.detail} {refusal.remedy}".strip(), REFUSED)
    except StorageFailed as error:
        stop(f"{product.location}: {error}", NO_DATABASE)
    finally:
        ledger.close()
    _show(word, as_json=as_json)


def _show(word: Word, *, as_json: bool) -> None:
    """Print a word for a person or for a program."""
    if as_json:
        print_json(WordView.of(word).model_dump())
        return
    said = summarise(word).splitlines()[0]
    out.print(f"Incident {word.incident_id}: {said}", markup=False)
