"""Undo what a journal names: what a simulator that is gone left behind.

Standard library only: the guard does it too.
"""

from pathlib import Path

from simulator.journal import CHILD, FILES, MOUNT, Journal, Made
from simulator.mounting import unmount
from simulator.processes import end_process
from simulator.removing import Outside, remove_files, root_of
from simulator.truth import CRASH, Truth, TruthLog

# Whoever holds files open ends first; files go before their file system.
ORDER = (CHILD, FILES, MOUNT)


def sweep(home: Path, disk: Path) -> list[Truth]:
    """Undo all that the journal names; return the truths that it ended.

    Only who holds the folder's lock may do this.

    Args:
        home: the simulator's folder.
        disk: where the small file system is.

    Raises:
        OSError: the journal cannot be read now; nothing of it is forgotten.
    """
    journal = Journal(home)
    left = journal.read()
    ordered = sorted(left, key=lambda made: ORDER.index(made.what))
    # All are tried, whether or not one before them could be undone.
    undone = [_undo(made, (home, disk)) for made in ordered]
    if all(undone):
        journal.clear()
    truths = TruthLog(home)
    ended = [truth.ended(CRASH) for truth in truths.open_ones()]
    for truth in ended:
        truths.write(truth)
    return ended


def _undo(made: Made, roots: tuple[Path, ...]) -> bool:
    """Undo one thing; tell whether it is not there any more."""
    if made.what == CHILD:
        return end_process(made.pid, made.birth)
    path = Path(made.path)
    try:
        root = root_of(path, roots)
        if made.what == MOUNT:
            return unmount(path)
        remove_files(root, path, made.pattern)
    except Outside:
        # Written by nobody of us, or the settings changed: hands off.
        return True
    except OSError:
        return False
    return True
