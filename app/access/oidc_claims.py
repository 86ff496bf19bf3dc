"""What a provider's claims mean here: a name, a role and teams."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.access.oidc_settings import OidcSettings
from app.core.errors import Refused
from app.models.account import Role

Claims = Mapping[str, Any]
ALL_TEAMS = "*"
MOST_TEAMS = 100
LONGEST = 255


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom the provider knows.

    Attributes:
        subject: issuer and subject; it never changes.
        name: what they are called there, as it is said, or empty.
        role: what they may do.
        teams: whose incidents they see; none: all. None: set here.
    """

    subject: str
    name: str
    role: Role
    teams: tuple[str, ...] | None


def read_person(settings: OidcSettings, claims: Claims) -> Person:
    """Return whom claims are about.

    Raises:
        Refused: they may not come in.
    """
    role = _role(settings, claims)
    if role is None:
        raise Refused(
            403,
            "no_role",
            "You are in none of the groups that may come in.",
            remedy="Ask an admin: access.oidc.roles says which there are.",
        )
    return Person(
        subject=f"{settings.issuer} {claims['sub']}",
        name=_name(settings, claims),
        role=role,
        teams=_teams(settings, claims, role),
    )


def needs_more(settings: OidcSettings, claims: Claims) -> bool:
    """Tell whether something is not said that the provider can be asked."""
    names = [settings.name_claim, settings.role_claim, settings.teams_claim]
    return any(name and _find(claims, name) is None for name in names)


def _role(settings: OidcSettings, claims: Claims) -> Role | None:
    """Return the highest role of somebody's groups, None for none."""
    given = {settings.default_role} - {""}
    groups = _texts(_find(claims, settings.role_claim))
    given |= {
        role for group, role in settings.roles.items() if group in groups
    }
    return next((r for r in reversed(Role) if r in given), None)


def _name(settings: OidcSettings, claims: Claims) -> str:
    """Return what somebody is called there, empty when it is not said.

    An address that the provider itself does not vouch for is no name:
    policies name people, and anybody could have typed it.
    """
    is_typed = claims.get("email_verified") in (False, "false")
    if settings.name_claim == "email" and is_typed:
        return ""
    found = _find(claims, settings.name_claim)
    return found[:LONGEST] if isinstance(found, str) else ""


def _teams(
    settings: OidcSettings, claims: Claims, role: Role
) -> tuple[str, ...] | None:
    """Return somebody's teams; who has none does not see all by accident."""
    if not settings.teams_claim:
        return None
    teams = sorted(set(_texts(_find(claims, settings.teams_claim))))
    if ALL_TEAMS in teams or (not teams and role is Role.ADMIN):
        return ()
    if not teams or len(teams) > MOST_TEAMS:
        count = len(teams) or "none"
        raise _no_team(settings, f"You are in {count} of the teams.")
    # To leave one out could leave none, and an admin without any sees all.
    if not all(one.isprintable() for one in teams):
        raise _no_team(settings, "One of your teams has no name of one line.")
    return tuple(teams)


def _no_team(settings: OidcSettings, detail: str) -> Refused:
    """Return the refusal of who is in no team that can be told."""
    return Refused(
        403,
        "no_team",
        detail,
        remedy=f"Ask an admin: {settings.teams_claim!r} says which.",
    )


def _find(claims: Claims, name: str) -> Any:
    """Return a claim; a name with points leads into what is nested."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def _texts(found: Any) -> tuple[str, ...]:
    """Return a claim that is a text or a list of texts."""
    if isinstance(found, str):
        return (found,) if found else ()
    if not isinstance(found, list):
        return ()
    return tuple(one for one in found if isinstance(one, str) and one)
