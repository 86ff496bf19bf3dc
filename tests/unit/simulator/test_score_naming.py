"""Whether labels name what a fault is on, as real systems write them."""

import pytest

from simulator.naming import Naming, bare, is_on, name_of

CPU = {"host": "web-01", "process": "sim-cpu"}
DISK = {"host": "web-01", "mountpoint": "/srv/sim"}
SHOP = {"host": "web-01", "service": "shop"}


@pytest.mark.parametrize(
    ("target", "labels", "naming"),
    [
        (CPU, {"host": "web-01", "process": "sim-cpu"}, Naming.EXACT),
        (
            CPU,
            {"instance": "web-01:9100", "groupname": "sim-cpu"},
            Naming.EXACT,
        ),
        (CPU, {"hostname": "WEB-01", "process": "sim-cpu"}, Naming.EXACT),
        (CPU, {"host": "web-01"}, Naming.HOST),
        (CPU, {"host": "web-01", "process": ""}, Naming.HOST),
        (CPU, {"host": "web-01", "process": "sim-memory"}, Naming.NOT),
        (CPU, {"host": "web-01", "service": "shop"}, Naming.NOT),
        (CPU, {"host": "web-01", "mountpoint": "/"}, Naming.NOT),
        (CPU, {"host": "web-01", "interface": "eth0"}, Naming.NOT),
        (CPU, {"host": "web-02", "process": "sim-cpu"}, Naming.NOT),
        (CPU, {"process": "sim-cpu"}, Naming.NOT),
        (CPU, {}, Naming.NOT),
        (
            DISK,
            {"instance": "web-01:9100", "mountpoint": "/srv/sim"},
            Naming.EXACT,
        ),
        (DISK, {"host": "web-01", "filesystem": "/srv/sim"}, Naming.EXACT),
        (DISK, {"host": "web-01", "mountpoint": "/srv"}, Naming.NOT),
        (SHOP, {"host": "web-01", "unit": "shop.service"}, Naming.EXACT),
        (
            SHOP,
            {"host": "web-01", "service": "shop", "process": "sim-shop"},
            Naming.EXACT,
        ),
        ({"host": "web-01"}, {"host": "web-01"}, Naming.EXACT),
        (
            {"host": "web-01"},
            {"host": "web-01", "service": "shop"},
            Naming.NOT,
        ),
    ],
)
def test_an_alert_names_a_target_or_only_its_machine_or_neither(
    target: dict[str, str], labels: dict[str, str], naming: Naming
) -> None:
    """By several labels; another thing on the machine is another thing."""
    assert name_of(labels, target) is naming


@pytest.mark.parametrize(
    ("target", "arguments", "is_so"),
    [
        (CPU, {"host": "web-01", "process": "sim-cpu"}, True),
        (CPU, {"process": "sim-cpu"}, True),
        (CPU, {}, True),
        (CPU, {"host": "web-01", "process": "sshd"}, False),
        (CPU, {"host": "db-01", "process": "sim-cpu"}, False),
        (CPU, {"host": "alias", "process": "sim-cpu"}, True),
        (DISK, {"path": "/srv/sim"}, True),
        (DISK, {"path": "/srv/sim/logs/"}, True),
        (DISK, {"path": "/srv/simple"}, False),
        (DISK, {"path": "/"}, False),
        ({"mountpoint": "/"}, {"path": "/var"}, True),
        (SHOP, {"service": "shop.service"}, True),
        (SHOP, {"service": "nginx"}, False),
        (SHOP, {"path": "/srv/sim"}, True),
        (SHOP, {"lines": 7}, True),
    ],
)
def test_a_call_is_on_a_target_unless_it_names_another(
    target: dict[str, str], arguments: dict[str, str | int], is_so: bool
) -> None:
    """What the target does not name is not compared."""
    assert is_on(arguments, target, ["alias:9100"]) is is_so


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("web-01:9100", "web-01"),
        ("web-01", "web-01"),
        ("Shop.Service", "shop"),
        ("a:b", "a:b"),
        ("", ""),
    ],
)
def test_a_name_is_compared_without_its_decoration(
    name: str, short: str
) -> None:
    """Ports, endings of units, and capitals are decoration."""
    assert bare(name) == short
