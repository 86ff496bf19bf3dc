"""Making and revoking tokens, on both databases."""

from collections.abc import Iterator

import msgspec
import pytest

from app.access.keyring import Keyring
from app.access.secrets import digest_of
from app.access.tokens import DAY, MOST_LIVE, Made, Order, Tokens
from app.core.errors import Refused
from app.models.account import Account, Caller, Role
from app.store import tokens as store
from app.store.accounts import add_account, save_account
from app.store.ledger import Ledger
from app.store.location import Location
from app.store.log import ENTRY
from tests.fakes import FakeClock

CLOCK = FakeClock()
BOSS = Caller(name="ana", role=Role.ADMIN, way="session")
TOKENS = Tokens(CLOCK, ["alertmanager", "zabbix"])


@pytest.fixture
def ledger(location: Location) -> Iterator[Ledger]:
    """Return the way to write, with one service account in the store."""
    made = Ledger(location, 5.0)
    account = Account(name="robot", nature="service", role="responder")
    with made.turn() as connection:
        assert add_account(connection, account).id == 1
    yield made
    made.close()


def make(ledger: Ledger, caller: Caller = BOSS, **more: object) -> Made:
    """Make a token of the account."""
    wish = {"account": 1, "label": "tests", **more}
    order = msgspec.convert(wish, Order)
    with ledger.turn() as connection:
        return TOKENS.make(connection, order, caller)


def refusal(
    ledger: Ledger, caller: Caller = BOSS, **more: object
) -> tuple[int, str]:
    """Return why no token is made; nothing must be written."""
    with pytest.raises(Refused) as caught:
        make(ledger, caller, **more)
    with ledger.turn() as connection:
        assert store.count_live(connection, CLOCK.now()) == 0
        assert connection.execute(ENTRY.select()).all() == []
    return caught.value.status, caught.value.reason


def held(ledger: Ledger, now: int | None = None) -> Keyring:
    """Return a keyring that holds what the store has."""
    keys = Keyring(CLOCK)
    with ledger.turn() as connection:
        keys.hold(store.find_live(connection, now or CLOCK.now()))
    return keys


def test_a_token_opens_what_was_asked_for(ledger: Ledger) -> None:
    """What is shown once comes in as the account."""
    made = make(ledger, role="responder", teams=("db",))
    assert made.owner == "robot"
    assert made.secret.startswith("sj_")
    assert len(made.secret) >= 43
    caller = held(ledger).find(f"Bearer {made.secret}")
    assert caller == Caller(
        name="robot",
        role=Role.RESPONDER,
        teams=("db",),
        way="token",
        account_id=1,
    )


def test_two_tokens_are_two(ledger: Ledger) -> None:
    """Each is random."""
    assert make(ledger).secret != make(ledger).secret


def test_the_store_and_the_log_never_hold_a_token(ledger: Ledger) -> None:
    """Only what it digests to is kept, and the log has not even that."""
    made = make(ledger, sources=("zabbix",))
    with ledger.turn() as connection:
        rows = str(connection.execute(store.TOKEN.select()).all())
        entries = str(connection.execute(ENTRY.select()).all())
    assert made.secret not in rows + entries
    assert made.secret.removeprefix("sj_") not in rows + entries
    assert digest_of(made.secret) in rows
    assert digest_of(made.secret) not in entries


def test_a_token_lives_as_long_as_was_asked(ledger: Ledger) -> None:
    """Ninety days when nothing is said, for ever only when that is said."""
    now = CLOCK.now()
    assert make(ledger).token.expires_at == now + 90 * DAY
    assert make(ledger, days=1).token.expires_at == now + DAY
    assert make(ledger, days=None).token.expires_at is None
    with ledger.turn() as connection:
        assert store.count_live(connection, now) == 3
        assert store.count_live(connection, now + DAY) == 2
        assert store.count_live(connection, now + 4_000 * DAY) == 1
        live = store.find_live(connection, now + 4_000 * DAY)
    assert [one.token.expires_at for one in live] == [None]


def test_what_may_not_be_is_refused(ledger: Ledger) -> None:
    """Unknown accounts and sources, and more than the account itself."""
    assert refusal(ledger, account=99) == (404, "not_found")
    assert refusal(ledger, role="approver") == (422, "wrong_role")
    assert refusal(ledger, sources=("nobody",)) == (422, "wrong_sources")
    assert refusal(ledger, sources=("zabbix",), role="responder") == (
        422,
        "wrong_role",
    )


def test_nobody_gives_more_than_they_have(ledger: Ledger) -> None:
    """A maker's own role and teams are the bound as well."""
    low = Caller(name="eve", role=Role.VIEWER, way="session")
    assert refusal(ledger, low, role="responder") == (403, "role_too_high")
    narrow = Caller(name="eve", role=Role.ADMIN, teams=("db",), way="session")
    assert refusal(ledger, narrow) == (403, "teams_too_high")
    assert refusal(ledger, narrow, teams=("db", "net")) == (
        403,
        "teams_too_high",
    )
    assert make(ledger, narrow, teams=("db",)).token.teams == ("db",)


