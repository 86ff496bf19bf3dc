"""Each backend with what stands behind it, for the contract of them all."""

import importlib.util
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from app.act.backends.local import Local
from app.act.hands import tame
from app.act.local.executor import Executor
from app.act.local.journal import Journal
from app.act.local.settings import LocalSettings
from app.act.masking import Secrets
from app.core.clock import SystemClock
from app.core.here import Here
from app.core.host import HostSettings
from app.models.job import Order, Progress
from app.ports import Backend
from tests.awx import MODES, FakeAwx
from tests.fakes import FakeClock
from tests.machines import TOKEN, Machine
from tests.receiver import Receiver
from tests.rundeck import PROJECT, FakeRundeck, job_id
from tests.unit.act.backends.making import (
    SECRET,
    endpoint,
    follow,
    further,
    make,
)
from tests.unit.act.local.stands import TRICKS, Relay, running, settle
from tests.unit.act.local.trick import Endless, Never, Trick, count_starts

STEPS = [{"says": "line 1\n"}, {"says": "line 2\n", "seconds": 2}]
SCRIPTS: dict[str, dict[str, Any]] = {
    "later": {"steps": STEPS, "seconds": 3},
    "endless": {"steps": STEPS[:1], "seconds": 80_000},
    "lose": {"steps": STEPS, "seconds": 3, "lose_answer": True},
    "refuse": {"refuses": "forever"},
    "busy": {"refuses": "now"},
    "blind": {"cannot_tell": True},
}
PASSED = {"host": "host", "service_name": "service"}
LOOPBACK = ["127.0.0.0/8"]
# Most have no ear for their running jobs, and pass over what came again.
DEAF = frozenset({"hear", "again"})
PAUSE_SECONDS = 0.1


class Stand:
    """A backend, and what stands behind it.

    Attributes:
        backend: the backend.
        lacks: the jobs that it cannot have, and what else it cannot do:
            hear, and tell that an order came again.
        pass_time: lets time pass, or only tells that it may.
        polls: so often a job is asked for at most.
    """

    def __init__(
        self,
        renew: Callable[[], Backend],
        count: Callable[[str, str], int],
        pass_time: Callable[[], object] = bool,
    ) -> None:
        self.renew = renew
        self.backend = renew()
        self.count = count
        self.pass_time = pass_time
        self.lacks: frozenset[str] = frozenset()
        self.polls = 10

    def need(self, job: str) -> None:
        """Return when it can have such a job, skip the test when not."""
        if job in self.lacks:
            pytest.skip(f"this backend has no job that can {job}")

    async def follow(
        self, sent: Order, said: Progress
    ) -> tuple[Progress, list[str]]:
        """Return how a job ended, and the lines that are its own."""
        end, output = await follow(
            self.backend, sent, said, self.pass_time, self.polls
        )
        return end, re.findall(r"line \d", output)

    async def until(self, sent: Order, said: Progress, text: str) -> Progress:
        """Return what is said of a job that has written a text by now."""
        output = said.output
        for _ in range(self.polls):
            if text in output:
                return msgspec.structs.replace(said, output=output)
            self.pass_time()
            sent = further(sent, said)
            said = await self.backend.watch(sent)
            output += said.output
        raise AssertionError(f"it never wrote {text!r}")


def webhook(folder: Path) -> Iterator[Stand]:
    """Lend the webhook with a receiver in a process of its own."""
    with Receiver(folder, secret=SECRET) as receiver:
        endpoints = {
            name: endpoint(receiver, name, hears=True)
            for name in SCRIPTS
            if name != "blind"
        }
        endpoints["blind"] = endpoint(receiver, "later", find_url="")

        def renew() -> Backend:
            """Return the backend after both ends have been killed."""
            receiver.kill()
            receiver.start()
            sections = {"webhook": {"endpoints": endpoints}}
            return make(folder, sections)["webhook"]

        yield Stand(renew, receiver.noted)


