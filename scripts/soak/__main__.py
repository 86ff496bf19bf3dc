"""Soak everything, or some parts of it, and say what came of it.

    scripts/soak.sh                      # all of it: some hours
    scripts/soak.sh kills cuts           # some parts
    scripts/soak.sh --scale 0.1 nodes    # a tenth of it
    scripts/soak.sh --list               # what there is

One line for each proof; the status is not 0 unless everything was done and
each of lost, doubled and unexplained is 0. What the programs said, and the
table as JSON, are kept under var/soak/.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from scripts.soak.parts import BY_NAME, PARTS
from scripts.soak.running import HOME, Line, Soak

FORM = "{:<11} {:<52} {:>8} {:>5} {:>8} {:>12} {:>8}"
HEAD = FORM.format(
    *("part", "what", "amount", "lost", "doubled", "unexplained", "minutes")
)


def show(line: Line) -> None:
    """Print one line of the table."""
    text = FORM.format(
        line.part,
        line.what,
        f"{line.amount:,}",
        line.lost,
        line.doubled,
        line.unexplained,
        f"{line.minutes:.1f}",
    )
    short = f"   {line.missing:,} were not done" if line.missing else ""
    print(f"{text}{short}", flush=True)


def keep(folder: Path, scale: float, lines: Sequence[Line]) -> None:
    """Write the table as JSON."""
    told = {
        "at": time.time(),
        "scale": scale,
        "is_fine": all(line.is_fine for line in lines),
        "lines": lines,
    }
    raw = msgspec.json.format(msgspec.json.encode(told))
    (folder / "table.json").write_bytes(raw + b"\n")


def read_words(words: Sequence[str] | None) -> argparse.Namespace:
    """Return what the command line asks for."""
    asked = argparse.ArgumentParser(
        prog="scripts/soak.sh",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    asked.add_argument("parts", nargs="*", choices=[*BY_NAME, []])
    asked.add_argument("--scale", type=float, default=1.0)
    asked.add_argument("--folder", type=Path, default=HOME / "var" / "soak")
    asked.add_argument("--list", action="store_true")
    return asked.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Soak; return the status."""
    wish = read_words(words)
    if wish.list:
        for part in PARTS:
            print(f"{part.name:<11} {part.about}")
        return 0
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    folder = wish.folder / stamp
    folder.mkdir(parents=True)
    soak = Soak(folder, wish.scale)
    lines: list[Line] = []
    print(HEAD)
    for name in wish.parts or BY_NAME:
        for line in soak.play(BY_NAME[name]):
            lines.append(line)
            show(line)
            keep(folder, wish.scale, lines)
    is_fine = all(line.is_fine for line in lines)
    print("All 0." if is_fine else "Not all is 0, or not all was done.")
    return 0 if is_fine else 1


def run() -> int:
    """Soak as the command line says; return the status."""
    # Whoever ends the soak ends what it has started, too. That is told by
    # SIGINT, which a shell lets its programs in the background ignore.
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, signal.default_int_handler)
    try:
        return main()
    except KeyboardInterrupt:
        print("Ended before its end: nothing is proven.", flush=True)
        return 130


if __name__ == "__main__":
    sys.exit(run())
