"""The deed busy: it is always refused for now."""

from app.act.local.deed import Deed, DeedEnv
from tests.unit.act.local.trick import Never, read


def plugin(env: DeedEnv) -> Deed:
    """Return the deed."""
    return Never(read(env))
