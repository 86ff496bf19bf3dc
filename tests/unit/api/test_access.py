"""Who may do what through the API, and whose name is under it."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from pydantic import BaseModel
from starlette.requests import Request
from starlette.types import Message

from app.access.asked import peer_of
from app.access.keyring import MOST_SECONDS, Keyring
from app.access.secrets import digest_of
from app.api import hub
from app.api.access import (
    Allow,
    Watch,
    author_of,
    caller_of,
    require,
    signed,
    to_asked,
)
from app.api.stream import EventStream
from app.core.errors import Refused
from app.models.account import Account, Caller, Role, Token
from app.store.location import Location
from app.store.reading import open_engine
from app.store.tail import Tail
from app.store.tokens import Owned
from tests.schema import make_sqlite
from tests.unit.access.rooms import HERE, Node

ANA = Caller(name="ana", role=Role.APPROVER, way="session")
NOBODY = Caller(name="", role=Role.ADMIN, way="local")


class Body(BaseModel):
    """What somebody says."""

    author: str = ""
    text: str = "hello"


def asked(peer: str | None = "127.0.0.1", **headers: str) -> Request:
    """Return a request from somewhere; names are written with _."""
    raw = {"host": HERE} | headers
    return Request(
        {
            "type": "http",
            "method": "GET",
            "client": None if peer is None else (peer, 50_000),
            "headers": [
                (name.replace("_", "-").encode(), value.encode("latin-1"))
                for name, value in raw.items()
            ],
        }
    )


def test_what_a_stranger_says_of_their_address_does_not_count() -> None:
    """Some proxies add a line of their own after those that came."""
    request = asked("10.0.0.1", x_forwarded_for="6.6.6.6")
    request.scope["headers"].append((b"X-Forwarded-For", b"192.0.2.7"))
    assert peer_of(to_asked(request), trust_proxy=True) == "192.0.2.7"


def test_an_old_version_is_told() -> None:
    """Only proxies still speak it."""
    request = asked()
    assert to_asked(request).version == "1.1"
    request.scope["http_version"] = "1.0"
    assert to_asked(request).version == "1.0"


@pytest.fixture
def location(tmp_path: Path) -> Location:
    """Return an empty database."""
    return make_sqlite(tmp_path / "a.db")


def refusal(
    location: Location, request: Request, *tokens: str
) -> tuple[int, str, str] | None:
    """Return why a request is refused, None when it may be an admin's."""
    node = Node(location, tokens=tokens)
    try:
        caller = asyncio.run(Allow(node.gate, Role.ADMIN)(request))
    except Refused as error:
        return error.status, error.reason, error.field
    finally:
        node.close()
    assert asyncio.run(caller_of(request)) is caller
    return None


@pytest.mark.parametrize(
    "value",
    ["Bearer first", "bearer second", "BEARER first", "bEaReR second"],
)
def test_any_of_the_tokens_may_do_all(location: Location, value: str) -> None:
    """From anywhere, and whatever the page."""
    request = asked("192.0.2.7", host="evil.example", authorization=value)
    assert refusal(location, request, "first", "second") is None


@pytest.mark.parametrize(
    "value",
    [
        "Bearer",
        "Bearer ",
        "Bearer fir",
        "Bearer firsts",
        "Bearer FIRST",
        "Bearer first ",
        "Bearer  first",
        "Bearer first second",
        "Bearer f\xefrst",
    ],
)
def test_another_token_may_not(location: Location, value: str) -> None:
    """Not even on this machine."""
    request = asked(authorization=value)
    why = (401, "wrong_token", "authorization")
    assert refusal(location, request, "first", "second") == why


@pytest.mark.parametrize("value", ["", "first", "Basic first"])
def test_what_is_no_token_is_nobody(location: Location, value: str) -> None:
    """This machine alone is not enough when tokens are set."""
    request = asked(authorization=value)
    why = (401, "not_signed_in", "authorization")
    assert refusal(location, request, "first") == why


def test_this_machine_may_do_all_while_nobody_else_can(
    location: Location,
) -> None:
    """Who has no address is not this machine."""
    assert refusal(location, asked()) is None
    why = (401, "not_signed_in", "authorization")
    assert refusal(location, asked(None)) == why
    assert refusal(location, asked("192.0.2.7")) == why


