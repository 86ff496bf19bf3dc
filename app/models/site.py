"""Sites: where something is to be done, and which windows are about that.

A maintenance window mutes the alerts that fit all of its matchers. Whoever
announced it works on something, whatever alerts that sets off: for what is
to be done there, only those of its matchers count that say where.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from app.models.brevity import clip
from app.models.matcher import Matcher
from app.models.mute import Mute, MuteKind, asks_nothing
from app.models.target import TargetRule

# What a matcher on where something is may ask for, whatever the alert says.
TARGET, KIND, HOST = "target", "target_kind", "host"
LONGEST, MOST = 300, 3


class Site(msgspec.Struct, frozen=True):
    """Where something is, in the words that matchers ask for.

    Attributes:
        said: the labels that say where, and what each of them may be.
        naming: those of them that hold a name.
    """

    said: Mapping[str, frozenset[str]]
    naming: frozenset[str]

    def known_as(self, names: Collection[str], **facts: str) -> "Site":
        """Return it with what else it is known by.

        Args:
            names: further names of what is there.
            facts: what else is known of it, by label; empty: it is not.
        """
        said = dict(self.said)
        for label in self.naming:
            said[label] = said[label] | {name for name in names if name}
        for label, value in facts.items():
            known = said.get(label, frozenset())
            said[label] = known | {value} if value else known
        return Site(said, self.naming)

    def is_meant(self, matchers: Iterable[Matcher]) -> bool:
        """Tell whether matchers ask for a place, and it is this one."""
        where = [one for one in matchers if one.name in self.said]
        is_asked = any(
            one.name != KIND and not asks_nothing(one) for one in where
        )
        return is_asked and all(map(self._fits, where))

    def _fits(self, matcher: Matcher) -> bool:
        """Tell whether a matcher fits: by any name, and excludes none."""
        values = self.said[matcher.name] or ("",)
        found = [matcher.fits_value(value) for value in values]
        excludes = matcher.operator.startswith("!")
        return all(found) if excludes else any(found)


def make_site(labels: Mapping[str, str], rules: Sequence[TargetRule]) -> Site:
    """Return where an episode is.

    Args:
        labels: what a matcher may ask about it.
        rules: which labels make a target.
    """
    kinds = (labels.get(KIND, ""), HOST)
    naming = {TARGET}
    scope = {KIND}
    for rule in rules:
        if rule.kind in kinds:
            naming.update(rule.labels)
        if rule.kind == kinds[0]:
            scope.update(rule.scope)
    said = {
        label: frozenset({labels[label]} if labels.get(label) else ())
        for label in naming | scope
    }
    site = Site(said, frozenset(naming))
    return site.known_as((labels.get(TARGET, ""),))


def say_work(windows: Iterable[Mute], site: Site) -> str:
    """Return what the maintenance is that goes on at a site, or nothing.

    Args:
        windows: the mutes that are on.
        site: where.
    """
    found = [
        clip(mute.label, LONGEST)
        for mute in windows
        if mute.wish.kind is MuteKind.MAINTENANCE
        and site.is_meant(mute.wish.matchers)
    ]
    return "; ".join(found[:MOST])
