"""A rule of the policy, ready to be asked."""

import msgspec

from app.guard.conditions import Condition
from app.guard.policyfile import RulePart


class Rule(msgspec.Struct, frozen=True):
    """What is written, and what evaluates it.

    Attributes:
        says: what is written.
        condition: its ``when``.
    """

    says: RulePart
    condition: Condition
