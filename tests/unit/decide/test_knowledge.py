"""What is generally known: software, places and roles."""

import re
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.decide.knowledge import (
    UNKNOWN,
    Knowledge,
    is_disposable,
    read_knowledge,
    split_words,
)

KNOWN = read_knowledge()
SMALL = Knowledge(
    [
        "# a heading",
        "",
        "mysql | database | mysql,my sql server | mysql,mysqld | mysqld",
        "kafka | queue | kafka | kafka | -",
        "kafka-ui | dashboard | kafka ui | kafka-ui | -",
        "apache | web | apache,apache http server | apache2 | httpd",
        "tomcat | appserver | tomcat,apache tomcat | tomcat9 | -",
    ],
    [
        "(^|/)logs?(/|$) | logs",
        "^/var/lib/(a|b) | data",
        "^[A-Z]:$ | system-drive",
    ],
    ["db | database!", "Web | web", "sql | database!"],
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("MySQL is down", ["mysql"]),
        ("MySQLDown", ["mysql"]),
        ("PostgreSQLReplicationLag", ["postgresql"]),
        ("PostgresqlDown", ["postgresql"]),
        ("RabbitMQQueueFull", ["rabbitmq"]),
        ("MongoDBReplicaLag", ["mongodb"]),
        ("InfluxDBDown", ["influxdb"]),
        ("ElasticSearchClusterRed", ["elasticsearch"]),
        ("HAProxyBackendDown", ["haproxy"]),
        ("nginx_http_errors", ["nginx"]),
        ("the webservers are slow", []),
        ("the enginx room", []),
        ("", []),
    ],
)
def test_a_text_names_software_by_whole_words(
    text: str, names: list[str]
) -> None:
    """CamelCase is parted where that finds a name, and only there."""
    assert [one.name for one in KNOWN.all_named(text)] == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Kafka UI is down", ["kafka-ui"]),
        ("kafka is down", ["kafka"]),
        ("kafka-ui and kafka", ["kafka-ui", "kafka"]),
        ("Apache Tomcat does not answer", ["tomcat"]),
        ("Apache HTTP Server", ["apache"]),
        ("my sql server 2", ["mysql"]),
    ],
)
def test_the_longest_name_comes_first(text: str, names: list[str]) -> None:
    """And what is a part of it is not found again there."""
    assert [one.name for one in SMALL.all_named(text)] == names
    first = SMALL.named(text)
    assert first is not None
    assert first.name == names[0]


def test_nothing_named_is_nothing() -> None:
    """A text without software has none."""
    assert SMALL.named("the load is high") is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("nginx", "web"),
        ("nginx.service", "web"),
        ("NGINX.EXE", "web"),
        ("php8.2-fpm", "appserver"),
        ("php-fpm", "appserver"),
        ("postgresql@14-main", "database"),
        ("mysqld", "database"),
        ("MSSQLSERVER", "database"),
        ("MSSQL$PROD", "database"),
        ("Spooler", "printing"),
        ("node_exporter", "exporter"),
    ],
)
def test_a_unit_or_process_belongs_to_software(name: str, kind: str) -> None:
    """With its suffixes, instances and versions."""
    found = KNOWN.program(name)
    assert found is not None, name
    assert found.kind == kind


@pytest.mark.parametrize("name", ["", ".", "@", "$", "acme-api", "x.y.z"])
def test_a_home_made_name_is_nothing_known(name: str) -> None:
    """It is not taken for anything."""
    assert KNOWN.program(name) is None


@pytest.mark.parametrize(
    ("path", "kind", "is_clean"),
    [
        ("/var/log", "logs", True),
        ("/var/log/nginx", "logs", True),
        ("/var/log/postgresql", "logs", True),
        ("/tmp", "temporary", True),
        ("/var/cache/apt", None, True),
        ("/var/lib/docker", "images", True),
        ("/var/lib/docker/volumes", "volumes", False),
        ("/var/lib/mysql", "database", False),
        ("/var/lib/postgresql/14", "database", False),
        ("/home", "home", False),
        ("/home/ci/workspace", "workspace", True),
        ("/boot", "boot", False),
        ("/", "root", True),
        ("C:", "system-drive", True),
        ("D:", "data", False),
        ("C:\\Windows\\Temp", "temporary", True),
        ("/backup", "backup", False),
    ],
)
def test_a_path_is_of_a_kind(
    path: str, kind: str | None, is_clean: bool
) -> None:
    """The more particular place counts."""
    found = KNOWN.place(path)
    assert kind in (None, found)
    assert is_disposable(found) is is_clean


