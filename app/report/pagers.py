"""Pagers: services of Apprise that open an alert, and can close it again.

A letter about an incident is about one alert: the first opens it, others
add to it, and what is over closes it. What the URL of a channel says of this
goes before what is said here.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.models.message import Kind, Letter

# What is said of these ends an alert.
OVER = (Kind.FIXED, Kind.CLOSED)
# Kinds that open no alert of their own accord.
QUIET = (Kind.ACTED, Kind.EVIDENCE)
# By what each service knows an alert again: an attribute of its plug-in.
NAMED_BY: Mapping[str, str] = {
    "goalert": "dedup",
    "goalerts": "dedup",
    "incidentio": "dedup",
    "jira": "alias",
    "opsgenie": "alias",
    "pagerduty": "dedup",
    "pagertree": "thirdparty",
    "signl4": "external_id",
    "splunk": "entity_id",
    "squadcast": "dedup",
    "victorops": "entity_id",
}
# This one knows none again: each letter is an alert of its own.
PAGERS = frozenset({*NAMED_BY, "spike"})
# Apprise asks these to close an alert by a number that it has only until a
# restart, and that is none of an alert; they know it by our name, too.
BY_ALIAS = frozenset({"jira", "opsgenie"})
# One method of theirs, by which all that they ask goes out.
FETCH = "_fetch"
LEAST = 5
Fetch = Callable[..., tuple[bool, str | None]]


def scheme_of(url: str) -> str:
    """Return which service a URL of Apprise is for."""
    return url.partition("://")[0].lower()


def is_pager(url: str) -> bool:
    """Tell whether a URL of Apprise wakes people."""
    return scheme_of(url) in PAGERS


def alert_of(letter: Letter) -> str:
    """Return the name of the alert that a letter is about.

    What is about no incident is an alert of its own, one for all its tries.
    """
    number = letter.facts.incident
    return f"smokejumper-{number}" if number else letter.key


def aim(service: Any, url: str, letter: Letter) -> None:
    """Let a pager put a letter where it belongs.

    Args:
        service: what Apprise made of the URL, for this letter alone.
        url: the channel's.
        letter: what is about to be sent.
    """
    scheme = scheme_of(url)
    said = parse_qs(urlsplit(url).query, keep_blank_values=True)
    name = alert_of(letter)
    if scheme in BY_ALIAS:
        _aim_by_alias(service, letter, name)
        return
    if "action" not in said:
        # Some close what they have opened only when they are told to.
        service.action = "map"
    attribute = NAMED_BY.get(scheme, "")
    if attribute and not _is_named(service, attribute):
        setattr(service, attribute, name)


def _is_named(service: Any, attribute: str) -> bool:
    """Tell whether the URL has a name for its alerts."""
    known = getattr(service, attribute)
    if attribute != "entity_id":
        return bool(known)
    # Without one it has one for all that it ever opens.
    return bool(known != f"{service.app_id}/{service.routing_key}")


def _aim_by_alias(service: Any, letter: Letter, name: str) -> None:
    """Let a service open alerts under our name, and close them by it.

    A note to an alert that is not there is lost without a word: what could
    be one is opened as the least of alerts instead.
    """
    if letter.kind in QUIET:
        name = letter.key
        service.priority = LEAST
        for kind, what in service.mapping.items():
            if what == "note":
                service.mapping[kind] = "new"
    service.alias = service.alias or name
    about = (service.entity or service.alias).encode()
    key = hashlib.sha1(about, usedforsecurity=False).hexdigest()[:10]
    service.store.set(key, [service.alias])
    service.__class__ = _by_alias(type(service))


def _by_alias(kind: Any) -> Any:
    """Return a class that asks for alerts by our name of them."""
    asked: Fetch = getattr(kind, FETCH)

    def fetch(
        self: Any, method: Any, url: str, payload: Any, params: Any = None
    ) -> tuple[bool, str | None]:
        """Ask the service for something."""
        params = params and {"identifierType": "alias"}
        return asked(self, method, url, payload, params)

    return type("ByAlias", (kind,), {FETCH: fetch})
