"""A program of ours, in another folder than the repository's.

    python -m tests.docs.there FOLDER main.py incidents

What a page says is typed in a folder with files of that page in it; so it is
here, without copying the tree.
"""

import os
import runpy
import sys
from pathlib import Path

HOME = Path(__file__).parents[2]


def main() -> None:
    """Go there, and be the program."""
    _, folder, *words = sys.argv
    os.chdir(folder)
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(str(HOME / words[0]), run_name="__main__")


if __name__ == "__main__":
    main()
