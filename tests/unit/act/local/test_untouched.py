"""What is never restarted, and what only when its whole name is written."""

import pytest

from app.act.local.hand import Unwilling
from app.act.local.restart.untouched import refuse
from app.act.local.stateful import holds_data
from app.core.warden import Standing, State


def standing(*names: str, warden: str = "supervisor") -> Standing:
    """Return how something is that has some names."""
    return Standing(name=names[0], warden=warden, state=State.ACTIVE,
                    says="", names=names)  # fmt: skip


@pytest.mark.parametrize(
    ("names", "listed", "is_let"),
    [
        (("data:redis", "redis", "data"), ["*", "data:*"], False),
        (("data:redis", "redis", "data"), ["data:redis"], True),
        (("mysql:worker", "worker", "mysql"), ["worker"], False),
        (("web:api", "api", "web"), [], True),
        (("web:sshd", "sshd", "web"), ["web:sshd"], False),
    ],
)
def test_a_program_of_supervisor_counts_by_its_parts(
    names: tuple[str, ...], listed: list[str], *, is_let: bool
) -> None:
    """The program's name, and its group's."""
    if is_let:
        refuse(standing(*names), listed)
        return
    with pytest.raises(Unwilling):
        refuse(standing(*names), listed)


def test_a_declared_database_was_named_with_its_command() -> None:
    """By that very name; what is protected is so nevertheless."""
    refuse(standing("redis", warden="command"), [])
    with pytest.raises(Unwilling, match="redis is protected"):
        refuse(standing("redis", warden="command"), [], ["red*"])


@pytest.mark.parametrize(
    ("name", "is_so"),
    [
        ("rh-postgresql12-postgresql", True),
        ("MyCassandra", True),
        ("db-asd-1", True),
        ("tikv-20160", True),
        ("yb-tserver", True),
        ("site_backup", True),
        ("hadoop-hdfs-namenode", True),
        ("nasdaq", False),
        ("nats", True),
        ("donate", False),
        ("shop", False),
        ("php8.2-fpm", False),
        ("nginx", False),
        ("", False),
    ],
)
def test_a_name_tells_what_holds_data(name: str, *, is_so: bool) -> None:
    """A long word anywhere, a short one only as a word."""
    assert holds_data(name) is is_so
