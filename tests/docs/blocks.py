"""The blocks of the documents, and the commands among them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

HOME = Path(__file__).parents[2]
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\S*) *$")
ALL_FENCES = re.compile(r"^ *```.*?^ *```\s*?$", re.MULTILINE | re.DOTALL)
INDENT = "    "
INLINE = re.compile(r"`([^`]+)`")
PROMPT = "$ "
SHELL = ("", "sh", "bash")
# What may stand before the program.
SETTING = re.compile(r"^[A-Z][A-Z0-9_]*=")
PROGRAMS = frozenset(
    (
        *(".venv/bin/python", "./start_environment.sh", "curl", "docker"),
        *("echo", "export", "install", "journalctl", "main.py", "ollama"),
        *("pip", "promtool", "python", "rm", "systemctl", "useradd"),
    )
)
SCRIPT = re.compile(r"^(\./)?(scripts|host|bench)/[a-z_]+\.(sh|py)$")
# In a table of commands, what is done is told behind them.
BESIDE = re.compile(r" {3,}(?=main\.py )")
TOLD = re.compile(r" {3,}\S.*$")


@dataclass(frozen=True)
class Block:
    """What stands between two fences, or is indented."""

    page: str
    line: int
    language: str
    text: str

    @property
    def where(self) -> str:
        """Return how it is named: the page, and the line of the fence."""
        return f"{self.page}:{self.line}"

    @property
    def first(self) -> str:
        """Return the first line that says something."""
        return next(iter(self.text.strip().splitlines()), "")


@dataclass(frozen=True)
class Command:
    """One command of a document, as it stands there."""

    page: str
    line: int
    text: str
    words: tuple[str, ...] = field(compare=False)

    @property
    def where(self) -> str:
        """Return how it is named: the page, the line and the command."""
        return f"{self.page}:{self.line} {self.text}"


def pages() -> list[str]:
    """Return every document that tells people what to do."""
    found = ["README.md", "CONTRIBUTING.md"]
    files = sorted((HOME / "docs").rglob("*.md"))
    return [*found, *(str(one.relative_to(HOME)) for one in files)]


def read(page: str) -> str:
    """Return the text of a document."""
    return (HOME / page).read_text(encoding="utf-8")


def blocks(page: str, text: str | None = None) -> list[Block]:
    """Return the blocks of a document, without the indent of a list."""
    lines = (read(page) if text is None else text).splitlines()
    return sorted(
        [*_fenced(page, lines), *_indented(page, lines)],
        key=lambda block: block.line,
    )


def _fenced(page: str, lines: list[str]) -> Iterator[Block]:
    """Yield what stands in fences; takes it out of the lines."""
    opened: re.Match[str] | None = None
    begin, found = 0, list[str]()
    for number, line in enumerate(lines, 1):
        fence = FENCE.match(line)
        if opened is None and not fence:
            continue
        lines[number - 1] = "-"
        if opened is None:
            opened, begin, found = fence, number, []
        elif fence:
            body = "\n".join(found) + "\n"
            yield Block(page, begin, opened["language"], body)
            opened = None
        else:
            found.append(line.removeprefix(opened["indent"]))


def _indented(page: str, lines: list[str]) -> Iterator[Block]:
    """Yield what is indented after an empty line, as by four blanks."""
    begin, found = 0, list[str]()
    before = ""
    for number, line in enumerate([*lines, "-"], 1):
        if line.startswith(INDENT) and (found or not before.strip()):
            begin = begin if found else number - 1
            found.append(line.removeprefix(INDENT))
        elif found and not line.strip():
            found.append("")
        elif found:
            yield Block(page, begin, "", "\n".join(found).rstrip() + "\n")
            found = []
        before = line


def inline(page: str) -> Iterator[str]:
    """Yield what stands between single marks, on one line."""
    for match in INLINE.finditer(ALL_FENCES.sub("", read(page))):
        yield " ".join(match[1].split())


def program_of(words: tuple[str, ...]) -> str:
    """Return what is run, without the variables before it."""
    return next((word for word in words if not SETTING.match(word)), "")


def is_command(text: str) -> bool:
    """Tell whether a line is one that somebody may type."""
    words = _split(text.removeprefix(PROMPT)) or (text,)
    program = program_of(words)
    return program in PROGRAMS or bool(SCRIPT.match(program))


def split(text: str) -> tuple[str, ...]:
    """Return the words; a line that goes on goes on."""
    return tuple(shlex.split(text.replace("\\\n", " "), comments=True))


def _split(text: str) -> tuple[str, ...] | None:
    """Return the words as the shell sees them; None while a quote is open."""
    try:
        return split(text)
    except ValueError:
        return None


def _whole_lines(block: Block) -> Iterator[tuple[int, str]]:
    """Yield lines, with those that belong together as one."""
    begin, text = 0, ""
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        begin = begin if text else number
        text = f"{text}\n{line}" if text else line
        if not text.rstrip().endswith("\\") and _split(text) is not None:
            yield begin, text
            text = ""
    if text:
        yield begin, text


def commands(block: Block) -> list[Command]:
    """Return the commands of a block; none when it is something else.

    With prompts, only what stands behind them is a command and the rest is
    what it answers. Without, every line must be one.
    """
    if block.language not in SHELL:
        return []
    lines = [(n, text) for n, text in _whole_lines(block) if text.strip()]
    if any(text.startswith(PROMPT) for _, text in lines):
        lines = [one for one in lines if one[1].startswith(PROMPT)]
    elif not all(is_command(text) for _, text in lines):
        return []
    return [one for n, text in lines for one in _commands(block.page, n, text)]


def _commands(page: str, line: int, text: str) -> Iterator[Command]:
    """Yield the commands of one line, without what is told about them."""
    for part in BESIDE.split(text.removeprefix(PROMPT)):
        plain = part.strip()
        if "\n" not in plain:
            plain = TOLD.sub("", plain)
        yield Command(page, line, plain, _split(plain) or ())
