"""Read JSON as models write it: nearly.

Single quotes, trailing commas, Python's words, names without quotes and
closing braces that never came are read, and each of these is named. A value
that is cut off at the end of the text is a ``Cut``: nobody knows what it
was going to be. Everything is bounded; what is no value raises ValueError.
"""

import re
from typing import Any

DEEPEST = 12
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?([eE][+-]?\d{1,3})?")
_BLANK = re.compile(r"(?:\s|//[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_WORDS: dict[str, tuple[Any, str]] = {
    "true": (True, ""),
    "false": (False, ""),
    "null": (None, ""),
    "True": (True, "Python's words read"),
    "False": (False, "Python's words read"),
    "None": (None, "Python's words read"),
}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
CUT = "cut off: what was open is closed"


class Cut(str):
    """A text that ended before its end."""

    __slots__ = ()


class Reader:
    """Reads one value out of a text, and notes what it had to mend."""

    def __init__(self, text: str, at: int = 0) -> None:
        """Take the text and where the value begins."""
        self.text = text
        self.at = at
        self.repairs: dict[str, None] = {}

    def read(self, depth: int = 0) -> Any:
        """Return the value that begins here, or raise ValueError."""
        self.skip()
        if depth > DEEPEST:
            raise ValueError("nested too deep")
        sign = self._peek()
        if sign == "{":
            return self._read_object(depth)
        if sign in ("[", "("):
            return self._read_list(depth, "]" if sign == "[" else ")")
        if sign in ('"', "'", "\N{LEFT DOUBLE QUOTATION MARK}"):
            return self._read_text(sign)
        return self._read_bare()

    def skip(self) -> None:
        """Pass blanks and comments."""
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def mend(self, what: str) -> None:
        """Note a repair, once."""
        self.repairs[what] = None

    def _peek(self) -> str:
        """Return the next character, or nothing at the end."""
        return self.text[self.at : self.at + 1]

    def _read_object(self, depth: int) -> dict[str, Any]:
        """Return an object; one that is cut off ends at the end."""
        found: dict[str, Any] = {}
        self.at += 1
        while not self._ends("}", has_some=bool(found)):
            name = self._read_name()
            self.skip()
            if not self._peek():
                self.mend(CUT)
                break
            if self._peek() not in (":", "="):
                raise ValueError("no colon after a name")
            self.at += 1
            self.skip()
            if not self._peek():
                self.mend(CUT)
                break
            found[name] = self.read(depth + 1)
        return found

    def _read_list(self, depth: int, closing: str) -> list[Any]:
        """Return a list; one that is cut off ends at the end."""
        found: list[Any] = []
        self.at += 1
        while not self._ends(closing, has_some=bool(found)):
            found.append(self.read(depth + 1))
            if len(found) > 256:
                raise ValueError("a list too long")
        return found

    def _ends(self, closing: str, *, has_some: bool) -> bool:
        """Tell whether an object or list ends here; pass its commas."""
        self.skip()
        had_comma = False
        while self._peek() == ",":
            had_comma = True
            self.at += 1
            self.skip()
        if self._peek() == closing:
            self.at += 1
            if had_comma:
                self.mend("trailing comma dropped")
            return True
        if not self._peek():
            self.mend(CUT)
            return True
        if has_some and not had_comma:
            self.mend("missing comma added")
        return False

    def _read_name(self) -> str:
        """Return the name of a field."""
        sign = self._peek()
        if sign in ('"', "'"):
            return str(self._read_text(sign))
        match = _WORD.match(self.text, self.at)
        if match is None:
            raise ValueError("no name of a field")
        self.at = match.end()
        self.mend("names without quotes read")
        return match[0]

    def _read_text(self, sign: str) -> str:
        """Return a text in quotes."""
        closing = sign
        if sign == "'":
            self.mend("single quotes read")
        elif sign != '"':
            closing = "\N{RIGHT DOUBLE QUOTATION MARK}"
            self.mend("curly quotes read")
        parts: list[str] = []
        self.at += 1
        while (c := self._peek()) != closing:
            if not c:
                self.mend(CUT)
                return Cut("".join(parts))
            self.at += 1
            parts.append(self._read_escape() if c == "\\" else c)
        self.at += 1
        return "".join(parts)

    def _read_escape(self) -> str:
        """Return what stands for itself after a backslash."""
        c = self._peek()
        self.at += 1
        if c != "u":
            return _ESCAPES.get(c, c)
        digits = self.text[self.at : self.at + 4]
        if not re.fullmatch(r"[0-9a-fA-F]{4}", digits):
            return "\N{REPLACEMENT CHARACTER}"
        self.at += 4
        return chr(int(digits, 16))

    def _read_bare(self) -> Any:
        """Return a number or a word without quotes."""
        match = _NUMBER.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
            if self.at >= len(self.text):
                return Cut(match[0])
            is_whole = match[1] is None and match[2] is None
            return int(match[0]) if is_whole else float(match[0])
        match = _WORD.match(self.text, self.at)
        if match is None:
            raise ValueError("no value")
        self.at = match.end()
        if match[0] in _WORDS:
            value, repair = _WORDS[match[0]]
            if repair:
                self.mend(repair)
            return value
        self.mend("text without quotes read")
        return Cut(match[0]) if self.at >= len(self.text) else match[0]
