"""Texts as people see them."""

import pytest

from app.console.seen import seen


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("disk full", "disk full"),
        ("Größe 5/β 漢字 🙂", "Größe 5/β 漢字 🙂"),
        ("two\nlines", "two\nlines"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\u2066b\u2069", "a\\u2066b\\u2069"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\x1b]0;owned\x07", "\\u001b]0;owned\\u0007"),
        ("tag\U000e0041", "tag\\ue0041"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🚒", "👩\u200d🚒"),
        ("<b>&", "<b>&"),
    ],
)
def test_what_hides_is_shown(text: str, shown: str) -> None:
    """Letters stay; what turns or hides them is written as its number."""
    assert seen(text) == shown


def test_any_value_can_be_shown() -> None:
    """A number is its digits."""
    assert seen(1842) == "1842"
