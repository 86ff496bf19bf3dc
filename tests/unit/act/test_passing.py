"""Passing: no argument is lost, and none means more than it says."""

from typing import Any

import pytest
from msgspec.structs import replace

from app.act.passing import (
    Place,
    check_rest,
    one_host,
    pick,
    reaches,
    read_place,
)
from app.core.errors import NotAccepted
from app.models.job import Order


def order(**arguments: Any) -> Order:
    """Return an order with these arguments."""
    return Order(
        key="sj-1",
        name="job",
        action="restart_service",
        arguments=arguments,
        target="",
        incident=1,
        decision=1,
    )


def test_arguments_get_other_names() -> None:
    """Numbers stay numbers."""
    sent = order(host="web-01", count=3)
    told = pick(sent, {"node": "host", "n": "count"})
    assert told == {"node": "web-01", "n": 3}


@pytest.mark.parametrize(
    "value", ["", "a\nb", "a\tb", "naïve", "\x1b[1m", "x" * 1_001, True, None]
)
def test_what_is_no_plain_line(value: object) -> None:
    """It is not passed on, whoever sent it."""
    with pytest.raises(NotAccepted) as refusal:
        pick(order(host=value), {"host": "host"})
    assert not refusal.value.may_retry


def test_nothing_is_lost() -> None:
    """What is neither passed nor named by ``only`` refuses the order."""
    sent = order(host="web-01", service="nginx")
    check_rest(sent, ["host", "service"], {})
    check_rest(sent, ["host"], {"service": ("php*", "ngin?")})
    for passed, only in (
        (["host"], {}),
        (["host", "service"], {"service": ("redis",)}),
        (["host", "service"], {"unit": ("nginx",)}),
    ):
        with pytest.raises(NotAccepted):
            check_rest(sent, passed, only)


def test_a_hint_may_be_lost_and_may_be_missing() -> None:
    """A job that takes none runs without; one that takes it gets it."""
    bare = replace(order(host="web-01"), hints={"service": ""})
    full = replace(bare, hints={"service": "nginx"})
    for sent in (bare, full):
        check_rest(sent, ["host"], {})
        assert pick(sent, {"node": "host"}) == {"node": "web-01"}
    wanted = {"node": "host", "about": "service"}
    assert pick(bare, wanted) == {"node": "web-01"}
    assert pick(full, wanted) == {"node": "web-01", "about": "nginx"}
    with pytest.raises(NotAccepted):
        pick(order(host="web-01"), wanted)
    check_rest(full, ["host"], {"service": ("nginx",)})
    with pytest.raises(NotAccepted):
        check_rest(bare, ["host"], {"service": ("nginx",)})


def test_a_hint_is_a_plain_line_too() -> None:
    """Whoever sent it."""
    sent = replace(order(host="web-01"), hints={"service": "a\nb"})
    with pytest.raises(NotAccepted):
        pick(sent, {"about": "service"})


@pytest.mark.parametrize(
    "host",
    [
        "all", "ALL", "ungrouped", "localhost", "*", "web*", "web-01:db-01",
        "web-01,db-01", "!web", "&web", "~web", "@file", "web[0:9]", "-x",
        ".web", "web.", "fe80::1", "a b", "web/../x",
    ],
)  # fmt: skip
def test_a_host_is_one(host: str) -> None:
    """Nothing that a pattern of hosts could be made of passes."""
    with pytest.raises(NotAccepted):
        one_host(order(host=host), "host")


@pytest.mark.parametrize("host", ["web-01", "web-01.example.org", "10.0.0.7"])
def test_a_plain_host_passes(host: str) -> None:
    """As it is."""
    assert one_host(order(host=host), "host") == host


def test_a_place_is_read_as_it_was_written() -> None:
    """With what the job lacks; other texts say nothing."""
    for place in (Place(7), Place(7, ("limit", "service"))):
        assert read_place(str(place)) == place
    for text in ("", "x", "-1", "7/../8", "²", "1" * 19):
        assert read_place(text) is None


def test_patterns_of_hosts() -> None:
    """Capitals do not matter, and what is on no host is reached."""
    assert reaches(["web-*"], "WEB-01")
    assert reaches(["WEB-*"], "web-01")
    assert not reaches(["web-*"], "db-01")
    assert not reaches([], "db-01")
    assert reaches([], "")
