"""Answer the canary: say that a job was done here, and do nothing else."""

import msgspec

from app.act.local.deed import Deed, DeedEnv, Done
from app.act.local.hand import Hand
from app.core.configfile import Section


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """It takes no arguments, not even a host: there is nothing to look at."""


class AnswerCanary:
    """Shows that whoever does the deeds here is there."""

    takes: type[msgspec.Struct] = Nothing

    def do(self, arguments: Nothing, hand: Hand) -> Done:
        """Say so."""
        del arguments
        hand.check()
        return Done("the canary was answered")


def plugin(env: DeedEnv) -> Deed:
    """Return the deed; it takes no settings."""
    env.settings(Section)
    return AnswerCanary()
