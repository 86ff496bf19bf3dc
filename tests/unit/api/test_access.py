"""Who may read, header by header."""

import pytest
from starlette.requests import Request

from app.api.access import ReadAccess
from app.core.errors import Refused

HERE = "127.0.0.1:8080"


def asked(peer: str | None = "127.0.0.1", **headers: str) -> Request:
    """Return a request from somewhere; names are written with _."""
    raw = {"host": HERE} | headers
    return Request(
        {
            "type": "http",
            "client": None if peer is None else (peer, 50_000),
            "headers": [
                (name.replace("_", "-").encode(), value.encode("latin-1"))
                for name, value in raw.items()
            ],
        }
    )


def refusal(request: Request, *tokens: str) -> tuple[int, str, str] | None:
    """Return why a request is refused, None when it may read."""
    try:
        ReadAccess(tokens)(request)
    except Refused as error:
        return error.status, error.reason, error.field
    return None


@pytest.mark.parametrize(
    "value",
    [
        "Bearer first",
        "bearer second",
        "BEARER first",
        "bEaReR second",
    ],
)
def test_any_of_the_tokens_may_read(value: str) -> None:
    """From anywhere, and whatever the page."""
    request = asked("192.0.2.7", host="evil.example", authorization=value)
    assert refusal(request, "first", "second") is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "first",
        "Bearer",
        "Bearer ",
        "Bearer fir",
        "Bearer firsts",
        "Bearer FIRST",
        "Bearer first ",
        "Bearer  first",
        "Bearer first second",
        "Basic first",
        "Bearer\tfirst",
        "Bearer f\xefrst",
    ],
)
def test_another_token_may_not(value: str) -> None:
    """Not even on this machine."""
    request = asked(authorization=value)
    why = (401, "wrong_token", "authorization")
    assert refusal(request, "first", "second") == why


def test_without_the_header_it_is_no_token() -> None:
    """This machine alone is not enough when tokens are set."""
    assert refusal(asked(), "first") is not None


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.10", "::1"])
def test_this_machine_may_read_without_tokens(peer: str) -> None:
    """All addresses of it are it."""
    assert refusal(asked(peer)) is None


@pytest.mark.parametrize(
    "peer", ["192.0.2.7", "0.0.0.0", "::", "10.0.0.1", "", "unix", None]
)
def test_another_machine_may_not_without_tokens(peer: str | None) -> None:
    """Nor who has no address."""
    assert refusal(asked(peer)) == (403, "no_token_set", "")


@pytest.mark.parametrize(
    "headers",
    [
        {"x_forwarded_for": "192.0.2.7"},
        {"x_forwarded_for": ""},
        {"x_forwarded_for": "127.0.0.1"},
        {"forwarded": "for=192.0.2.7"},
        {"Forwarded": "for=127.0.0.1"},
    ],
)
def test_a_proxy_is_not_this_machine(headers: dict[str, str]) -> None:
    """Whoever asks through one may be anybody."""
    names = {name.lower(): value for name, value in headers.items()}
    assert refusal(asked(**names)) == (403, "no_token_set", "")


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
    assert refusal(asked(host=host)) is None


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
    assert refusal(asked(host=host)) == (403, "strange_page", "host")


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
    assert refusal(asked(origin=origin)) == why


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
    assert refusal(asked(sec_fetch_site=site)) == why


def test_a_token_may_be_any_text_of_the_settings() -> None:
    """A client sends the bytes that the settings have: UTF-8."""
    sent = "Bearer schlüssel".encode().decode("latin-1")
    assert refusal(asked(authorization=sent), "schlüssel") is None
