"""What an alert says stays plain text in a chat, whatever its marks are."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.report.channels.receiver import Receiver, receiving
from tests.unit.report.making import letter, make


@pytest.fixture
def there() -> Iterator[Receiver]:
    """Give a receiver that plays the chats."""
    with receiving() as receiver:
        yield receiver


def test_no_alert_calls_everybody_in_a_chat(
    tmp_path: Path, there: Receiver
) -> None:
    """Words that wake up a whole channel are broken; the rest is left."""
    url = f"json://127.0.0.1:{there.port}/ok"
    channel = make(tmp_path, {"chat": {"kind": "apprise", "url": url}})["chat"]
    text = "@everyone <!channel> <@U1> ana@example.org @hereford a < b"
    asyncio.run(channel.send(letter(title="@here", text=text)))
    body = json.loads(there.got[0][2])
    assert body["title"] == "@\u200bhere"
    assert body["message"].split() == [
        "@\u200beveryone",
        "<\u200b!channel>",
        "<\u200b@U1>",
        *text.split()[3:],
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # Mattermost: in any letters; Zulip; Feishu; Google Chat.
        ("@Channel @ALL", "@\u200bChannel @\u200bALL"),
        ("@**all** @*sre*", "@\u200b**all** @\u200b*sre*"),
        ('<at user_id="all">a</at>', '<\u200bat user_id="all">a</at>'),
        ("<users/all>", "<\u200busers/all>"),
        # An address that nobody reads, and a picture that is fetched.
        ("[question 7](https://evil.example)", "[question 7]\u200b("),
        ("![](https://evil.example/x.png)", "![]\u200b("),
        ("a < b, <attr>, f[0] (x), @alle", "a < b, <attr>, f[0] (x), @alle"),
    ],
)
def test_an_alert_writes_no_chat_of_its_own(
    tmp_path: Path, there: Receiver, text: str, shown: str
) -> None:
    """Each kind of chat has marks of its own; what has none is left."""
    url = f"mmost://127.0.0.1:{there.port}/abcdefghijklmnopqrstuvwx"
    channel = make(tmp_path, {"chat": {"kind": "apprise", "url": url}})["chat"]
    asyncio.run(channel.send(letter(title="plain", text=text)))
    body = json.loads(there.got[0][2])
    assert shown in body["text"]


def test_a_letter_in_pieces_is_over_in_its_time(
    tmp_path: Path, there: Receiver
) -> None:
    """What arrived is not called lost: it would be sent again for hours."""
    token = "abcdefghijklmnopqrst/abcdefghijklmnopqrstuvwxyz"
    url = f"rocket://{token}@127.0.0.1:{there.port}/#ops?mode=webhook"
    settings = {"kind": "apprise", "url": url, "timeout_seconds": 10}
    channel = make(tmp_path, {"chat": settings})["chat"]
    text = "\n".join(f"line {n:03} {'x' * 60}" for n in range(40))
    asyncio.run(channel.send(letter(title="plain", text=text)))
    bodies = [json.loads(body)["text"] for _, _, body in there.got]
    assert len(bodies) >= 3
    assert "line 000" in bodies[0]
    assert "line 039" in bodies[-1]
