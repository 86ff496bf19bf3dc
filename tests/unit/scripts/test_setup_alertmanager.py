"""Alertmanager's file: ours is put in, checked, kept apart, taken out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts.setting_up import Status, Stopped
from scripts.setup_alertmanager import main
from tests.programs import free_port, need
from tests.unit.scripts.monitors import (
    ALERTMANAGER,
    heard,
    make_checker,
    type_in,
)

HOME = Path(__file__).parents[3]
URL = "http://smokejumper:8080"
NO_CHECKER = "--amtool=no-such-program"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return an alertmanager.yml."""
    path = tmp_path / "alertmanager.yml"
    path.write_text(ALERTMANAGER)
    return path


def do(file: Path, *words: str) -> Status:
    """Run the script with a yes."""
    return main(["--file", str(file), "--url", URL, "--yes", *words])


def kept(file: Path) -> list[Path]:
    """Return the copies of what was there."""
    return sorted(file.parent.glob("*.before-*"))


@pytest.mark.real
def test_everybody_hears_what_they_heard_and_we_hear_all(file: Path) -> None:
    """The rules of Alertmanager itself say who is told of an alert."""
    before = heard(file)
    assert do(file) is Status.DONE
    assert heard(file) == [{"smokejumper"} | one for one in before]
    assert before == [{"people"}, {"dba"}, {"pager"}, {"people"}]


@pytest.mark.real
def test_matchers_narrow_down_what_we_hear(file: Path) -> None:
    """Others hear what they heard; we hear what fits."""
    before = heard(file)
    do(file, "--matchers", 'severity="critical"', "--matchers", 'team="db"')
    assert heard(file) == [
        before[0],
        before[1],
        {"smokejumper"} | before[2],
        before[3],
    ]


@pytest.mark.real
def test_without_continue_we_alone_hear_it(file: Path) -> None:
    """What fits goes to nobody else, the rest is as it was."""
    before = heard(file)
    do(file, "--no-continue", "--matchers", 'severity="critical"')
    ours = {"smokejumper"}
    assert heard(file) == [before[0], before[1], ours, ours]


def test_it_is_done_once_and_undone_to_the_byte(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run changes nothing; undo leaves what was there."""
    do(file, NO_CHECKER)
    done = file.read_text()
    assert do(file, NO_CHECKER) is Status.DONE
    assert "Nothing to do" in capsys.readouterr().out
    assert file.read_text() == done
    assert do(file, NO_CHECKER, "--undo") is Status.DONE
    assert file.read_text() == ALERTMANAGER
    do(file, NO_CHECKER, "--undo")
    assert [one.read_text() for one in kept(file)] == [ALERTMANAGER, done]


def test_another_address_takes_the_place_of_the_old_one(file: Path) -> None:
    """There is one receiver of ours, with what was asked for last."""
    do(file, NO_CHECKER)
    do(file, NO_CHECKER, "--url", "https://sj/base/", "--source", "am-2")
    tree = yaml.safe_load(file.read_text())
    names = [one["name"] for one in tree["receivers"]]
    assert names == ["people", "dba", "pager", "smokejumper"]
    (webhook,) = tree["receivers"][-1]["webhook_configs"]
    assert webhook == {
        "url": "https://sj/base/webhooks/am-2",
        "send_resolved": True,
        "max_alerts": 0,
    }


def test_the_secret_stays_in_its_file(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The settings and the diff name the file and not the secret."""
    secret = tmp_path / "secret"
    secret.write_text("hush-hush\n")
    do(file, NO_CHECKER, "--secret-file", str(secret))
    tree = yaml.safe_load(file.read_text())
    (webhook,) = tree["receivers"][-1]["webhook_configs"]
    assert webhook["http_config"]["authorization"] == {
        "type": "Bearer",
        "credentials_file": str(secret),
    }
    assert "hush" not in file.read_text() + capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "two words\n", None])
def test_a_file_without_a_secret_is_refused(
    file: Path, tmp_path: Path, text: str | None
) -> None:
    """It is told before anything is changed."""
    secret = tmp_path / "secret"
    if text is not None:
        secret.write_text(text)
    with pytest.raises(Stopped, match="secret") as stop:
        do(file, NO_CHECKER, "--secret-file", str(secret))
    assert stop.value.status is Status.WRONG_USE
    assert file.read_text() == ALERTMANAGER


