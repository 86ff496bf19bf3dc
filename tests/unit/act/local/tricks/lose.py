"""The deed lose: it says two lines."""

from app.act.local.deed import Deed, DeedEnv
from tests.unit.act.local.trick import Trick, read


def plugin(env: DeedEnv) -> Deed:
    """Return the deed."""
    return Trick(read(env))
