"""A nest: programs of ours that start by a fork, when all is imported already.

To import the product takes longer than most of what is asked of it. Each
program is a process of its own all the same: it has its own words, settings
and output, it is killed, frozen and started anew, and it ends as any other.

    python -m tests.hatching

reads one line of JSON per wish, and answers each with one line.
"""

import gc
import json
import os
import random
import runpy
import signal
import sys
import threading
import time

import pydantic.v1  # noqa: F401 (FastAPI reads it when it makes routes)

import tests.brains  # noqa: F401 (what all that hatches needs)
from app.act import actions, backends
from app.cli.contents import ROWS
from app.core.registry import scan
from app.decide import brains, inventories
from app.ingest import sources
from app.report import channels
from app.verify import checks

PLUGINS = (actions, backends, brains, channels, checks, inventories, sources)


def become(words: list[str], env: dict[str, str], to: tuple[str, str]) -> None:
    """Be the program that was asked for, in a process just forked."""
    os.environ.clear()
    os.environ.update(env)
    kind = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    nothing = os.open(os.devnull, os.O_RDONLY)
    lines = (nothing, *(os.open(name, kind) for name in to))
    for target, source in enumerate(lines):
        os.dup2(source, target)
        os.close(source)
    time.tzset()
    random.seed()
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


def look_at(pid: int, children: set[int]) -> int | None:
    """Return how a child ended, None while it runs."""
    found, status = os.waitpid(pid, os.WNOHANG)
    if found != pid:
        return None
    children.discard(pid)
    return os.waitstatus_to_exitcode(status)


def tell(answer: int | None) -> None:
    """Answer a wish."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do what is wished until nobody is there any more."""
    children: set[int] = set()
    for row in ROWS.values():
        row.load()
    for plugins in PLUGINS:
        scan(plugins)
    gc.freeze()
    assert threading.active_count() == 1
    for line in sys.stdin:
        wish = json.loads(line)
        if wish.pop("wish") != "start":
            tell(look_at(wish["pid"], children))
            continue
        pid = os.fork()
        if not pid:
            become(**wish)
            # Not one line of the nest is its business any more.
            return
        children.add(pid)
        tell(pid)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
