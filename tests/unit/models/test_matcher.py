"""Matchers read what Alertmanager reads, and cannot be made to hang."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.matcher import (
    LONGEST,
    Matcher,
    fit_all,
    read_matcher,
    read_matchers,
    write_matchers,
)

LETTERS = st.characters(codec="utf-8", exclude_characters="\0")
LABELS = {"alertname": "DiskFull", "severity": "warning", "a b": "x,y"}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("severity=warning", True),
        ('severity="warning"', True),
        ("severity!=warning", False),
        ("severity=~info|warning", True),
        ('severity=~"warn"', False),
        ('severity=~"warn.*"', True),
        ('severity!~"warn.*"', False),
        ('missing=""', True),
        ('missing=~".+"', False),
        ('missing!="x"', True),
        ('"a b"="x,y"', True),
        ('{alertname=~"Disk.*", severity!="critical"}', True),
        ('alertname="DiskFull",severity="critical",', False),
        ("{}", True),
    ],
)
def test_matchers_fit_as_in_alertmanager(text: str, fits: bool) -> None:
    """Whole values are compared; a label that is not there is empty."""
    assert fit_all(read_matchers(text), LABELS) is fits


@pytest.mark.parametrize(
    "text",
    [
        "severity",
        "=x",
        'severity="warning" instance="a"',
        "{severity=warning",
        'severity="warning',
        r'severity="\q"',
        'severity=~"("',
        'severity=~"(?=x)"',
        r'severity=~"(a)\\1"',
        'severity=~"x{1001}"',
        'severity=~"((a{100}){100}){100}"',
        f'severity="{"x" * LONGEST}"',
        ",".join(["a=b"] * 21),
        'severity="\0"',
        'severity="\ud800"',
        'severity=~"\ud800"',
        '"a\0b"="x"',
        "\ud800",
    ],
)
def test_what_is_no_matcher_is_refused(text: str) -> None:
    """With what stands there; what RE2 does not know is refused, too."""
    with pytest.raises(ValueError, match=r"matcher|escape|RE2"):
        read_matchers(text)


def test_one_matcher_is_one() -> None:
    """A setting that takes one refuses a list of them."""
    assert read_matcher("a=b") == Matcher("a", "=", "b")
    with pytest.raises(ValueError, match="one matcher"):
        read_matcher("a=b,c=d")


@pytest.mark.parametrize("expression", ["(a+)+", "(a|aa)+", "(a*)*b", ".*.*x"])
def test_no_expression_hangs(expression: str) -> None:
    """What never ends in a backtracking engine says no at once here.

    Such an engine would take longer than the universe lasts for this text;
    that this test ends is the proof.
    """
    matcher = read_matcher(f'name=~"{expression}"')
    assert not matcher.fits({"name": "a" * 50_000 + "!"})


@given(
    st.text(LETTERS, min_size=1, max_size=40),
    st.sampled_from(["=", "!="]),
    st.text(LETTERS, max_size=40),
)
def test_what_is_written_is_read_again(
    name: str, operator: str, value: str
) -> None:
    """Any name and any value survive being written down."""
    matchers = (Matcher(name, operator, value), Matcher("a", "=", "b"))
    assert read_matchers(write_matchers(matchers)) == matchers