def test_nothing_changes_without_a_yes(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The diff is shown; a pipe cannot answer, a person can say no or yes."""
    words = ["--file", str(file), "--url", URL, NO_CHECKER]
    type_in(monkeypatch, "no\n")
    with pytest.raises(Stopped) as stop:
        main(words)
    assert stop.value.status is Status.NEEDS_YES
    assert file.read_text() == ALERTMANAGER
    assert "+- name: smokejumper" in capsys.readouterr().out
    assert kept(file) == []
    type_in(monkeypatch, "yes\n")
    assert main(words) is Status.DONE
    assert file.read_text() != ALERTMANAGER


def test_as_a_program_it_ends_with_what_happened(file: Path) -> None:
    """3 without a yes, on standard error what to do; 2 for wrong use."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        """Run it as a user does, with nobody at a terminal."""
        command = [sys.executable, "-m", "scripts.setup_alertmanager"]
        return subprocess.run(
            [*command, "--file", str(file), *words],
            cwd=HOME,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    asked = run("--url", URL)
    assert asked.returncode == Status.NEEDS_YES
    assert "--yes" in asked.stderr
    assert run().returncode == Status.WRONG_USE
    assert file.read_text() == ALERTMANAGER


def test_what_the_checker_refuses_is_not_left(
    file: Path, tmp_path: Path
) -> None:
    """The file stays, the reason is told, no draft lies about."""
    checker = make_checker(tmp_path, "smokejumper")
    with pytest.raises(Stopped, match="this is wrong") as stop:
        do(file, "--amtool", checker)
    assert stop.value.status is Status.REFUSED
    assert f"{file}: this is wrong" in stop.value.reason
    assert file.read_text() == ALERTMANAGER
    assert {one.name for one in tmp_path.iterdir()} == {
        "alertmanager.yml",
        "checker",
    }


@pytest.mark.real
def test_the_real_checker_refuses_what_is_wrong(file: Path) -> None:
    """A matcher that Alertmanager cannot read never gets into the file."""
    amtool = str(need("amtool", "prometheus-alertmanager"))
    with pytest.raises(Stopped, match="amtool refuses it"):
        do(file, "--amtool", amtool, "--matchers", "not a matcher")
    assert file.read_text() == ALERTMANAGER


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("name: dba", "name: smokejumper", "somebody else wrote"),
        ("receivers:", "others:", "no alertmanager.yml"),
        ("# they know", "\n      continue: true", "route 1 says"),
        ("routes:\n    #", "routes: []\n#", "no YAML"),
    ],
)
def test_what_it_cannot_do_well_it_does_not_do(
    file: Path, old: str, new: str, says: str
) -> None:
    """The reason and a remedy are told, the file stays."""
    text = ALERTMANAGER.replace(old, new, 1)
    file.write_text(text)
    with pytest.raises(Stopped, match=says) as stop:
        do(file, NO_CHECKER)
    assert stop.value.status is Status.WRONG_USE
    assert file.read_text() == text


def test_mode_and_link_stay_as_they_were(file: Path, tmp_path: Path) -> None:
    """A link still leads to the file, which nobody else may read."""
    link = tmp_path / "link.yml"
    link.symlink_to(file)
    file.chmod(0o640)
    do(link, NO_CHECKER)
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert "smokejumper" in file.read_text()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_of_others_is_refused(file: Path) -> None:
    """It is told as whom to run it."""
    file.parent.chmod(0o500)
    with pytest.raises(Stopped, match="cannot write") as stop:
        do(file, NO_CHECKER)
    file.parent.chmod(0o700)
    assert stop.value.status is Status.WRONG_USE


def test_a_missing_file_is_wrong_use(tmp_path: Path) -> None:
    """It is told which one."""
    with pytest.raises(Stopped, match="cannot read") as stop:
        do(tmp_path / "gone.yml")
    assert stop.value.status is Status.WRONG_USE


def test_who_does_not_answer_has_not_read_it(file: Path) -> None:
    """The file is written, and it is told that it does not count yet."""
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(Stopped, match="was not reached") as stop:
        do(file, NO_CHECKER, "--reload", url)
    assert stop.value.status is Status.REFUSED
    assert "smokejumper" in file.read_text()
