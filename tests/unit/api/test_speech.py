"""What people may say, as requests are read."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.api.speech import (
    AcknowledgeBody,
    CorrectionBody,
    Headers,
    MergeBody,
    NoteBody,
    OwnerBody,
    Speech,
    SplitBody,
    WordView,
)
from app.core.errors import Refused
from app.models.word import Kind, Word

LAST = 2**63 - 1


@pytest.mark.parametrize(
    ("header", "version"),
    [
        (None, None),
        ("*", None),
        (" * ", None),
        ("0", 0),
        ('"7"', 7),
        ('W/"7"', 7),
        (' "7" ', 7),
        ("007", 7),
        ('"2147483647"', 2**31 - 1),
    ],
)
def test_a_version_is_read_as_a_tag(
    header: str | None, version: int | None
) -> None:
    """With and without quotation marks; a star is any version."""
    assert Headers(if_match=header).version == version


@pytest.mark.parametrize(
    "header",
    [
        "",
        '""',
        "-1",
        "+1",
        "1.0",
        "0x1",
        "2147483648",
        "99999999999",
        '"1","2"',
        "1 2",
        "w/1",
        '"*"',
        "\u00b2",
        "\u0667x",
        "7\n8",
    ],
)
def test_what_is_no_version_is_refused(header: str) -> None:
    """Never taken as no version: somebody wanted to be sure."""
    with pytest.raises(Refused) as refused:
        Headers(if_match=header)
    error = refused.value
    assert (error.status, error.field) == (422, "if-match")


@pytest.mark.parametrize(
    ("said", "seen", "version"),
    [
        (None, None, None),
        (3, None, 3),
        (None, 4, 4),
        (3, 4, 4),
        (3, 0, 0),
        (0, None, 0),
    ],
)
def test_the_header_counts_before_the_body(
    said: int | None, seen: int | None, version: int | None
) -> None:
    """A version of 0 is one, too."""
    body = NoteBody(author="ana", text="a", version=said)
    assert body.to_call(Kind.NOTE, 17, seen=seen).version == version


def test_a_call_has_all_that_was_said() -> None:
    """Author, text, key and incident, each in its place."""
    body = OwnerBody(author=" ana ", owner="ben", text=" a\r\nb ")
    call = body.to_call(Kind.OWNER, 17, "k1")
    assert (call.author, call.text, call.key) == ("ana", "a\nb", "k1")
    assert (call.incident, call.kind) == (17, Kind.OWNER)
    assert call.details == {"owner": "ben"}


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (NoteBody(author="a", text="b", version=1), {}),
        (AcknowledgeBody(author="a"), {}),
        (OwnerBody(author="a", owner=" "), {"owner": ""}),
        (CorrectionBody(author="a", text="b"), {}),
        (CorrectionBody(author="a", text="b", about=""), {"about": ""}),
        (
            CorrectionBody(author="a", text="b", about="x", correct="y"),
            {"about": "x", "correct": "y"},
        ),
        (SplitBody(author="a", episodes=[3, 1, 3]), {"episodes": [1, 3]}),
        (SplitBody(author="a", episodes=[LAST]), {"episodes": [LAST]}),
        (MergeBody(author="a", into=4, text="b"), {"into": 4}),
    ],
)
def test_details_are_what_belongs_to_the_kind(
    body: Speech, details: dict[str, Any]
) -> None:
    """What every call has, and what was not given, is none."""
    assert body.details() == details


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("author", "a" * 201),
        ("author", "a\nb"),
        ("author", "a\tb"),
        ("author", "a\x1b[31m"),
        ("author", "a\u202eb"),
        ("author", None),
        ("text", ""),
        ("text", "\r\n"),
        ("text", "\u200b\u00a0"),
        ("text", "a" * 10_001),
        ("text", "a\0b"),
        ("text", "a\rb"),
        ("text", "a\x1b[2Jb"),
        ("text", "a\x7fb"),
        ("text", "a\u202eb"),
        ("text", "\ud800"),
        ("version", -1),
        ("version", 2**31),
        ("version", "new"),
        ("about", "a\nb"),
        ("correct", "a" * 201),
        ("abuot", "target"),
    ],
)
def test_what_nobody_can_read_is_refused(field: str, value: Any) -> None:
    """Nothing that steers a terminal, and no name that we do not know."""
    good = {"author": "ana", "text": "It was the switch."}
    with pytest.raises(ValidationError) as refused:
        CorrectionBody.model_validate(good | {field: value})
    assert [one["loc"] for one in refused.value.errors()] == [(field,)]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a" * 10_000, "a" * 10_000),
        (" " * 20_000 + "a", "a"),
        ("a\r\n\tb", "a\n\tb"),
        ("\n a \n", "a"),
        ("Größe 5 β 🦊", "Größe 5 β 🦊"),
        ("a\u00a0b\u202f: 5\u3000c", "a b : 5 c"),
        ("a\u2028b", "a\nb"),
        ("\ufeffre\u00adstart \u200b\u200eit\u2060", "restart it"),
        ("👩\u200d🚒 می\u200cخواهم", "👩\u200d🚒 می\u200cخواهم"),
    ],
)
def test_a_text_keeps_its_lines(text: str, kept: str) -> None:
    """And loses what stands around it, and what only a paste brings."""
    assert NoteBody(author="a", text=text).text == kept


@pytest.mark.parametrize("episodes", [[], [0], [-1], [LAST + 1], ["x"], [1.5]])
def test_a_split_names_episodes(episodes: list[Any]) -> None:
    """At least one, and each a number that can be one."""
    with pytest.raises(ValidationError):
        SplitBody(author="a", episodes=episodes)


@pytest.mark.parametrize(("alert", "shown"), [(0, None), (5, 5)])
def test_a_word_says_which_alert_brought_it(
    alert: int, shown: int | None
) -> None:
    """None when a person said it here; times are ISO 8601."""
    word = Word(
        id=8,
        incident_id=17,
        at=1_500_000,
        author="ana",
        kind="note",
        alert_id=alert,
        version=6,
        key="hidden",
    )
    view = WordView.of(word)
    assert (view.id, view.incident, view.alert) == (8, 17, shown)
    assert view.at == "1970-01-01T00:00:01.500000Z"
    assert "hidden" not in view.model_dump_json()
