"""Missions, jobs, approvals, the kill switch and policies, as commands."""

import json
from pathlib import Path

import msgspec
import pytest
import yaml

from app.guard.halting import Halting
from app.models.verdict import Judgement, Reading
from app.store.approvals import add_approval
from app.store.jobs import add_job
from app.store.ledger import Ledger
from app.store.missions import add_mission
from app.store.outputs import add_output
from tests.unit.cli.conftest import Shell
from tests.unit.store.missions import (
    HOUR,
    NOW,
    make_approval,
    make_job,
    make_mission,
)

LATER = NOW + 100_000 * HOUR
READING = Reading(
    check="load", at=NOW, value=1.5, says="calm", judgement=Judgement.GOOD
)


@pytest.fixture
def busy(shell: Shell) -> Shell:
    """Return a shell with a question, and a job that runs."""
    ledger = Ledger(shell.location, 2.0)
    after = msgspec.json.encode([READING]).decode()
    with ledger.turn() as connection:
        asking = make_mission(
            stage="awaiting_approval", approval_id=1, due_at=LATER
        )
        add_mission(connection, asking)
        acting = make_mission(
            2, stage="acting", job_id=1, decision_id=2, due_at=LATER
        )
        add_mission(connection, acting)
        add_approval(connection, make_approval(expires_at=LATER))
        job = make_job(
            2,
            incident_id=2,
            mission_id=2,
            state="started",
            started_at=NOW,
            after=after,
            output_bytes=13,
        )
        add_job(connection, job)
        add_output(connection, 1, "a\x1b[31m b\nsé\n", 1_000)
    ledger.close()
    return shell


def test_missions_are_listed(busy: Shell) -> None:
    """Those that go on, or those in a stage."""
    assert [one["id"] for one in busy.ask("missions")] == [2, 1]
    (found,) = busy.ask("missions", "--stage", "acting")
    assert (found["incident"], found["job"], found["approval"]) == (2, 1, None)
    assert busy.ask("missions", "--stage", "closed") == []
    assert len(busy.ask("missions", "--all")) == 2
    (found,) = busy.ask("missions", "--incident", "1")
    assert found["stage"] == "awaiting_approval"
    listed = busy.ask("incidents")
    assert {one["mission"]["id"] for one in listed} == {1, 2}
    assert busy.ask("incident", "2")["mission"]["job"] == 1


def test_jobs_are_listed_and_shown(busy: Shell) -> None:
    """With their readings; what is not there ends with 1."""
    assert [one["id"] for one in busy.ask("jobs")] == [1]
    assert busy.ask("jobs", "list", "--state", "planned") == []
    (found,) = busy.ask("jobs", "list", "--action", "restart_service")
    assert found["call"] == "restart_service(host=web-1)"
    whole = busy.ask("jobs", "show", "1")
    assert whole["after"][0]["at"].startswith("2026-")
    shown = busy.run("jobs", "show", "1").stdout
    assert "calm" in shown
    assert "restart_service(host=web-1)" in shown
    missing = busy.run("jobs", "show", "9")
    assert missing.exit_code == 1
    assert "There is no job 9." in missing.stderr


def test_output_does_not_steer_a_terminal(busy: Shell) -> None:
    """An escape sequence is seen, not obeyed; JSON has it as it was."""
    done = busy.run("jobs", "output", "1")
    assert done.stdout == "a\N{REPLACEMENT CHARACTER}[31m b\nsé\n"
    lines = busy.run("jobs", "output", "1", "--offset", "10", "--json").stdout
    first = json.loads(lines.splitlines()[0])
    assert (first["text"], first["next_offset"]) == ("é\n", 13)


def test_a_job_is_aborted(busy: Shell) -> None:
    """The wish is written down, once with a reason."""
    wanted = busy.ask(
        "jobs", "abort", "1", "--reason", "no", "--author", "ana"
    )
    assert wanted["abort"] == "ana: no"
    assert busy.run("jobs", "abort", "1").exit_code == 2
    blank = busy.run("jobs", "abort", "1", "--reason", " ")
    assert (blank.exit_code, "reason" in blank.stderr) == (1, True)
    missing = busy.run("jobs", "abort", "9", "--reason", "no")
    assert (missing.exit_code, "no job 9" in missing.stderr) == (1, True)
    log = busy.ask("log", "--kind", "job.abort_asked")
    assert [one["actor"] for one in log] == ["person:ana"]


