"""host/look.py: the look that an automation takes at other hosts."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.models.evidence import read_stands_out
from app.models.origins import TOPICS
from tests.unit.act.local.victims import SPIN, Victim, wait_for

LOOK = Path(__file__).parents[4] / "host" / "look.py"
# What has come since Python 3.6, or is none of the standard library.
KNOWN = {
    "calendar",
    "errno",
    "json",
    "os",
    "pathlib",
    "re",
    "selectors",
    "shutil",
    "signal",
    "socket",
    "ssl",
    "stat",
    "subprocess",
    "sys",
    "threading",
    "time",
}


PAGE = LOOK.parents[1] / "docs" / "diagnostics.md"


def test_the_page_says_what_it_looks_at() -> None:
    """By topic, as the file has it: neither more nor less."""
    tree = ast.parse(LOOK.read_text(encoding="utf-8"))
    (found,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "OF_TOPIC"
    )
    text = PAGE.read_text(encoding="utf-8").partition("## Other hosts")[2]
    rows = [row.split("|")[1:3] for row in text.splitlines() if "|" in row]
    told = {
        topic.strip(): tuple(one.strip() for one in parts.split(","))
        for topics, parts in rows[2:]
        for topic in topics.split(",")
    }
    assert told.pop("any other") == ("all of them",)
    assert told == found


def look(topic: str, **environ: str) -> str:
    """Return what it prints; nothing of ours can be imported there."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(LOOK), topic],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd="/",
        env=environ,
    )
    assert done.stderr == ""
    return done.stdout


def test_it_is_one_file_for_old_pythons() -> None:
    """Its grammar is of 3.6, and it imports old friends only."""
    tree = ast.parse(LOOK.read_text(encoding="utf-8"), feature_version=(3, 6))
    named = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    named |= {
        str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
    assert named == KNOWN


@pytest.mark.parametrize("topic", ["general", "disk", "certificate"])
def test_it_prints_the_same_form(topic: str) -> None:
    """What stands out is read like that of the service's own look."""
    said = look(topic)
    first = read_stands_out(said)
    assert first[-1].startswith(("compared with what", "no past yet"))
    assert said.startswith(f"# evidence: {topic} on ")
    assert "\n## machine\n" in said
    assert len(said) <= 200_001


def test_every_topic_is_looked_at() -> None:
    """It has parts for each; those that it does not know get all."""
    code = (
        "import runpy, sys\n"
        f"found = runpy.run_path({str(LOOK)!r})\n"
        "parts, topics = found['PARTS'], found['OF_TOPIC']\n"
        "print(*(p for some in topics.values() for p in some))\n"
        "print(*topics)\nprint(*parts)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    used, topics, parts = map(str.split, done.stdout.splitlines())
    assert set(used) <= set(parts)
    assert set(topics) <= set(TOPICS)


def test_it_names_what_burns_and_shows_no_secret(tmp_path: Path) -> None:
    """A real burner, with its secret arguments masked."""
    with Victim(tmp_path, "burner", SPIN) as victim:

        def is_said() -> bool:
            """Tell whether it stands out."""
            first = read_stands_out(look("cpu"))
            return any(
                one.startswith(f"burner[{victim.pid}] takes ") for one in first
            )

        wait_for(is_said)


def test_secrets_of_other_processes_are_masked() -> None:
    """As the next word, and glued to its name."""
    words = [sys.executable, "-c", "input()", "--db-password", "hunter2x"]
    words += ["--token=hunter2x", "postgres://u:hunter2x@db/x"]
    code = f"b = bytearray(os.urandom(1)) * {200_000_000}\ninput()"
    words[2] = f"import os\n{code}"
    with subprocess.Popen(words, stdin=subprocess.PIPE) as child:
        try:

            def lines() -> list[str]:
                """Return what it says of the child."""
                said = look("memory").splitlines()
                return [one for one in said if f"[{child.pid}] holds" in one]

            wait_for(lines)
            (line,) = lines()
        finally:
            child.kill()
    assert "hunter2" not in line
    assert "--db-password (SECRET) --token=(SECRET)" in line


@pytest.mark.parametrize("topic", ["", "../etc", "cpu; reboot", "CPU"])
def test_what_is_no_topic_is_refused(topic: str) -> None:
    """It comes from an automation's variables."""
    done = subprocess.run(
        [sys.executable, "-I", str(LOOK), topic],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=os.sep,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert "that is no topic" in done.stderr
