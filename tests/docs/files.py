"""What lies beside somebody who types what a page says."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.docs.blocks import HOME, blocks
from tests.docs.scene import Scene, alert

CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//tests//EN
BEGIN:VEVENT
UID:nightly
DTSTART:20990101T010000Z
DTEND:20990101T020000Z
SUMMARY:Updates
END:VEVENT
END:VCALENDAR
"""
CASES = 3
Prepare = Callable[[Scene], None]


def put_files(folder: Path) -> None:
    """Put the files there that pages name."""
    payload = json.dumps({"version": "4", "alerts": [alert("web-01")]})
    (folder / "alert.json").write_text(payload)
    (folder / "file.json").write_text(payload)
    (folder / "windows.ics").write_text(CALENDAR)
    cases = HOME / "tests" / "evals" / "cases" / "alertmanager.jsonl"
    lines = cases.read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "cases.jsonl").write_text("".join(lines[:CASES]))


def _with_jobs(scene: Scene) -> None:
    """Let three jobs have been started."""
    scene.service.grant(1, 2, 3)


def _with_file(page: str, begin: str, name: str) -> Prepare:
    """Return what writes a block of the page itself into a file."""

    def prepare(scene: Scene) -> None:
        """Write it."""
        (text,) = (b.text for b in blocks(page) if b.text.startswith(begin))
        (scene.folder / name).write_text(text)

    return prepare


def _watched(scene: Scene) -> None:
    """Write the settings of a watch that stands alone."""
    text = "host: {name: web-01}\nwatch: {enabled: true}\n"
    (scene.folder / "watch.yaml").write_text(text)


def _with_log(scene: Scene) -> None:
    """Let somebody have corrected a decision, and the log be exported."""
    assert scene.service.asked()
    about = ("--about", "action", "--right", "no_action")
    for words in (
        ("correct", "1", "nobody needed to come", *about),
        ("export", "log", "-o", "log.jsonl"),
    ):
        done = scene.program(("main.py", *words))
        assert done.returncode == 0, done.stderr


PREPARED: dict[str, Prepare] = {
    "docs/acting.md": _with_jobs,
    "docs/evaluation.md": _with_log,
    "docs/monitoring.md": _with_file(
        "docs/monitoring.md", "# tuning.yaml", "tuning.yaml"
    ),
    "docs/watch.md": _watched,
}
