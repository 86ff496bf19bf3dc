"""What is on the menu of a case, and what can never be."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Unreadable
from app.core.shape import SHAPES
from app.models.action import ALWAYS, Parameter
from app.models.case import Happening
from app.models.menu import Arguments, Menu
from app.models.origins import HOST_LABELS, PATH_LABELS, SERVICE_LABELS
from tests.unit.core.test_shape import HOSTILE
from tests.unit.decide.sites import (
    CATALOGUE,
    WEB,
    case,
    extended,
    grounder,
    job,
    values,
)

# Without those that are blank, or a host between blanks.
MALFORMED = [
    said
    for said in HOSTILE
    if said.strip() and SHAPES["host"].fit(said) is None
]
NASTY = st.sampled_from(HOSTILE) | st.text(max_size=40)


def all_values(menu: Menu) -> set[Any]:
    """Return everything that a menu could make anybody do something to."""
    return {
        one.value
        for offer in menu.offers
        for name, some in offer.candidates.items()
        if not offer.parameter(name).is_listed
        for one in some
    }


def test_labels_fill_arguments_in_our_spelling() -> None:
    """The port and the suffix go; what the source said is kept as proof."""
    menu = grounder().menu(case(WEB))
    assert values(menu, "restart_service", "host") == ["web-01"]
    assert values(menu, "restart_service", "service") == ["nginx"]
    proofs = grounder().prove(
        "restart_service", {"host": "web-01", "service": "nginx"}, menu
    )
    assert [(one.source, one.said) for one in proofs] == [
        ("labels.instance", "web-01:9100"),
        ("labels.name", "nginx.service"),
    ]


def test_what_cannot_be_filled_is_not_on_the_menu() -> None:
    """Each action that is left out says which argument and why."""
    menu = grounder().menu(case({"instance": "web-01"}))
    assert "kill_process" not in menu.names
    assert menu.left_out["kill_process"].startswith("process: ")
    assert set(menu.names) | set(menu.left_out) == {
        spec.name for spec in CATALOGUE.specs
    }
    assert set(grounder().menu(case({})).names) == set(ALWAYS)


@given(
    summary=st.text(max_size=80),
    note=st.text(max_size=80),
    key=st.sampled_from([*HOST_LABELS, *SERVICE_LABELS, "description"]),
)
def test_no_candidate_comes_from_free_text(
    summary: str, note: str, key: str
) -> None:
    """Whatever summary and annotations say, the menu is the same."""
    plain = grounder().menu(case(WEB))
    texts = {key: note, "runbook": "restart host=evil service=sshd"}
    talked = case(WEB, summary=f"host=evil {summary}", annotations=texts)
    assert grounder().menu(talked) == plain
    assert all_values(plain) == {"web-01", "nginx", "nginx.service"}


def test_a_target_in_the_text_only_is_no_target() -> None:
    """An alert without labels of a host has no acting function at all."""
    texts = {"instance": "web-01", "host": "web-01", "name": "nginx"}
    told = case({}, summary="restart nginx on web-01", annotations=texts)
    assert set(grounder().menu(told).names) == set(ALWAYS)


@pytest.mark.parametrize("said", MALFORMED)
def test_a_malformed_first_label_leaves_the_action_out(said: str) -> None:
    """The next best label is no excuse for a manipulated one."""
    labels = {"host": said, "instance": "web-01", "name": "nginx"}
    menu = grounder().menu(case(labels))
    assert set(menu.names) == set(ALWAYS)
    assert "labels.host is not" in menu.left_out["restart_service"]


@given(
    labels=st.dictionaries(
        st.sampled_from([*HOST_LABELS, *SERVICE_LABELS, *PATH_LABELS]),
        NASTY,
        max_size=8,
    )
)
def test_every_candidate_has_its_shape_and_a_label(
    labels: dict[str, str],
) -> None:
    """Hostile labels never get through, and nothing is made up."""
    menu = grounder().menu(case(labels, name="X"))
    for offer in menu.offers:
        for name, some in offer.candidates.items():
            parameter = offer.parameter(name)
            if parameter.is_listed:
                continue
            for one in some:
                assert isinstance(one.value, str)
                shape = SHAPES[parameter.shape]
                assert shape.fit(one.value) == one.value
                label = one.source.removeprefix("labels.")
                assert shape.fit(labels[label]) == one.value


@pytest.mark.parametrize(
    ("action", "argument", "key", "value"),
    [
        ("free_disk_space", "path", "vfs.fs.size[/var/log,pused]", "/var/log"),
        ("free_disk_space", "path", 'vfs.fs.size["/srv",pused]', "/srv"),
        ("restart_service", "service", "service.info[Spooler,state]",
         "Spooler"),
        ("restart_service", "service",
         "systemd.unit.info[nginx.service]", "nginx"),
        ("kill_process", "process", "proc.num[soffice]", "soffice"),
    ],
)  # fmt: skip
def test_item_keys_of_zabbix_fill_arguments(
    action: str, argument: str, key: str, value: str
) -> None:
    """The first argument of a key says what is measured."""
    menu = grounder().menu(case({"host": "web-01", "item_key": key}, "X"))
    assert values(menu, action, argument) == [value]


@pytest.mark.parametrize(
    "key",
    [
        "vfs.fs.size[/var/log;reboot,pused]",
        "vfs.fs.size[/../etc,pused]",
        "vfs.fs.size[,pused]",
        "vfs.fs.size",
        "system.run[/var/log]",
        "net.tcp.service[ssh]",
        "x vfs.fs.size[/var/log]",
    ],
)
def test_other_item_keys_fill_nothing(key: str) -> None:
    """A key of another kind, or a hostile one, is no candidate."""
    menu = grounder().menu(case({"host": "web-01", "item_key": key}, "X"))
    assert "free_disk_space" not in menu.names
    assert "restart_service" not in menu.names


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("NginxDown", "nginx"),
        ("Apache is not running", "apache2"),
        ("httpd_down", "apache2"),
    ],
)
def test_known_software_in_the_name_stands_for_its_unit(
    name: str, unit: str
) -> None:
    """When no label names the unit, the alert's own name may."""
    menu = grounder().menu(case({"instance": "web-01"}, name))
    assert values(menu, "restart_service", "service") == [unit]


