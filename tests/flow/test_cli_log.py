"""The action log and incidents on the command line."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from app.cli.commands import app
from tests.chaos.load import wait_until
from tests.flow.wire import group
from tests.postgres import Postgres
from tests.service import OPEN, Service

ANCHOR_FILE = "SMOKEJUMPER_INCIDENTS__ANCHOR_FILE"


def send(service: Service, *bodies: bytes) -> None:
    """Deliver bodies, one after the other."""
    url = f"{service.url}/webhooks/alertmanager"
    for body in bodies:
        assert httpx.post(url, content=body).status_code == 202


def call(service: Service, *arguments: str) -> Result:
    """Run a command in this process, which is quicker than in a new one."""
    given = [*arguments, "-c", str(service.config)]
    file = f"{service.folder}/log.anchor"
    return CliRunner().invoke(app, given, env={ANCHOR_FILE: file})


def ask(service: Service, *arguments: str) -> Any:
    """Return what a command says as JSON."""
    done = call(service, *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def over(body: bytes) -> bytes:
    """Return a delivery that says that it is over."""
    ended = b'"endsAt": "2026-11-21T03:00:00Z"'
    body = body.replace(b'"firing"', b'"resolved"')
    return body.replace(b'"endsAt": "0001-01-01T00:00:00Z"', ended)


def fill(service: Service) -> None:
    """Let two hosts have problems; one of them heals."""
    send(
        service,
        group("f1", "f2", host="web-01"),
        group("f3", host="web-02"),
        over(group("f3", host="web-02")),
    )
    wait_until(
        lambda: (
            len(ask(service, "log")) >= 4
            and ask(service, "log")[0]["kind"] == "incident.resolved"
        ),
        "the incidents and the log",
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a service in which something happened."""
    with Service(tmp_path_factory.mktemp("story")) as service:
        fill(service)
        yield service


def test_the_log_lists_newest_first(story: Service) -> None:
    """Every entry with its number, its time and its hash."""
    entries = ask(story, "log")
    numbers = [one["id"] for one in entries]
    assert numbers == list(range(len(entries), 0, -1))
    assert all(len(one["hash"]) == 64 for one in entries)
    assert all(one["at"].endswith("Z") for one in entries)
    shown = call(story, "log").stdout
    assert "incident.opened" in shown
    assert "source:alertmanager" in shown


@pytest.mark.parametrize(
    ("option", "column"),
    [
        ("--incident", "incident_id"),
        ("--target", "target"),
        ("--kind", "kind"),
        ("--status", "status"),
        ("--actor", "actor"),
    ],
)
def test_the_log_is_filtered(story: Service, option: str, column: str) -> None:
    """Exactly the entries that have the value."""
    everything = ask(story, "log")
    value = everything[-1][column]
    wanted = [one for one in everything if one[column] == value]
    assert ask(story, "log", option, str(value)) == wanted
    assert len(wanted) > 0
    assert ask(story, "log", option, str(value), "--limit", "1") == wanted[:1]


def test_the_log_since_a_moment(story: Service) -> None:
    """A span before now, or a time; what is neither is exit 2."""
    everything = ask(story, "log")
    assert ask(story, "log", "--since", "2h") == everything
    newest = everything[0]["at"]
    found = ask(story, "log", "--since", newest)
    assert found == [one for one in everything if one["at"] >= newest]
    assert ask(story, "log", "--since", "2999-01-01") == []
    done = call(story, "log", "--since", "yesterday")
    assert done.exit_code == 2
    assert "2h" in done.stderr


def test_incidents_are_those_that_are_not_over(story: Service) -> None:
    """By default; any state, any target, or all when asked."""
    (living,) = ask(story, "incidents")
    assert living["target_name"] == "web-01"
    (healed,) = ask(story, "incidents", "--state", "resolved")
    assert healed["target_name"] == "web-02"
    assert ask(story, "incidents", "--all") == [healed, living]
    for target in (healed["target"], "web-02"):
        assert ask(story, "incidents", "--target", target) == []
        found = ask(story, "incidents", "--all", "--target", target)
        assert found == [healed]
    assert "web-01" in call(story, "incidents").stdout
    assert call(story, "incidents", "--state", "strange").exit_code == 2


