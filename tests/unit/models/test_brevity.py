"""Texts of bounded length: short enough for an index, and still told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.brevity import (
    MOST_BYTES,
    MOST_LETTERS,
    SEAL,
    SEAL_LENGTH,
    clip,
    shorten,
)

FORGED = "~" + "0f" * 32


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DiskFull",
        "a~b",
        "~",
        "a" * 375,
        "a" * 376,
        "a" * MOST_LETTERS,
        "\u00e9" * MOST_LETTERS,
        "\u20ac" * MOST_LETTERS,
        "\U0001f525" * 375,
        FORGED + "!",
        FORGED + "\n",
        FORGED[:-1],
        FORGED.upper(),
        FORGED[1:],
    ],
)
def test_what_fits_is_kept(text: str) -> None:
    """Neither its length nor a tilde alone is a reason to change it."""
    assert shorten(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "a" * (MOST_LETTERS + 1),
        "\u20ac" * (MOST_LETTERS + 1),
        "\U0001f525" * 376,
        "a" * 434 + "\U0001f525" * 300,
        "a" * 1_000_000,
        FORGED,
        "host" + FORGED,
        "a" * (MOST_LETTERS - SEAL_LENGTH) + FORGED,
        "\ud800" * (MOST_LETTERS + 1),
        "~" * (MOST_LETTERS + 1),
    ],
)
def test_what_does_not_fit_is_cut_and_sealed(text: str) -> None:
    """In letters and in bytes; it ends with a seal and can be stored."""
    short = shorten(text)
    assert short != text
    assert SEAL.search(short)
    assert len(short) <= MOST_LETTERS
    assert len(short.encode()) <= MOST_BYTES


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a" * 600 + "b", "a" * 600 + "c"),
        ("a" * 600, "a" * 601),
        ("\ud800" * 600, "?" * 600),
        ("\ud800" * 600, "\ud801" * 600),
        (FORGED, "~" + "0e" * 32),
        ("a" * 501, shorten("a" * 501)),
        (shorten("a" * 501), shorten(shorten("a" * 501))),
    ],
)
def test_two_texts_stay_two(one: str, other: str) -> None:
    """Also when they differ at the end only, or one looks like a cut one."""
    assert shorten(one) != shorten(other)


def test_the_beginning_can_still_be_read() -> None:
    """No letter that was cut in the middle is left at the seal."""
    short = shorten("x" + "\U0001f525" * 500)
    kept = short[:-SEAL_LENGTH]
    assert kept == "x" + "\U0001f525" * 358


PARTS = st.sampled_from(["a", "\u20ac", "~", "\U0001f525", FORGED, "\ud800"])


@given(
    st.lists(st.tuples(PARTS, st.integers(0, 260)), max_size=4),
    st.lists(st.tuples(PARTS, st.integers(0, 260)), max_size=4),
)
def test_shortening_is_injective(
    one: list[tuple[str, int]], other: list[tuple[str, int]]
) -> None:
    """Whatever they are made of: one short text means one text."""
    first = "".join(part * count for part, count in one)
    second = "".join(part * count for part, count in other)
    assert (shorten(first) == shorten(second)) is (first == second)


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("", 10, ""),
        ("0123456789", 10, "0123456789"),
        ("0123456789a", 10, "012345 ..."),
        ("\u20ac" * 11, 10, "\u20ac" * 6 + " ..."),
        ("a" * 500, 500, "a" * 500),
    ],
)
def test_a_line_is_clipped_by_letters(
    text: str, most: int, expected: str
) -> None:
    """With the dots it is as long as it may be, not longer."""
    assert clip(text, most) == expected