def test_a_token_stays_within_its_accounts_teams(ledger: Ledger) -> None:
    """A team that the account does not see is refused."""
    with ledger.turn() as connection:
        account = Account(name="net", nature="service", teams=("net",))
        number = add_account(connection, account).id
    assert refusal(ledger, account=number, teams=("db",)) == (
        422,
        "wrong_teams",
    )


def test_a_disabled_account_gets_none_and_has_none(ledger: Ledger) -> None:
    """Its tokens are dead with it, and alive again with it."""
    made = make(ledger)
    with ledger.turn() as connection:
        token = store.find_token(connection, made.token.id)
        assert token == made.token
        account = Account(id=1, name="robot", nature="service")
        gone = msgspec.structs.replace(account, is_disabled=True)
        save_account(connection, gone)
    assert held(ledger).find(f"Bearer {made.secret}") is None
    with pytest.raises(Refused, match="disabled"):
        make(ledger)
    with ledger.turn() as connection:
        save_account(connection, account)
    assert held(ledger).find(f"Bearer {made.secret}") is not None


def test_a_revoked_token_is_dead(ledger: Ledger) -> None:
    """Once and for all; a second time changes nothing."""
    made = make(ledger)
    with ledger.turn() as connection:
        first = TOKENS.revoke(connection, made.token.id, BOSS)
    with ledger.turn() as connection:
        second = TOKENS.revoke(connection, made.token.id, BOSS)
        kinds = [row.kind for row in connection.execute(ENTRY.select())]
    assert first.token.revoked_at == CLOCK.now()
    assert second.token == first.token
    assert kinds == ["token.created", "token.revoked"]
    assert held(ledger).find(f"Bearer {made.secret}") is None


def test_there_is_no_token_to_revoke(ledger: Ledger) -> None:
    """An unknown number is told."""
    with ledger.turn() as connection, pytest.raises(Refused) as caught:
        TOKENS.revoke(connection, 5, BOSS)
    assert caught.value.status == 404


def test_the_log_says_what_changed(ledger: Ledger) -> None:
    """Who, what, and the difference."""
    made = make(ledger, label="the lab", sources=("zabbix",))
    with ledger.turn() as connection:
        TOKENS.revoke(connection, made.token.id, BOSS)
        rows = connection.execute(ENTRY.select().order_by(ENTRY.c.id)).all()
    bodies = [msgspec.json.decode(row.body) for row in rows]
    assert {row.actor for row in rows} == {"person:ana"}
    assert "the lab" in rows[0].summary
    assert bodies[0]["before"] == {}
    assert bodies[0]["after"]["sources"] == ["zabbix"]
    assert bodies[0]["after"] == bodies[1]["before"]
    assert bodies[1]["before"]["revoked_at"] is None
    assert bodies[1]["after"]["revoked_at"]


def test_there_is_a_most(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them are in memory, so there are not many; dead ones are not."""
    assert MOST_LIVE == 1_000
    monkeypatch.setattr("app.access.tokens.MOST_LIVE", 2)
    first = make(ledger)
    make(ledger)
    with pytest.raises(Refused) as caught:
        make(ledger)
    assert caught.value.reason == "too_many_tokens"
    with ledger.turn() as connection:
        TOKENS.revoke(connection, first.token.id, BOSS)
    make(ledger)


def test_uses_are_written_and_never_go_back(ledger: Ledger) -> None:
    """Another node may have seen it later."""
    number = make(ledger).token.id
    with ledger.turn() as connection:
        store.note_uses(connection, {number: 500})
        store.note_uses(connection, {number: 400})
        store.note_uses(connection, {})
        token = store.find_token(connection, number)
    assert token is not None
    assert token.used_at == 500


def test_tokens_are_listed_in_pages(ledger: Ledger) -> None:
    """Newest first, of one account or of all, the dead ones too."""
    with ledger.turn() as connection:
        other = add_account(connection, Account(name="b", nature="service"))
    for account in (1, other.id, 1):
        make(ledger, account=account)
    with ledger.turn() as connection:
        TOKENS.revoke(connection, 1, BOSS)
        every = store.find_page(connection, account=None, before=None, limit=9)
        mine = store.find_page(connection, account=1, before=None, limit=9)
        older = store.find_page(connection, account=None, before=3, limit=1)
    assert [(one.token.id, one.owner) for one in every] == [
        (3, "robot"),
        (2, "b"),
        (1, "robot"),
    ]
    assert [one.token.id for one in mine] == [3, 1]
    assert [one.token.id for one in older] == [2]