@pytest.mark.parametrize(
    ("answer", "state"),
    [("grant", "granted"), ("refuse", "refused"), ("withdraw", "withdrawn")],
)
def test_an_approval_is_answered_once(
    busy: Shell, answer: str, state: str
) -> None:
    """The second answer is told what became of it."""
    assert [one["id"] for one in busy.ask("approvals")] == [1]
    who = ("--author", "ana")
    late = busy.run("approvals", answer, "1", *who, "--version", "5")
    assert (late.exit_code, "version 1 now" in late.stderr) == (1, True)
    found = busy.ask("approvals", answer, "1", *who, "--comment", "so")
    assert found["state"] == state
    again = busy.run("approvals", "refuse", "1", "--author", "ben")
    assert again.exit_code == 1
    assert f"{state} already" in again.stderr
    assert busy.ask("approvals") == []
    assert len(busy.ask("approvals", "list", "--state", state)) == 1
    (vote,) = busy.ask("approvals", "show", "1")["votes"]
    assert (vote["person"], vote["comment"]) == ("ana", "so")
    assert "ana" in busy.run("approvals", "show", "1").stdout


def test_what_is_edited_must_be_arguments(busy: Shell) -> None:
    """NAME=VALUE, each once; the question stays as it is."""
    for wrong, why in (
        ("host", "NAME=VALUE"),
        ("HOST=a", "arguments"),
        ("no_such=a", "no such argument"),
    ):
        done = busy.run("approvals", "edit", "1", wrong, "--author", "ana")
        assert (done.exit_code, why in done.stderr) == (1, True), done.stderr
    twice = busy.run("approvals", "edit", "1", "host=a", "host=b")
    assert "given twice" in twice.stderr
    assert busy.ask("approvals", "show", "1")["state"] == "asked"


def test_a_proposal(busy: Shell) -> None:
    """It is a decision of a mission; while a job runs it is refused."""
    what = ("collect_diagnostics", "host=web-01", "topic=cpu")
    who = ("--author", "ana")
    made = busy.ask("propose", "1", *what, *who)
    assert made["mission"]["stage"] == "ruling"
    (decision,) = busy.ask("decisions", "--incident", "1")
    assert (decision["id"], decision["brain"]) == (
        made["decision"],
        "person:ana",
    )
    running = busy.run("propose", "2", *what, *who)
    assert (running.exit_code, "Wait for its end" in running.stderr) == (
        1,
        True,
    )
    unknown = busy.run("propose", "1", "rm_rf", *who)
    assert (unknown.exit_code, "no action" in unknown.stderr) == (1, True)


def test_the_kill_switch(busy: Shell) -> None:
    """It is set and taken back, and the log says by whom."""
    held = busy.ask("halt", "--reason", "stop", "--author", "ana")
    assert (held["halted"], held["by"], held["version"]) == (True, "ana", 1)
    assert busy.ask("halt", "--author", "ana")["reason"] == "stop"
    assert "stop" in busy.run("halt", "--author", "ana").stdout
    other = busy.ask("halt", "--author", "ben")
    assert (other["by"], other["version"]) == ("ben", 2)
    assert busy.ask("resume", "--author", "ben")["switch"] is False
    log = busy.ask("log", "--kind", "halt.changed")
    assert [one["actor"] for one in log] == [
        *["person:ben"] * 2,
        "person:ana",
    ]


def test_it_halts_with_wrong_settings_too(busy: Shell) -> None:
    """Nobody mends a policy first while the wrong thing runs."""
    file = busy.folder / "HALT"
    tree = yaml.safe_load(busy.config.read_text())
    busy.config.write_text(yaml.safe_dump({**tree, "backends": {"no": {}}}))
    done = busy.run("halt", "--reason", "wrong hosts", "--author", "ana")
    assert done.exit_code == 2
    assert "backends.no" in done.stderr
    assert str(file) in done.stderr.replace("\n", "")
    assert Halting(file).look() == "wrong hosts (ana)"


def test_a_policy_is_shown_and_tried(busy: Shell, tmp_path: Path) -> None:
    """What is no policy ends with 1, and says where."""
    shown = busy.ask("policy", "show")
    assert shown["trust"]["otherwise"] == "approve"
    assert "otherwise: approve" in busy.run("policy", "show").stdout
    tried = busy.ask("policy", "test")
    assert (tried["policy"], tried["looked_at"]) == (shown["version"], 0)
    assert "0 rulings" in busy.run("policy", "test", "--days", "1").stdout
    file = tmp_path / "other.yaml"
    file.write_text("trust: {otherwise: sugest}\n")
    wrong = busy.run("policy", "test", "--file", str(file))
    assert wrong.exit_code == 1
    assert "trust.otherwise" in wrong.stderr


def test_the_report_on_trust(busy: Shell) -> None:
    """A line for each action, with what is missing."""
    busy.ask("approvals", "grant", "1", "--author", "ana")
    found = busy.ask("trust", "report", "--days", "3650")["items"]
    (line,) = found
    assert (line["action"], line["answers"]) == ("restart_service", 1)
    said = busy.run("trust", "report", "--days", "3650").stdout
    assert "19 more answers" in said
