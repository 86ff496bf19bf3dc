"""Rounds of probes: nothing blocks or hides another, the worst comes first."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.act.local.look.aside import Aside
from app.act.local.look.lens import Lens
from app.act.local.look.looking import bounded, look_round, pick, say_first
from app.act.local.look.probe import Limit, Notes, Oddity, Probe
from app.core.clock import SystemClock
from app.core.errors import OutgoingFailed
from app.core.look.amounts import percent, size, span
from app.core.look.commands import show_command
from app.core.look.past import Past, Usual
from app.models.evidence import NOTHING, Evidence, Section, read_stands_out
from app.models.origins import TOPICS
from tests.unit.act.local.rounds import Round, all_probes, make_snapshot
from tests.unit.act.local.stands import is_told
from tests.unit.act.local.victims import wait_for

ANY = frozenset({"cpu"})


def a_probe(look: object, title: str = "it", seconds: float = 8.0) -> Probe:
    """Return a probe that does what a test says."""
    assert callable(look)
    return Probe(title, ANY, look, seconds)


def test_every_topic_has_its_probes() -> None:
    """No topic is looked at by the general ones alone, but those for all."""
    known = all_probes()
    for topic in TOPICS:
        chosen = pick(known, topic)
        assert len(chosen) >= 3, topic
        assert {"machine", "kernel"} <= set(chosen)
    assert pick(known, "general") == known
    for probe in known.values():
        assert probe.topics <= set(TOPICS), probe.title


def test_a_probe_that_hangs_blocks_no_other(tmp_path: Path) -> None:
    """It is given up in time; what it had noted by then is kept."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    def hang(_: Lens, notes: Notes) -> None:
        """Note something, then read what nobody writes."""
        notes.say("hangs", "this was seen")
        notes.odd(80.0, "this stands out")
        fifo.read_text()

    made = {
        "a-hangs": a_probe(hang, "hangs", 0.5),
        "b-looks": a_probe(lambda _, notes: notes.say("looks", "seen")),
    }
    once = Round(made=made)
    assert once.lasted < 10
    seen, gave_up = once.lines("hangs")
    assert seen == "this was seen"
    assert gave_up == "not readable: it did not answer in 0.5 s"
    assert once.first == ["this stands out"]
    assert once.lines("looks") == ["seen"]
    # As long as it hangs no other thread is lost to it.
    before = threading.active_count()
    again = Round(made={"a-hangs": made["a-hangs"]})
    assert again.lines("hangs") == [
        "not readable: an earlier look at it still hangs"
    ]
    wait_for(lambda: threading.active_count() <= before)
    wait_for(lambda: is_told(fifo, b"at last"))
    wait_for(lambda: "probe a-hangs" not in names_of_threads())
    fifo.unlink()
    fifo.write_text("no fifo")
    assert Round(made=made).lines("hangs") == ["this was seen"]


def names_of_threads() -> list[str]:
    """Return what runs now."""
    return [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PermissionError(13, "Permission denied"), "permission denied: it"),
        (FileNotFoundError(2, "No such file or directory"), "no such file"),
        (OutgoingFailed("journalctl is not on this machine"), "journalctl is"),
        (ValueError("invalid literal"), "it says what is not known here"),
        (KeyError("MemTotal"), "it says what is not known here (KeyError)"),
    ],
)
def test_a_probe_that_fails_says_why(error: Exception, says: str) -> None:
    """In its own section; the others go on."""

    def fail(_: Lens, notes: Notes) -> None:
        """Fail after a part that fails by itself."""
        with notes.trying("part"):
            raise error
        raise error

    found = Round("machine", made={"fails": a_probe(fail, "fails")})
    for title in ("part", "fails"):
        (line,) = found.lines(title)
        assert line.startswith(f"not readable: {says}")
    assert found.lines("machine")


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning"
)
def test_a_bug_of_a_probe_ends_that_probe_only() -> None:
    """It is told as one, and stands in the log of the service."""

    def bug(_lens: Lens, _notes: Notes) -> None:
        """Have a bug."""
        raise ZeroDivisionError

    found = Round("machine", made={"bug": a_probe(bug, "bug")})
    assert found.lines("bug") == ["not readable: a bug: see the log"]
    assert found.lines("machine")


