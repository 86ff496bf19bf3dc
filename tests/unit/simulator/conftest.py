"""A stage of the simulator for each test, closed and clean afterwards."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.stage import Stage
from tests.unit.simulator.scene import (
    born_since,
    files_below,
    mounts_below,
    our_children,
    settings_at,
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return where a simulator has its folder."""
    return tmp_path / "sim"


@pytest.fixture
def open_stage(home: Path) -> Iterator[Callable[..., Stage]]:
    """Open stages with settings of their own; nothing may be left of one."""
    opened: list[Stage] = []
    known = our_children()

    def make(**values: Any) -> Stage:
        """Open one."""
        stage = Stage(settings_at(home, **values))
        stage.open()
        opened.append(stage)
        return stage

    yield make
    for stage in opened:
        stage.close()
    assert born_since(known) == []
    assert mounts_below(home) == []
    if opened:
        assert files_below(home) == set()
        journal = home / "journal.jsonl"
        assert not journal.exists() or journal.read_bytes() == b""


@pytest.fixture
def stage(open_stage: Callable[..., Stage]) -> Stage:
    """Return an open stage."""
    return open_stage()