def test_an_unknown_path_is_unknown() -> None:
    """The first pattern that matches counts; a bar may stand in one."""
    assert SMALL.place("/srv/acme") == UNKNOWN
    assert SMALL.place("/var/lib/b/logs") == "logs"
    assert SMALL.place("/var/lib/b") == "data"
    assert SMALL.place("c:") == "system-drive"


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("web-1", ["web"]),
        ("db03", ["database"]),
        ("web-db-2", ["web", "database"]),
        ("windb", ["database"]),
        ("mysql", ["database"]),
        ("webbing", []),
        ("", []),
        ("WEB-7", ["web"]),
    ],
)
def test_a_host_s_name_tells_roles(name: str, kinds: list[str]) -> None:
    """By its words; behind a usual beginning when nothing else is known."""
    assert [kind for kind, _ in SMALL.roles_in(name)] == kinds


def test_an_exclamation_mark_makes_a_role_vital() -> None:
    """The mark is not part of the kind."""
    assert SMALL.role("DB") == ("database", True)
    assert SMALL.role("web") == ("web", False)
    assert SMALL.role("acme") == (UNKNOWN, False)


@pytest.mark.parametrize(
    ("name", "is_vital"),
    [
        ("web-1", False),
        ("db-1", True),
        ("kafka-2", True),
        ("ldap1", True),
        ("esx-04", True),
        ("fw-core", True),
        ("kafka-ui", False),
        ("identity", True),
        ("hypervisor", True),
        ("app-17", False),
    ],
)
def test_hosts_that_hold_state_are_vital(name: str, is_vital: bool) -> None:
    """By the list that is shipped."""
    found = KNOWN.roles_in(name)
    assert found, name
    assert found[-1][1] is is_vital


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("HostDiskAlmostFull", "host disk almost full"),
        ("KubePodCPUThrottling", "kube pod cpu throttling"),
        ("node_disk-io 5m", "node disk io 5m"),
        ("ApacheDown", "apache down"),
        ("php8.2-fpm", "php8.2 fpm"),
        ("C++ and C#", "c++ and c#"),
        ("", ""),
    ],
)
def test_words_are_parted(text: str, words: str) -> None:
    """CamelCase, dashes and underscores; versions stay whole."""
    assert split_words(text) == words


@given(st.text(max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    """Whatever an alert says."""
    KNOWN.all_named(text)
    KNOWN.program(text)
    KNOWN.roles_in(text)
    assert KNOWN.place(text)


def test_the_lists_are_read_once() -> None:
    """They do not change while the service runs."""
    assert read_knowledge() is KNOWN


def test_a_line_with_too_few_columns_is_named() -> None:
    """It is not read as something else."""
    with pytest.raises(ValueError, match=r"not 5 columns: 'nginx \| web'"):
        Knowledge(["nginx | web"], [], [])


def test_every_pattern_of_a_place_is_one() -> None:
    """And each kind in the list is one that the code knows what to do with."""
    text = (files("app.decide.knowledge") / "places.txt").read_text("utf-8")
    lines = [one for one in text.splitlines() if one and one[0] != "#"]
    for line in lines:
        pattern, _, kind = line.rpartition(" | ")
        assert re.compile(pattern.strip())
        assert re.fullmatch(r"[a-z-]+", kind.strip()), line
    assert len(lines) > 40


@pytest.mark.parametrize(
    "kind", ["database", "queue", "storage", "identity", "home", UNKNOWN]
)
def test_what_holds_state_is_not_disposable(kind: str) -> None:
    """Nor is what nobody knows."""
    assert not is_disposable(kind)
