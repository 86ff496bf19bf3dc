"""Lock the packages: every pinned version with the hashes of its files.

    python -m scripts.lock            make locks/ anew out of the lists
    python -m scripts.lock --check    tell what of locks/ is out of date

The lists (requirements.txt and its two sisters) are written by hand, with a
reason for each package. What is installed comes from locks/, which has a file
for each list: the same versions, and the SHA-256 of each wheel that a Linux or
macOS machine may take. uv asks the index, and must be on the PATH; no check
and no install needs it here.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.tags import Tag
from packaging.utils import canonicalize_name, parse_wheel_filename

HOME = Path(__file__).parent.parent
LISTS = (
    "requirements.txt",
    "ansible-requirements.txt",
    "dev-requirements.txt",
)
OLDEST = (3, 11)
PLATFORMS = ("any", "manylinux", "musllinux", "macosx")
HEAD = """\
# Made out of {name} by 'python -m scripts.lock'; nobody edits it.
# What stands here is what is installed, file for file: pip refuses every
# other (--require-hashes). Wheels only, for Linux and macOS: what is built on
# the way runs build programs that no hash covers.
"""


class Pins(NamedTuple):
    """What a list asks for.

    Attributes:
        versions: the version of each package, by its name in the index.
        others: the lists that it takes in.
    """

    versions: dict[str, str]
    others: tuple[str, ...]


class Wheel(NamedTuple):
    """One file of the index."""

    file: str
    digest: str


def read_list(file: Path) -> Pins:
    """Return what a list pins."""
    versions: dict[str, str] = {}
    others = []
    for line in file.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            others.append(text.removeprefix("-r ").strip())
        elif text:
            name, version = text.split("==")
            versions[str(canonicalize_name(name))] = version
    return Pins(versions, tuple(others))


def read_lock(file: Path) -> dict[str, tuple[str, list[str]]]:
    """Return version and hashes of each package of a lock."""
    text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        if line and not line.startswith(("#", "-r ")):
            pin, *options = line.split()
            name, version = pin.split("==")
            found[name] = (version, options)
    return found


def check(home: Path) -> Iterator[str]:
    """Yield what of the locks is not as the lists want it."""
    for name in LISTS:
        wanted = read_list(home / name).versions
        found = read_lock(home / "locks" / name)
        for package in sorted(wanted.keys() | found.keys()):
            version, hashes = found.get(package, (None, []))
            if version != wanted.get(package):
                yield f"locks/{name}: {package} is {version or 'missing'}"
            elif not hashes or not all(map(_is_hash, hashes)):
                yield f"locks/{name}: {package} has no good hash"


def _is_hash(option: str) -> bool:
    """Tell whether an option of a lock is the hash of a file."""
    return bool(re.fullmatch("--hash=sha256:[0-9a-f]{64}", option))


def is_for_us(wheel: str) -> bool:
    """Tell whether a machine that we run on may take a wheel."""
    _, _, _, tags = parse_wheel_filename(wheel)
    return any(map(_fits, tags))


def _fits(tag: Tag) -> bool:
    """Tell whether a tag of a wheel is for a Python and system of ours."""
    if not tag.platform.startswith(PLATFORMS) or tag.abi.endswith("t"):
        return False
    if tag.interpreter.startswith("py3"):
        return True
    found = re.fullmatch(r"cp3(\d+)", tag.interpreter)
    if not found:
        return False
    return tag.abi == "abi3" or (3, int(found[1])) >= OLDEST


def ask(file: Path) -> dict[str, tuple[str, list[Wheel]]]:
    """Return what the index has of each package of a list."""
    uv = shutil.which("uv")
    if uv is None:
        raise SystemExit("uv is not here: pip install uv, then again.")
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "pylock.toml"
        words = [
            *("pip", "compile", "--quiet", "--no-config", "--no-deps"),
            *("--universal", "--python-version", ".".join(map(str, OLDEST))),
            *("--no-header", "--no-annotate", "--format", "pylock.toml"),
        ]
        subprocess.run([uv, *words, "-o", answer, file], check=True)
        tree = tomllib.loads(answer.read_text(encoding="utf-8"))
    found = {}
    for one in tree["packages"]:
        wheels = [
            Wheel(each["url"].rpartition("/")[2], each["hashes"]["sha256"])
            for each in one.get("wheels", ())
        ]
        found[one["name"]] = (one["version"], wheels)
    return found


def lines_of(name: str, version: str, wheels: Iterable[Wheel]) -> str:
    """Return what a lock says of one package.

    Raises:
        SystemExit: it has no wheel for us, so it cannot be installed.
    """
    kept = sorted({one.digest for one in wheels if is_for_us(one.file)})
    if not kept:
        raise SystemExit(f"{name} {version} has no wheel for us")
    hashes = (f"    --hash=sha256:{digest}" for digest in kept)
    return " \\\n".join([f"{name}=={version}", *hashes]) + "\n"


def make(home: Path) -> None:
    """Write every lock anew."""
    (home / "locks").mkdir(exist_ok=True)
    for name in LISTS:
        pins = read_list(home / name)
        answers = ask(home / name)
        parts = [HEAD.format(name=name)]
        parts += [f"-r {other}\n" for other in pins.others]
        for package in sorted(pins.versions):
            parts.append(lines_of(package, *answers[package]))
        text = "".join(parts)
        (home / "locks" / name).write_text(text, encoding="utf-8")
        print(f"locks/{name}: {len(pins.versions)} packages")


def main() -> int:
    """Make the locks, or check them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        make(HOME)
    problems = list(check(HOME))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
