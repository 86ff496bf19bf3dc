"""Sites: which maintenance windows are about where something is done."""

import pytest

from app.models.matcher import read_matchers
from app.models.mute import Mute, MuteKind, Wish
from app.models.site import Site, make_site, say_work
from app.models.target import TARGET_RULES
from app.models.timetable import Timetable

LABELS = {
    "alertname": "LoadHigh",
    "source": "alertmanager",
    "severity": "warning",
    "problem": "LoadHigh",
    "target": "web-1",
    "target_kind": "host",
    "instance": "web-1:9100",
    "cluster": "north",
    "job": "node",
}


def make_host() -> Site:
    """Return where an alert is, as the inventory knows it."""
    site = make_site(LABELS, TARGET_RULES)
    return site.known_as(
        ("web-1", "web-1.example.com"),
        environment="staging",
        team="shop",
        role="",
    )


@pytest.mark.parametrize(
    "matchers",
    [
        'target="web-1"',
        'target="web-1", alertname="DiskFull"',
        'target="web-1", severity="critical", job="backup", device="sda"',
        'target="web-1.example.com"',
        'target=~"web-.*", target_kind="host"',
        'host="web-1"',
        'instance="web-1:9100", alertname="DiskFull"',
        'cluster="north", alertname="DiskFull"',
        'environment="staging", alertname="DiskFull"',
        'team="shop", environment!="production"',
        'target="web-1", role=""',
    ],
)
def test_a_window_is_about_what_its_place_is(matchers: str) -> None:
    """What it mutes there does not matter."""
    assert make_host().is_meant(read_matchers(matchers))


@pytest.mark.parametrize(
    "matchers",
    [
        'alertname="DiskFull"',
        'alertname="LoadHigh", severity="warning"',
        'job="node"',
        'target_kind="host", alertname="DiskFull"',
        'target!="web-2", alertname="DiskFull"',
        'target=~".*", alertname="DiskFull"',
        'target="web-2"',
        'target="web-1", cluster="south"',
        'target="web-1", target_kind="service"',
        'target="web-1", environment!="staging"',
        'target=~"web-.*", target!="web-1.example.com"',
        'team="mail"',
        'role="web"',
    ],
)
def test_a_window_that_names_no_place_or_another_is_not(
    matchers: str,
) -> None:
    """To be about nothing in particular is not to be about everything."""
    assert not make_host().is_meant(read_matchers(matchers))


def test_a_service_is_found_by_its_labels_and_its_host() -> None:
    """Either is where something is done about it."""
    labels = {
        "target": "shop",
        "target_kind": "service",
        "job": "shop",
        "namespace": "one",
    }
    site = make_site(labels, TARGET_RULES).known_as(("db-1",))
    for said in ('job="shop"', 'host="db-1"', 'namespace="one"'):
        assert site.is_meant(read_matchers(said)), said
    assert not site.is_meant(read_matchers('job="node"'))


def make_window(number: int, kind: MuteKind, target: str) -> Mute:
    """Return a window that is about other alerts of a target."""
    said = f'target="{target}", alertname="DiskFull"'
    wish = Wish(
        kind=kind,
        matchers=read_matchers(said),
        times=Timetable(starts_at=0, ends_at=1),
        author="ana",
        comment="kernel " * 99,
    )
    return Mute(id=number, wish=wish, created_at=0)


def test_work_is_told_in_short() -> None:
    """Of maintenance only: whoever silences an alert works on nothing."""
    site, kind = make_host(), MuteKind.MAINTENANCE
    silence = make_window(1, MuteKind.MUTE, "web-1")
    elsewhere = make_window(2, kind, "web-2")
    assert say_work((silence, elsewhere), site) == ""
    here = [make_window(number, kind, "web-1") for number in range(3, 9)]
    said = say_work((silence, *here), site)
    first, second, third = said.split("; ")
    assert first.startswith("maintenance 3: kernel kernel")
    assert (second[:14], third[:14]) == ("maintenance 4:", "maintenance 5:")
    assert len(first) <= 300
