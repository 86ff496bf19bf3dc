"""Prometheus' file: Smokejumper as an Alertmanager, and our rules."""

import shutil
from pathlib import Path

import pytest
import yaml

from scripts.setting_up import Status, Stopped
from scripts.setup_prometheus import RULES, main
from tests.programs import need
from tests.unit.scripts.monitors import PROMETHEUS, make_checker

URL = "https://smokejumper:8080/base"
NO_CHECKER = "--promtool=no-such-program"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the prometheus.yml that Prometheus comes with."""
    path = tmp_path / "prometheus.yml"
    path.write_text(PROMETHEUS)
    return path


def do(file: Path, *words: str) -> Status:
    """Run the script with a yes."""
    return main(["--file", str(file), "--url", URL, "--yes", *words])


def test_we_stand_beside_the_alertmanagers(file: Path, tmp_path: Path) -> None:
    """The list has one more, with the path, the rules and the secret."""
    secret = tmp_path / "secret"
    secret.write_text("hush")
    do(file, NO_CHECKER, "--secret-file", str(secret), "--source", "prom-2")
    before, after = (
        yaml.safe_load(PROMETHEUS),
        yaml.safe_load(file.read_text()),
    )
    first, ours = after["alerting"].pop("alertmanagers")
    assert [first] == before["alerting"].pop("alertmanagers")
    assert ours == {
        "scheme": "https",
        "path_prefix": "/base/webhooks/prom-2",
        "static_configs": [{"targets": ["smokejumper:8080"]}],
        "authorization": {"type": "Bearer", "credentials_file": str(secret)},
    }
    assert after.pop("rule_files") == [str(RULES)]
    before.pop("rule_files")
    assert after == before


def test_it_is_done_once_and_undone_to_the_byte(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run changes nothing; undo leaves what was there."""
    do(file, NO_CHECKER)
    done = file.read_text()
    capsys.readouterr()
    do(file, NO_CHECKER)
    assert "Nothing to do" in capsys.readouterr().out
    assert file.read_text() == done
    assert main(["--file", str(file), "--undo", "--yes", NO_CHECKER]) == 0
    assert file.read_text() == PROMETHEUS


def test_only_the_rules(file: Path) -> None:
    """Where an Alertmanager tells us, Prometheus need not."""
    main(["--file", str(file), "--rules-only", "--yes", NO_CHECKER])
    before, after = (
        yaml.safe_load(PROMETHEUS),
        yaml.safe_load(file.read_text()),
    )
    assert after == {**before, "rule_files": [str(RULES)]}


def test_no_rules(file: Path) -> None:
    """Who has rules of their own needs none of ours."""
    do(file, NO_CHECKER, "--rules", "")
    assert yaml.safe_load(file.read_text())["rule_files"] is None


def test_somebody_must_say_where_we_are(file: Path) -> None:
    """Without an address it is wrong use."""
    with pytest.raises(SystemExit) as stop:
        main(["--file", str(file)])
    assert stop.value.code == Status.WRONG_USE


def test_what_the_checker_refuses_is_not_left(
    file: Path, tmp_path: Path
) -> None:
    """The file stays as it was."""
    checker = make_checker(tmp_path, "smokejumper")
    with pytest.raises(Stopped, match="this is wrong") as stop:
        do(file, "--promtool", checker)
    assert stop.value.status is Status.REFUSED
    assert file.read_text() == PROMETHEUS


@pytest.mark.real
def test_the_real_checker_reads_the_rules_too(
    file: Path, tmp_path: Path
) -> None:
    """Our rules pass; broken ones keep the file as it was."""
    promtool = str(need("promtool", "prometheus"))
    rules = tmp_path / "rules.yml"
    shutil.copy(RULES, rules)
    do(file, "--promtool", promtool, "--rules", str(rules))
    done = file.read_text()
    rules.write_text("groups: [{name: a, rules: [{alert: A, expr: '('}]}]")
    with pytest.raises(Stopped, match="promtool refuses it"):
        do(file, "--promtool", promtool, "--rules", str(rules), "--source=b")
    assert file.read_text() == done
