"""Measure brains with the small real model of tests/real as their voice.

python -m tests.evals.small_voice --set tests/evals/cases/attacks.jsonl \
    --brain ollama --brain cascade --out var/evals/small

All options are those of ``scripts/run_evals.py run``. What was asked once
is not asked again, so that two brains with one prompt cost one answer.
"""

import json
import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scripts.evals.field import OLLAMA
from scripts.run_evals import app
from tests.models.server import Reply
from tests.real.ollama_adapter import OllamaAdapter
from tests.real.small_model import SmallModel

MODEL = "smollm2"
SECONDS = "300"


class Remembering(OllamaAdapter):
    """Answers the same request with the same words."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._known: dict[str, Reply] = {}

    def _chat(self, body: Any) -> Reply:
        """Return an answer of the model, or what it answered before."""
        parts = {name: body.get(name) for name in ("messages", "format")}
        request = json.dumps(parts, sort_keys=True)
        if request not in self._known:
            reply = super()._chat(body)
            if reply.status != 200:
                return reply
            self._known[request] = reply
        return self._known[request]


def leave(*_: object) -> None:
    """End in order, so that the model does not outlive us."""
    sys.exit(1)


def main() -> None:
    """Run the evaluation while the model is there."""
    signal.signal(signal.SIGTERM, leave)
    with (
        TemporaryDirectory() as folder,
        SmallModel(Path(folder)) as model,
        Remembering(f"{model.url}") as voice,
    ):
        os.environ.update(
            {
                f"{OLLAMA}ENABLED": "true",
                f"{OLLAMA}URL": voice.url,
                f"{OLLAMA}MODEL": MODEL,
                f"{OLLAMA}MODE": "format",
                f"{OLLAMA}TIMEOUT_SECONDS": SECONDS,
                "SMOKEJUMPER_BRAINS__CASCADE__VOICE_SECONDS": SECONDS,
            }
        )
        words = ["run", *sys.argv[1:], "--url", voice.url, "--model", MODEL]
        app(words, standalone_mode=False)


if __name__ == "__main__":
    main()
