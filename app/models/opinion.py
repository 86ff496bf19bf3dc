"""The opinion: what somebody here says of what was only observed."""

from collections.abc import Mapping

import msgspec


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """Which action somebody says is right, and what would have been done.

    Attributes:
        decision: the number of the decision that it is about.
        action: what would have been done.
        environment: where.
        arguments: with what.
        proposer: who decided it: a brain, person:ana, undo.
        author: who says it.
        correct: the action that is right, or a call of it; empty: another
            one than any that there is.
    """

    decision: int
    action: str
    environment: str
    arguments: Mapping[str, object]
    proposer: str
    author: str
    correct: str
