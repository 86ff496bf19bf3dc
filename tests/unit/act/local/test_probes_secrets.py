"""Secrets are hidden before a text is cut: no half of one is left."""

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.act.local.look.lens import COMMAND_BYTES, Lens
from app.act.local.look.probe import LINE_CHARS, Notes, one_line
from app.core.look.snapshot import read_proc
from tests.unit.act.local.rounds import Round

LOOK = Path(__file__).parents[4] / "host" / "look.py"
SECRETS = (
    "postgres://app:S3cretPassw0rd-of-ours@db1.example/shop",
    "ghp_S3cretS3cretS3cretS3cretS3cretS3cr",
    "https://me:S3cretPassw0rd-of-ours@git.example/x.git",
    "password=S3cretPassw0rd-of-ours",
    "Authorization: Bearer S3cretPassw0rd-of-ours",
)


def elsewhere() -> dict[str, Any]:
    """Return what host/look.py is made of."""
    return runpy.run_path(str(LOOK))


@pytest.mark.parametrize("secret", SECRETS)
def test_no_half_of_a_secret_is_left_at_the_cut(secret: str) -> None:
    """Wherever the cut goes through it, here and at other hosts."""
    clean = elsewhere()["clean"]
    for shift in range(len(secret) + 2):
        text = "x" * (LINE_CHARS - shift - 1) + " " + secret
        for said in (one_line(text), clean(text)):
            assert "S3cret" not in said, (shift, said)
            assert len(said) <= LINE_CHARS


def test_what_is_hidden_makes_no_room_for_half_of_one() -> None:
    """A text that shrinks shows more of itself; its end is dropped."""
    hidden = "password=" + "a" * 250 + " "
    for shift in range(30):
        text = hidden * 31 + "y" * (shift + 1) + " " + SECRETS[0] * 8
        assert "S3cret" not in one_line(text)


@pytest.mark.parametrize("between", ["\x01", "\x00", "\x1b"])
def test_a_control_character_divides_no_secret(between: str) -> None:
    """It is hidden with what comes after it."""
    text = f"password=abc{between}S3cret-of-ours"
    for said in (one_line(text), elsewhere()["clean"](text)):
        assert "S3cret" not in said


def test_a_key_in_one_line_hides_nothing_after_it() -> None:
    """The line it stands in is lost, and not all that follows."""

    def look(_: Lens, notes: Notes) -> None:
        """Say what a log says."""
        notes.say("it", "-----BEGIN RSA PRIVATE KEY----- MIIE", "later")
        notes.odd(50.0, "x" * 290 + " " + SECRETS[0])

    notes = Notes()
    look(Round("machine").lens, notes)
    (section,) = notes.sections(9)
    assert section.lines == ("(SECRET)", "later")
    assert "S3cret" not in notes.oddities()[0].text


def test_an_output_is_cut_between_lines_elsewhere() -> None:
    """What is kept of a long output is its end, in whole lines."""
    keep = elsewhere()["keep_end"]
    lines = "\n".join(f"line {n} {SECRETS[0]}" for n in range(2_000))
    kept = keep(lines.encode())
    assert len(kept) <= 65_536
    assert kept.splitlines()[-1].startswith("line 1999 ")
    assert all(one.startswith("line ") for one in kept.splitlines())
    assert keep(b"short") == "short"


def test_a_long_command_line_ends_before_a_half() -> None:
    """What is read of it is bounded: its last word may be a half."""
    words = [sys.executable, "-c", "input()"]
    held = len("\0".join(words)) + len("\0--password=\0")
    room = COMMAND_BYTES - held - len("postgres://app:S3cretPass")
    words += ["--password=" + "a" * room, SECRETS[0]]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as child:
        try:
            lens = Round("machine").lens
            proc = read_proc(child.pid)
            assert proc is not None
            here = lens.command(proc)
            there = elsewhere()["command"](str(child.pid), "python")
        finally:
            child.kill()
    for said in (here, there):
        assert "S3cret" not in said
        assert said.startswith(sys.executable)
        assert "--password=(SECRET)" in said


@pytest.mark.parametrize(
    "words",
    [
        ["/bin/sh", "-c", "mysqldump -ubackup -pS3cret shop | gzip > /x.gz"],
        ["sudo", "mysql", "-uroot", "-pS3cret"],
        ["timeout", "60", "curl", "-su", "me:S3cret", "https://x"],
        ["bash", "-c", "app --password S3cret --port 80"],
        ["env", "sshpass", "-p", "S3cret", "ssh", "x"],
        ["mongodump", "-u", "b", "-p", "S3cret"],
        ["bash", "-c", "redis-cli -a 'S3cret x' info"],
        ["openssl", "rsa", "-passin", "pass:S3cret"],
    ],
)
def test_who_runs_a_program_for_another_shows_no_secret(
    words: list[str],
) -> None:
    """Of a shell, sudo or a timer, here and at other hosts."""
    started = [sys.executable, "-c", "input()", *words]
    with subprocess.Popen(started, stdin=subprocess.PIPE) as child:
        try:
            proc = read_proc(child.pid)
            assert proc is not None
            here = Round("machine").lens.command(proc)
            there = elsewhere()["command"](str(child.pid), "python")
        finally:
            child.kill()
    for said in (here, there):
        assert "(SECRET)" in said
        assert "S3cret" not in said