def test_a_token_may_be_any_text_of_the_settings(location: Location) -> None:
    """A client sends the bytes that the settings have: UTF-8."""
    sent = "Bearer schlüssel".encode().decode("latin-1")
    assert refusal(location, asked(authorization=sent), "schlüssel") is None


@pytest.mark.parametrize("has", Role)
@pytest.mark.parametrize("needed", Role)
def test_each_role_may_what_those_before_it_may(
    has: Role, needed: Role
) -> None:
    """And nothing else."""
    order = ["viewer", "responder", "approver", "admin"]
    caller = Caller(name="ana", role=has, way="session")
    may = order.index(has.value) >= order.index(needed.value)
    if may:
        require(caller, needed)
        return
    with pytest.raises(Refused) as caught:
        require(caller, needed)
    assert (caught.value.status, caught.value.field) == (403, "role")
    assert caught.value.reason == "role_too_low"


def test_who_is_signed_in_signs() -> None:
    """Whether they say so or not."""
    assert author_of(ANA, "") == author_of(ANA, "ana") == "ana"
    assert signed(Body(), ANA).author == "ana"
    assert signed(Body(text="x"), ANA).text == "x"


def test_nobody_signs_for_another() -> None:
    """Not even an admin."""
    with pytest.raises(Refused) as caught:
        signed(Body(author="ben"), ANA)
    assert caught.value.status == 403
    assert caught.value.reason == "not_you"
    assert caught.value.field == "author"


def test_who_has_no_name_says_it() -> None:
    """This machine, and the tokens of the settings."""
    assert author_of(NOBODY, "ben") == "ben"
    with pytest.raises(Refused) as caught:
        author_of(NOBODY, "")
    assert caught.value.status == 422
    assert caught.value.reason == "wrong_parameter"
    assert caught.value.field == "body.author"


def test_what_lasts_ends_with_the_right_to_it(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked at again, and who may no longer is shut out."""
    monkeypatch.setattr("app.api.access.WATCH_SECONDS", 0.0)

    async def watch() -> list[bool]:
        """Listen with a token, then without."""
        request = asked("192.0.2.7", authorization="Bearer first")
        node = Node(location, tokens=("first",))
        await Allow(node.gate, Role.VIEWER)(request)
        watched = Watch(node.gate, request)
        said = [await watched.holds(), watched.is_shut_out]
        node.gate._tokens = []
        said += [await watched.holds(), watched.is_shut_out]
        node.close()
        return said

    assert asyncio.run(watch()) == [True, False, False, True]


def test_a_stream_breaks_off_while_nobody_knows_who_may_listen(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tokens cannot be read for too long: that is no bug of ours."""
    monkeypatch.setattr("app.api.access.WATCH_SECONDS", 0.0)
    monkeypatch.setattr(hub, "BEAT_SECONDS", 0.01)
    ana = Account(id=1, name="ana", role=Role.VIEWER.value)
    token = Token(
        id=1,
        digest=digest_of("sj_a"),
        account_id=1,
        label="test",
        role=Role.VIEWER.value,
        created_at=1,
        created_by="test",
    )
    sent: list[Message] = []

    async def listen() -> None:
        """Listen with a token until it is over."""
        node = Node(location)
        keys = Keyring(node.clock)
        keys.hold([Owned(token, ana)])
        node.gate.admit(keys.find)
        request = asked("192.0.2.7", authorization="Bearer sj_a")
        await Allow(node.gate, Role.VIEWER)(request)
        tail = Tail(open_engine(location, 5.0))
        ours = hub.Hub(tail, 1, hub.Meters(CollectorRegistry()))
        position, first = await ours.start(None)
        listener = ours.enter(hub.EVERYTHING, position)
        stream = EventStream(ours, listener, first, Watch(node.gate, request))
        node.clock.advance(MOST_SECONDS + 1)

        async def send(message: Message) -> None:
            """Note what is sent."""
            sent.append(message)

        async def receive() -> Message:
            """Say nothing, as a browser that listens."""
            return await asyncio.Future()

        async with asyncio.timeout(20):
            await stream({"type": "http"}, receive, send)
        assert listener.is_over
        tail.close()
        node.close()

    asyncio.run(listen())
    assert sent[0]["status"] == 200
