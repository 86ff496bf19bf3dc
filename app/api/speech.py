"""What people may say about an incident, as requests and answers."""

import re
from typing import Annotated, Any, Self

from fastapi import Depends, Header, Path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic.config import JsonDict

from app.core.clock import to_iso
from app.core.errors import Refused
from app.core.numbers import LAST_ID
from app.fold.words import LONGEST_AUTHOR, LONGEST_TEXT
from app.models.word import Call, Kind, Word
from app.store.people import MOST_EPISODES

EXAMPLE: JsonDict = {
    "id": 8,
    "incident": 17,
    "at": "2026-11-21T02:47:30Z",
    "author": "ana",
    "kind": "acknowledge",
    "text": "I look at it.",
    "alert": None,
    "details": {},
    "version": 6,
}
LAST_VERSION = 2**31 - 1
VERSION = re.compile(r'(?:W/)?"?(\d{1,10})"?')
# Line ends, and what joins letters in Persian and pictures of people.
PRINTABLE = {"\n", "\t", "\u200c", "\u200d"}
# What comes along when somebody copies from a page or a chat, and cannot be
# seen: spaces of other kinds, other line ends, and what has no width.
PASTED = {
    **dict.fromkeys((0xA0, 0x1680, *range(0x2000, 0x200B)), " "),
    **dict.fromkeys((0x202F, 0x205F, 0x3000), " "),
    **dict.fromkeys((0x2028, 0x2029), "\n"),
    **dict.fromkeys((0xAD, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF)),
}
Id = Annotated[int, Field(ge=1, le=LAST_ID)]
RowId = Annotated[int, Path(ge=1, le=LAST_ID)]


def typed(text: Any) -> Any:
    """Return a text as if it had been typed, not pasted.

    Nobody who pauses everything is to look for a space that is none.
    """
    return text.translate(PASTED) if isinstance(text, str) else text


def _readable(text: str) -> str:
    """Return a text without what steers a terminal or stops a database."""
    text = text.replace("\r\n", "\n")
    if not all(c.isprintable() or c in PRINTABLE for c in text):
        raise ValueError("must not hold control characters")
    return text


def one_line(text: str) -> str:
    """Return a text that is one line."""
    if not text.isprintable():
        raise ValueError("must be one line without control characters")
    return text


Text = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT
    ),
    AfterValidator(_readable),
    BeforeValidator(typed),
]
Comment = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT),
    AfterValidator(_readable),
    BeforeValidator(typed),
]
Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=LONGEST_AUTHOR
    ),
    AfterValidator(one_line),
    BeforeValidator(typed),
]
NameOrNobody = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=LONGEST_AUTHOR),
    AfterValidator(one_line),
    BeforeValidator(typed),
]
# Who is signed in signs; only who is not says who they are.
Signature = NameOrNobody
KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="a second try with the same key gets the first answer",
    ),
]
MatchHeader = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="the version of the incident that was looked at",
    ),
]


class Speech(BaseModel):
    """What every call takes."""

    model_config = ConfigDict(extra="forbid")

    author: Signature = Field(
        "", description="who says it; left out: who asks", examples=["ana"]
    )
    version: int | None = Field(
        None,
        ge=0,
        le=LAST_VERSION,
        description="the incident's version that was looked at: 409 when "
        "another person has decided something since",
    )

    text: Comment = ""

    def to_call(
        self, kind: Kind, number: int, key: str = "", seen: int | None = None
    ) -> Call:
        """Return what is asked for.

        Args:
            kind: what sort of word it is.
            number: the incident.
            key: makes a second try the same call; or empty.
            seen: the version that was looked at, when a header says it.
        """
        return Call(
            incident=number,
            kind=kind,
            author=self.author,
            text=self.text,
            details=self.details(),
            key=key,
            version=self.version if seen is None else seen,
        )

    def details(self) -> dict[str, Any]:
        """Return what belongs to this kind of call only."""
        return self.model_dump(
            exclude={"author", "version", "text"}, exclude_unset=True
        )


class NoteBody(Speech):
    """A note."""

    text: Text = Field(examples=["The disk is on its way."])


class AcknowledgeBody(Speech):
    """Somebody looks at it, or no longer does."""

    text: Comment = Field("", examples=["I look at it."])


class OwnerBody(Speech):
    """Somebody takes care of it."""

    owner: NameOrNobody = Field(description="empty: nobody", examples=["ben"])


class CorrectionBody(Speech):
    """What the product got wrong about an incident."""

    text: Text = Field(examples=["It was the switch, not the host."])
    about: NameOrNobody = Field(
        "", description="what was wrong: action, target, severity ..."
    )
    correct: NameOrNobody = Field(
        "", description="what is right instead, in a word"
    )


class SplitBody(Speech):
    """Some of it is another problem."""

    episodes: Annotated[
        list[Id], Field(min_length=1, max_length=MOST_EPISODES)
    ] = Field(description="the episodes that go", examples=[[17, 18]])

    def details(self) -> dict[str, Any]:
        """Return the episodes, each once."""
        return {"episodes": sorted(set(self.episodes))}


class MergeBody(Speech):
    """It is the same as another one."""

    into: Id = Field(description="the incident that lives on", examples=[4])


class WordView(BaseModel):
    """What a person said about an incident."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: int
    incident: int
    at: str
    author: str
    kind: str = Field(description=", ".join(Kind))
    text: str
    alert: int | None = Field(
        description="the alert that brought it, through a monitoring system"
    )
    details: dict[str, Any] = Field(
        description="what belongs to its kind: owner, episodes, into ..."
    )
    version: int = Field(
        description="the version of the incident that came of it"
    )

    @classmethod
    def of(cls, word: Word) -> Self:
        """Return a word as the API shows it."""
        return cls(
            id=word.id,
            incident=word.incident_id,
            at=to_iso(word.at) or "",
            author=word.author,
            kind=word.kind,
            text=word.text,
            alert=word.alert_id or None,
            details=word.details,
            version=word.version,
        )


class WordPage(BaseModel):
    """Some words, in the order of their coming."""

    items: list[WordView]
    next: str | None = Field(description="the address of the next page")


class Headers:
    """The headers that every call takes; a FastAPI dependency."""

    def __init__(
        self, key: KeyHeader = None, if_match: MatchHeader = None
    ) -> None:
        """Take the headers as they came."""
        self.key = key or ""
        self.version: int | None = None
        if if_match is not None and if_match.strip() != "*":
            found = VERSION.fullmatch(if_match.strip())
            if found is None or int(found[1]) > LAST_VERSION:
                raise Refused(
                    422,
                    "wrong_version",
                    "If-Match is no version of an incident.",
                    field="if-match",
                    remedy="Send the version that the incident shows.",
                )
            self.version = int(found[1])


Given = Annotated[Headers, Depends()]
