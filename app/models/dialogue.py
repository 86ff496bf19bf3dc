"""The dialogue with a language model: what it is shown, and what it says."""

from typing import Any

import msgspec

from app.core.brief import brief

# No context is longer, and no answer has more bytes: a server that names
# more does not count.
MOST_TOKENS = 2_097_152


class Prompt(msgspec.Struct, frozen=True):
    """What a model is shown: two parts, and the schema of its answer.

    Attributes:
        system: role, menu and rules.
        user: the case, as data.
        schema: the JSON schema of the answer; only the menu fits it.
        tools: the same as function declarations.
        digest: the hash of all texts.
        notes: what was shortened so that it fits.
    """

    system: str
    user: str
    schema: dict[str, Any]
    tools: list[dict[str, Any]]
    digest: str
    notes: tuple[str, ...] = ()


class Reading(msgspec.Struct, frozen=True):
    """What an answer of a model says.

    Attributes:
        action: the name of the function, on the menu.
        arguments: all of them on the menu.
        reason: one sentence, shortened.
        repairs: what had to be mended to read it.
    """

    action: str
    arguments: dict[str, str | int]
    reason: str = ""
    repairs: tuple[str, ...] = ()


class Turn(msgspec.Struct, frozen=True):
    """One message of a conversation with a model.

    Attributes:
        role: system, user or assistant.
        text: what it says.
    """

    role: str
    text: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back from a model server, before anybody read it.

    Attributes:
        text: what the model wrote.
        called: the native tool call, its name and arguments, or None.
        model: the model that answered.
        digest: which build of it, or empty.
        tokens_in: how long the question was.
        tokens_out: how long the answer was.
        milliseconds: what the server says of load, prompt and generate.
        pieces: the tokens of the text with their log probabilities.
        repairs: what the way there had to mend, such as a cut answer.
    """

    text: str = ""
    called: tuple[str, Any] | None = None
    model: str
    digest: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    milliseconds: dict[str, float] = {}
    pieces: tuple[tuple[str, float], ...] = ()
    repairs: tuple[str, ...] = ()


def named(said: str | None) -> str:
    """Return the name that a server gives a model or a build of it."""
    return brief(said or "")


def counted(said: object) -> int:
    """Return how many tokens a server counts; 0 when that cannot be.

    What no database holds would lose the decision, and what is less than
    nothing would pay for others.
    """
    if not isinstance(said, int | float) or not 0 < said <= MOST_TOKENS:
        return 0
    return int(said)
