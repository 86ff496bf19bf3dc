"""Grafana's contact point and policies, asked by its contract."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest

from scripts.setting_up import Status, Stopped
from scripts.setup_grafana import EVERYTHING, main
from tests.grafana import TOKEN, GrafanaFake
from tests.programs import free_port

URL = "http://smokejumper:8080"
LAST = {"receiver": "grafana-default-email", "object_matchers": [EVERYTHING]}


@pytest.fixture
def grafana(monkeypatch: pytest.MonkeyPatch) -> Iterator[GrafanaFake]:
    """Return a Grafana that we may change."""
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)
    with GrafanaFake() as fake:
        yield fake


def do(grafana: GrafanaFake, *words: str) -> Status:
    """Run the script with a yes."""
    return main(["--grafana", grafana.url, "--url", URL, "--yes", *words])


def add_policy(grafana: GrafanaFake, *, goes_on: bool = False) -> None:
    """Give databases a contact point and a policy of their own."""
    grafana.points["dba"] = {
        "uid": "dba",
        "name": "dba",
        "type": "slack",
        "settings": {"url": "http://x"},
    }
    policy = {"receiver": "dba", "object_matchers": [["team", "=", "db"]]}
    more = {"continue": True} if goes_on else {}
    grafana.tree["routes"] = [{**policy, **more}]


def test_we_hear_all_and_others_what_they_heard(grafana: GrafanaFake) -> None:
    """Our policy comes first and goes on; a last one keeps the default."""
    add_policy(grafana)
    there = deepcopy(grafana.tree)
    assert do(grafana) is Status.DONE
    first = {"receiver": "smokejumper", "continue": True}
    assert grafana.tree == {
        **there,
        "routes": [first, *there["routes"], LAST],
    }
    assert grafana.points["smokejumper"] == {
        "uid": "smokejumper",
        "name": "smokejumper",
        "type": "webhook",
        "settings": {
            "url": f"{URL}/webhooks/grafana",
            "httpMethod": "POST",
        },
        "disableResolveMessage": False,
    }


def test_it_is_done_once(
    grafana: GrafanaFake, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run asks and writes nothing."""
    do(grafana)
    grafana.writes.clear()
    capsys.readouterr()
    assert do(grafana) is Status.DONE
    assert "Nothing to do" in capsys.readouterr().out
    assert grafana.writes == []


def test_undo_takes_away_what_was_made(grafana: GrafanaFake) -> None:
    """Policies first: Grafana removes no contact point that is named."""
    add_policy(grafana)
    tree, points = deepcopy(grafana.tree), deepcopy(grafana.points)
    do(grafana)
    assert do(grafana, "--undo") is Status.DONE
    assert (grafana.tree, grafana.points) == (tree, points)
    grafana.writes.clear()
    do(grafana, "--undo")
    assert grafana.writes == []


def test_the_secret_is_kept_and_never_shown(
    grafana: GrafanaFake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run cannot see it and lets it be; it can be renewed."""
    secret = tmp_path / "secret"
    secret.write_text("hush-hush\n")
    words = ["--secret-file", str(secret)]
    do(grafana, *words)
    settings = grafana.points["smokejumper"]["settings"]
    assert settings["authorization_scheme"] == "Bearer"
    assert settings["authorization_credentials"] == "hush-hush"
    grafana.writes.clear()
    do(grafana, *words)
    assert grafana.writes == []
    secret.write_text("newer\n")
    do(grafana, *words, "--renew-secret")
    settings = grafana.points["smokejumper"]["settings"]
    assert settings["authorization_credentials"] == "newer"
    told = capsys.readouterr().out
    assert "hush" not in told
    assert "newer" not in told


def test_matchers_and_no_continue(
    grafana: GrafanaFake, capsys: pytest.CaptureFixture[str]
) -> None:
    """What fits goes to us alone; the rest needs no last policy."""
    words = [
        "--no-continue",
        *("--matchers", "team", "=~", '"shop|till"'),
        *("--matchers", "severity", "=", "critical"),
    ]
    do(grafana, *words)
    assert grafana.tree["routes"] == [
        {
            "receiver": "smokejumper",
            "object_matchers": [
                ["severity", "=", "critical"],
                ["team", "=~", "shop|till"],
            ],
        }
    ]
    grafana.writes.clear()
    capsys.readouterr()
    do(grafana, *words)
    assert "Nothing to do" in capsys.readouterr().out
    assert grafana.writes == []


@pytest.mark.parametrize("words", ["severity == critical", " = critical"])
def test_a_matcher_that_is_none_changes_nothing(
    grafana: GrafanaFake, words: str
) -> None:
    """Grafana would refuse the policy, with the contact point made."""
    with pytest.raises(SystemExit) as stop:
        do(grafana, "--matchers", *words.split(" "))
    assert stop.value.code == Status.WRONG_USE
    assert grafana.writes == []


def test_nothing_changes_without_a_yes(grafana: GrafanaFake) -> None:
    """Nobody is at a terminal: it says what to do."""
    with pytest.raises(Stopped, match="nothing was changed") as stop:
        main(["--grafana", grafana.url, "--url", URL])
    assert stop.value.status is Status.NEEDS_YES
    assert grafana.writes == []


def test_what_people_may_edit_they_may_still(grafana: GrafanaFake) -> None:
    """Nothing becomes provisioned, and what is so stays so."""
    do(grafana)
    assert "provenance" not in grafana.points["smokejumper"]
    assert "provenance" not in grafana.tree
    grafana.tree["provenance"] = "api"
    do(grafana, "--undo")
    assert grafana.tree["provenance"] == "api"


def test_policies_out_of_a_file_are_left_alone(grafana: GrafanaFake) -> None:
    """Grafana would put them back: it is told where to add ours."""
    grafana.tree["provenance"] = "file"
    tree = deepcopy(grafana.tree)
    with pytest.raises(Stopped, match="provisioned from elsewhere") as stop:
        do(grafana)
    assert stop.value.status is Status.REFUSED
    assert grafana.tree == tree


def test_a_policy_that_goes_on_is_in_the_way(grafana: GrafanaFake) -> None:
    """The default contact point would hear twice: it is refused."""
    add_policy(grafana, goes_on=True)
    with pytest.raises(Stopped, match="policy 1 goes on") as stop:
        do(grafana)
    assert stop.value.status is Status.WRONG_USE
    assert grafana.writes == []


def test_a_name_that_is_taken_is_left_alone(grafana: GrafanaFake) -> None:
    """A contact point that people made is not ours to change."""
    grafana.points["x"] = {
        "uid": "x",
        "name": "smokejumper",
        "type": "webhook",
        "settings": {"url": "http://y"},
    }
    with pytest.raises(Stopped, match="did not make"):
        do(grafana)
    assert grafana.writes == []


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_token_is_needed(
    grafana: GrafanaFake, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    """None is wrong use; a wrong one is refused, and not shown."""
    monkeypatch.setenv("GRAFANA_TOKEN", token)
    with pytest.raises(Stopped) as stop:
        do(grafana)
    refused = Status.REFUSED if token else Status.WRONG_USE
    assert stop.value.status is refused
    assert "oken" in stop.value.remedy
    assert grafana.writes == []


def test_no_answer_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told that Grafana was not reached."""
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)
    with pytest.raises(Stopped, match="was not reached") as stop:
        main(["--grafana", f"http://127.0.0.1:{free_port()}", "--url", URL])
    assert stop.value.status is Status.REFUSED
