"""Lines of the log: one each, whatever strangers say, and none costs us."""

import errno
import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app.core.log import Unfailing, get_log, set_up_log

TRICKY = [
    'say "hi"',
    "two\nlines",
    "\x1b[31mred\x1b[0m",
    "nul\x00",
    "ümläut \N{SNOWMAN}",
    "back\\slash",
    "",
]


@pytest.fixture(autouse=True)
def _settings_of_before() -> Iterator[None]:
    """Leave logging as it was found."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    known = structlog.get_config()
    yield
    root.handlers[:] = before
    root.setLevel(level)
    structlog.configure(**known)


class Broken(io.StringIO):
    """A stream that cannot be written to."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def write(self, text: str, /) -> int:
        """Fail."""
        del text
        raise self._error

    def flush(self) -> None:
        """Fail."""
        raise self._error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "disk full"),
        BrokenPipeError(),
        ValueError("I/O operation on closed file"),
    ],
)
def test_a_lost_line_is_no_error(error: Exception) -> None:
    """A full disk or a closed pipe loses the line, and nothing else."""
    stream = Unfailing(Broken(error))
    assert stream.write("line") == 4
    stream.flush()


def test_a_bug_of_the_stream_is_not_hidden() -> None:
    """Only what a full or closed stream says is passed over."""
    with pytest.raises(TypeError):
        Unfailing(Broken(TypeError())).write("line")


@pytest.mark.parametrize("text", TRICKY)
def test_a_json_line_is_one_line_and_tells_the_text(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """Whatever is in it comes back exactly, and nothing steers a terminal."""
    set_up_log("info", "json")
    get_log("door").info("thing.happened", why=text)
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.isprintable()
    told = json.loads(line)
    assert told.pop("timestamp").endswith("Z")
    assert told == {
        "event": "thing.happened",
        "level": "info",
        "part": "door",
        "why": text,
    }


def test_a_value_that_json_does_not_know_is_its_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An odd value does not lose the line that it stands in."""
    set_up_log("info", "json")
    get_log("x").warning("odd.seen", why=ValueError("bad"), n=1)
    told = json.loads(capsys.readouterr().err)
    assert (told["why"], told["n"]) == ("bad", 1)


@pytest.mark.parametrize(
    ("level", "seen"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_a_level_holds_for_us_and_for_libraries(
    capsys: pytest.CaptureFixture[str], level: str, seen: list[str]
) -> None:
    """What lies below is not written, by either of them."""
    set_up_log(level, "json")
    for name in ("debug", "info", "warning", "error"):
        getattr(get_log("us"), name)("us.said")
        getattr(logging.getLogger("library"), name)("they said")
    told = [json.loads(x) for x in capsys.readouterr().err.splitlines()]
    ours = [one["level"] for one in told if one["event"] == "us.said"]
    theirs = [one["level"] for one in told if one["event"] == "they said"]
    assert ours == theirs == seen


@pytest.mark.parametrize("name", ["httpx", "alembic"])
def test_a_chatty_library_is_heard_from_warning_on(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Its news would hold addresses; its warnings are wanted."""
    set_up_log("debug", "json")
    logging.getLogger(name).info("GET http://secret")
    logging.getLogger(name).warning("mind %s", "this")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "mind this"


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_crash_is_told_without_its_variables(
    capsys: pytest.CaptureFixture[str], form: str
) -> None:
    """The trace names the error, never what the variables held."""
    set_up_log("info", form)
    secret = "".join(("hunt", "er2"))
    try:
        int(secret[:0])
    except ValueError:
        get_log("x").exception("work.crashed")
    text = capsys.readouterr().err
    assert "ValueError" in text
    assert "work.crashed" in text
    assert secret not in text
