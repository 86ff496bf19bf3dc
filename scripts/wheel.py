"""Make the wheel: the same bytes wherever and whenever it is made.

    python -m scripts.wheel FOLDER

What git has or would take, and nothing that lies about, is copied to a
folder of its own with plain modes, and the wheel is built from that. Its
date is SOURCE_DATE_EPOCH, or that of the last commit. It prints the wheel's
place and its SHA-256.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HOME = Path(__file__).parent.parent
PARTS = (
    "LICENSE",
    "README.md",
    "app",
    "config",
    "pyproject.toml",
    "requirements.txt",
    "scripts/wheel_needs.py",
)


def ask_git(home: Path, *words: str) -> str:
    """Return what git says of a clone."""
    program = shutil.which("git") or "git"
    done = subprocess.run(
        [program, "-C", home, *words],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def copy_parts(home: Path, to: Path) -> None:
    """Copy what a wheel is made of, with the mode of plain files."""
    words = ["-z", "--cached", "--others", "--exclude-standard"]
    listed = ask_git(home, "ls-files", *words, "--", *PARTS)
    for name in filter(None, listed.split("\0")):
        place = to / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(home / name, place)
        place.chmod(0o644)


def date_of(home: Path) -> str:
    """Return the date of the wheel, in seconds."""
    said = os.environ.get("SOURCE_DATE_EPOCH", "")
    return said or ask_git(home, "log", "-1", "--format=%ct").strip()


def make_wheel(home: Path, to: Path) -> Path:
    """Make the wheel of a clone in a folder, and return its place."""
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="smokejumper-") as name:
        tree, made = Path(name) / "tree", Path(name) / "made"
        copy_parts(home, tree)
        environ = {**os.environ, "SOURCE_DATE_EPOCH": date_of(home)}
        words = ["-m", "hatchling", "build", "-t", "wheel", "-d", str(made)]
        subprocess.run(
            [sys.executable, *words],
            cwd=tree,
            env=environ,
            check=True,
            stdout=sys.stderr,
        )
        (wheel,) = made.iterdir()
        return Path(shutil.copyfile(wheel, to / wheel.name))


def main() -> int:
    """Make it where the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    wheel = make_wheel(HOME, parser.parse_args().folder)
    print(f"{hashlib.sha256(wheel.read_bytes()).hexdigest()}  {wheel}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
