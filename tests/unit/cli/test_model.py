"""model pull and model list, against a fake Ollama server."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli.commands import app
from tests.models.fake_ollama import DIGEST, FakeOllama, chat
from tests.programs import free_port

STEPS: list[dict[str, Any]] = [
    {"status": "pulling manifest"},
    {"status": "pulling dde5aa3fc5ff", "digest": "sha256:dde5", "total": 200},
    {
        "status": "pulling dde5aa3fc5ff",
        "digest": "sha256:dde5",
        "total": 200,
        "completed": 200,
    },
    {"status": "verifying sha256 digest"},
    {"status": "success"},
]


def run(*arguments: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(app, ["model", *arguments])


def test_pull_shows_progress_and_ends_well() -> None:
    """The server downloads; the command follows it to the end."""
    with FakeOllama(chat("")) as server:
        server.pulled = STEPS
        result = run("pull", "llama3.2", "--url", server.url)
        (asked,) = server.asked
    assert result.exit_code == 0
    assert "llama3.2 is there" in result.output
    assert asked.body["model"] == "llama3.2"
    assert asked.body["stream"] is True


def test_the_server_of_the_settings_is_asked(tmp_path: Path) -> None:
    """Without --url it is the one that the brain asks, too."""
    with FakeOllama(chat("")) as server:
        file = tmp_path / "settings.yaml"
        written = f"brains:\n  ollama:\n    url: {server.url}\n    seed: 3\n"
        file.write_text(written)
        server.pulled = STEPS
        result = run("pull", "llama3.2", "--config", str(file))
        assert server.paths() == ["/api/pull"]
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("steps", "is_cut", "words"),
    [
        ([{"error": "pull model manifest: file does not exist"}], False, "is"),
        (STEPS[:-1], False, "Run this again"),
        (STEPS, True, "Run this again"),
        ([*STEPS[:2], {"error": "no space left"}], False, "no space"),
    ],
)
def test_a_pull_that_fails_says_why(
    steps: list[dict[str, Any]], is_cut: bool, words: str
) -> None:
    """An error of the server, or a stream that ends too soon."""
    with FakeOllama(chat("")) as server:
        server.pulled, server.pull_is_cut = steps, is_cut
        result = run("pull", "nowhere", "--url", server.url)
    assert result.exit_code != 0
    assert words in result.output
    assert "is there." not in result.output


@pytest.mark.parametrize("command", [["pull", "llama3.2"], ["list"]])
def test_without_a_server_the_command_to_start_one_is_told(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens there."""
    netloc = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("MODEL_CALLS_ONLY_TO", netloc)
    result = run(*command, "--url", f"http://{netloc}")
    assert result.exit_code == 3
    assert "ollama serve" in result.output


@pytest.mark.parametrize("url", ["nowhere", "ftp://x", "http://u:p@host"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """It says how one is written."""
    result = run("list", "--url", url)
    assert result.exit_code == 2
    assert "http://HOST:PORT" in result.output


def test_list_shows_what_is_there() -> None:
    """As a table for people, as JSON for programs."""
    with FakeOllama(chat("")) as server:
        table = run("list", "--url", server.url)
        rows = json.loads(run("list", "--url", server.url, "--json").output)
        server.models = []
        empty = run("list", "--url", server.url)
    assert "llama3.2:latest" in table.output
    assert "Q4_K_M" in table.output
    assert rows[0]["digest"] == DIGEST[:12]
    assert "model pull" in empty.output
