"""A value that has not the shape of what it is for is no candidate."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.shape import SHAPES

FITTING = {
    "host": {
        "web-01": "web-01",
        "web-01.example.net:9100": "web-01.example.net",
        "https://web-01:8443": "web-01",
        "10.0.0.5:9100": "10.0.0.5",
        "[2001:db8::1]:9100": "2001:db8::1",
        "2001:db8::1%eth0": "2001:db8::1%eth0",
        "WINDC01": "WINDC01",
        "db_01.local.": "db_01.local",
        "  web-01\n": "web-01",
    },
    "service": {
        "nginx.service": "nginx",
        "getty@tty1.service": "getty@tty1",
        "php8.2-fpm": "php8.2-fpm",
        "W3SVC": "W3SVC",
        "_netdev": "_netdev",
    },
    "program": {"kworker": "kworker", "c++filt": "c++filt"},
    "path": {
        "/": "/",
        "/var/log/": "/var/log",
        "c:\\": "C:",
        "D:": "D:",
        "/srv/a-b_c.d": "/srv/a-b_c.d",
    },
    "container": {"shop-api": "shop-api", "3f2a9c": "3f2a9c"},
    "namespace": {"kube-system": "kube-system"},
    "pod": {"shop-7d9f8b6c5-x2x4z": "shop-7d9f8b6c5-x2x4z"},
    "word": {"cpu": "cpu"},
    "name": {"shop/orders": "shop/orders"},
}
HOSTILE = [
    "",
    " ",
    "web-01; rm -rf /",
    "web-01 && reboot",
    "web-01|tee",
    "$(reboot)",
    "`reboot`",
    "${HOME}",
    "web-01\nweb-02",
    "web-01\r\n",
    "web\x0001",
    "web-01\x00",
    "-rf",
    "--force",
    "-oProxyCommand=sh",
    "../../etc/passwd",
    "/var/log/../../etc",
    "..",
    "/var/log/..",
    "web..01",
    "/var/log/*",
    "/var/lo?",
    "~root",
    "/var/log /etc",
    "/var/log\\..\\x",
    "w\u0435b-01",  # a Cyrillic letter
    "web\u200b-01",  # zero width
    "web-01\u202e",  # turns the line around
    "\ufeffweb-01",
    "web\u00ad-01",  # soft hyphen
    "web\uff0e01",  # full width
    "w\u0131n",
    "\U000e0077\U000e0065",  # tags
    "web-01'",
    'web-01"',
    "web-01<x>",
    "{{ host }}",
    "%s%n",
    "a" * 300,
    "/" + "a/" * 200,
    "user@web-01:/etc\u2215passwd",
]
# Whatever a shape lets through, a shell or a program's options must not.
STEERING = re.compile(
    r"[\s;&|<>$`'\"\\(){}\[\]*?!#~^\x00-\x1f\x7f-\U0010ffff]"
)


@pytest.mark.parametrize(
    ("name", "said", "value"),
    [
        (name, said, value)
        for name, pairs in FITTING.items()
        for said, value in pairs.items()
    ],
)
def test_what_has_the_shape_is_brought_to_our_spelling(
    name: str, said: str, value: str
) -> None:
    """Ports, suffixes and slashes that mean nothing are gone."""
    assert SHAPES[name].fit(said) == value


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("said", HOSTILE)
def test_hostile_values_have_no_shape(name: str, said: str) -> None:
    """None of them becomes a candidate, cleaned up or not."""
    found = SHAPES[name].fit(said)
    # Blanks and line ends around a value are no part of it.
    assert found is None or found == said.strip()
    if found is not None:
        assert said in {"web-01\r\n"}


def assert_harmless(value: str) -> None:
    """Fail unless a value is one word that steers nothing."""
    assert value
    assert not STEERING.search(value)
    assert value[0] != "-"
    assert ".." not in value
    assert len(value) <= 255


@pytest.mark.parametrize("name", SHAPES)
@given(said=st.text(max_size=300))
@example(said="web-01:9100/../x")
@example(said="http://http://x")
@example(said="x://-rf")
@example(said="[-rf]:1")
@example(said="/-rf/x")
def test_nothing_that_fits_can_steer_anything(name: str, said: str) -> None:
    """Whatever goes in, only one harmless word comes out."""
    value = SHAPES[name].fit(said)
    if value is not None:
        assert_harmless(value)


@pytest.mark.parametrize("name", SHAPES)
@given(
    said=st.text(
        alphabet="aZ0-_.:/@+%[]\\~$; \n\u0430\u200b", min_size=1, max_size=24
    )
)
def test_no_mixture_of_the_allowed_and_the_hostile_fits(
    name: str, said: str
) -> None:
    """Letters of names beside those that steer: still only harmless."""
    value = SHAPES[name].fit(said)
    if value is not None:
        assert_harmless(value)


@pytest.mark.parametrize("name", SHAPES)
@given(said=st.text(max_size=60))
@example(said="[ab:12]")
@example(said="x.service.service")
@example(said="x.:80")
def test_what_fits_once_fits_again(name: str, said: str) -> None:
    """Our own spelling is stable, so that it can be compared."""
    shape = SHAPES[name]
    value = shape.fit(said)
    if value is not None:
        assert shape.fit(value) == value


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_has_an_end(name: str) -> None:
    """One more character than it may have is too many."""
    start = "/" if name == "path" else ""
    longest = SHAPES[name].longest
    assert SHAPES[name].fit(start + "a" * longest) is None or longest < 254
    assert SHAPES[name].fit(start + "a" * (longest + 1)) is None


@pytest.mark.parametrize(
    "nobody",
    [
        "localhost",
        "localhost:9090",
        "localhost.localdomain",
        "127.0.0.1:9100",
        "[::1]:9100",
        "0.0.0.0",
        "255.255.255.255",
        "169.254.169.254",
        "fe80::1%eth0",
        "224.0.0.1",
        "7",
        "http://localhost/x",
    ],
)
def test_whoever_asks_and_all_are_no_host(nobody: str) -> None:
    """An exporter that scrapes itself would name the responder's machine."""
    assert SHAPES["host"].fit(nobody) is None
