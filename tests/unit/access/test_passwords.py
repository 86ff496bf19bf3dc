"""What may be a password, and what is kept of it."""

import asyncio
import hashlib
from base64 import b64encode

import pytest

from app.access import passwords
from app.access.passwords import (
    Hasher,
    check_password,
    hash_password,
    is_weak,
    make_decoy,
    matches,
)
from app.core.errors import Refused, TooBusy
from tests.unit.access.rooms import PASSWORD

KEPT = hash_password(PASSWORD)


def weak(cost: int = 2**10) -> str:
    """Return what a release with less care would have kept."""
    salt = b"salt" * 4
    key = hashlib.scrypt(
        PASSWORD.encode(), salt=salt, n=cost, r=8, p=1, dklen=32
    )
    parts = [b64encode(salt).decode(), b64encode(key).decode()]
    return "$".join(["scrypt", str(cost), "8", "1", *parts])


def test_only_the_password_matches() -> None:
    """Nothing of it is in what is kept, and each has its own salt."""
    assert matches(PASSWORD, KEPT)
    assert not matches(PASSWORD + " ", KEPT)
    assert not matches("", KEPT)
    assert PASSWORD not in KEPT
    assert KEPT.startswith("scrypt$32768$8$1$")


def test_each_has_a_salt_of_its_own() -> None:
    """The same password is kept as another text."""
    assert hash_password(PASSWORD) != KEPT


def test_the_same_text_of_another_keyboard_matches() -> None:
    """One sign, or a letter and its dots."""
    assert matches(
        "u\u0308bermut tut selten gut",
        hash_password("\u00fcbermut tut selten gut"),
    )


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "plain",
        "argon2$1$2$3$a$b",
        "scrypt$32768$8$1$salt",
        "scrypt$x$8$1$c2FsdA==$a2V5",
        "scrypt$32768$8$1$!!$!!",
        "scrypt$3$8$1$c2FsdA==$a2V5",
        # Would take 8 GiB.
        "scrypt$8388608$8$1$c2FsdA==$a2V5",
    ],
)
def test_what_is_no_hash_matches_nothing(kept: str) -> None:
    """Nor does it crash, or take the machine's memory."""
    assert not matches(PASSWORD, kept)


def test_the_parameters_can_be_raised() -> None:
    """What was kept with less still matches, and is known for it."""
    assert matches(PASSWORD, weak())
    assert is_weak(weak())
    assert not is_weak(KEPT)


def test_a_decoy_matches_nothing_at_the_same_price() -> None:
    """It has the parameters of today, and no password."""
    decoy = make_decoy()
    assert not is_weak(decoy)
    assert not matches(PASSWORD, decoy)
    assert decoy != make_decoy()


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "eleven char",
        "x" * 1_001,
        "passwordpassword",
        "PasswordPassword",
        "aaaaaaaaaaaaaaaa",
        "abababababab",
        "smokejumper123",
        "anastasia.meyer",
        "Anastasia.Meyer1",
        "anastasia.meyer2026!",
    ],
)
def test_what_is_tried_first_is_no_password(password: str) -> None:
    """Nor what is too short or one's own name."""
    with pytest.raises(Refused) as caught:
        check_password(password, "anastasia.meyer")
    assert caught.value.status == 422
    assert caught.value.reason == "weak_password"
    assert caught.value.field == "password"
    assert not password or password not in str(caught.value)


@pytest.mark.parametrize(
    "password",
    [PASSWORD, "x" * 8 + "yzab", "correct horse battery", "ä" * 7 + "öüßéà"],
)
def test_a_sentence_will_do(password: str) -> None:
    """There is no rule about signs."""
    check_password(password, "ana")


def test_few_hash_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of logins takes two threads, and is refused beyond."""
    monkeypatch.setattr(passwords, "MOST_WAITING", 3)

    async def flood() -> list[object]:
        """Sign in five times at once."""
        hasher = Hasher()
        tries = [hasher.matches(PASSWORD, weak()) for _ in range(5)]
        return list(await asyncio.gather(*tries, return_exceptions=True))

    done = asyncio.run(flood())
    assert done.count(True) == 3
    assert sum(isinstance(one, TooBusy) for one in done) == 2


def test_there_is_room_again_afterwards() -> None:
    """Also after one that failed."""

    async def twice() -> str:
        """Hash, after a try with what is no text."""
        hasher = Hasher()
        assert not await hasher.matches(PASSWORD, "nothing")
        assert hasher._waiting == 0
        return await hasher.hash(PASSWORD)

    assert matches(PASSWORD, asyncio.run(twice()))
