"""The channel that the canary's letters go to: it reaches nobody.

A letter is written, taken, sent and noted like one to people. It is taken
here only when it says what a letter about a fixed incident must say.
"""

from app.core.errors import NotAccepted
from app.models.canary import ANSWER, CANARY
from app.models.message import Kind, Letter


class CanaryChannel:
    """Takes a letter of the canary that is whole, and refuses others."""

    async def send(self, letter: Letter) -> str:
        """Return what the letter is called here, or raise NotAccepted."""
        facts = letter.facts
        told = {
            "a title": bool(letter.title),
            "a text": ANSWER in letter.text,
            "the source": facts.source == CANARY,
            "the end": facts.kind == Kind.FIXED,
            "the ruling": bool(facts.ruling),
            "what was measured before": bool(facts.before),
            "what was measured after": bool(facts.after),
        }
        missing = [name for name, is_there in told.items() if not is_there]
        if missing:
            raise NotAccepted(f"the letter lacks {', '.join(missing)}")
        return f"{CANARY}:{letter.key}"
