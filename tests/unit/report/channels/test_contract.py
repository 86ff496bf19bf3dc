"""What every channel promises, against real servers on this machine."""

import asyncio
import hmac
import json
import ssl
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import NotAccepted, OutgoingFailed
from app.core.registry import scan
from app.models.message import Kind, Letter
from app.ports import Channel
from app.report import channels
from app.report.channels.apprise import MOST_AT_ONCE
from tests.certificates import certify
from tests.programs import free_port
from tests.unit.report.channels.receiver import (
    Postbox,
    Receiver,
    collecting,
    receiving,
)
from tests.unit.report.making import letter, make

SECRET = "both-ends-know-this"
TOKEN = "T0kenOfTheSite"
CHANNELS = ("webhook", "apprise")
Ways = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def there() -> Iterator[Receiver]:
    """Give a receiver to all tests of this file."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(params=CHANNELS)
def ways(request: pytest.FixtureRequest, there: Receiver) -> Ways:
    """Give the settings of a channel that posts to a path of the receiver."""
    there.got.clear()
    there.came.clear()
    there.release.clear()

    def webhook(path: str) -> dict[str, Any]:
        """Return our own webhook."""
        return {
            "kind": "webhook",
            "url": there.url + path,
            "secret": SECRET,
            "allow": ["127.0.0.0/8"],
            "timeout_seconds": seconds_for(path),
        }

    def apprise(path: str) -> dict[str, Any]:
        """Return the JSON of Apprise, with a secret in its address."""
        url = f"json://user:{TOKEN}@127.0.0.1:{there.port}{path}"
        seconds = seconds_for(path)
        return {"kind": "apprise", "url": url, "timeout_seconds": seconds}

    return {"webhook": webhook, "apprise": apprise}[request.param]


def seconds_for(path: str) -> int:
    """Return how long to wait: a busy machine is slow to take a call."""
    return 3 if path == "/hang" else 20


def test_every_channel_is_asked() -> None:
    """What the folder scan finds is asked here, whoever added it."""
    assert set(scan(channels)) == set(CHANNELS)


def send(channel: Channel, what: Letter) -> str:
    """Send a letter and wait until it is over."""

    async def whole() -> str:
        """Send it."""
        return await channel.send(what)

    return asyncio.run(whole())


def posted(there: Receiver) -> list[dict[str, Any]]:
    """Return the bodies that came."""
    return [json.loads(body) for _, _, body in there.got]


def test_a_letter_arrives_once_and_whole(
    tmp_path: Path, ways: Ways, there: Receiver
) -> None:
    """What is sent is there, title and text, when send returns."""
    channel = make(tmp_path, {"chat": ways("/ok")})["chat"]
    send(channel, letter(title="[critical] Yours", text="one\ntwo, too"))
    (body,) = posted(there)
    assert body["title"] == "[critical] Yours"
    text = str(body.get("text") or body.get("message"))
    assert text.splitlines() == ["one", "two, too"]


@pytest.mark.parametrize("path", ["/broken", "/close", "/hang"])
def test_nobody_knows_whether_it_arrived(
    tmp_path: Path, ways: Ways, there: Receiver, path: str
) -> None:
    """Errors, a closed line and silence are not final: it is sent again."""
    channel = make(tmp_path, {"chat": ways(path)})["chat"]
    with pytest.raises(OutgoingFailed) as caught:
        send(channel, letter())
    assert not isinstance(caught.value, NotAccepted)
    assert TOKEN not in str(caught.value)
    assert str(caught.value)
    there.release.set()


def test_a_letter_follows_no_redirect(
    tmp_path: Path, ways: Ways, there: Receiver
) -> None:
    """It goes where the settings say, and nowhere else."""
    channel = make(tmp_path, {"chat": ways("/elsewhere")})["chat"]
    with pytest.raises(OutgoingFailed):
        send(channel, letter())
    assert [path for path, _, _ in there.got] == ["/elsewhere"]


def test_nobody_there_can_be_tried_again(tmp_path: Path) -> None:
    """A port where nobody listens is not the end of a letter."""
    port = free_port()
    sections = {
        "one": {
            "kind": "webhook",
            "url": f"http://127.0.0.1:{port}/",
            "secret": SECRET,
            "allow": ["127.0.0.0/8"],
        },
        "two": {"kind": "apprise", "url": f"json://127.0.0.1:{port}/"},
    }
    for channel in make(tmp_path, sections).values():
        with pytest.raises(OutgoingFailed) as caught:
            send(channel, letter())
        assert getattr(caught.value, "may_retry", True)


def test_the_loop_goes_on_while_a_channel_hangs(
    tmp_path: Path, ways: Ways, there: Receiver
) -> None:
    """Others are served while one end is silent."""
    slow = ways("/hang") | {"timeout_seconds": 30}
    both = make(tmp_path, {"slow": slow, "quick": ways("/ok")})

    async def whole() -> bool:
        """Send by the quick one while the slow one waits."""
        waiting = asyncio.create_task(both["slow"].send(letter(key="slow")))
        assert await asyncio.to_thread(there.came.wait, 20)
        await both["quick"].send(letter(key="quick"))
        was_waiting = not waiting.done()
        there.release.set()
        await waiting
        return was_waiting

    assert asyncio.run(whole())


def test_letters_that_hang_are_bounded(
    tmp_path: Path, there: Receiver
) -> None:
    """An end that drips for ever holds some threads, and then no more."""
    there.release.clear()
    url = f"json://127.0.0.1:{there.port}/drip"
    section = {"kind": "apprise", "url": url, "timeout_seconds": 0.5}
    channel = make(tmp_path, {"chat": section})["chat"]

    async def whole() -> list[BaseException | str]:
        """Send as many as may hang at once, and one more."""
        sending = (channel.send(letter()) for _ in range(MOST_AT_ONCE))
        found = await asyncio.gather(*sending, return_exceptions=True)
        found += await asyncio.gather(
            channel.send(letter()), return_exceptions=True
        )
        return found

    *hung, last = asyncio.run(whole())
    there.release.set()
    assert {str(one) for one in hung} == {"no answer in 0.5 s"}
    assert isinstance(last, NotAccepted)
    assert last.may_retry


def test_the_webhook_is_sealed_and_carries_its_key(
    tmp_path: Path, there: Receiver
) -> None:
    """The receiver can prove who sent it, and drop what it has already."""
    there.got.clear()
    sections = {
        "hook": {
            "kind": "webhook",
            "url": there.url + "/ok",
            "secret": "env:HOOK",
            "allow": ["127.0.0.0/8"],
        }
    }
    channel = make(tmp_path, sections, environ={"HOOK": SECRET})["hook"]
    assert send(channel, letter(key="sj-42")) == "m-1"
    send(channel, letter(key="sj-42"))
    (_, first, body), (_, second, again) = there.got
    assert body == again
    assert first["idempotency-key"] == second["idempotency-key"] == "sj-42"
    signed = first["x-smokejumper-timestamp"].encode() + b"." + body
    digest = hmac.new(SECRET.encode(), signed, "sha256").hexdigest()
    assert first["x-smokejumper-signature"] == f"sha256={digest}"
    told = json.loads(body)
    assert told["facts"]["incident"] == 7
    assert told["kind"] == Kind.ESCALATED


@pytest.mark.parametrize(
    ("path", "may_retry", "after"),
    [
        ("/busy", True, 17),
        ("/never", True, 3_600),
        ("/odd", True, 0),
        ("/resting", True, 30),
        ("/gone", False, 0),
        ("/elsewhere", False, 0),
    ],
)
def test_what_the_webhook_hears_is_believed(
    tmp_path: Path, there: Receiver, path: str, may_retry: bool, after: float
) -> None:
    """Later is later, when it says so not before; a refusal is final."""
    section = {
        "kind": "webhook",
        "url": there.url + path,
        "secret": SECRET,
        "allow": ["127.0.0.0/8"],
    }
    channel = make(tmp_path, {"hook": section})["hook"]
    with pytest.raises(NotAccepted) as caught:
        send(channel, letter())
    assert (caught.value.may_retry, caught.value.after_seconds) == (
        may_retry,
        after,
    )
    assert "no, not now" in str(caught.value)


def test_the_webhook_calls_no_inner_address_that_is_not_listed(
    tmp_path: Path, there: Receiver
) -> None:
    """Without allow nothing on this machine is called."""
    there.got.clear()
    section = {"kind": "webhook", "url": there.url + "/ok", "secret": SECRET}
    channel = make(tmp_path, {"hook": section})["hook"]
    with pytest.raises(NotAccepted, match="allow") as caught:
        send(channel, letter())
    assert not caught.value.may_retry
    assert there.got == []


def test_the_webhook_returns_where_the_letter_is(
    tmp_path: Path, there: Receiver
) -> None:
    """The place that the other end names is the reference."""
    section = {
        "kind": "webhook",
        "url": there.url + "/placed",
        "secret": SECRET,
        "allow": ["127.0.0.0/8"],
    }
    channel = make(tmp_path, {"hook": section})["hook"]
    assert send(channel, letter()) == "/letters/7"


def mail(port: int, to: str) -> dict[str, Any]:
    """Return the settings of plain mail to a server of this machine."""
    url = f"mailto://127.0.0.1:{port}/?from=sj@example.org&to={to}"
    return {
        "kind": "apprise",
        "url": f"{url}&mode=insecure",
        "timeout_seconds": 20,
    }


@pytest.fixture(scope="module")
def post() -> Iterator[tuple[int, Postbox]]:
    """Give a mail server and its port."""
    port = free_port()
    with collecting(port) as box:
        yield port, box


def test_mail_arrives_as_plain_text(
    tmp_path: Path, post: tuple[int, Postbox]
) -> None:
    """A mail has the title as subject, and text with every line."""
    port, box = post
    box.mails.clear()
    channel = make(tmp_path, {"mail": mail(port, "ana@example.org")})["mail"]
    said = letter(
        title="[critical] Yours now: caf\u00e9",
        text="one\n  - two <b>bold</b> & more\n\nthree",
    )
    send(channel, said)
    (taken,) = box.mails
    assert taken.rcpt_tos == ["ana@example.org"]
    assert isinstance(taken.content, bytes)
    found = message_from_bytes(taken.content, policy=policy.default)
    assert found["subject"] == "[critical] Yours now: caf\u00e9"
    assert found.get_content_type() == "text/plain"
    assert found.get_content().split() == said.text.split()


@pytest.mark.parametrize("who", ["nobody@example.org", "later@example.org"])
def test_mail_that_is_refused_is_tried_again(
    tmp_path: Path, post: tuple[int, Postbox], who: str
) -> None:
    """Apprise does not say whether a refusal is final, so it is not."""
    port, box = post
    box.mails.clear()
    channel = make(tmp_path, {"mail": mail(port, who)})["mail"]
    with pytest.raises(OutgoingFailed) as caught:
        send(channel, letter())
    assert not isinstance(caught.value, NotAccepted)
    assert box.mails == []


def test_mail_with_starttls_to_a_server_without_it_is_not_sent(
    tmp_path: Path, post: tuple[int, Postbox]
) -> None:
    """What must be encrypted is never sent in the clear."""
    port, box = post
    box.mails.clear()
    section = mail(port, "ana@example.org")
    section["url"] = section["url"].replace("insecure", "starttls")
    channel = make(tmp_path, {"mail": section})["mail"]
    with pytest.raises(OutgoingFailed):
        send(channel, letter())
    assert box.mails == []


@pytest.mark.parametrize("is_trusted", [True, False])
def test_mail_is_handed_over_after_starttls_to_whom_we_trust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_trusted: bool
) -> None:
    """A certificate that nobody signed for gets nothing."""
    file = certify(tmp_path, "localhost")
    sealing = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    sealing.load_cert_chain(file)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    port = free_port()
    section = mail(port, "ana@example.org")
    url = section["url"].replace("insecure", "starttls")
    section["url"] = url.replace("mailto://127.0.0.1", "mailtos://localhost")
    channel = make(tmp_path, {"mail": section})["mail"]
    with collecting(port, sealing) as box:
        if is_trusted:
            send(channel, letter(title="caf\u00e9"))
        else:
            with pytest.raises(OutgoingFailed):
                send(channel, letter())
    assert box.sealed == [True] * is_trusted