def test_an_incident_says_why_its_episodes_are_one(story: Service) -> None:
    """With its episodes and its log, the oldest first."""
    (living,) = ask(story, "incidents")
    number = str(living["id"])
    whole = ask(story, "incident", number)
    assert {k: whole[k] for k in living} == living
    second, first = whole["all_episodes"]
    assert (first["because"], first["ended_at"]) == ("", None)
    assert second["because"]
    listed = ask(story, "log", "--incident", number)
    assert whole["entries"] == listed[::-1]
    shown = call(story, "incident", number).stdout
    assert "merged because" in shown
    assert "incident.opened" in shown


def test_a_command_shows_what_the_api_shows(story: Service) -> None:
    """The same fields with the same values, for programs of either."""
    api = f"{story.url}/api/v1"
    listed = httpx.get(f"{api}/incidents").json()["items"]
    assert ask(story, "incidents", "--all") == listed
    assert ask(story, "log") == httpx.get(f"{api}/log").json()["items"]
    assert ask(story, "alerts") == httpx.get(f"{api}/alerts").json()["items"]
    assert len(listed) == 2
    for one in listed:
        answer = httpx.get(f"{api}/incidents/{one['id']}").json()
        whole = ask(story, "incident", str(one["id"]))
        entries = whole.pop("entries")
        assert whole == answer
        log = httpx.get(story.url + answer["log"]).json()["items"]
        assert entries == log[::-1]


def test_an_incident_names_its_siblings(story: Service) -> None:
    """In the table, as the numbers under which they are shown."""
    (living,) = ask(story, "incidents")
    (healed,) = ask(story, "incidents", "--state", "resolved")
    shown = call(story, "incident", str(living["id"])).stdout
    (line,) = [one for one in shown.splitlines() if "siblings" in one]
    assert line.split() == ["siblings", str(healed["id"])]


def test_an_incident_that_is_not_there(story: Service) -> None:
    """Exit 1, and how to list those that are."""
    done = call(story, "incident", "999")
    assert done.exit_code == 1
    assert "incidents --all" in done.stderr


def test_verify_says_what_to_keep(story: Service) -> None:
    """While the service runs; what it prints is an anchor later."""
    finding = ask(story, "log", "verify")
    assert finding["ok"] is True
    assert finding["breach"] is None
    assert finding["entries"] == finding["last"] == len(ask(story, "log"))
    anchor = f"{finding['last']}:{finding['hash']}"
    shown = call(story, "log", "verify", "--anchor", anchor)
    assert shown.exit_code == 0
    assert anchor in shown.stdout
    assert f"Entry {finding['last']} is the one" in shown.stdout


def test_verify_takes_several_anchors_and_names_the_wrong_one(
    story: Service,
) -> None:
    """Exit 5 and the entry, for people and for programs."""
    good = ask(story, "log")[0]
    right = f"{good['id']}:{good['hash']}"
    arguments = ("log", "verify", "--anchor", right, "--anchor")
    done = call(story, *arguments, f"2:{'0' * 64}")
    assert done.exit_code == 5
    assert "Entry 2 is not what was anchored" in done.stderr
    done = call(story, *arguments, f"900:{'0' * 64}", "--json")
    assert done.exit_code == 5
    breach = json.loads(done.stdout)["breach"]
    assert breach["entry"] == good["id"] + 1


@pytest.mark.parametrize("anchor", ["", "x", "1", "1:ab", f"0:{'0' * 64}"])
def test_an_anchor_that_is_none_is_exit_2(story: Service, anchor: str) -> None:
    """With how one is written."""
    done = call(story, "log", "verify", "--anchor", anchor)
    assert done.exit_code == 2
    assert "ID:HASH" in done.stderr


