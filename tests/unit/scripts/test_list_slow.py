"""The list of slow tests is made of what a run says of itself."""

from pathlib import Path

from scripts.list_slow import add_up

REPORT = """<testsuites><testsuite>
<testcase classname="tests.unit.test_one" name="test_a[x]" time="1.5"/>
<testcase classname="tests.unit.test_one" name="test_a[y]" time="1.0"/>
<testcase classname="tests.unit.test_one" name="test_a[postgres-y]"
  time="30"/>
<testcase classname="tests.unit.test_two.TestReal" name="test_b" time="0.1"/>
</testsuite></testsuites>"""


def test_all_variants_count_but_those_that_are_left_out(
    tmp_path: Path,
) -> None:
    """A test is one, however many variants it has; a class is named."""
    report, slower = tmp_path / "report.xml", tmp_path / "slower.xml"
    report.write_text(REPORT)
    slower.write_text(REPORT.replace('"0.1"', '"0.4"'))
    assert add_up([report, slower, report]) == {
        "tests/unit/test_one.py::test_a": 2.5,
        "tests/unit/test_two.py::TestReal::test_b": 0.4,
    }
