"""What a policy may name: the actions and the sources that there are."""

from collections.abc import Collection, Mapping

import msgspec

from app.models.action import Risk


class Known(msgspec.Struct, frozen=True):
    """What there is to name; what is empty is not looked at.

    Attributes:
        risks: the actions of the catalogue, each with its risk.
        sources: the names of the sources in the settings.
    """

    risks: Mapping[str, Risk] = {}
    sources: Collection[str] = ()
