"""What a request says of who asks, header by header."""

from collections.abc import Callable

import msgspec
import pytest

from app.access.asked import (
    Asked,
    check_local,
    check_page,
    check_session,
    is_secure,
    peer_of,
)
from app.core.errors import Refused
from tests.unit.access.rooms import HERE, asked

URL = "https://jump.example"


def refusal(check: Callable[[], None]) -> tuple[int, str, str] | None:
    """Return why a check refuses, None when it does not."""
    try:
        check()
    except Refused as error:
        return error.status, error.reason, error.field
    return None


def locally(request: Asked) -> tuple[int, str, str] | None:
    """Return why a request is not this machine's own."""
    return refusal(lambda: check_local(request))


def paged(request: Asked, url: str = "") -> tuple[int, str, str] | None:
    """Return why a request is not of one of our pages."""
    return refusal(lambda: check_page(request, url))


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.10", "::1"])
def test_this_machine_is_here(peer: str) -> None:
    """All addresses of it are it."""
    assert locally(asked(peer)) is None


@pytest.mark.parametrize(
    "peer", ["192.0.2.7", "0.0.0.0", "::", "10.0.0.1", "", "unix"]
)
def test_another_machine_is_not(peer: str) -> None:
    """Nor who has no address."""
    assert locally(asked(peer)) == (401, "not_signed_in", "authorization")


@pytest.mark.parametrize(
    "headers",
    [
        {"x_forwarded_for": "192.0.2.7"},
        {"x_forwarded_for": ""},
        {"X_Forwarded_For": "127.0.0.1"},
        {"forwarded": "for=192.0.2.7"},
        {"Forwarded": "for=127.0.0.1"},
        {"x_forwarded_host": "jump.example"},
        {"X_Forwarded_Proto": "https"},
        {"x_real_ip": "192.0.2.7"},
        {"via": "1.1 edge"},
        {"cf_connecting_ip": "192.0.2.7"},
        {"x_envoy_external_address": "192.0.2.7"},
    ],
)
def test_a_proxy_is_not_this_machine(headers: dict[str, str]) -> None:
    """Whoever asks through one may be anybody."""
    why = locally(asked(**headers))
    assert why == (401, "not_signed_in", "authorization")


def test_a_proxy_that_says_nothing_is_not_this_machine() -> None:
    """Nginx as it comes writes our own name as host, and speaks HTTP/1.0."""
    request = msgspec.structs.replace(asked(), version="1.0")
    why = locally(request)
    assert why == (401, "not_signed_in", "authorization")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost",
        "LocalHost:8080",
        "[::1]",
        "[::1]:8080",
    ],
)
def test_names_of_this_machine(host: str) -> None:
    """However it is written."""
    assert locally(asked(host=host)) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8080",
        "127.0.0.1@evil.example",
        "127.0.0.1:8080@evil.example",
        "127.0.0.1\\.evil.example",
        "0.0.0.0:8080",
        "192.0.2.7",
        "::1",
        "[::1",
        "[evil]",
        "2130706433",
    ],
)
def test_another_name_is_a_strange_page(host: str) -> None:
    """A name that leads here by DNS is not ours."""
    assert locally(asked(host=host)) == (403, "strange_page", "host")


