"""One part, in a process of its own.

    python -m bench.book.one PART SIZE FILE

Each part is a module of bench/book/parts with a function ``find_all(size)``
that yields what it found, and raises Missing where a program is not here.
"""

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import msgspec

from bench.book.figure import Found
from bench.book.missing import Missing
from bench.book.running import FAILED, Said
from bench.book.size import Size

Measure = Callable[[Size], Iterator[Found]]


def find(part: str) -> Measure:
    """Return what measures a part."""
    module = import_module(f"bench.book.parts.{part.replace('-', '_')}")
    found: Measure = module.find_all
    return found


def main(part: str, size: str, file: str) -> None:
    """Measure, and write what was found."""
    found: list[Found] = []
    why = FAILED
    try:
        for one in find(part)(Size(size)):
            print(one.id, one.now, flush=True)
            found.append(one)
        why = ""
    except Missing as missing:
        why = f"needs {missing}"
    finally:
        # What was found before something failed is not lost.
        said = Said(tuple(found), why)
        Path(file).write_bytes(msgspec.json.encode(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
