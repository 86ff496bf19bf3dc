"""Objects: which kinds of things a case is about, and what is vital."""

import pytest

from app.decide.gate.objects import (
    Object,
    find_objects,
    has_replica_name,
    is_vital_for,
    words_of,
)
from tests.unit.decide.gate.school import KNOWLEDGE, case_of, menu_of


def objects_of(
    labels: dict[str, str], name: str = "Alert"
) -> tuple[Object, ...]:
    """Return what an alert is about."""
    case = case_of(labels, name)
    return find_objects(case, menu_of(case), KNOWLEDGE)


def is_vital(action: str, labels: dict[str, str], name: str = "Alert") -> bool:
    """Tell whether an action would touch what holds state."""
    case = case_of(labels, name)
    menu = menu_of(case)
    offer = menu.find(action)
    assert offer is not None, menu.left_out[action]
    return is_vital_for(action, offer, find_objects(case, menu, KNOWLEDGE))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"service": "nginx"}, Object("service", "web", False)),
        ({"service": "mysqld"}, Object("service", "database", True)),
        ({"service": "acme-thing"}, Object("service", "homemade", False)),
        ({"process": "mongod"}, Object("process", "database", True)),
        ({"mountpoint": "/var/log"}, Object("path", "logs", False)),
        ({"mountpoint": "/home"}, Object("path", "home", True)),
        ({"mountpoint": "/acme"}, Object("path", "unknown", True)),
        ({"container": "kafka-ui"}, Object("container", "web", False)),
        ({"container": "web-db"}, Object("container", "database", True)),
        ({"role": "database"}, Object("role", "database", True)),
        ({"instance": "db-03:9100"}, Object("host", "database", True)),
        ({"instance": "web-3.db.example.net"}, Object("host", "web", False)),
    ],
)
def test_a_label_s_value_is_a_kind_of_thing(
    labels: dict[str, str], expected: Object
) -> None:
    """By the lists; an unknown name is home-made, an unknown path not safe."""
    found = objects_of({"instance": "zorp-1", **labels})
    assert expected in found


def test_a_pod_is_known_by_what_deployed_it() -> None:
    """Without the tail of its name; a namespace by what it is for."""
    found = objects_of({"namespace": "databases", "pod": "mysql-0"})
    assert Object("pod", "database", True) in found
    found = objects_of({"namespace": "shop", "pod": "cart-ui-6f8c9d7b5-k2lmn"})
    assert Object("pod", "web", False) in found


def test_software_in_the_name_is_an_object() -> None:
    """The alert is about it though no label says so."""
    assert Object("name", "database", True) in objects_of({}, "MySQLDown")
    assert Object("name", "web", False) in objects_of({}, "Nginx is down")


def test_an_exporter_s_job_says_nothing() -> None:
    """It only measures; the job of a database does."""
    assert not any(
        one.place == "job" for one in objects_of({"job": "node_exporter"})
    )
    assert Object("job", "database", True) in objects_of({"job": "mysql"})


def test_each_thing_is_there_once() -> None:
    """Though several actions could change it."""
    found = objects_of({"instance": "web-1", "service": "nginx"})
    assert len(found) == len(set(found))


WEB = {"instance": "web-1"}
DATABASE = {"instance": "db-1"}


@pytest.mark.parametrize(
    ("action", "labels", "name", "expected"),
    [
        ("restart_service", {**WEB, "service": "nginx"}, "A", False),
        ("restart_service", {**WEB, "service": "mysqld"}, "A", True),
        # A home-made service on a database host stays alone ...
        ("restart_service", {**DATABASE, "service": "acme"}, "A", True),
        # ... an exporter is harmless wherever it is.
        (
            "restart_service",
            {**DATABASE, "service": "node_exporter"},
            "A",
            False,
        ),
        (
            "free_disk_space",
            {**DATABASE, "mountpoint": "/var/log"},
            "A",
            False,
        ),
        ("free_disk_space", {**DATABASE, "mountpoint": "/"}, "A", True),
        ("free_disk_space", {**WEB, "mountpoint": "/"}, "A", False),
        ("free_disk_space", {**WEB, "mountpoint": "/backup"}, "A", True),
        ("free_memory", WEB, "MemoryHigh", False),
        ("free_memory", DATABASE, "MemoryHigh", True),
        ("free_memory", {**WEB, "role": "identity"}, "MemoryHigh", True),
        ("free_memory", WEB, "RedisMemoryHigh", True),
        ("kill_process", {**WEB, "process": "postgres"}, "A", True),
        ("kill_process", {**WEB, "process": "chrome"}, "A", False),
        ("restart_container", {**WEB, "container": "rabbitmq-2"}, "A", True),
        ("restart_container", {**WEB, "container": "cart"}, "A", False),
        (
            "restart_pod",
            {"namespace": "kube-system", "pod": "x-6f8c9d7b5-k2lmn"},
            "A",
            True,
        ),
        (
            "restart_pod",
            {"namespace": "shop", "pod": "x-6f8c9d7b5-k2lmn"},
            "A",
            False,
        ),
        # A node is not what the pod holds.
        (
            "restart_pod",
            {"namespace": "shop", "pod": "cart-6f8c9d7b5-k2lmn", **DATABASE},
            "A",
            False,
        ),
    ],
)
def test_what_is_vital(
    action: str, labels: dict[str, str], name: str, expected: bool
) -> None:
    """What it changes, the host it is on, and where neither counts."""
    assert is_vital(action, labels, name) is expected


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        ("cart-6f8c9d7b5-k2lmn", True),
        ("cart-k2lmn", True),
        ("mysql-0", False),
        ("redis-master-12", False),
        ("cart", False),
    ],
)
def test_a_deployment_s_pod_has_a_name_of_its_own(
    pod: str, expected: bool
) -> None:
    """A set's pod has a number."""
    assert has_replica_name(pod) is expected


def test_words_of_a_name() -> None:
    """CamelCase is parted, numbers are one word, dashes are none."""
    assert words_of("HostDisk-full 93% über_x") == [
        "host",
        "disk",
        "full",
        "0",
        "über",
        "x",
    ]
