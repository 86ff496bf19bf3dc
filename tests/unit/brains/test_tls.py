"""A model server by https: who signs for it must be known."""

import asyncio
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import BrainFailed
from app.core.line import ONLY_TO
from app.core.registry import scan
from app.decide import brains
from app.models.choice import Choice
from tests.certificates import certify
from tests.models.fake_openai import FakeOpenAI, completion
from tests.unit.brains.making import FakeEnv, make_case, make_menu

NAMES = ("ollama", "openai", "systemone")
CASE = make_case()
MENU = make_menu(CASE)
CALL = json.dumps({"name": "escalate", "arguments": {}})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FakeOpenAI]:
    """Run an endpoint with a certificate that nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certify(tmp_path, "localhost"))
    fake = FakeOpenAI(completion(CALL))
    listening = fake._server.socket
    fake._server.socket = context.wrap_socket(listening, server_side=True)
    with fake:
        yield fake


def decide(name: str, url: str) -> Choice:
    """Return what a brain chooses."""
    env = FakeEnv(name, {"url": url, "model": "m"})
    if name == "ollama":
        env.written["enabled"] = True
    brain = scan(brains)[name](env)
    assert brain is not None
    choice: Choice = asyncio.run(brain.decide(CASE, MENU))
    return choice


def address(server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address by the name in the certificate."""
    netloc = f"localhost:{server.netloc.rpartition(':')[2]}"
    monkeypatch.setenv(ONLY_TO, netloc)
    return f"https://{netloc}/v1"


@pytest.mark.parametrize("name", NAMES)
def test_who_is_not_trusted_is_not_called_absent(
    name: str, server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To start it once more would not help."""
    with pytest.raises(BrainFailed, match="not trusted: self") as caught:
        decide(name, address(server, monkeypatch))
    assert "SSL_CERT_FILE" in caught.value.remedy
    assert server.asked == []


@pytest.mark.parametrize("name", NAMES)
def test_who_speaks_no_tls_is_not_called_absent(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address begins with one letter too many."""
    with (
        FakeOpenAI(completion(CALL)) as plain,
        pytest.raises(BrainFailed, match="does not speak TLS") as caught,
    ):
        decide(name, address(plain, monkeypatch))
    assert "Correct the address" in caught.value.remedy


def test_who_signs_may_be_named(
    server: FakeOpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the remedy says."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
    choice = decide("openai", address(server, monkeypatch))
    assert choice.action == "escalate"
