"""Every file of the folder is a whole check."""

import asyncio
import inspect
import pkgutil
import time
from importlib import import_module
from pathlib import Path

import pytest

from app.core.errors import OutgoingFailed
from app.core.registry import scan
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check
from app.verify import checks
from app.verify.checking import SECONDS
from tests.programs import free_port
from tests.unit.test_house import HOME
from tests.unit.verify.making import WEB, FakeEnv, away, here

NAMES = [found.name for found in pkgutil.iter_modules(checks.__path__)]
# Nobody listens there.
NOWHERE = f"http://127.0.0.1:{free_port()}"
SETTINGS = {
    "promql": {"url": NOWHERE},
    "zabbix_item": {"url": NOWHERE, "token": "x"},
    "pod_is_ready": {"url": NOWHERE},
    "container_is_healthy": {"socket": "/nowhere/docker.sock"},
}
OPTIONS: dict[str, dict[str, str | int | float]] = {
    "promql": {"query": "up", "limit": 1},
    "zabbix_item": {"key": "agent.ping", "limit": 1},
    "http_probe": {"url": NOWHERE},
    "tcp_probe": {"port": 9, "host": "127.0.0.1"},
}
ARGUMENTS: dict[str, str | int] = {
    "host": "web-1",
    "service": "surely-no-service",
    "process": "surely-no-process",
    "path": "/surely/no/path",
    "container": "surely-no-container",
    "namespace": "shop",
    "pod": "shop-7d4b9c5f-abcde",
}
SUBJECTS = {
    "here": here(arguments=ARGUMENTS),
    "away": away(arguments=ARGUMENTS),
    "empty": Subject(),
    "odd": here(arguments={"host": 5, "path": "\x00", "service": "-h;x",
                           "process": 7, "container": "../..",
                           "pod": "../x", "namespace": "?"}),
}  # fmt: skip


def make(name: str) -> Check:
    """Return a check whose systems are all away."""
    env = FakeEnv(name, SETTINGS.get(name), (WEB,))
    check: Check | None = import_module(f"{checks.__name__}.{name}").plugin(
        env
    )
    assert check is not None
    return check


def measure(check: Check, subject: Subject) -> Reading | None:
    """Return a reading, None when it fails and says why."""
    try:
        return asyncio.run(check.measure(subject))
    except OutgoingFailed as error:
        return None if str(error) else Reading(check="silent", at=0)


@pytest.mark.parametrize("name", NAMES)
def test_every_file_has_a_plugin(name: str) -> None:
    """One function, made there, that takes its environment."""
    module = import_module(f"{checks.__name__}.{name}")
    assert module.__doc__
    assert module.plugin.__module__ == module.__name__
    assert len(inspect.signature(module.plugin).parameters) == 1
    assert scan(checks)[name.replace("_", "-")] is module.plugin


def test_nothing_else_lies_in_the_folder() -> None:
    """A file that is no plug-in would be taken for one."""
    (path,) = checks.__path__
    found = {one.stem for one in Path(path).glob("*.*")}
    assert found - {"__init__"} == set(NAMES)


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_it_measures_in_its_time_or_fails_as_it_may(
    name: str, subject: str
) -> None:
    """Whatever it is asked about; without a value it says why."""
    check = make(name)
    asked = Subject(
        **{
            field: getattr(SUBJECTS[subject], field)
            for field in Subject.__struct_fields__
            if field != "options"
        },
        options=OPTIONS.get(name, {}),
    )
    began = time.monotonic()
    found = measure(check, asked)
    assert time.monotonic() - began < SECONDS
    if found is None:
        return
    assert found.check == name
    assert found.says
    assert found.at > 0
    known = check.judge(None, found)
    assert (known is Judgement.UNKNOWN) is (found.value is None)
    assert known is not Judgement.WORSE


@pytest.mark.parametrize("name", NAMES)
def test_a_reading_without_a_value_is_unknown(name: str) -> None:
    """It is no success, and no failure."""
    blank = Reading(check=name, at=1, says="?")
    good = Reading(check=name, at=1, value=0.0, limit=1.0)
    check = make(name)
    assert check.judge(None, blank) is Judgement.UNKNOWN
    assert check.judge(good, blank) is Judgement.UNKNOWN
    assert check.judge(blank, blank) is Judgement.UNKNOWN


@pytest.mark.parametrize("name", NAMES)
def test_odd_options_never_break_it(name: str) -> None:
    """They are told at the start; later they give no reading."""
    subject = here(arguments=ARGUMENTS, options={"nonsense": "x"})
    found = measure(make(name), subject)
    assert found is None or found.says


@pytest.mark.parametrize("name", NAMES)
def test_every_check_is_documented(name: str) -> None:
    """In the page about them."""
    page = (HOME / "docs" / "verify.md").read_text(encoding="utf-8")
    assert f"| {name} |" in page
