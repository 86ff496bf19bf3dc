"""Mutes, given as commands."""

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Shell

WHO = ("--author", "ana", "--comment", "[b]work[/i]")
WHEN = ("--from", "2099-01-01T00:00Z", "--until", "2099-01-01T01:00Z")
WHAT = ("-m", 'target="web-01"')
CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:a
SUMMARY:{name}
DTSTART:20990101T000000Z
DTEND:20990101T010000Z
{more}END:VEVENT
END:VCALENDAR
"""


def test_a_mute_is_added_listed_and_ended(shell: Shell) -> None:
    """What is over is listed only when it is asked for."""
    (added,) = shell.ask("mute", "add", *WHO, *WHEN, *WHAT)
    assert (added["state"], added["author"]) == ("pending", "ana")
    assert shell.ask("mutes") == [added]
    assert "[b]work[/i]" in shell.run("mutes").stdout
    (ended,) = shell.ask("mute", "end", str(added["id"]), *WHO)
    assert ended["state"] == "over"
    assert shell.ask("mutes") == []
    assert shell.ask("mutes", "--all") == [ended]
    again = shell.run("mute", "end", str(added["id"]), *WHO)
    assert again.exit_code == 1
    assert "over already" in again.stderr


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (("--from", "2099-01-01T00:00"), "has no zone"),
        (("--zone", "Mars/Base"), "zone"),
        (("--until", "2099-01-01T00:00Z"), "end after its beginning"),
        (("--until", "2098-01-01T00:00Z"), "end after its beginning"),
        (("--from", "soon"), "from"),
        (("--comment", ""), "comment"),
        (("--author", ""), "author"),
        (("-m", "target"), "matchers"),
        (("-m", 'target=~"("'), "matchers"),
        (("--rule", "FREQ=SOMETIMES"), "FREQ must be"),
        (("--exception", "never"), "exceptions"),
        (("--also", "2099-02-30T00:00Z"), "also"),
    ],
)
def test_an_unfit_mute_is_refused_with_its_field(
    shared: Shell, more: tuple[str, ...], what: str
) -> None:
    """Exit 1, and there is no mute more."""
    done = shared.run("mute", "add", *WHO, *WHEN, *WHAT, *more)
    assert (done.exit_code, done.stdout) == (1, "")
    assert what in done.stderr
    assert shared.ask("mutes", "--all") == []


def test_a_mute_of_everything_is_refused(shared: Shell) -> None:
    """Without a matcher nothing is said about what it is for."""
    done = shared.run("mute", "add", *WHO, *WHEN)
    assert done.exit_code == 1
    assert done.stderr.startswith("matchers: ")


@pytest.mark.parametrize(
    ("number", "code"), [("7", 1), ("0", 2), (str(2**63 - 1), 1)]
)
def test_a_mute_that_is_not_there_cannot_end(
    shared: Shell, number: str, code: int
) -> None:
    """It is said which, without a crash."""
    done = shared.run("mute", "end", number, *WHO)
    assert done.exit_code == code
    assert isinstance(done.exception, SystemExit)


def test_a_mute_beyond_all_numbers_is_refused(shared: Shell) -> None:
    """A number that no database holds is no crash either."""
    done = shared.run("mute", "end", str(2**63), *WHO)
    assert isinstance(done.exception, SystemExit)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (CALENDAR.format(name="Kernel", more=""), "Kernel"),
        (CALENDAR.format(name="[b]x[/i]", more=""), "[b]x[/i]"),
    ],
)
def test_a_calendar_is_taken_once(
    shell: Shell, tmp_path: Path, text: str, name: str
) -> None:
    """The second import finds it unchanged; names are only text."""
    file = tmp_path / "c.ics"
    file.write_text(text.replace("\n", "\r\n"))
    given = ("mute", "import", str(file), "--author", "ana", *WHAT)
    first = shell.run(*given)
    assert first.exit_code == 0, first.stderr
    assert name in first.stdout
    assert [one["outcome"] for one in shell.ask(*given)] == ["unchanged"]
    assert len(shell.ask("mutes")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "BEGIN:VCALENDAR\n",
        "\xff\xfe",
        CALENDAR.format(name="x", more="RRULE:FREQ=SOMETIMES\n"),
    ],
)
def test_a_broken_calendar_is_refused_whole(
    shared: Shell, tmp_path: Path, text: str
) -> None:
    """Exit 1, and no event of it is taken."""
    file = tmp_path / "c.ics"
    file.write_bytes(text.encode("latin-1"))
    done = shared.run("mute", "import", str(file), "--author", "a", *WHAT)
    assert (done.exit_code, done.stdout) == (1, "")
    assert shared.ask("mutes", "--all") == []
