"""Every file of the folder is a kind, named like its file."""

from pathlib import Path

from simulator import faults
from simulator.stage import Stage


def test_each_file_is_a_kind(stage: Stage) -> None:
    """A new kind is one new file; its numbers make sense."""
    names = {path.stem for path in Path(faults.__file__).parent.glob("*.py")}
    specs = {spec.name: spec for spec in stage.specs()}
    assert set(specs) == names - {"__init__"}
    for spec in specs.values():
        assert spec.least <= spec.default <= spec.most
        assert spec.purpose.endswith(".")
        assert spec.unit
        assert spec.expects
        assert 0 < spec.seconds <= 900