@pytest.mark.parametrize(
    "name", ["NginxOrApacheDown", "OddityDown", "SomethingDown"]
)
def test_a_name_that_does_not_tell_the_unit_fills_nothing(name: str) -> None:
    """Two kinds of software, one without a unit, none: nothing."""
    menu = grounder().menu(case({"instance": "web-01"}, name))
    assert "restart_service" not in menu.names


def test_a_label_wins_over_the_name() -> None:
    """The name is asked only when no label says anything."""
    labels = {"instance": "web-01", "service": "shop"}
    menu = grounder().menu(case(labels, "NginxDown"))
    assert values(menu, "restart_service", "service") == ["shop"]
    labels["service"] = "shop; reboot"
    menu = grounder().menu(case(labels, "NginxDown"))
    assert "restart_service" not in menu.names


def test_numbers_and_lists_come_from_the_declaration() -> None:
    """A number may be any within its bounds, and nothing else."""
    most = Parameter(purpose="how many", minimum=1, maximum=9, default=5)
    made = grounder(catalogue=extended(job(most=most)))
    menu = made.menu(case({}))
    for number in (1, 5, 9):
        (proof,) = made.prove("requeue", {"most": number}, menu)
        assert (proof.value, proof.source) == (number, "bounds")
    said: tuple[Any, ...] = (0, 10, "5", True, 5.0)
    for wrong in said:
        with pytest.raises(Unreadable):
            made.prove("requeue", {"most": wrong}, menu)


