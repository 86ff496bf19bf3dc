"""What claims mean: who may come in, as what, and who may not."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.access.oidc_claims import needs_more, read_person
from app.access.oidc_settings import OidcSettings
from app.core.errors import Refused
from app.models.account import Role

ISSUER = "https://id.example/realms/ops"


def settings(**more: Any) -> OidcSettings:
    """Return settings with two groups that may come in."""
    tree = {
        "issuer": ISSUER,
        "client_id": "c",
        "client_secret": "s",
        "roles": {"oncall": "approver", "staff": "viewer"},
        **more,
    }
    return OidcSettings.model_validate(tree)


def claims(**more: Any) -> dict[str, Any]:
    """Return the claims of somebody who may come in."""
    return {
        "sub": "u-1",
        "preferred_username": "ana",
        "groups": ["staff"],
        **more,
    }


def reason(given: OidcSettings, said: dict[str, Any]) -> str:
    """Return why somebody may not come in."""
    with pytest.raises(Refused) as caught:
        read_person(given, said)
    assert caught.value.status == 403
    return caught.value.reason


def test_a_person_is_known_by_issuer_and_subject() -> None:
    """The name is only what they are called."""
    person = read_person(settings(), claims())
    assert person.subject == f"{ISSUER} u-1"
    assert person.name == "ana"
    assert person.teams is None


@pytest.mark.parametrize(
    ("claim", "verified", "name"),
    [
        ("email", False, ""),
        ("email", "false", ""),
        ("email", True, "kim@corp.example"),
        ("email", None, "kim@corp.example"),
        ("preferred_username", False, "ana"),
    ],
)
def test_an_address_that_nobody_verified_is_no_name(
    claim: str, verified: Any, name: str
) -> None:
    """Policies name people: nobody is called what they only typed."""
    said = claims(email="kim@corp.example", email_verified=verified)
    assert read_person(settings(name_claim=claim), said).name == name


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["staff"], Role.VIEWER),
        (["staff", "oncall"], Role.APPROVER),
        (["oncall", "staff", "other"], Role.APPROVER),
        ("oncall", Role.APPROVER),
    ],
)
def test_the_highest_group_counts(groups: Any, role: Role) -> None:
    """In whatever order they stand, and as a text, too."""
    assert read_person(settings(), claims(groups=groups)).role is role


@pytest.mark.parametrize(
    "groups", [[], ["other"], None, 7, [["oncall"]], {"oncall": 1}, "on"]
)
def test_who_is_in_no_group_stays_out(groups: Any) -> None:
    """Nor does anybody come in whose groups make no sense."""
    assert reason(settings(), claims(groups=groups)) == "no_role"


def test_a_default_role_is_for_everybody_else() -> None:
    """It must be said; a group can only raise it."""
    given = settings(default_role="responder")
    assert read_person(given, claims(groups=[])).role is Role.RESPONDER
    assert read_person(given, claims()).role is Role.RESPONDER
    high = claims(groups=["oncall"])
    assert read_person(given, high).role is Role.APPROVER


def test_a_claim_may_be_nested() -> None:
    """As one well-known provider writes the roles of a realm."""
    given = settings(role_claim="realm_access.roles")
    said = claims(realm_access={"roles": ["oncall"]})
    assert read_person(given, said).role is Role.APPROVER
    assert reason(given, claims(realm_access="x")) == "no_role"


def test_a_claim_may_have_points_in_its_name() -> None:
    """As others write an address as the name."""
    given = settings(role_claim="https://a.example/groups")
    said = {**claims(), "https://a.example/groups": ["oncall"]}
    assert read_person(given, said).role is Role.APPROVER


@pytest.mark.parametrize("name", [None, 5, ["ana"], {}])
def test_a_name_that_makes_no_sense_is_none(name: Any) -> None:
    """Whether an account can have it is ruled when one is made."""
    said = claims(preferred_username=name)
    assert not read_person(settings(), said).name
    long = claims(preferred_username="x" * 5_000)
    assert len(read_person(settings(), long).name) == 255


def test_teams_follow_the_provider_when_they_are_there() -> None:
    """Each once, in one order."""
    given = settings(teams_claim="teams")
    said = claims(teams=["net", "db", "net"])
    assert read_person(given, said).teams == ("db", "net")


@pytest.mark.parametrize("teams", [[], None, {}, [""], 3])
def test_no_team_is_not_all_teams(teams: Any) -> None:
    """Who is in none sees none, not everything."""
    given = settings(teams_claim="teams")
    assert reason(given, claims(teams=teams)) == "no_team"


@pytest.mark.parametrize("team", ["a\0b", "x\ny", "\ud800"])
@pytest.mark.parametrize("role", ["viewer", "admin"])
def test_a_team_that_no_database_holds_is_none(team: str, role: str) -> None:
    """Whoever is in it stays out: left out, an admin would see all."""
    given = settings(teams_claim="teams", roles={"staff": role})
    assert reason(given, claims(teams=[team])) == "no_team"
    assert reason(given, claims(teams=["db", team])) == "no_team"


def test_all_teams_must_be_said() -> None:
    """By a star, or by being an admin."""
    given = settings(teams_claim="teams", roles={"boss": "admin"})
    boss = claims(groups=["boss"])
    assert read_person(given, boss).teams == ()
    assert read_person(given, {**boss, "teams": ["db"]}).teams == ("db",)
    given = settings(teams_claim="teams")
    assert read_person(given, claims(teams=["*", "db"])).teams == ()


def test_the_provider_is_asked_only_for_what_is_missing() -> None:
    """Most write everything into the token."""
    assert not needs_more(settings(), claims())
    assert needs_more(settings(), {"sub": "u-1", "groups": []})
    assert needs_more(settings(teams_claim="teams"), claims())


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://id.example"},
        {"issuer": "id.example"},
        {"scopes": ["profile"]},
        {"roles": {"staff": "king"}},
        {"default_role": "king"},
        {"client_id": ""},
        {"allow": ["nowhere"]},
        {"unknown": 1},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    """Before anybody relies on them."""
    with pytest.raises(ValidationError):
        settings(**wrong)


def test_only_this_machine_may_be_asked_without_https() -> None:
    """For trying it out."""
    assert settings(issuer="http://127.0.0.1:9400").issuer
    assert settings(issuer="http://localhost:9400").issuer
