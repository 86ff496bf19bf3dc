"""What most kinds share: the trouble is that of children."""

from collections.abc import Sequence

from simulator.fault import Running
from simulator.nursery import Child, Nursery, Task


class Children(Running):
    """A fault that goes on as long as any of its children."""

    def __init__(self, children: Sequence[Child]) -> None:
        """Take the children, all of them under way."""
        self._children = children

    def is_going(self) -> bool:
        """Tell whether any child is left."""
        return any(child.is_alive() for child in self._children)

    def end(self) -> None:
        """End all of them."""
        for child in self._children:
            child.let_go()
        for child in self._children:
            child.end()


def start_all(nursery: Nursery, task: Task, count: int = 1) -> Children:
    """Start children of one task; if one cannot be, none is left."""
    started: list[Child] = []
    try:
        for _ in range(count):
            # Not in one go: the first ones must be known.
            started.append(nursery.start(task))  # noqa: PERF401
    except BaseException:
        Children(started).end()
        raise
    return Children(started)
