"""A run that was killed goes on, and never with another brain's answers."""

import json
import os
import signal
import subprocess
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scripts.evals.keeping import Shelf
from scripts.evals.ours import HOME
from scripts.evals.scoring import Prediction
from scripts.evals.truth import Wrong
from scripts.evals.worstcase import Wire
from scripts.run_evals import app
from tests.unit.evals.making import alert_row, write_lines

ROWS = 8
STAMP = {"set": "1", "brain": "reflex", "digest": "1"}
SECONDS = 60


class Asked(ThreadingHTTPServer):
    """A model server that counts, and stops to answer at one request."""

    daemon_threads = True

    def __init__(self, holds: int) -> None:
        self.names: list[str] = []
        self.holds = holds
        self.is_held = threading.Event()
        self.goes_on = threading.Event()
        super().__init__(("127.0.0.1", 0), Counting)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Counting(Wire):
    """Answers as the worst-case model does, after it has counted."""

    server: Asked

    def _send(self, answer: Any) -> None:
        """Hold the answer back when it is that one's turn."""
        if "message" in answer:
            self.server.names.append(self.path)
            if len(self.server.names) == self.server.holds:
                self.server.is_held.set()
                self.server.goes_on.wait(SECONDS)
        super()._send(answer)


def make_set(tmp_path: Path) -> Path:
    """Write a set of some rows."""
    rows = [alert_row(number) for number in range(ROWS)]
    return write_lines(tmp_path / "load.jsonl", rows)


def words(tmp_path: Path, url: str) -> list[str]:
    """Return the arguments of a run."""
    return [
        *("run", "--set", str(make_set(tmp_path)), "--brain", "free-tools"),
        *("--out", str(tmp_path / "out"), "--url", url, "--model", "m"),
    ]


