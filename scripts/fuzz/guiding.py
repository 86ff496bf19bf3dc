"""Guidance: a body that reaches what none reached before is worth keeping.

A tracer of our own instead of a fuzzer that has to compile the interpreter's
instructions: parsers are small, it needs no package, and it works with every
Python that we run on.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeVar

Result = TypeVar("Result")
Step = tuple[CodeType, int, int]
APP = Path(__file__).parents[2] / "app"
PLACES = tuple(str(APP / place) for place in ("ingest/sources", "models"))


class Reach:
    """Which steps, from line to line of our parsers, were ever taken."""

    def __init__(self) -> None:
        """Begin with none."""
        self.steps: set[Step] = set()
        self._before = 0
        self._line = 0

    def watch(self, act: Callable[[], Result]) -> Result:
        """Return what something returns, while its steps are taken down."""
        self._before = len(self.steps)
        earlier = sys.gettrace()
        sys.settrace(self._enter)
        try:
            return act()
        finally:
            sys.settrace(earlier)

    @property
    def is_new(self) -> bool:
        """Tell whether the last one got further than all before."""
        return len(self.steps) > self._before

    def _enter(self, frame: FrameType, event: str, _: Any) -> Any:
        """Follow the functions of our parsers only."""
        if event == "call" and frame.f_code.co_filename.startswith(PLACES):
            self._line = 0
            return self._step
        return None

    def _step(self, frame: FrameType, event: str, _: Any) -> Any:
        """Take down a step."""
        if event == "line":
            self.steps.add((frame.f_code, self._line, frame.f_lineno))
            self._line = frame.f_lineno
        return self._step
