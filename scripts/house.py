"""Check what no linter checks here: the size of files and functions.

A broad except is counted too: it is the best single predictor of code that
is hard to trust, so there may be few, and only in the product's own edges.
Patterns that never take back (`*+`, `(?>`) are refused: before 3.11.5 Python
finds nothing by some of them, and Debian 12 has 3.11.2.
"""

import ast
import contextlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

HOME = Path(__file__).parent.parent
PLACES = ("main.py", "app", "docker", "simulator", "tests", "bench", "scripts")
MOST_LINES_OF_FILE = 400
MOST_LINES_OF_FUNCTION = 50
MOST_BROAD_PER_1000_LINES = 0.5
BROAD = ("Exception", "BaseException")
POSSESSIVE = re.compile(r"[*+?}]\+|\(\?>")


def python_files(home: Path) -> Iterator[Path]:
    """Yield every Python file of ours below a folder."""
    for place in PLACES:
        path = home / place
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def long_parts(name: str, text: str) -> Iterator[str]:
    """Yield what of a file is too long."""
    lines = len(text.splitlines())
    if lines > MOST_LINES_OF_FILE:
        yield f"{name}: {lines} lines are more than {MOST_LINES_OF_FILE}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MOST_LINES_OF_FUNCTION:
                yield (
                    f"{name}:{node.lineno}: {node.name} has {length} lines,"
                    f" more than {MOST_LINES_OF_FUNCTION}"
                )


def possessive_patterns(name: str, text: str) -> Iterator[str]:
    """Yield what of a file is a pattern that older Pythons get wrong."""
    for node in ast.walk(ast.parse(text)):
        words = _words(node)
        if POSSESSIVE.search(words) and _is_possessive(words):
            line = node.lineno if isinstance(node, ast.expr) else 0
            yield f"{name}:{line}: Python before 3.11.5 gets {words!r} wrong"


def _words(node: ast.AST) -> str:
    """Return what a literal says, with `x` for what is put into it."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_words(part) or "x" for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ""


def _is_possessive(words: str) -> bool:
    """Tell whether words are a pattern, and one that never takes back."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            re.compile(words, re.DEBUG)
    except re.error:
        return False
    return bool(re.search(r"POSSESSIVE|ATOMIC", said.getvalue()))


def broad_excepts(text: str) -> int:
    """Return how many excepts of a file catch everything."""
    return sum(
        _is_broad(node.type)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ExceptHandler)
    )


def _is_broad(caught: ast.expr | None) -> bool:
    """Tell whether an except catches what nobody thought of."""
    if isinstance(caught, ast.Tuple):
        return any(_is_broad(one) for one in caught.elts)
    return caught is None or (
        isinstance(caught, ast.Name) and caught.id in BROAD
    )


def too_broad(texts: dict[str, str]) -> Iterator[str]:
    """Yield a complaint when the product catches everything too often."""
    lines = sum(len(text.splitlines()) for text in texts.values())
    counts = {name: broad_excepts(text) for name, text in texts.items()}
    total = sum(counts.values())
    if total > lines * MOST_BROAD_PER_1000_LINES / 1000:
        places = ", ".join(name for name, count in counts.items() if count)
        yield f"{total} broad excepts in {lines} lines are too many: {places}"


def complaints(home: Path) -> list[str]:
    """Return all that is wrong below a folder."""
    texts = {
        str(file.relative_to(home)): file.read_text(encoding="utf-8")
        for file in python_files(home)
    }
    found: list[str] = []
    for name, text in texts.items():
        found += long_parts(name, text)
        if not name.startswith("tests/"):
            found += possessive_patterns(name, text)
    product = ("main.py", "app/")
    found += too_broad(
        {
            name: text
            for name, text in texts.items()
            if name.startswith(product)
        }
    )
    return found


def main() -> int:
    """Print the complaints; the exit status tells whether there are any."""
    found = complaints(HOME)
    print("\n".join(found) or "Every file is as it may be.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