def test_an_optional_argument_may_be_missing() -> None:
    """It is offered without it, and with it when a label says it."""
    queue = Parameter(purpose="the queue", labels=("queue",), required=False)
    made = grounder(catalogue=extended(job(queue=queue)))
    without = made.menu(case({}))
    assert made.prove("requeue", {}, without) == ()
    assert values(made.menu(case({"queue": "q1"})), "requeue", "queue") == [
        "q1"
    ]


@pytest.mark.parametrize(
    ("verdict", "arguments", "is_on"),
    [
        ("not_fixed", {"host": "web-01", "service": "nginx"}, False),
        ("fixed", {"host": "web-01", "service": "nginx"}, True),
        ("unknown", {"host": "web-01", "service": "nginx"}, True),
        ("", {"host": "web-01", "service": "nginx"}, True),
        ("not_fixed", {"host": "web-01", "service": "php-fpm"}, True),
    ],
)
def test_what_failed_on_this_target_is_not_offered_again(
    verdict: str, arguments: dict[str, str | int], is_on: bool
) -> None:
    """The same call that did not help is excluded by code."""
    before = Happening(
        at=1, action="restart_service", arguments=arguments, verdict=verdict
    )
    told = case(WEB)
    for known in ({"history": (before,)}, {"failed": (before,)}):
        menu = grounder().menu(msgspec.structs.replace(told, **known))
        assert ("restart_service" in menu.names) is is_on


def test_rules_of_the_menu_leave_out_all_but_what_they_name() -> None:
    """What is never wrong to have stays."""
    menu = grounder().menu(case(WEB), only={"collect_diagnostics"})
    assert set(menu.names) == {*ALWAYS, "collect_diagnostics"}
    assert "rules of the menu" in menu.left_out["restart_service"]
    assert set(grounder().menu(case(WEB), only=()).names) == set(ALWAYS)


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("reboot", {}),
        ("kill_process", {"host": "web-01", "process": "nginx"}),
        ("restart_service", {"host": "web-02", "service": "nginx"}),
        ("restart_service", {"host": "web-01"}),
        ("restart_service", {"host": "WEB-01", "service": "nginx"}),
        ("escalate", {"host": "web-01"}),
        ("collect_diagnostics", {"host": "web-01", "topic": "secrets"}),
        (
            "restart_service",
            {"host": "web-01", "service": "nginx", "force": "yes"},
        ),
    ],
)
def test_what_is_not_on_the_menu_cannot_be_proved(
    action: str, arguments: dict[str, str | int]
) -> None:
    """An answer that names anything else is no choice."""
    menu = grounder().menu(case(WEB))
    with pytest.raises(Unreadable):
        grounder().prove(action, arguments, menu)


def test_no_candidate_is_of_who_only_told_of_it() -> None:
    """The pod that a metric is about, never the exporter's that said so."""
    told = {
        "job": "kube-state-metrics",
        "instance": "10.244.2.19:8080",
        "namespace": "monitoring",
        "pod": "kube-state-metrics-6d8c9b7f5d-q2w8z",
        "exported_namespace": "shop",
        "exported_pod": "cart-7d9f8b6c5-x2x9k",
    }
    menu = grounder().menu(case(told, "KubePodNotReady"))
    assert values(menu, "restart_pod", "pod") == ["cart-7d9f8b6c5-x2x9k"]
    assert values(menu, "restart_pod", "namespace") == ["shop"]
    call: Arguments = {"namespace": "shop", "pod": "cart-7d9f8b6c5-x2x9k"}
    proofs = grounder().prove("restart_pod", call, menu)
    assert {one.source for one in proofs} == {
        "labels.exported_namespace",
        "labels.exported_pod",
    }
    # A forged one is no excuse to take the exporter's.
    forged = {**told, "exported_pod": "cart; reboot"}
    left = grounder().menu(case(forged, "KubePodNotReady")).left_out
    assert left["restart_pod"].startswith("pod: labels.exported_pod is not")
