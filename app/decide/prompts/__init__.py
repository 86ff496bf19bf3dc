"""What a language model is told, as text files; see docs/brains.md."""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent


def read_prompt(name: str) -> str:
    """Return one of the texts."""
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    return text.strip()


def prompts_version() -> str:
    """Return a hash of all the texts: another text is another version."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.txt")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