def test_a_run_that_was_killed_goes_on(tmp_path: Path) -> None:
    """Kill -9 while the fifth row is asked: four are not asked again."""
    server = Asked(holds=5)
    command = [sys.executable, str(HOME / "scripts" / "run_evals.py")]
    with subprocess.Popen(
        [*command, *words(tmp_path, server.url)],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:
        try:
            assert server.is_held.wait(SECONDS)
        finally:
            run.send_signal(signal.SIGKILL)
            run.wait(SECONDS)
    server.goes_on.set()
    kept = tmp_path / "out" / "predictions" / "load--free-tools.jsonl"
    assert len(kept.read_bytes().splitlines()) == 1 + 4
    assert not (tmp_path / "out" / "results.json").exists()
    result = CliRunner().invoke(app, words(tmp_path, server.url))
    server.shutdown()
    server.server_close()
    assert result.exit_code == 0, result.output
    assert len(server.names) == ROWS + 1
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    (only,) = found["rounds"]
    assert only["score"]["rows"] == ROWS
    assert only["score"]["missing"] == 0
    assert "load" in (tmp_path / "out" / "results.md").read_text()


def test_what_failed_is_asked_again(tmp_path: Path) -> None:
    """A server that was away spoils no run."""
    result = CliRunner().invoke(app, words(tmp_path, "http://127.0.0.1:9"))
    assert result.exit_code == 0
    assert "ConnectError" in result.output
    server = Asked(holds=0)
    result = CliRunner().invoke(app, words(tmp_path, server.url))
    server.shutdown()
    server.server_close()
    assert len(server.names) == ROWS
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert found["rounds"][0]["score"]["failed"] == 0


def test_a_torn_line_is_dropped(tmp_path: Path) -> None:
    """What was being written when the power went is asked again."""
    file = tmp_path / "x.jsonl"
    with Shelf(file, STAMP) as shelf:
        shelf.add(Prediction(id="a", action="escalate"))
        shelf.add(Prediction(id="b", action="escalate"))
    file.write_bytes(file.read_bytes()[:-5])
    shelf = Shelf(file, STAMP)
    shelf.load()
    assert list(shelf.found) == ["a"]
    with shelf:
        shelf.add(Prediction(id="b", action="no_action"))
    again = Shelf(file, STAMP)
    again.load()
    assert {k: v.action for k, v in again.found.items()} == {
        "a": "escalate",
        "b": "no_action",
    }


def test_a_torn_first_line_begins_anew(tmp_path: Path) -> None:
    """A run that was killed before its first line left nothing."""
    file = tmp_path / "x.jsonl"
    file.write_bytes(b'{"set": "1"')
    shelf = Shelf(file, STAMP)
    shelf.load()
    assert shelf.found == {}
    with shelf:
        shelf.add(Prediction(id="a"))
    again = Shelf(file, STAMP)
    again.load()
    assert list(again.found) == ["a"]


@pytest.mark.parametrize("part", list(STAMP))
def test_another_run_is_not_continued(tmp_path: Path, part: str) -> None:
    """Another set, brain or model: its answers are not these."""
    file = tmp_path / "x.jsonl"
    with Shelf(file, STAMP) as shelf:
        shelf.add(Prediction(id="a"))
    other = Shelf(file, {**STAMP, part: "2"})
    with pytest.raises(Wrong, match="another --out"):
        other.load()


def test_fresh_forgets(tmp_path: Path) -> None:
    """--fresh asks everything anew; without it nothing is asked."""
    server = Asked(holds=0)
    for more, asked in (([], ROWS), ([], ROWS), (["--fresh"], 2 * ROWS)):
        line = [*words(tmp_path, server.url), *more]
        assert CliRunner().invoke(app, line).exit_code == 0
        assert len(server.names) == asked
    server.shutdown()
    server.server_close()


def test_several_at_a_time_give_the_same(tmp_path: Path) -> None:
    """--jobs changes the time it takes, not what comes out."""
    plain = tmp_path / "plain.jsonl"
    texts = []
    for jobs in ("1", "7"):
        line = [
            *("run", "--set", str(make_set(tmp_path)), "--brain"),
            *("keywords", "--jobs", jobs, "--predictions", str(plain)),
        ]
        assert CliRunner().invoke(app, line).exit_code == 0
        texts.append(plain.read_text(encoding="utf-8"))
    assert texts[0] == texts[1]
    rows = [json.loads(line) for line in texts[0].splitlines()]
    assert len(rows) == ROWS
    assert rows[0].keys() == {"id", "action", "arguments", "asked"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["run", "--brain", "oracle"], "known:"),
        (["run", "--set", "nowhere.jsonl"], "not there"),
        (
            [
                *("run", "--brain", "keywords", "--brain", "reflex"),
                *("--predictions", "x"),
            ],
            "one --brain",
        ),
    ],
)
def test_a_wrong_call_ends_with_2(line: list[str], said: str) -> None:
    """It says what is wrong, and measures nothing."""
    result = CliRunner().invoke(app, line)
    assert result.exit_code == 2
    assert said in result.output


def test_a_log_becomes_a_set(tmp_path: Path) -> None:
    """From the export of the log to a table, by the commands alone."""
    case = {"source": "zabbix", "name": "X", "labels": {"host": "a"}}
    log = write_lines(
        tmp_path / "log.jsonl",
        [
            {
                "id": 1,
                "kind": "decision.made",
                "incident_id": 4,
                "action": "no_action()",
                "body": {"case": case},
            },
            {
                "id": 2,
                "kind": "incident.corrected",
                "incident_id": 4,
                "body": {"text": "no", "correct": "escalate"},
            },
        ],
    )
    to = tmp_path / "own.jsonl"
    line = ["import-log", str(log), "--to", str(to)]
    assert CliRunner().invoke(app, line).exit_code == 0
    line = ["run", "--set", str(to), "--brain", "always-escalate"]
    result = CliRunner().invoke(app, line)
    assert result.exit_code == 0
    assert "100.0" in result.output
    log.write_text("", encoding="utf-8")
    line = ["import-log", str(log), "--to", str(tmp_path / "none.jsonl")]
    assert CliRunner().invoke(app, line).exit_code == 2
    assert not (tmp_path / "none.jsonl").exists()