def tamper(service: Service, *statements: str) -> None:
    """Change the database as its owner, without the triggers."""
    with closing(sqlite3.connect(service.database)) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for (name,) in connection.execute(query).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_the_anchor_beside_the_database_knows_of_a_cut_tail(
    tmp_path: Path,
) -> None:
    """Also when the mark was edited; and a restart leaves it as it is."""
    with Service(tmp_path) as service:
        fill(service)
        assert service.stop() == 0
        end = ask(service, "log")[0]
        file = tmp_path / "log.anchor"
        kept = file.read_bytes()
        told = json.loads(kept)["anchor"]
        assert told == f"{end['id']}:{end['hash']}"
        assert file.stat().st_mode & 0o077 == 0
        lines = service.log.read_text().splitlines()
        anchored = [one for one in lines if "log.anchored" in one]
        assert json.loads(anchored[-1])["hash"] == end["hash"]
        tamper(
            service,
            "DELETE FROM entry WHERE id > 2",
            "UPDATE mark SET position = 2 WHERE name = 'log'",
        )
        done = service.run("log", "verify")
        assert done.returncode == 5
        assert "Entry 3 is missing" in done.stderr
        assert "2 entries before it are right" in done.stderr
        assert done.stdout == ""
        service.start()
        send(service, group("f9", host="web-09"))
        wait_until(lambda: len(ask(service, "log")) > 2, "a new entry")
        assert service.stop() == 0
        assert file.read_bytes() == kept
        assert "log.breached" in service.log.read_text()
        assert call(service, "log", "verify").exit_code == 5
        file.unlink()
        assert call(service, "log", "verify").exit_code == 0


def test_an_anchor_that_cannot_be_read_is_not_passed_over(
    story: Service,
) -> None:
    """Somebody wrote into it: exit 5, and it is said which file."""
    file = story.folder / "log.anchor"
    whole = file.read_bytes()
    for text in (b"", b"{}", whole.replace(b":", b";"), b"\xff"):
        file.write_bytes(text)
        done = call(story, "log", "verify")
        assert done.exit_code == 5, text
        assert str(file) in done.stderr.replace("\n", "")
    # The one of another database says nothing about this one.
    other = whole.replace(b"smokejumper.db", b"another.db")
    file.write_bytes(other)
    assert other != whole
    assert call(story, "log", "verify").exit_code == 0
    file.write_bytes(whole)


def test_verify_counts_one_entry_as_one(tmp_path: Path) -> None:
    """What is whole, and what stands before a breach, on one stream."""
    with Service(tmp_path) as service:
        send(service, group("f1", host="web-01"))
        wait_until(lambda: len(ask(service, "log")) == 1, "an entry")
        whole = call(service, "log", "verify")
        assert "The log is whole: 1 entry, the last is 1." in whole.stdout
        good = ask(service, "log")[0]["hash"]
        send(service, group("f2", host="web-02"))
        wait_until(lambda: len(ask(service, "log")) == 2, "another entry")
        anchors = ("--anchor", f"1:{good}", "--anchor", f"2:{'0' * 64}")
        broken = call(service, "log", "verify", *anchors)
    assert broken.exit_code == 5
    assert "1 entry before it is right." in broken.stderr
    assert broken.stdout == ""


@pytest.mark.real
def test_the_same_on_postgresql(tmp_path: Path, postgres: Postgres) -> None:
    """The log, incidents, the proof and the anchor."""
    url = postgres.make_database("cli_log")
    settings = {"database": {"url": url}, "sources": {"alertmanager": OPEN}}
    with Service(tmp_path, settings) as service:
        fill(service)
        assert len(ask(service, "incidents", "--all")) == 2
        assert ask(service, "incident", "1")["all_episodes"]
        running = ask(service, "log", "verify")
        assert service.stop() == 0
        stopped = ask(service, "log", "verify")
    assert running["ok"]
    assert stopped["anchored"] == [stopped["last"]]
