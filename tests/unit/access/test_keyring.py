"""The keyring: what a token opens, and what it never does."""

from base64 import b64encode

import pytest

from app.access.keyring import MOST_SECONDS, Keyring, read_secret
from app.access.secrets import digest_of
from app.core.errors import Refused, TooBusy
from app.models.account import Account, Caller, Role, Token
from app.store.tokens import Owned
from tests.fakes import FakeClock

SECRET = "sj_one"
DAY = 86_400_000_000


def owned(
    *,
    role: str = "viewer",
    owner_role: str = "admin",
    teams: tuple[str, ...] = (),
    owner_teams: tuple[str, ...] = (),
    sources: tuple[str, ...] = (),
    is_disabled: bool = False,
    ends_at: int | None = None,
) -> Owned:
    """Return a token that is SECRET, with its account."""
    token = Token(
        id=7,
        digest=digest_of(SECRET),
        account_id=3,
        label="tests",
        role=role,
        teams=teams,
        sources=sources,
        created_at=1,
        created_by="ana",
        expires_at=ends_at,
    )
    owner = Account(
        id=3,
        name="robot",
        nature="service",
        role=owner_role,
        teams=owner_teams,
        is_disabled=is_disabled,
    )
    return Owned(token, owner)


def ring(*tokens: Owned, clock: FakeClock | None = None) -> Keyring:
    """Return a keyring that has read some tokens."""
    made = Keyring(clock or FakeClock())
    made.hold(tokens)
    return made


def basic(secret: str) -> bytes:
    """Return a header with a secret as the password."""
    return b"Basic " + b64encode(f"anybody:{secret}".encode())


def test_who_shows_a_token_is_its_account() -> None:
    """The caller signs with the account's name, in the token's role."""
    assert ring(owned(role="responder")).find("Bearer sj_one") == Caller(
        name="robot",
        role=Role.RESPONDER,
        way="token",
        account_id=3,
    )


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer sj_two", "Bearer one", "Digest sj_one", "sj_one"],
)
def test_what_is_no_token_of_ours_is_nobody(header: str) -> None:
    """Others may know it; the keyring does not."""
    assert ring(owned()).find(header) is None


@pytest.mark.parametrize(
    "header",
    [b"bearer sj_one", b"BEARER  sj_one ", basic("sj_one"), basic(" sj_one")],
)
def test_a_token_is_read_as_clients_write_it(header: bytes) -> None:
    """Bearer in any case, or the password of basic authentication."""
    assert read_secret(header) == SECRET


@pytest.mark.parametrize(
    "header",
    [
        b"Basic !!!",
        b"Basic c2o",
        "Basic \u00e9".encode(),
        b"Bearer " + b"x" * 5_000,
        b"\xff\xfe",
        b"",
    ],
)
def test_a_header_that_makes_no_sense_holds_nothing(header: bytes) -> None:
    """Nothing a stranger sends is more than an empty secret."""
    assert not read_secret(header).startswith("sj_")


def test_a_token_is_never_more_than_its_account_is_now() -> None:
    """An account whose role was lowered lowers its tokens with it."""
    keys = ring(owned(role="admin", owner_role="viewer"))
    caller = keys.find("Bearer sj_one")
    assert caller is not None
    assert caller.role is Role.VIEWER


@pytest.mark.parametrize(
    ("teams", "owner_teams", "seen"),
    [
        ((), (), ()),
        (("db",), (), ("db",)),
        ((), ("db", "net"), ("db", "net")),
        (("db", "web"), ("db", "net"), ("db",)),
    ],
)
def test_a_token_sees_what_it_and_its_account_see(
    teams: tuple[str, ...],
    owner_teams: tuple[str, ...],
    seen: tuple[str, ...],
) -> None:
    """It is the teams of both."""
    keys = ring(owned(teams=teams, owner_teams=owner_teams))
    caller = keys.find("Bearer sj_one")
    assert caller is not None
    assert caller.teams == seen


