"""The charter: what a file that rules means, and how a change of it is told.

Files are changed on disk, and count with the next start. What they meant
before is kept, so that the log can say what is different.
"""

from difflib import unified_diff

import msgspec

from app.core.redaction import hide_secrets
from app.models.entry import Note

# Beyond these a text is no reading for people: it is cut, and says so.
MOST_TEXT = 65_536
MOST_DIFF = 16_384
CONTEXT = 2
CUT = "... (cut here)\n"


class Charter(msgspec.Struct, frozen=True, kw_only=True):
    """What one file that rules means.

    Attributes:
        name: policy or decide; entries are called after it.
        file: the name of the file, without its folder.
        version: a digest of what it means.
        text: what it means, as lines for people, without secrets.
    """

    name: str
    file: str
    version: str
    text: str

    @classmethod
    def make(cls, name: str, file: str, version: str, text: str) -> "Charter":
        """Return a charter; its secrets are hidden, and it is bounded."""
        shown = shorten(hide_secrets(text), MOST_TEXT)
        return cls(name=name, file=file, version=version, text=shown)


class Known(msgspec.Struct, frozen=True):
    """What a charter said last.

    Attributes:
        version: the digest of then.
        text: what it meant then.
        at: when a node started with it.
        node: which one.
    """

    version: str
    text: str
    at: int
    node: str


def shorten(text: str, most: int) -> str:
    """Return a text that is no longer than so many characters."""
    if len(text) <= most:
        return text
    whole = text[: most - len(CUT)].rpartition("\n")[0]
    return f"{whole}\n{CUT}"


def draw_difference(before: str, after: str) -> str:
    """Return what is different as a unified diff, bounded."""
    lines = unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        "before",
        "after",
        n=CONTEXT,
    )
    return shorten("".join(lines), MOST_DIFF)


def tell_change(before: Known, after: Charter, node: str) -> Note:
    """Return what the log says about a charter that changed."""
    difference = draw_difference(before.text, after.text)
    return Note(
        kind=f"{after.name}.changed",
        actor=f"file:{after.file}",
        summary=(
            f"{after.file} says something else since {node} started:"
            f" {before.version} -> {after.version}"
        )[:500],
        body={
            "file": after.file,
            "node": node,
            "before": {"version": before.version},
            "after": {"version": after.version},
            "difference": difference,
        },
    )