def test_a_call_aside_hands_over_what_it_says() -> None:
    """Its value, or its own error."""

    def fail() -> int:
        """Fail as files do."""
        return len(Path("/nowhere/at/all").read_text())

    assert Aside("one", lambda: 7).get(5.0) == 7
    with pytest.raises(FileNotFoundError):
        Aside("other", fail).get(5.0)


def test_the_worst_comes_first_and_each_once() -> None:
    """By weight; at most as many as a message can hold."""
    odd = [Oddity(50.0, "bad"), Oddity(90.0, "worse"), Oddity(50.0, "bad")]
    odd += [Oddity(10.0, f"little {n}") for n in range(50)]
    first = say_first(odd, 3_600.0)
    assert first[:2] == ("worse", "bad")
    assert len(first) == 19
    assert say_first([], 3_600.0) == (NOTHING,)


def test_that_there_is_no_past_is_said() -> None:
    """Nobody shall think that something was compared."""
    first = say_first([Oddity(90.0, "bad")], 120.0)
    assert first == (
        "bad",
        "no past yet to compare with: this machine has been watched for 2 min",
    )
    assert say_first([], 0.0)[0] == NOTHING


LIMIT = Limit(90.0, 10.0, percent, 70.0)


@pytest.mark.parametrize(
    ("now", "usual", "expected"),
    [
        (50.0, None, []),
        (95.0, None, [Oddity(70.0, "cpu 95 %")]),
        # A past of a few looks is none.
        (95.0, Usual(12.0, 20.0, 60.0, 3), [Oddity(70.0, "cpu 95 %")]),
        (25.0, Usual(12.0, 20.0, 3480.0, 100), []),
        (
            97.0,
            Usual(12.0, 20.0, 3480.0, 100),
            [
                Oddity(
                    80.0, "cpu 97 %, usually 12 % (median of the past 58 min)"
                )
            ],
        ),
        (
            60.0,
            Usual(12.0, 20.0, 3480.0, 100),
            [
                Oddity(
                    45.0, "cpu 60 %, usually 12 % (median of the past 58 min)"
                )
            ],
        ),
        (
            97.0,
            Usual(95.0, 98.0, 3480.0, 100),
            [
                Oddity(
                    50.0, "cpu 97 %, usually 95 % (median of the past 58 min)"
                )
            ],
        ),
    ],
)
def test_a_figure_stands_out(
    now: float, usual: Usual | None, expected: list[Oddity]
) -> None:
    """Beyond its limit, or unlike its past; what is as usual weighs less."""
    notes = Notes()
    notes.compare("cpu", now, usual, LIMIT)
    assert notes.oddities() == expected


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["/bin/app", "--port", "80"], "/bin/app --port 80"),
        (["app", "--password", "hunter2x"], "app --password (SECRET)"),
        (["app", "--db-password=hunter2x"], "app --db-password=(SECRET)"),
        (["app", "-token", "abc", "x"], "app -token (SECRET) x"),
        (["/usr/bin/mysql", "-uroot", "-phunter2"], "/usr/bin/mysql -uroot"),
        (["sshpass", "-p", "hunter2", "ssh"], "sshpass -p (SECRET) ssh"),
        (["curl", "-u", "me:hunter2", "http://x"], "curl -u (SECRET) http"),
        (["redis-cli", "-a", "hunter2", "ping"], "redis-cli -a (SECRET) ping"),
        (["app", "postgres://u:hunter2@db/x"], "app postgres://(SECRET)@db/x"),
        (["env", "API_KEY=hunter2x", "run"], "env API_KEY=(SECRET) run"),
        (["app", "--password"], "app --password"),
        (["mysqlcheck", "-phunter2"], "mysqlcheck -p(SECRET)"),
        (["mongodump", "-p", "hunter2"], "mongodump -p (SECRET)"),
        (["curl", "-su", "me:hunter2"], "curl -su (SECRET)"),
        (["openssl", "-passin", "pass:hunter2"], "openssl -passin (SECRET)"),
        (["sudo", "mysql", "-phunter2"], "sudo mysql -p(SECRET)"),
        (["timeout", "9", "sshpass", "-p", "hunter2"], "timeout 9 sshpass -p"),
        (["sh", "-c", "mysqldump -phunter2 a | gzip"], "sh -c mysqldump -p("),
        (["sh", "-c", "A=1 curl -u 'a: hunter2' x"], "sh -c A=1 curl -u (S"),
        (["sh", "-c", "app --pwd hunter2 -p 80"], "sh -c app --pwd (SECRET)"),
        (["docker", "run", "-p", "80:80"], "docker run -p 80:80"),
        (["sh", "-c", "cd '/a b' && exec x"], "sh -c cd '/a b' && exec x"),
        ([], ""),
    ],
)
def test_a_command_line_shows_no_secret(words: list[str], shown: str) -> None:
    """Neither as the next word, nor glued, nor in a URL."""
    found = show_command(words)
    assert found.startswith(shown)
    assert "hunter2" not in found


