"""Whether a host's name is the machine that we run on."""

import errno
import socket
import time
from types import SimpleNamespace

import pytest

from app.core.here import NAME_SECONDS, Finder, Here
from app.core.host import HostSettings
from tests.fakes import FakeClock

ADDRESSES = {
    "lo": [SimpleNamespace(address="127.0.0.1")],
    "eth0": [
        SimpleNamespace(address="10.1.2.3"),
        SimpleNamespace(address="2001:db8::7"),
        SimpleNamespace(address="fe80::1%eth0"),
        SimpleNamespace(address="52:54:00:12:34:56"),
    ],
    "docker0": [SimpleNamespace(address="172.17.0.1")],
}


def make_here(clock: FakeClock | None = None) -> Here:
    """Return what knows a machine with these names."""
    finder = Finder(
        lambda: "Web-1", lambda: "web-1.example.net", lambda: ADDRESSES
    )
    settings = HostSettings(names=("shop-frontend",))
    return Here(settings, clock or FakeClock(), finder)


@pytest.mark.parametrize(
    "name",
    ["web-1", "WEB-1", "web-1:9100", "web-1.example.net", "10.1.2.3",
     "10.1.2.3:9100", "2001:DB8::7", "[2001:db8::7]:9100", "shop-frontend"],
)  # fmt: skip
def test_our_names_are_here(name: str) -> None:
    """In every spelling, and with a port."""
    assert make_here().is_here(name)


@pytest.mark.parametrize(
    "name",
    ["", "web-2", "web-1.example.com", "web", "example.net", "10.1.2.4",
     "10", "localhost", "127.0.0.1", "::1", "0.0.0.0", "172.17.0.1",
     "fe80::1", "52:54:00:12:34:56", "web-1;reboot"],
)  # fmt: skip
def test_other_names_are_not_here(name: str) -> None:
    """Neither is what every machine calls itself."""
    assert not make_here().is_here(name)


def test_any_name_of_a_host_will_do() -> None:
    """The inventory knows it by several."""
    assert make_here().is_here("frontend", "10.1.2.3")
    assert not make_here().is_here()


def test_addresses_may_change() -> None:
    """They are read again now and then."""
    clock = FakeClock()
    said = ["10.0.0.1"]
    here = Here(HostSettings(), clock, lambda: said)
    assert here.is_here("10.0.0.1")
    said[0] = "10.0.0.2"
    assert not here.is_here("10.0.0.2")
    clock.advance(61)
    assert here.is_here("10.0.0.2")
    assert not here.is_here("10.0.0.1")


def test_a_name_server_that_hangs_holds_nobody_up() -> None:
    """Then the short name and the addresses must do."""

    def hang() -> str:
        """Answer too late."""
        time.sleep(NAME_SECONDS + 1)
        return "late.example.net"

    finder = Finder(lambda: "web-1", hang, dict)
    assert finder() == ["web-1"]
    assert finder()[:1] == ["web-1"]


def test_whoever_may_not_ask_for_addresses_knows_names() -> None:
    """A hardened unit without AF_NETLINK: the kernel tells it none."""

    def refuse() -> dict[str, list[object]]:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported")

    finder = Finder(lambda: "web-1", lambda: "web-1.example.net", refuse)
    here = Here(HostSettings(names=("shop",)), FakeClock(), finder)
    assert here.is_here("web-1")
    assert here.is_here("shop")
    assert not here.is_here("10.1.2.3")


def test_the_real_machine_knows_its_own_name() -> None:
    """Whatever it is called."""
    here = Here(HostSettings(names=(socket.gethostname(),)), FakeClock())
    assert here.is_here(socket.gethostname())
    assert not here.is_here("surely-another-machine.example")
