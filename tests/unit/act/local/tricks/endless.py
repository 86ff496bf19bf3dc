"""The deed endless: it goes on until it must end."""

from app.act.local.deed import Deed, DeedEnv
from tests.unit.act.local.trick import Endless, read


def plugin(env: DeedEnv) -> Deed:
    """Return the deed."""
    return Endless(read(env))
