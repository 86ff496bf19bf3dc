"""Without a secret this machine may send, and no web page that it shows.

A browser posts for any page that is open in it, to this machine as well, and
asks nobody before a plain text is sent. A page can even come by a name of its
own that leads to this machine (DNS rebinding).
"""

import pytest

from app.core.errors import Refused
from tests.unit.ingest.test_auth import delivery, make

HOST = (b"host", b"127.0.0.1:8080")


@pytest.mark.parametrize(
    "headers",
    [
        (HOST, (b"origin", b"https://evil.example")),
        (HOST, (b"origin", b"null")),
        (HOST, (b"origin", b"")),
        (HOST, (b"origin", b"http://127.0.0.1:9090")),
        (HOST, (b"sec-fetch-site", b"cross-site")),
        (HOST, (b"sec-fetch-site", b"same-site")),
        # A name of the stranger that leads here.
        (
            (b"host", b"evil.example:8080"),
            (b"origin", b"http://evil.example:8080"),
            (b"sec-fetch-site", b"same-origin"),
        ),
        ((b"host", b"evil.example"), (b"sec-fetch-site", b"same-origin")),
        ((b"origin", b"http://127.0.0.1:8080"),),
    ],
)
def test_a_strange_page_sends_nothing(
    headers: tuple[tuple[bytes, bytes], ...],
) -> None:
    """It is told so, and nothing is kept."""
    with pytest.raises(Refused) as caught:
        make("none").check(delivery(*headers, peer="127.0.0.1"))
    assert (caught.value.status, caught.value.reason) == (403, "strange_page")


@pytest.mark.parametrize(
    "headers",
    [
        (HOST,),
        # A sender may call this machine by any name.
        ((b"host", b"watch-1.example:8080"),),
        # The page of the API, where people try things.
        (
            HOST,
            (b"origin", b"http://127.0.0.1:8080"),
            (b"sec-fetch-site", b"same-origin"),
        ),
        ((b"host", b"localhost:80"), (b"origin", b"http://localhost:80")),
        ((b"host", b"[::1]:8080"), (b"origin", b"http://[::1]:8080")),
    ],
)
def test_programs_and_our_own_page_may(
    headers: tuple[tuple[bytes, bytes], ...],
) -> None:
    """They come from this machine."""
    make("none").check(delivery(*headers, peer="127.0.0.1"))


@pytest.mark.parametrize(
    "header", [b"via", b"x-real-ip", b"x-forwarded-host", b"x-envoy-peer"]
)
def test_any_sign_of_a_proxy_is_one(header: bytes) -> None:
    """Whatever it writes: behind it there may be the whole world."""
    with pytest.raises(Refused) as caught:
        make("none").check(delivery((header, b"x"), peer="127.0.0.1"))
    assert caught.value.reason == "forwarded"


def test_where_there_is_a_secret_it_counts() -> None:
    """A page does not know it; so nothing else is asked."""
    known = (b"authorization", b"Bearer a-secret")
    page = (b"origin", b"https://grafana.example")
    make("bearer", "a-secret").check(delivery(known, page))
