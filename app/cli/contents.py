"""The table of contents of ``python main.py``: a line for each command.

What a command needs is loaded when that command is asked for, and only
then: the service does not pay for the commands, nor a short question for
the service. So the lines of the help stand here as well as in the files of
the commands; tests/unit/cli/test_contents.py compares them.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from importlib import import_module
from types import ModuleType
from typing import Any

import msgspec
import typer
from typer.core import TyperCommand, TyperGroup


class Row(msgspec.Struct, frozen=True):
    """One command, or one group of commands.

    Attributes:
        help: its line.
        file: the file of app/cli where it is.
        what: its name there.
        draws: whether it draws on a terminal, as a short command does and
            what runs for months does not.
    """

    help: str
    file: str
    what: str
    draws: bool = True

    def load(self) -> Any:
        """Return what typer makes a command of."""
        with nullcontext() if self.draws else undrawn():
            module = import_module(f"app.cli.{self.file}")
        return getattr(module, self.what)


ROWS: Mapping[str, Row] = {
    "serve": Row(
        "Accept alerts until told to stop (SIGTERM or Ctrl-C).",
        "serve",
        "serve",
        draws=False,
    ),
    "hands": Row(
        "Do what is allowed on this machine, as a process of its own.",
        "hands",
        "hands",
        draws=False,
    ),
    "watch": Row(
        "Watch this machine and tell a service elsewhere of it.",
        "watch",
        "watch",
        draws=False,
    ),
    "check-config": Row(
        "Say what is wrong with the settings, or what they amount to.",
        "settings",
        "check_config",
    ),
    "migrate": Row(
        "Create the database, or bring it to this release's schema.",
        "storage",
        "migrate",
    ),
    "deliveries": Row(
        "List what came in and what became of it, newest first.",
        "show",
        "deliveries",
    ),
    "alerts": Row("List the alerts, newest first.", "show", "alerts"),
    "incidents": Row(
        "List the incidents that are not over, newest first.",
        "incidents",
        "incidents",
    ),
    "incident": Row(
        "Show one incident: episodes, what people said, and its log.",
        "incidents",
        "incident",
    ),
    "decide": Row(
        "Say what would be decided on an incident, or on a payload.",
        "decide",
        "decide",
    ),
    "decisions": Row(
        "List what was decided, newest first; missions say what came of it.",
        "decide",
        "decisions",
    ),
    "missions": Row(
        "List what is done about incidents, newest first.",
        "missions",
        "missions",
    ),
    "propose": Row(
        "Propose an action; the guard rules on it like on all others.",
        "missions",
        "propose",
    ),
    "halt": Row(
        "Let nothing start any more, and end what runs; on all nodes.",
        "halt",
        "halt",
    ),
    "resume": Row("Let actions start again.", "halt", "resume"),
    "mutes": Row(
        "List mutes and maintenance windows, newest first.", "mutes", "mutes"
    ),
    "note": Row("Write a note about an incident.", "words", "note"),
    "correct": Row(
        "Say what was wrong about an incident.", "words", "correct"
    ),
    "ack": Row("Say that you look at an incident.", "words", "ack"),
    "unack": Row("Take an acknowledgement back.", "words", "unack"),
    "take": Row("Make somebody the owner of an incident.", "words", "take"),
    "release": Row("Leave an incident without an owner.", "words", "release"),
    "split": Row(
        "Move some episodes of an incident into one of their own.",
        "words",
        "split",
    ),
    "merge": Row(
        "Move all of an incident into another one.", "words", "merge"
    ),
    "sources": Row(
        "List the configured sources and how to point them here.",
        "show",
        "sources",
    ),
    "catalogue": Row(
        "List what may be done, or show one action in full.",
        "catalogue",
        "catalogue",
    ),
    "inventory": Row(
        "Ask all sources of the inventory now, and list what they know.",
        "catalogue",
        "inventory",
    ),
    "replay": Row(
        "Read the quarantine again, after a parser or a setting was mended.",
        "storage",
        "replay",
    ),
    "export": Row(
        "Write a whole list into a file, newest first.", "export", "export"
    ),
    "backup": Row(
        "Write a backup of the database while the service runs.",
        "keeping",
        "backup",
    ),
    "restore": Row(
        "Bring a backup back, into a place where nothing is.",
        "keeping",
        "restore",
    ),
    "cleanup": Row(
        "Take off what the settings under 'retention' call too old, now.",
        "keeping",
        "cleanup",
    ),
    "version": Row("Say which release this is.", "release", "version"),
    "log": Row(
        "List the action log, newest first; or verify it.", "log", "app"
    ),
    "model": Row(
        "Get and list the models of an Ollama server.", "model", "app"
    ),
    "reins": Row(
        "Show or set which brains decide, and how sure they must be.",
        "reins",
        "app",
    ),
    "jobs": Row("List jobs, show what they write, end them.", "jobs", "app"),
    "approvals": Row(
        "List what people are asked, and answer it.", "approvals", "app"
    ),
    "messages": Row(
        "List what people were told, send it once more, try channels.",
        "messages",
        "app",
    ),
    "policy": Row(
        "Show what code allows, or try another policy.", "policy", "app"
    ),
    "trust": Row("Who has earned more trust.", "policy", "trust"),
    "mute": Row(
        "Add, end or import mutes and maintenance windows.", "mutes", "mute"
    ),
    "people": Row("Who may come in.", "people", "app"),
    "reflex": Row(
        "The embedded brain: what it has learned, and how to teach it.",
        "reflex",
        "app",
    ),
}


class Contents(TyperGroup):
    """All commands, of which a start loads the one that is asked for."""

    def __init__(self, **given: Any) -> None:
        """Take what typer gives a group, and know each command's line."""
        lines = {n: TyperCommand(n, help=row.help) for n, row in ROWS.items()}
        super().__init__(**{**given, "commands": lines})

    def resolve_command(
        self, ctx: Any, args: list[str]
    ) -> tuple[str | None, Any, list[str]]:
        """Return the command that is asked for, which is loaded now."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, make(name) if name else command, rest


def make(name: str) -> Any:
    """Return a command, or a group of them, as typer makes it."""
    found = ROWS[name].load()
    around = typer.Typer()
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name)
    else:
        around.command(name)(found)
    return typer.main.get_group(around).commands[name]


@contextmanager
def undrawn() -> Iterator[None]:
    """Let what draws on terminals seem not to be installed meanwhile.

    Libraries that the service uses load it for command lines of their own;
    that of CEL is loaded without asking, so that something must be there.
    """
    seeming: dict[str, Any] = {
        "rich": None,
        "pygments": None,
        "cel.cli": ModuleType("cel.cli"),
    }
    placed = {n: one for n, one in seeming.items() if n not in sys.modules}
    sys.modules.update(placed)
    try:
        yield
    finally:
        for name in placed:
            del sys.modules[name]
