"""A JSON API: every call is bounded, and a failure says whose it was."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.core.egress import Said
from app.core.errors import NotSent, OutgoingFailed
from app.core.jsonapi import Api, ApiSettings, words_of
from tests.programs import free_port
from tests.receiver import Receiver


class Status(msgspec.Struct):
    """What the receiver says."""

    status: str


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """Return a running receiver."""
    with Receiver(tmp_path_factory.mktemp("receiver")) as one:
        yield one


def api(url: str, **more: object) -> Api:
    """Return an API at an address on this machine."""
    tree = {"url": url, "token": "x", "allow": ["127.0.0.0/8"], **more}
    return Api("Thing", ApiSettings.model_validate(tree), {"X-Token": "x"})


def post(one: Api, mode: str) -> int:
    """Return the status of an order."""
    order = {"key": f"sj-{mode}", "word": ""}
    return asyncio.run(one.post(f"/{mode}/job", order)).status


def test_an_answer_has_a_form(receiver: Receiver) -> None:
    """It is read as what it must be, with the query that was asked."""
    one = api(receiver.url)
    said = asyncio.run(one.ask("/find", Status, {"key": "sj-none"}))
    assert said.status == "never_started"
    with pytest.raises(OutgoingFailed, match="Thing: its answer 200"):
        asyncio.run(one.ask("/find", list[int], {"key": "sj-none"}))


@pytest.mark.parametrize("mode", ["huge", "packed", "slow", "hang", "lose"])
def test_an_answer_that_is_none(receiver: Receiver, mode: str) -> None:
    """Too long, too late, packed or cut: it may have arrived."""
    # Too short, and a busy machine has not even sent it by then.
    one = api(receiver.url, timeout_seconds=3.0)
    with pytest.raises(OutgoingFailed, match=r"^Thing: ") as failure:
        post(one, mode)
    assert not isinstance(failure.value, NotSent)


def test_a_redirect_is_an_answer(receiver: Receiver) -> None:
    """It is not followed, and a question takes it for no answer."""
    assert post(api(receiver.url), "redirect") == 302


def test_what_was_certainly_not_sent(receiver: Receiver) -> None:
    """Nobody listens, or the address is not allowed."""
    with pytest.raises(NotSent, match="Thing") as missed:
        post(api(f"http://127.0.0.1:{free_port()}"), "done")
    assert missed.value.may_retry
    with pytest.raises(NotSent, match="allow") as closed:
        post(api(receiver.url, allow=[]), "done")
    assert not closed.value.may_retry


@pytest.mark.parametrize("token", ["", " ", "a\nb", "naïve"])
def test_a_token_that_no_header_can_carry(token: str) -> None:
    """It is refused when it is read, and not shown."""
    settings = ApiSettings(url="http://x", token="y")
    with pytest.raises(ValueError, match="no text for a header"):
        Api("Thing", settings, {"X-Token": token})


def test_a_file_without_certificates(tmp_path: Path) -> None:
    """It is refused when it is read."""
    file = tmp_path / "none.pem"
    file.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match="no certificates"):
        api("https://x", ca_file=str(file))


def test_a_body_is_told_on_one_line(receiver: Receiver) -> None:
    """A page of a proxy does not break a log."""
    order = {"key": "sj-page"}
    said = asyncio.run(api(receiver.url).post("/garbage/job", order))
    assert words_of(said) == "<html>please log in</html>"


@pytest.mark.parametrize("before", [190, 390, 490, 1_990])
def test_a_body_is_not_cut_where_it_would_be_shown(before: int) -> None:
    """A secret across the cut could not be taken out of it any more."""
    secret = "own-hunter2-secret"
    body = f"{'x' * before} {secret} was wrong".encode()
    assert secret in words_of(Said(400, {}, body))