def scripted(folder: Path) -> Iterator[Stand]:
    """Lend the scripted backend with a clock that is moved."""
    clock = FakeClock()

    def renew() -> Backend:
        """Return the backend as it is after a restart."""
        return make(folder, {"scripted": {"jobs": SCRIPTS}}, clock)["scripted"]

    def count(what: str, key: str) -> int:
        """Return how often something happened to a job."""
        file = folder / "var" / "scripted.jsonl"
        if not file.exists():
            return 0
        lines = map(msgspec.json.decode, file.read_bytes().splitlines())
        what = "hear" if what == "word" else what
        return sum((e["what"], e["key"]) == (what, key) for e in lines)

    yield Stand(renew, count, lambda: clock.advance(1))


def rundeck_settings(machine: Machine, **more: object) -> dict[str, Any]:
    """Return the settings of a Rundeck with all its jobs."""
    jobs: dict[str, dict[str, Any]] = {
        mode: {"id": job_id(mode), "options": PASSED}
        for mode in ("later", "endless", "lose", "refuse", "busy")
    }
    blind = {"id": job_id("later"), "options": PASSED, "key_option": ""}
    return {
        "url": machine.url,
        "token": TOKEN,
        "project": PROJECT,
        "allow": LOOPBACK,
        "poll_seconds": 0,
        "timeout_seconds": 5,
        "jobs": {**jobs, "blind": blind},
        **more,
    }


def awx_settings(machine: Machine, **more: object) -> dict[str, Any]:
    """Return the settings of an AWX with all its templates."""
    told = {"service_name": "service"}
    jobs: dict[str, dict[str, Any]] = {
        mode: {"template": mode, "extra_vars": told} for mode in MODES
    }
    blind = {"template": 0, "extra_vars": told, "key_variable": ""}
    return {
        "url": machine.url,
        "token": TOKEN,
        "allow": LOOPBACK,
        "poll_seconds": 0,
        "timeout_seconds": 5,
        "jobs": {**jobs, "blind": blind},
        **more,
    }


def rundeck(folder: Path) -> Iterator[Stand]:
    """Lend Rundeck."""
    with FakeRundeck(folder) as machine:
        yield _platform(folder, "rundeck", machine, rundeck_settings)


def awx(folder: Path) -> Iterator[Stand]:
    """Lend AWX."""
    with FakeAwx(folder) as machine:
        yield _platform(folder, "awx", machine, awx_settings)


def _platform(
    folder: Path,
    name: str,
    machine: Machine,
    settings: Callable[[Machine], dict[str, Any]],
) -> Stand:
    """Return a platform whose two ends can be killed."""

    def renew() -> Backend:
        """Return the backend after both ends have been killed."""
        machine.kill()
        machine.start()
        return make(folder, {name: settings(machine)})[name]

    stand = Stand(renew, machine.noted)
    stand.lacks = DEAF
    return stand


PLAYS = {"later": ["line 1", "line 2"], "endless": ["line 1"]}


def need_ansible() -> None:
    """Return when Ansible is here, skip or fail the test when not."""
    if importlib.util.find_spec("ansible_runner") is not None:
        return
    remedy = "pip install ansible-runner==2.4.3 ansible-core==2.19.14"
    if os.environ.get("REAL_SYSTEMS") == "required":
        pytest.fail(f"Ansible is not here: {remedy}")
    pytest.skip(f"Ansible is not here: {remedy}")


def private_data(folder: Path) -> Path:
    """Return a folder as Ansible Runner wants it, with some playbooks."""
    made = folder / "private"
    for name in ("project", "inventory"):
        (made / name).mkdir(parents=True)
    hosts = {"web-01": {"ansible_connection": "local"}}
    tree = {"all": {"hosts": hosts, "children": {"web": {"hosts": hosts}}}}
    text = yaml.safe_dump(tree)
    (made / "inventory" / "hosts.yml").write_text(text, encoding="utf-8")
    for name, lines in PLAYS.items():
        note = f"echo {{{{ smokejumper_key }}}} >> {folder / 'played'}"
        tasks: list[dict[str, Any]] = [{"ansible.builtin.shell": note}]
        tasks += [{"ansible.builtin.debug": {"msg": x}} for x in lines]
        if name == "endless":
            tasks.append({"ansible.builtin.wait_for": {"timeout": 600}})
        write_play(made, name, tasks)
    return made


