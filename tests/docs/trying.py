"""How one command is tried, and what is wrong with how it ended."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from tests.docs.blocks import HOME, SETTING, Command, split
from tests.docs.scene import Done, Scene
from tests.docs.ways import (
    AS_IT_STANDS,
    Changed,
    Elsewhere,
    Way,
    Weakly,
)

PYTHONS = ("python", ".venv/bin/python")
SIMULATOR = ("-m", "simulator")
SERVICE_URL, SIMULATOR_URL = "127.0.0.1:8080", "127.0.0.1:8099"
STATUS = re.compile(r"^HTTP (\d+)$", re.MULTILINE)
# What no program is given as a word.
SHELL_ONLY = re.compile(r" (>|&&|\|) |\$\(")
NEEDS_SERVICE = re.compile(r"\bmain\.py\b|\b127\.0\.0\.1:8080\b")
OPTION = re.compile(r"^--[a-z][a-z-]+")
Table = dict[tuple[str, str], Way]


def way_of(command: Command, table: Table) -> Way:
    """Return how a command is tried: the longest row that fits says it."""
    fitting = [
        (len(begin), way)
        for (page, begin), way in table.items()
        if page == command.page and command.text.startswith(begin)
    ]
    return max(fitting, key=lambda one: one[0])[1] if fitting else AS_IT_STANDS


def try_it(command: Command, way: Way, scene: Scene) -> Iterator[str]:
    """Yield what is wrong with a command."""
    if isinstance(way, Changed):
        yield from _run(command, way, scene)
    elif isinstance(way, Weakly):
        yield from _ask_for_help(command, scene)
    elif isinstance(way, Elsewhere):
        yield from _look_for(way.proof)


def _run(command: Command, way: Changed, scene: Scene) -> Iterator[str]:
    """Run it as it stands, or with other words, and look how it ended."""
    text = command.text
    for old, new in way.put.items():
        if old in text:
            text = text.replace(
                old, new if isinstance(new, str) else new(scene)
            )
    if NEEDS_SERVICE.search(text):
        text = text.replace(SERVICE_URL, scene.service.url.split("//")[1])
    if SIMULATOR_URL in text or "simulator" in text:
        address = scene.simulator.url.split("//")[1]
        text = text.replace(SIMULATOR_URL, address)
    yield from wrong_with(_type(text, way.until, scene))


def _type(text: str, until: str, scene: Scene) -> Done:
    """Type a line; what is ours is forked off, which is quicker."""
    words = split(text)
    if SHELL_ONLY.search(text):
        return scene.shell(text, until)
    if words[0] in PYTHONS:
        return scene.program(words[1:], until)
    if words[0] == "main.py":
        return scene.program(words, until)
    return scene.shell(text, until)


def wrong_with(done: Done) -> Iterator[str]:
    """Yield what is wrong with an end."""
    said = f"{done.stdout[-600:]}{done.stderr[-1200:]}"
    if done.returncode:
        yield f"it ended with {done.returncode}: {said}"
    if "Traceback" in done.stderr:
        yield f"it broke down: {said}"
    for status in STATUS.findall(done.stderr):
        if not 200 <= int(status) < 300 and done.returncode == 0:
            yield f"the answer was {status}: {said}"


def _ask_for_help(command: Command, scene: Scene) -> Iterator[str]:
    """Yield what is wrong: the program knows each option that is named."""
    words = [word for word in command.words if not SETTING.match(word)]
    options = [found[0] for w in words if (found := OPTION.match(w))]
    plain = [*_plain(words), "--help"]
    if plain[0] in PYTHONS:
        done = scene.program(tuple(plain[1:]))
    else:
        done = scene.shell(f"cd {HOME} && {shlex.join(plain)}")
    if done.returncode:
        yield f"its help ended with {done.returncode}: {done.stderr}"
    for option in options:
        if option not in done.stdout:
            yield f"its help does not know {option}"


def _plain(words: list[str]) -> list[str]:
    """Return the program and its subcommand, without what it is given."""
    head = 1
    if words[0] in PYTHONS:
        head = 3 if words[1] == "-m" else 2
    # A subcommand is a plain word behind the program.
    found = words[:head]
    if words[head:] and words[head].isalpha() and words[0] in PYTHONS:
        found.append(words[head])
    if "--docker" in words:
        found.append("--docker")
    return found


def _look_for(proof: str) -> Iterator[str]:
    """Yield what is wrong: the test that is named is not there."""
    file, _, name = proof.partition("::")
    path: Path = HOME / file
    if not path.exists() or f"def {name}(" not in path.read_text():
        yield f"there is no test {proof}"