@pytest.mark.parametrize(
    ("origin", "is_ours"),
    [
        (f"http://{HERE}", True),
        (f"https://{HERE}", True),
        ("http://127.0.0.1", False),
        ("http://127.0.0.1:8081", False),
        ("http://localhost:8080", False),
        (f"http://{HERE}.evil.example", False),
        (f"http://{HERE}/", False),
        (HERE, False),
        ("http://evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_a_page_must_be_of_this_very_address(
    origin: str, is_ours: bool
) -> None:
    """Another port is another service."""
    why = None if is_ours else (403, "strange_page", "origin")
    assert locally(asked(origin=origin)) == why
    assert paged(asked(origin=origin)) == why


@pytest.mark.parametrize(
    ("site", "is_ours"),
    [
        ("same-origin", True),
        ("none", True),
        ("same-site", False),
        ("cross-site", False),
    ],
)
def test_the_browser_tells_who_asks(site: str, is_ours: bool) -> None:
    """An image on a strange page has no origin, but this header."""
    why = None if is_ours else (403, "strange_page", "sec-fetch-site")
    assert locally(asked(sec_fetch_site=site)) == why


@pytest.mark.parametrize("site", ["same-site", "cross-site", "none"])
def test_a_page_of_ours_says_same_origin(site: str) -> None:
    """A change is never the first thing that somebody opens."""
    why = (403, "strange_page", "sec-fetch-site")
    assert paged(asked(sec_fetch_site=site)) == why
    assert paged(asked(sec_fetch_site=site, origin="null")) == why


def test_a_page_that_hides_its_address_is_told_by_the_browser() -> None:
    """Origin null comes of a strict referrer policy, and of any sandbox."""
    same = asked(origin="null", sec_fetch_site="same-origin")
    assert paged(same) is None
    assert paged(asked(origin="null")) == (403, "strange_page", "origin")


def test_no_browser_is_no_strange_page() -> None:
    """What sends neither header has no cookies of others either."""
    assert paged(asked()) is None


def test_the_public_address_is_ours() -> None:
    """A proxy may ask for us by another name."""
    assert paged(asked(host="inner:8080", origin=URL), URL) is None
    why = (403, "strange_page", "origin")
    assert paged(asked(host="inner:8080", origin=URL + ".evil"), URL) == why


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_session_reads_without_more(method: str) -> None:
    """Nothing changes by it."""
    check_session(asked(method=method, origin="http://evil.example"), "")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({}, "origin"),
        ({"x_smokejumper": "1"}, "origin"),
        ({"origin": f"http://{HERE}"}, "x-smokejumper"),
        ({"origin": f"http://{HERE}", "x_smokejumper": "2"}, "x-smokejumper"),
        ({"sec_fetch_site": "same-origin"}, "x-smokejumper"),
        ({"origin": "http://evil.example", "x_smokejumper": "1"}, "origin"),
        (
            {"sec_fetch_site": "cross-site", "x_smokejumper": "1"},
            "sec-fetch-site",
        ),
    ],
)
def test_a_session_changes_nothing_for_a_strange_page(
    method: str, headers: dict[str, str], field: str
) -> None:
    """Its own origin and a header that no form can send, both."""
    request = asked(method=method, **headers)
    why = refusal(lambda: check_session(request, ""))
    assert why == (403, "strange_page", field)


@pytest.mark.parametrize(
    "headers",
    [{"origin": f"http://{HERE}"}, {"sec_fetch_site": "same-origin"}],
)
def test_a_session_changes_what_our_page_asks(headers: dict[str, str]) -> None:
    """A form of ours has no header to add."""
    script = asked(method="POST", x_smokejumper="1", **headers)
    check_session(script, "")
    form = asked(method="POST", **headers)
    check_session(msgspec.structs.replace(form, is_form=True), "")


def test_the_peer_is_told_by_a_trusted_proxy_only() -> None:
    """The last one in the list is what our own proxy saw."""
    request = asked("10.0.0.1", x_forwarded_for="1.2.3.4, 192.0.2.7")
    assert peer_of(request, trust_proxy=False) == "10.0.0.1"
    assert peer_of(request, trust_proxy=True) == "192.0.2.7"
    assert peer_of(asked("10.0.0.1"), trust_proxy=True) == "10.0.0.1"


@pytest.mark.parametrize(
    ("told", "peer"),
    [
        ("192.0.2.7:50123", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[2001:db8:1:2::5]:50123", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::5]", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
        ("[", "["),
    ],
)
def test_the_address_counts_not_how_it_is_written(
    told: str, peer: str
) -> None:
    """A port is another one each time; all of IPv4 is not one customer."""
    request = asked("10.0.0.1", x_forwarded_for=told)
    assert peer_of(request, trust_proxy=True) == peer


def test_a_customer_of_many_addresses_is_one_peer() -> None:
    """Everybody has a whole /64 of IPv6."""
    one = peer_of(asked("2001:db8:1:2::5"), trust_proxy=False)
    other = peer_of(asked("2001:db8:1:2:ffff::9"), trust_proxy=False)
    assert one == other == "2001:db8:1:2::/64"
    assert peer_of(asked("::1"), trust_proxy=False) == "::1"
    assert peer_of(asked("unix:" + "x" * 99), trust_proxy=False)[:5] == "unix:"


def test_https_is_what_the_browser_says() -> None:
    """Of its page, or a trusted proxy does."""
    assert is_secure(asked(origin=URL), trust_proxy=False)
    assert not is_secure(asked(origin="http://x"), trust_proxy=False)
    told = asked(x_forwarded_proto="https")
    assert is_secure(told, trust_proxy=True)
    assert not is_secure(told, trust_proxy=False)
