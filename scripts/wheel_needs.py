"""What the wheel needs: the packages of requirements.txt, by their versions.

Read by hatchling alone, which looks for one class in this file.
"""

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LIST = Path(__file__).parent.parent / "requirements.txt"


class Needs(MetadataHookInterface):
    """Tells hatchling what is written in one place only."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add what a wheel needs to what it says of itself."""
        lines = LIST.read_text(encoding="utf-8").splitlines()
        texts = (line.partition("#")[0].strip() for line in lines)
        metadata["dependencies"] = sorted(text for text in texts if text)
