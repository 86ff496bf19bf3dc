"""Masking: no secret is shown, however the output is cut to pieces."""

import html
import json
import random
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from functools import partial
from urllib.parse import quote, quote_plus

import pytest

from app.act.masking import LINE_CUT, MOST_HELD, Mask, Seam, Secrets

OWN = "own-hunter2-secret"
LINES = (
    "start of the job",
    "Authorization: Negotiate hunter2",
    "Authorization: Bearer abc.hunter2-123456",
    "set-cookie: sid=hunter2; path=/",
    "X-Api-Key: hunter2",
    "password:\nhunter2",
    "DB_PASSWORD\n= hunter2",
    'secret="a\nhunter2"',
    "Bearer\n  hunter2hunter2",
    f"the key {OWN} was used",
    "curl https://bob:hunter2@host/x",
    "token = 'two hunter2'",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.hunter2-DEF_123",
    "-----BEGIN PRIVATE KEY-----\nMIIx\nhunter2\n-----END PRIVATE KEY-----",
    "done: 3 of 4",
    "sha256 " + "0123456789abcdef" * 4,
    "mail to ana@mail.example",
)


def shown(mask: Mask, *pieces: str) -> str:
    """Return all that comes out."""
    return "".join(mask.feed(piece) for piece in pieces) + mask.finish()


@pytest.mark.parametrize("seed", range(300))
def test_pieces_show_what_the_whole_would(seed: int) -> None:
    """Wherever it is cut, the same comes out, and no secret with it."""
    draw = random.Random(seed)
    secrets = Secrets([OWN])
    text = "\n".join(draw.choices(LINES, k=draw.randint(1, 9)))
    pieces = []
    while text:
        size = draw.choice([1, 2, 3, 7, 20, 100])
        pieces.append(text[:size])
        text = text[size:]
    found = shown(Mask(secrets), *pieces)
    assert "hunter2" not in found
    assert found == secrets.hide("".join(pieces))


def test_what_says_something_stays() -> None:
    """Digests and addresses are what a person looks for in an output."""
    text = "\n".join(LINES[-3:])
    assert shown(Mask(Secrets([OWN])), text) == text


def test_a_finished_line_is_shown_at_once() -> None:
    """Whoever follows a job sees each line when it is there."""
    mask = Mask(Secrets())
    assert mask.feed("one\ntwo") == "one\n"
    assert mask.feed("\nthree") == "two\n"
    assert mask.finish() == "three"


@pytest.mark.parametrize("spelled", [OWN, "b3duLWh1bnRlcjItc2VjcmV0"])
def test_our_own_secrets_in_each_spelling(spelled: str) -> None:
    """They are hidden as they are, and as headers carry them."""
    assert spelled not in shown(Mask(Secrets([OWN])), f"a {spelled} b\n")


SPELLINGS: tuple[Callable[[str], str], ...] = (
    json.dumps,
    partial(json.dumps, ensure_ascii=False),
    lambda text: json.dumps(text).replace("/", r"\/"),
    lambda text: json.dumps(json.dumps({"x": text})),
    quote,
    lambda text: quote(text, safe="").lower(),
    quote_plus,
    html.escape,
    partial(html.escape, quote=False),
)


@pytest.mark.parametrize("own", ['pa"ss\\hunter2/+é&', "pa/ss hunter2=="])
@pytest.mark.parametrize("spell", SPELLINGS)
def test_our_own_secrets_as_programs_write_them(
    own: str, spell: Callable[[str], str]
) -> None:
    """Within JSON, an address or a page they are spelled otherwise."""
    found = shown(Mask(Secrets([own])), f"a {spell(own)} b\n")
    assert "hunter2" not in found
    assert found.startswith("a ")


@pytest.mark.parametrize("packed", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", "\n", "xy", "xyz"])
def test_our_own_secrets_packed_with_something_else(
    packed: Callable[[bytes], bytes], before: str, after: str
) -> None:
    """What stands beside one in the same packing moves all its letters."""
    own = "hunter2-???>>>-hunter2"
    text = packed(f"{before}{own}{after}".encode()).decode()
    found = shown(Mask(Secrets([own])), f'"auth": "{text}"\n')
    left = found.replace("(SECRET)", "").removeprefix('"auth": "')
    assert "(SECRET)" in found
    assert len(left) <= 4 * len(before + after) // 3 + 10


def test_our_own_secret_of_two_lines() -> None:
    """Its first line alone is not shown, as the second may follow."""
    secrets = Secrets(["first hunter2\nsecond hunter2"])
    found = shown(Mask(secrets), "a first hunter2\n", "second hunter2 b\n")
    assert found == "a (SECRET) b\n"


def test_a_short_secret_does_not_take_words_away() -> None:
    """What is part of every word cannot be hidden."""
    assert shown(Mask(Secrets(["a"])), "a bad day\n") == "a bad day\n"


def test_a_long_line_is_cut_where_nothing_is_torn() -> None:
    """It comes out whole, and a secret in it does not."""
    words = " ".join(["word"] * 2_000 + [OWN] + ["word"] * 6_000)
    mask = Mask(Secrets([OWN]))
    pieces = [words[at : at + 1_000] for at in range(0, len(words), 1_000)]
    early = mask.feed("".join(pieces[:20]))
    assert early
    found = early + shown(mask, *pieces[20:])
    assert found == Secrets([OWN]).hide(words)


def test_a_line_without_a_break_is_left_out() -> None:
    """What could be one long secret is not shown."""
    assert Mask(Secrets()).feed("x" * (MOST_HELD + 1)) == LINE_CUT


def test_the_rest_of_a_line_without_a_break_is_left_out() -> None:
    """It may be the second half of what the first one ended within."""
    mask = Mask(Secrets([OWN]))
    assert mask.feed("x" * (MOST_HELD + 1) + OWN[:-4]) == LINE_CUT
    assert mask.seam is Seam.LINE
    assert mask.feed(f"{OWN[-4:]}\nnext\n") == f"{LINE_CUT}next\n"


def test_a_key_that_does_not_end_is_not_shown() -> None:
    """Neither its beginning, nor its middle, nor its end."""
    mask = Mask(Secrets())
    middle = "hunter2\n" * 4_000
    pieces = ["-----BEGIN PRIVATE KEY-----\n", middle, middle, "hunter2"]
    assert "hunter2" not in shown(mask, *pieces)
    mask = Mask(Secrets())
    found = shown(mask, *pieces, "\n-----END PRIVATE KEY-----\nafter\n")
    assert "hunter2" not in found
    assert found.endswith("after\n")


@pytest.mark.parametrize("piece", ["=", ":\n", "\n", "password ", "a" * 99])
def test_no_output_makes_it_slow(piece: str) -> None:
    """Long repetitions end; a rule that explodes would hang here."""
    mask = Mask(Secrets([OWN]))
    for _ in range(20):
        mask.feed(piece * 1_000)
    assert isinstance(mask.finish(), str)