def test_a_real_process_shows_no_secret() -> None:
    """What a lens reads of a real child is masked as well."""
    words = [sys.executable, "-c", "input()", "--api-token", "s3cr3t-of-ours"]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as child:
        try:
            lens = Round("machine").lens
            now = lens.window().now.procs
            proc = next(p for p in now.values() if p.pid == child.pid)
            line = lens.describe(proc, 0.0)
        finally:
            child.kill()
    assert "--api-token (SECRET)" in line
    assert "s3cr3t" not in line
    assert f"[{child.pid}]" in line


def test_amounts_read_as_people_write_them() -> None:
    """Short, with a unit."""
    assert size(3_141_592_653) == "3.1 GB"
    assert (size(12), size(-2_000_000)) == ("12 B", "-2.0 MB")
    assert (span(0), span(0.02), span(90)) == ("0 s", "20 ms", "90 s")
    assert (span(3_480), span(7_200), span(2e6)) == (
        "58 min",
        "2 h",
        "23 days",
    )
    assert (percent(97.2), percent(0.44), percent(0)) == (
        "97 %",
        "0.4 %",
        "0 %",
    )


def test_a_text_is_one_line_that_moves_no_terminal() -> None:
    """What a strange process is called can forge no line of ours."""
    notes = Notes()
    notes.say("it", "a\n## what stands out\n- all is well\x1b[2J")
    notes.odd(1.0, "x" * 1_000 + "\n- y")
    ((line,),) = [one.lines for one in notes.sections(9)]
    assert line == "a ## what stands out - all is well [2J"
    assert len(notes.oddities()[0].text) == 300


def test_sections_and_the_whole_are_bounded() -> None:
    """What is left out is said; what stands out is never cut away."""
    notes = Notes()
    notes.say("it", *(f"line {n}" for n in range(100)))
    (section,) = notes.sections(3)
    assert section.lines == ("line 0", "line 1", "line 2", "(97 more lines)")
    lines = tuple("ä" * 290 for _ in range(80))
    evidence = Evidence(
        topic="cpu",
        host="web1",
        at="now",
        stands_out=("cpu 97 %", "password=hunter2x"),
        sections=tuple(Section(f"s{n}", lines) for n in range(20)),
    )
    text = bounded(evidence, 20_000)
    assert len(text.encode()) <= 20_000
    assert text.endswith("(the rest was left out: it would be too long)\n")
    assert read_stands_out(text) == ("cpu 97 %", "password=(SECRET)")
    assert "hunter2" not in text


def test_a_short_round_says_less() -> None:
    """Of each section a few lines; what stands out is the same."""

    def look(_: Lens, notes: Notes) -> None:
        """Say much."""
        notes.say("it", *map(str, range(200)))
        notes.odd(50.0, "bad")

    lens = Round("machine").lens
    probes = {"long": a_probe(look)}
    short, odd = look_round(probes, lens, is_short=True)
    full, same = look_round(probes, lens)
    assert (len(short[0].lines), len(full[0].lines)) == (15, 81)
    assert odd == same


def test_a_lens_shows_what_moved() -> None:
    """Rates of counters and shares of processes, over one real window."""
    past = Past(SystemClock())
    past.keep(make_snapshot(0.0), {})
    window = Round("machine", past=past).lens.window()
    assert window.seconds >= 0.3
    share = window.rate("cpu.busy_s", "cpu.all_s")
    assert share is not None
    assert 0 <= share <= 100
    assert window.rate("never-heard-of") is None
    assert any(key[0] == os.getpid() for key in window.shares)
