"""Lists of the site: which paths, which services."""

from pathlib import Path

import pytest

from app.models.inventory import Thing
from app.models.verdict import Judgement, Subject
from tests.unit.verify.making import WEB, away, here, make_check, measure

GOOD, BAD, UNKNOWN = Judgement.GOOD, Judgement.BAD, Judgement.UNKNOWN
NGINX = Thing(kind="service", name="nginx", host="web-1")
ORDERS = Thing(
    kind="service",
    name="orders",
    host="web-1",
    actions=frozenset({"collect_diagnostics"}),
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/log", GOOD),
        ("/var/log/nginx", GOOD),
        ("/tmp", GOOD),
        ("/var/logs", BAD),
        ("/var", BAD),
        ("/", BAD),
        ("/home", BAD),
        ("/var/log/../lib", BAD),
        ("D:", BAD),
    ],
)
def test_a_path_is_listed_or_lies_below(
    path: str, expected: Judgement
) -> None:
    """On a machine that is not ours only the names are compared."""
    check = make_check("path_is_listed")
    found = measure(check, away(arguments={"path": path}))
    assert check.judge(None, found) is expected
    assert path in found.says


def test_a_site_may_list_its_own_paths() -> None:
    """Then only those count."""
    check = make_check("path_is_listed", {"paths": ["/srv/cache", "D:"]})
    for path, expected in (("D:", GOOD), ("/tmp", BAD)):
        found = measure(check, away(arguments={"path": path}))
        assert check.judge(None, found) is expected


def test_a_mount_point_may_be_listed_alone(tmp_path: Path) -> None:
    """Then nothing below it is, whichever machine it is on."""
    link = tmp_path / "link"
    link.symlink_to("/")
    check = make_check("path_is_listed", {"exactly": ["/", "/data"]})
    for path, expected in (
        ("/", GOOD),
        ("/data", GOOD),
        ("/data/base", BAD),
        ("/home", BAD),
        ("/var/log/nginx", GOOD),
    ):
        for subject in (
            away(arguments={"path": path}),
            here(arguments={"path": path}),
        ):
            assert check.judge(None, measure(check, subject)) is expected
    found = measure(check, here(arguments={"path": str(link)}))
    assert check.judge(None, found) is GOOD


def test_a_link_leads_nowhere_else(tmp_path: Path) -> None:
    """Here the path itself is looked at, not only its name."""
    listed = tmp_path / "cache"
    listed.mkdir()
    (tmp_path / "home").mkdir()
    (listed / "link").symlink_to(tmp_path / "home")
    check = make_check("path_is_listed", {"paths": [str(listed)]})
    for path, expected in ((listed, GOOD), (listed / "link", BAD)):
        found = measure(check, here(arguments={"path": str(path)}))
        assert check.judge(None, found) is expected


def service(name: str, **more: object) -> Subject:
    """Return the subject of a restart."""
    return away(
        host=more.get("host", "web-1"),
        action="restart_service",
        arguments={"service": name},
    )


@pytest.mark.parametrize(
    ("name", "host", "expected"),
    [
        ("nginx", "web-1", GOOD),
        ("nginx.service", "web-1", GOOD),
        ("nginx", "10.1.2.3", GOOD),
        ("apache2", "web-1", BAD),
        ("orders", "web-1", BAD),
        # Nobody keeps a list of that host's services.
        ("nginx", "web-2", UNKNOWN),
    ],
)
def test_the_inventory_lists_services(
    name: str, host: str, expected: Judgement
) -> None:
    """By any name of their host, and what may be done to them."""
    check = make_check("service_is_listed", None, (WEB, NGINX, ORDERS))
    found = measure(check, service(name, host=host))
    assert check.judge(None, found) is expected


def test_the_settings_list_services() -> None:
    """By patterns; with such a list nothing is unknown."""
    check = make_check("service_is_listed", {"services": ["php*-fpm"]})
    for name, expected in (("php8.2-fpm", GOOD), ("postgresql", BAD)):
        found = measure(check, service(name))
        assert check.judge(None, found) is expected
