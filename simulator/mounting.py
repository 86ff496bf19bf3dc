"""A small tmpfs of our own: mounted, known again, unmounted.

Standard library only: the guard uses it too.
"""

import os
import shutil
import subprocess
from pathlib import Path

SOURCE = "smokejumper-simulator"
MOUNTS = Path("/proc/self/mountinfo")
SECONDS = 10


class NotMounted(Exception):
    """A file system could not be mounted: says why."""


def mount_small(path: Path, megabytes: int) -> None:
    """Mount a tmpfs of that size, or raise NotMounted."""
    words = f"size={megabytes}m,mode=0755,nosuid,nodev,noexec"
    why = _run("mount", "-t", "tmpfs", "-o", words, SOURCE, str(path))
    if why:
        raise NotMounted(why)


def unmount(path: Path) -> bool:
    """Unmount a tmpfs if it is ours; tell whether none is there now.

    Where somebody else has something open on it, it goes from its place
    at once, and for good when they let it go.
    """
    while SOURCE in sources_at(path):
        if _run("umount", str(path)) and _run("umount", "-l", str(path)):
            return False
    return True


def sources_at(path: Path) -> list[str]:
    """Return what is mounted at a place, as their sources' names."""
    # The kernel shows the place as it is without links in it.
    place = os.path.realpath(path)
    try:
        lines = MOUNTS.read_text(errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        words = line.split()
        if len(words) > 8 and "-" in words:
            where = _plain(words[4])
            if where == place:
                found.append(words[words.index("-") + 2])
    return found


def _plain(text: str) -> str:
    """Return a place as it is; the kernel writes blanks as octals."""
    pairs = {r"\040": " ", r"\011": "\t", r"\012": "\n", r"\134": "\\"}
    for written, meant in pairs.items():
        text = text.replace(written, meant)
    return text


def _run(name: str, *words: str) -> str:
    """Run a program; return why it failed, nothing when it did not."""
    program = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None:
        return f"there is no program {name}"
    try:
        done = subprocess.run(  # noqa: S603  fixed words, no shell
            [program, *words],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=SECONDS,
            env={"LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stderr.strip()[:200] if done.returncode else ""
