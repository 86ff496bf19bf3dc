"""Check our scripts, styles and pages by the rules that no linter has here.

Size, width, a comment above whatever is exported; and nothing by which a
text could become markup, or a page ask another host.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

HOME = Path(__file__).parent.parent
PLACES = ("app/console", "simulator")
ENDINGS = (".js", ".css", ".html")
MOST_LINES = 400
MOST_COLUMNS = 79
EXPORT = re.compile(r"export (?:async )?(?:default )?(?:function|class)\b")
FORBIDDEN = {
    ".js": {
        r"\b(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write": "text"
        " could become markup: use h() of lib/dom.js",
        r"\beval\(|new Function\(": "text could become a script",
        r"""from ["']https?:|import\(["']https?:""": "it asks another host",
    },
    ".css": {r"url\(\s*[\"']?(?:https?:)?//|@import": "it asks another host"},
    ".html": {
        r"<[a-z][^>]*\sstyle=": "the content policy forbids style attributes",
        r"<[a-z][^>]*\son[a-z]+=": "the content policy forbids it: listen in"
        " a script",
        r"(?:src|href|action)=[\"']?(?:https?:)?//": "it asks another host",
        r"\|\s*safe\b": "text could become markup",
    },
}
# The simulator's own page stands alone, with its own policy.
ALONE = "simulator/page.html"


def files(home: Path) -> Iterator[Path]:
    """Yield every file of ours that a browser reads."""
    for place in PLACES:
        for file in sorted((home / place).rglob("*")):
            if file.suffix in ENDINGS:
                yield file


def complaints_of(name: str, text: str) -> Iterator[str]:
    """Yield what is wrong with one file."""
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        yield f"{name}: {len(lines)} lines are more than {MOST_LINES}"
    for number, line in enumerate(lines, 1):
        if len(line) > MOST_COLUMNS:
            yield f"{name}:{number}: {len(line)} columns"
        if EXPORT.match(line) and not lines[number - 2].endswith("*/"):
            yield f"{name}:{number}: no comment says what it does"
    rules = {} if name == ALONE else FORBIDDEN[Path(name).suffix]
    for pattern, why in rules.items():
        for found in re.finditer(pattern, text):
            number = text.count("\n", 0, found.start()) + 1
            yield f"{name}:{number}: {found[0]!r}: {why}"


def main() -> int:
    """Print the complaints; the exit status tells whether there are any."""
    found = [
        complaint
        for file in files(HOME)
        for complaint in complaints_of(
            str(file.relative_to(HOME)), file.read_text(encoding="utf-8")
        )
    ]
    print("\n".join(found) or "Every script, style and page is in order.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
