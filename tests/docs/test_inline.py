"""What the documents name in the middle of a sentence: commands and routes."""

import itertools
import re
import shlex
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from app.cli.commands import app as product
from app.cli.contents import ROWS, make
from simulator.commands import cli as simulator
from tests.docs.blocks import HOME, inline, pages
from tests.docs.scene import Scene
from tests.nest import Nest

OURS = re.compile(r"^(?:(?:\.venv/bin/)?python )?main\.py (\S.*)$")
SIMULATOR = re.compile(r"^(?:\.venv/bin/)?python -m simulator (\S.*)$")
MODULE = re.compile(
    r"^(?:\.venv/bin/)?python -m ((?:app|bench|scripts)[.\w]+)"
)
SCRIPT = re.compile(r"^(?:\./)?((?:scripts|host|bench)/[\w/]+\.(?:sh|py))\b")
ROUTE = re.compile(r"^(GET|POST|PUT|PATCH|DELETE) (/[\w/{}-]*)(\?\S*)?$")
NUMBER = re.compile(r"\{\w+\}|\b[A-Z]{2,}\b|\bN\b|\b\d+\b")
# Routes of others, which a page tells of.
FOREIGN = ("/chat/completions", "/v1/systemone", "/api/v1/targets")
OPTION = re.compile(r"^--[a-z]")
# What a stream goes on for ever with, and what has no answer by itself.
ENDLESS = ("/api/v1/stream",)

# What is not found where nothing of it is set up.
ABSENT = {"/api/v1/simulator": 404, "/api/v1/simulator/truth": 404}


def named(pattern: re.Pattern[str]) -> list[tuple[str, re.Match[str]]]:
    """Return what fits a pattern, with the page that it stands in."""
    return [
        (page, match)
        for page in pages()
        for text in inline(page)
        if (match := pattern.match(text))
    ]


def unknown_in(group: Any, words: list[str]) -> list[str]:
    """Return the words that a program does not know."""
    command, known = group, {opt for one in group.params for opt in one.opts}
    for word in itertools.takewhile(lambda one: one[0] != "-", words):
        below = getattr(command, "commands", {})
        if below and word not in below:
            return [word]
        command = below.get(word, command)
        known |= {opt for one in command.params for opt in one.opts}
    known.add("--help")
    return [w for w in words if OPTION.match(w) and w not in known]


@pytest.mark.parametrize(
    ("pattern", "program"), [(OURS, product), (SIMULATOR, simulator)]
)
def test_every_command_that_is_named_is_known(
    pattern: re.Pattern[str], program: typer.Typer
) -> None:
    """With its subcommand and its options."""
    group: Any = typer.main.get_command(program)
    if program is product:
        # Its own lines stand for commands that are loaded by their name.
        group.commands = {name: make(name) for name in ROWS}
    found = named(pattern)
    assert found
    for page, match in found:
        words = shlex.split(match[1])
        if words[0].isupper() or words[0].startswith("-"):
            continue
        assert not unknown_in(group, words), (page, match[0])
    assert unknown_in(group, ["no-such-command"])
    assert unknown_in(group, ["log", "--no-such-option"])


def test_every_program_that_is_named_is_there() -> None:
    """A module or a script of ours."""
    for page, match in named(MODULE):
        path = HOME / match[1].replace(".", "/")
        places = (path.with_suffix(".py"), path / "__main__.py")
        assert any(map(Path.exists, places)), (page, match[0])
    for page, match in named(SCRIPT):
        assert (HOME / match[1]).exists(), (page, match[0])


def test_every_route_that_is_named_is_there(
    tmp_path: Path, nest: Nest
) -> None:
    """Those of GET that need nothing are asked, and answer."""
    routes = {(m[1], m[2], m[3] or ""): page for page, m in named(ROUTE)}
    with Scene(tmp_path, nest) as scene:
        url = scene.service.url
        page_of_all = httpx.get(f"{url}/openapi.json", timeout=60)
        paths = page_of_all.json()["paths"]
        # What is for programs of operators is left out of the API's page.
        known = {
            (method.upper(), NUMBER.sub("1", path))
            for path, methods in paths.items()
            for method in methods
        }
        for (method, path, query), page in routes.items():
            if path in FOREIGN:
                continue
            shape = NUMBER.sub("1", path)
            is_plain = shape == path and "..." not in query
            if method == "GET" and is_plain and path not in ENDLESS:
                asked = f"{url}{path}{query}"
                status = httpx.get(asked, timeout=60).status_code
                wanted = ABSENT.get(path, 200)
                assert status == wanted or query.endswith("="), (page, path)
            elif not path.startswith("/webhooks/"):
                assert (method, shape) in known, (page, method, path)
        # One page has all of them; a source is one of those of its own.
        told = {
            (m[1], NUMBER.sub("1", m[2]))
            for page, m in named(ROUTE)
            if page == "docs/api.md"
        }
        left_out = known - told
        assert not [one for one in left_out if "/webhooks/" not in one[1]]
