"""The command that watches: what it refuses to begin with."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.commands import app


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("", [], "watch.url"),
        ("", ["--to", "nowhere"], "watch.url"),
        ("watch: {every: 1}", ["--to", "http://h"], "watch.every"),
        ("server: {port: 1}", ["--to", "http://h"], "server"),
    ],
)
def test_wrong_words_end_with_what_to_do(
    text: str, words: list[str], said: str, tmp_path: Path
) -> None:
    """The exit status is that of wrong settings."""
    file = tmp_path / "watch.yaml"
    file.write_text(text)
    done = CliRunner().invoke(app, ["watch", "--settings", str(file), *words])
    assert done.exit_code == 2
    assert said in done.stderr
