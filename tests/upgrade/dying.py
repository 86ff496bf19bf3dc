"""Migrates a database, and is killed when so many statements have run.

python -m tests.upgrade.dying URL STATEMENTS
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from app.store.location import locate
from app.store.migrate import migrate


def main() -> None:
    """Migrate, as far as it goes."""
    url, goal = sys.argv[1], int(sys.argv[2])
    numbers = count(1)

    def look(*_: Any) -> None:
        """Die when it is time."""
        if next(numbers) == goal:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "after_cursor_execute", look)
    migrate(locate(url, Path()))


if __name__ == "__main__":
    main()
