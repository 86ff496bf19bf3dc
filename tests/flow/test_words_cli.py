"""What people say about incidents from the command line."""

import json
from collections.abc import Iterator

import pytest

from tests.flow.test_words import (
    ask,
    episodes_of,
    incident_of,
    words_of,
)
from tests.service import OPEN, Service


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a running service with a source that takes any JSON."""
    settings = {"sources": {"generic": OPEN}}
    with Service(tmp_path_factory.mktemp("cli"), settings) as service:
        yield service


@pytest.mark.long
def test_each_command_is_a_word(shared: Service) -> None:
    """The service that runs shows it at once; exit 0, and a line."""
    number = str(incident_of(shared))
    for command, *more in (
        ("note", number, "hm"),
        ("ack", number, "--text", "I look"),
        ("unack", number),
        ("take", number),
        ("release", number),
        ("correct", number, "no", "--about", "target", "--right", "db"),
    ):
        done = shared.run(command, *more, "--author", "ana")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"Incident {number}: ")
    words = words_of(shared, int(number))
    assert [word["kind"] for word in words] == [
        "note",
        "acknowledge",
        "unacknowledge",
        "owner",
        "owner",
        "correction",
    ]
    assert {word["author"] for word in words} == {"ana"}
    assert words[3]["details"] == {"owner": "ana"}
    assert words[5]["details"] == {"about": "target", "correct": "db"}


def test_merge_and_split_as_json(shared: Service) -> None:
    """A script reads where the episodes are."""
    one, two = incident_of(shared), incident_of(shared)
    episodes = episodes_of(shared, one)
    more = ("--author", "ana", "--json")
    done = shared.run("merge", str(one), str(two), *more)
    assert json.loads(done.stdout)["details"]["into"] == two
    done = shared.run("split", str(two), *map(str, episodes), *more)
    assert json.loads(done.stdout)["details"]["into"] == one
    assert episodes_of(shared, one) == episodes


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("note", "999999", "x"), "There is no incident 999999"),
        (("note", "1", " "), "text"),
        (("note", "1", "x", "--author", "a\nb"), "author"),
        (("merge", "1", "1"), "itself"),
        (("split", "1", "999999"), "no episode 999999"),
    ],
)
def test_what_is_refused_is_said(
    shared: Service, arguments: tuple[str, ...], said: str
) -> None:
    """Exit 1, a line on the error output, and no word."""
    if not ask(shared, "SELECT id FROM incident WHERE id = 1"):
        incident_of(shared)
    before = ask(shared, "SELECT count(*) FROM word")
    done = shared.run(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert ask(shared, "SELECT count(*) FROM word") == before