def test_no_team_left_is_not_all_teams() -> None:
    """A token whose teams its account has lost opens nothing."""
    keys = ring(owned(teams=("db",), owner_teams=("net",)))
    assert keys.find("Bearer sj_one") is None


def test_a_disabled_account_has_no_tokens() -> None:
    """They are dead as long as it is disabled."""
    assert ring(owned(is_disabled=True)).find("Bearer sj_one") is None


def test_a_token_ends_on_time_without_another_reading() -> None:
    """Its end needs no look into the database."""
    clock = FakeClock()
    keys = ring(owned(ends_at=clock.now() + 10_000_000), clock=clock)
    assert keys.find("Bearer sj_one") is not None
    clock.advance(10)
    assert keys.find("Bearer sj_one") is None


def test_a_token_of_sources_is_not_one_of_the_api() -> None:
    """It is known, and told so."""
    with pytest.raises(Refused) as caught:
        ring(owned(sources=("zabbix",))).find("Bearer sj_one")
    assert (caught.value.status, caught.value.reason) == (
        403,
        "token_of_sources",
    )


@pytest.mark.parametrize("header", [b"Bearer sj_one", basic("sj_one")])
def test_a_token_of_sources_opens_these(header: bytes) -> None:
    """As a bearer token, or as a password."""
    keys = ring(owned(sources=("zabbix", "grafana")))
    assert keys.opens("zabbix", header)
    assert keys.opens("grafana", header)


@pytest.mark.parametrize("sources", [("zabbix",), ()])
def test_a_token_for_something_else_is_refused(
    sources: tuple[str, ...],
) -> None:
    """Another source's token and one of the API are no way in."""
    with pytest.raises(Refused) as caught:
        ring(owned(sources=sources)).opens("alertmanager", b"Bearer sj_one")
    assert caught.value.status == 403
    assert caught.value.reason == "token_of_another_source"


def test_what_is_no_living_token_is_left_to_the_settings() -> None:
    """A secret of the settings may begin as tokens do."""
    assert not ring().opens("zabbix", b"Bearer sj_settings")
    assert not ring().opens("zabbix", b"Bearer other")


def test_before_the_first_reading_nobody_is_turned_away() -> None:
    """Whoever shows a token is told to come again; others never are."""
    keys = Keyring(FakeClock())
    with pytest.raises(TooBusy):
        keys.find("Bearer sj_one")
    with pytest.raises(TooBusy):
        keys.opens("zabbix", b"Bearer sj_one")
    assert keys.find("Bearer other") is None


def test_what_was_read_long_ago_opens_nothing() -> None:
    """A node that cannot ask whether a token was revoked does not guess."""
    clock = FakeClock()
    keys = ring(owned(), clock=clock)
    clock.advance(MOST_SECONDS)
    assert keys.find("Bearer sj_one") is not None
    clock.advance(1)
    with pytest.raises(TooBusy):
        keys.find("Bearer sj_one")


def test_a_use_is_told_once_a_minute() -> None:
    """Ten thousand calls are one line to write."""
    clock = FakeClock(60_000_000 * 100 + 5)
    keys = ring(owned(), clock=clock)
    assert keys.take_uses() == {}
    for _ in range(3):
        keys.find("Bearer sj_one")
    assert keys.take_uses() == {7: 6_000_000_000}
    keys.find("Bearer sj_one")
    assert keys.take_uses() == {}
    clock.advance(60)
    keys.hold([owned()])
    keys.find("Bearer sj_one")
    assert keys.take_uses() == {7: 6_060_000_000}


def test_a_use_by_a_source_is_told_too() -> None:
    """The door of sources counts as well."""
    keys = ring(owned(sources=("zabbix",)))
    keys.opens("zabbix", b"Bearer sj_one")
    assert list(keys.take_uses()) == [7]
