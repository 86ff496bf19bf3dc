"""A site's own log as a set: what people corrected is the truth."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.act import actions
from app.act.catalogue import make_catalogue
from app.core.registry import scan
from scripts.evals.ownlog import (
    ask_service,
    import_log,
    read_call,
    read_cases,
    write_rows,
)
from scripts.evals.telling import Teller
from scripts.evals.truth import Wrong
from scripts.evals.twins import read_set
from tests.unit.evals.making import write_lines

CATALOGUE = make_catalogue(scan(actions), [])
CASE = {
    "source": "zabbix",
    "name": "nginx stopped",
    "labels": {"host": "web-1", "service": "nginx"},
    "incident": 7,
}
MADE = {
    "id": 10,
    "kind": "decision.made",
    "incident_id": 7,
    "action": "restart_service(host=web-1, service=nginx)",
    "body": {"decision": 3, "case": CASE},
}


def corrected(number: int = 11, **body: Any) -> dict[str, Any]:
    """Return the entry of a person's correction."""
    return {
        "id": number,
        "kind": "incident.corrected",
        "incident_id": 7,
        "action": "",
        "body": {"word": 1, "text": "No.", **body},
    }


def take(tmp_path: Path, *entries: Any, **more: Any) -> Any:
    """Return what is imported of some entries."""
    file = write_lines(tmp_path / "log.jsonl", list(entries))
    return import_log(file, CATALOGUE, **more)


def test_a_correction_becomes_a_row(tmp_path: Path) -> None:
    """The case is the stored one, the truth is what the person says."""
    word = corrected(about="action", correct="escalate")
    found = take(tmp_path, MADE, word)
    write_rows(found.rows, tmp_path / "set.jsonl")
    (row,) = read_set(tmp_path / "set.jsonl").rows
    assert row.expected is not None
    assert row.expected.action == "escalate"
    case = Teller().tell(row)
    assert (case.name, case.incident) == ("nginx stopped", 7)
    assert case.labels == CASE["labels"]


def test_what_code_looks_at_for_people_is_not_what_they_speak_of(
    tmp_path: Path,
) -> None:
    """After it was handed over, evidence is collected as a new decision."""
    look = {
        **MADE,
        "id": 11,
        "actor": "code:evidence",
        "action": "collect_diagnostics(host=web-1)",
        "body": {"decision": 4, "case": CASE},
    }
    word = corrected(12, about="action", correct="escalate")
    (row,) = take(tmp_path, MADE, look, word).rows
    assert (row["id"], row["was"]) == ("log-10", MADE["action"])


def test_the_last_correction_of_a_decision_counts(tmp_path: Path) -> None:
    """Whatever the order of the lines, and newest first is usual."""
    words = [
        corrected(11, correct="escalate"),
        corrected(12, correct="no_action"),
    ]
    found = take(tmp_path, *reversed([MADE, *words]))
    assert [r["expected"]["action"] for r in found.rows] == ["no_action"]


def test_a_correction_is_about_the_decision_before_it(tmp_path: Path) -> None:
    """A later decision of the incident has its own truth."""
    later = {**MADE, "id": 20, "action": "escalate()"}
    words = [
        corrected(11, correct="escalate"),
        corrected(21, correct="collect_diagnostics"),
    ]
    found = take(tmp_path, MADE, later, *words)
    assert {r["id"]: r["expected"]["action"] for r in found.rows} == {
        "log-10": "escalate",
        "log-20": "collect_diagnostics",
    }


def test_arguments_are_read(tmp_path: Path) -> None:
    """A person may say the whole call."""
    text = "It was free_disk_space(host=web-1, path=/var/log), clearly."
    (row,) = take(tmp_path, MADE, corrected(text=text)).rows
    assert row["expected"] == {
        "action": "free_disk_space",
        "arguments": {"host": "web-1", "path": "/var/log"},
    }


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([corrected(correct="escalate")], "nothing was decided"),
        (
            [{**MADE, "body": {}}, corrected(correct="escalate")],
            "case of the decision",
        ),
        ([MADE, corrected(about="severity")], "something else"),
        ([MADE, corrected(text="It was the switch.")], "names no action"),
        (
            [MADE, corrected(text="escalate or no_action")],
            "names no action",
        ),
        ([MADE, {**corrected(), "body": "torn"}], "something else"),
    ],
)
def test_what_cannot_be_used_is_counted(
    tmp_path: Path, entries: list[Any], why: str
) -> None:
    """No correction is lost without a word."""
    found = take(tmp_path, *entries)
    assert found.rows == []
    ((said, count),) = found.left_out.items()
    assert (why in said, count) == (True, 1)


def test_silence_is_no_consent(tmp_path: Path) -> None:
    """A decision that nobody corrected is no truth."""
    found = take(tmp_path, MADE)
    assert (found.rows, found.left_out) == ([], {})


def test_cases_may_come_with_the_decisions(tmp_path: Path) -> None:
    """A log without cases is joined by the decision's number."""
    made = {**MADE, "body": {"decision": 3}}
    file = write_lines(
        tmp_path / "decisions.jsonl",
        [{"id": 3, "case": CASE}, {"id": 4, "case": None}],
    )
    word = corrected(correct="escalate")
    found = take(tmp_path, made, word, find_case=read_cases(file))
    assert [row["case"]["name"] for row in found.rows] == ["nginx stopped"]


class Decisions(BaseHTTPRequestHandler):
    """Answers as the service does when one decision is asked for."""

    def do_GET(self) -> None:
        """Show decision 3 to whoever has the token; there is no other."""
        is_known = self.path == "/api/v1/decisions/3"
        is_trusted = self.headers["authorization"] == "Bearer t0ken"
        self.send_response(200 if is_known and is_trusted else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"id": 3, "case": CASE}).encode())

    def log_request(self, *told: object) -> None:
        """Say nothing."""


def test_cases_may_come_from_the_service(tmp_path: Path) -> None:
    """The decision is asked for by its number, and may be gone."""
    made = {**MADE, "body": {"decision": 3}}
    gone = {**MADE, "id": 20, "incident_id": 8, "body": {"decision": 4}}
    words = [
        corrected(correct="escalate"),
        {**corrected(21, correct="escalate"), "incident_id": 8},
    ]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Decisions)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    find = ask_service(url, "t0ken")
    found = take(tmp_path, made, gone, *words, find_case=find)
    server.shutdown()
    server.server_close()
    assert [row["id"] for row in found.rows] == ["log-10"]
    assert sum(found.left_out.values()) == 1
    with pytest.raises(Wrong, match="decisions/3"):
        take(tmp_path, made, words[0], find_case=find)


def test_a_wrong_file_is_told_with_its_line(tmp_path: Path) -> None:
    """What is no JSON, or no object, or no case."""
    file = tmp_path / "log.jsonl"
    for text, said in (("{", ":1"), ("7", "no object")):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(Wrong, match=said):
            import_log(file, CATALOGUE)
    with pytest.raises(Wrong, match="No such file"):
        import_log(tmp_path / "no", CATALOGUE)
    bad = {**MADE, "body": {"case": {"name": 1}}}
    with pytest.raises(Wrong, match="decision"):
        take(tmp_path, bad)


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("escalate", ("escalate", {})),
        ("escalate, escalate!", ("escalate", {})),
        ('free_memory(host: "a b")', ("free_memory", {"host": "a b"})),
        ("escalated", None),
        ("run drop_database(name=x)", None),
        ("", None),
    ],
)
def test_read_call(text: str, call: object) -> None:
    """One action of the catalogue, in a person's own words."""
    assert read_call(text, CATALOGUE) == call
