"""Lists, the log, exports and backups, given as commands."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Shell


@pytest.mark.parametrize(
    "given",
    [
        ("log",),
        ("log", "verify"),
        ("incidents",),
        ("incident", "1"),
        ("alerts",),
        ("deliveries",),
        ("mutes",),
        ("export", "log"),
    ],
)
def test_without_a_database_it_is_exit_3(
    bare: Shell, given: tuple[str, ...]
) -> None:
    """Nothing on stdout, and how to make it."""
    done = bare.run(*given)
    assert (done.exit_code, done.stdout) == (3, "")
    assert "main.py migrate" in done.stderr


@pytest.mark.parametrize(
    ("since", "is_listed"),
    [
        ("2099-01-01", False),
        ("5200w", True),
        ("2026-11-21T00:00Z", True),
        ("2026-11-21", True),
        ("0001-01-01", True),
        ("9999-12-31T23:59:59Z", False),
    ],
)
def test_the_log_since(shared: Shell, since: str, *, is_listed: bool) -> None:
    """A span counts back from now, a time from 1970."""
    assert bool(shared.ask("log", "--since", since)) is is_listed


@pytest.mark.parametrize(
    "since",
    ["", "2", "h", "2y", "-2h", "2 h", "1.5h", "2H", "1234567890s", "2h2m"],
)
def test_what_is_no_span_is_exit_2(shared: Shell, since: str) -> None:
    """With how one is written."""
    done = shared.run("log", "--since", since)
    assert done.exit_code == 2


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(
            ("log", "--since", "999999999w"),
        ),
        pytest.param(
            ("log", "--incident", str(2**63)),
        ),
        ("log", "--incident", str(2**63 - 1)),
        ("incident", str(2**63 - 1)),
        ("replay", "--delivery", str(2**63)),
    ],
)
def test_a_number_beyond_all_is_no_crash(
    shared: Shell, given: tuple[str, ...]
) -> None:
    """It finds nothing, or it is said what is wrong."""
    done = shared.run(*given)
    assert done.exception is None or isinstance(done.exception, SystemExit)


@pytest.mark.parametrize(
    ("only", "ids"),
    [
        ((), [2, 1]),
        (("limit=1",), [2]),
        (("limit=2", "limit=1"), [2]),
        (("state=open",), [2, 1]),
        (("state=open", "state=resolved"), [2, 1]),
        (("state=resolved",), []),
    ],
)
def test_an_export_is_filtered(
    shared: Shell, tmp_path: Path, only: tuple[str, ...], ids: list[int]
) -> None:
    """The last of one name counts, where it is no list."""
    file = tmp_path / "x.ndjson"
    options = [part for one in only for part in ("--only", one)]
    done = shared.run("export", "incidents", *options, "-o", str(file))
    assert (done.exit_code, done.stdout) == (0, "")
    lines = file.read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("only", "what"),
    [
        ("state", "no NAME=VALUE"),
        ("", "no NAME=VALUE"),
        ("state=strange", "state"),
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("colour=red", "colour"),
        ("=x", "--only"),
    ],
)
def test_a_wrong_filter_is_exit_2(
    shared: Shell, tmp_path: Path, only: str, what: str
) -> None:
    """It is named, and no file is begun."""
    out = ("-o", str(tmp_path / "x"))
    done = shared.run("export", "incidents", "--only", only, *out)
    assert done.exit_code == 2
    assert what in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            ".",
        ),
        pytest.param(
            "",
        ),
        "no/folder/x",
        "full",
    ],
)
def test_an_export_that_cannot_be_written_is_exit_1(
    shared: Shell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """And nothing half is left beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    done = shared.run("export", "log", "-o", name)
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert [one.name for one in tmp_path.iterdir()] == ["full"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            "a[red]b.csv",
        ),
        "a[",
        pytest.param(
            "[bold]",
        ),
    ],
)
def test_the_name_of_an_export_is_told_as_it_is(
    shared: Shell, tmp_path: Path, name: str
) -> None:
    """Brackets in it are a name, no markup."""
    file = tmp_path / name
    done = shared.run("export", "log", "-o", str(file))
    assert done.exit_code == 0
    assert f"{name}: {file.stat().st_size} bytes." in done.stderr


@pytest.mark.parametrize(
    "name",
    [
        "plain.bak",
        pytest.param(
            "a[red]b.bak",
        ),
    ],
)
def test_a_backup_says_where_it_is(
    shared: Shell, tmp_path: Path, name: str
) -> None:
    """Under its own name; a second one does not replace it."""
    file = tmp_path / name
    first = shared.run("backup", str(file))
    assert first.exit_code == 0, first.stderr
    assert name in first.stdout
    kept = file.read_bytes()
    assert shared.run("backup", str(file)).exit_code == 3
    assert file.read_bytes() == kept


def test_a_restore_does_not_touch_what_is_there(
    shell: Shell, tmp_path: Path
) -> None:
    """Exit 3, and the anchor of the database stays, too."""
    file, anchor = tmp_path / "x.bak", tmp_path / "log.anchor"
    shell.run("backup", str(file))
    anchor.write_text("kept")
    assert shell.run("restore", str(file)).exit_code == 3
    assert anchor.read_text() == "kept"
    assert len(shell.ask("alerts")) == 2