def write_play(
    private: Path, name: str, tasks: list[dict[str, Any]], hosts: str = "all"
) -> None:
    """Write a playbook of one play."""
    play = {"hosts": hosts, "gather_facts": False, "tasks": tasks}
    text = yaml.safe_dump([play])
    (private / "project" / f"{name}.yml").write_text(text, encoding="utf-8")


def ansible_settings(private: Path) -> dict[str, Any]:
    """Return the settings of Ansible with all its playbooks."""
    told = {"service_name": "service"}
    jobs: dict[str, dict[str, Any]] = {
        file.stem: {"playbook": file.name, "extravars": told}
        for file in sorted((private / "project").iterdir())
    }
    only = {"service": ["another"]}
    jobs["refuse"] = {"playbook": "later.yml", "only": only}
    return {
        "private_data_dir": str(private),
        "python_interpreter": sys.executable,
        "jobs": jobs,
    }


def ansible(folder: Path) -> Iterator[Stand]:
    """Lend Ansible itself, on this machine."""
    need_ansible()
    private = private_data(folder)

    def renew() -> Backend:
        """Return the backend as it is after a restart."""
        return make(folder, {"ansible": ansible_settings(private)})["ansible"]

    def count(what: str, key: str) -> int:
        """Return how often something happened to a job."""
        if what == "abort":
            return (folder / "var" / "ansible" / key / "stop").exists()
        return _lines(folder / "played").count(key)

    stand = Stand(renew, count, lambda: time.sleep(PAUSE_SECONDS))
    stand.lacks, stand.polls = DEAF | {"lose", "busy", "blind"}, 600
    yield stand


def local(folder: Path) -> Iterator[Stand]:
    """Lend this machine, with deeds of the tests, within our process."""
    ledger = folder / "ledger"
    deeds = {"later": Trick(ledger), "endless": Endless(ledger)}
    deeds["busy"] = Never(ledger)
    journal = folder / "journal"

    def renew() -> Backend:
        """Return the backend as another process would have it."""
        here = Here(HostSettings(names=("web-01",)), SystemClock()).is_here
        executor = Executor(deeds, Journal(journal), 4, here)
        settings = LocalSettings(allow=tuple(deeds))
        return tame(Local(executor, settings, here), Secrets([]))

    stand = Stand(renew, _counter(folder, journal), partial(settle, journal))
    stand.lacks = DEAF | {"lose", "blind"}
    yield stand


def hands(folder: Path) -> Iterator[Stand]:
    """Lend this machine by a process of its own, whose answers get lost."""
    with running(folder) as process:
        relay = Relay(folder, process.socket, b'"name":"lose"')
        told = {"socket": str(relay.socket), "allow": list(TRICKS)}

        def renew() -> Backend:
            """Return the backend after the other end has been killed."""
            settle(process.journal)
            process.kill()
            process.start()
            return make(folder, {"local": told})["local"]

        stand = Stand(
            renew,
            _counter(folder, process.journal),
            partial(settle, process.journal),
        )
        stand.lacks = DEAF | {"blind"}
        yield stand
        relay.close()


def _counter(folder: Path, journal: Path) -> Callable[[str, str], int]:
    """Return what counts how often something happened to a deed."""

    def count(what: str, key: str) -> int:
        """Return how often something happened to a job."""
        if what == "abort":
            return (journal / f"{key}.stop").exists()
        return count_starts(folder, key)

    return count


def _lines(file: Path) -> list[str]:
    """Return the lines of a file that may not be there."""
    return file.read_text().splitlines() if file.exists() else []


STANDS = {
    one.__name__: one
    for one in (webhook, scripted, local, hands, rundeck, awx, ansible)
}
