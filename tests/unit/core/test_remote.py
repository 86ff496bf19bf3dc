"""The address of another system: what cannot be one stops the start."""

import pytest
from pydantic import TypeAdapter, ValidationError

from app.core.remote import Address

ADDRESS: TypeAdapter[str] = TypeAdapter(Address)


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:11434",
        "https://model.example.com/v1",
        "http://[::1]:8000",
        "http://[fe80::1%25eth0]:8000",
        "http://model_1:8000",
        "http://m\u00fcnchen.example",
    ],
)
def test_what_is_an_address(text: str) -> None:
    """It stays as it is written, but for a slash at its end."""
    assert ADDRESS.validate_python(f"{text}/") == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model:8000", "write http://HOST:PORT"),
        ("http://me:secret@model", "no user"),
        ("http://model:0", "port 0"),
        ("http://model:99999", "Port out of range"),
        ("http://mod el:8000", "blanks"),
        ("http://model:8000/\0", "blanks"),
        ("http://mod\nel:8000", "blanks"),
        ("http://\u2603.net", "no host is called so"),
        ("http://xn--:8000", "no host is called so"),
    ],
)
def test_what_is_none(text: str, words: str) -> None:
    """Else each call crashes, and the first is one at night."""
    with pytest.raises(ValidationError, match=words):
        ADDRESS.validate_python(text)
