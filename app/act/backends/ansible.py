"""Play playbooks by Ansible Runner, each in a process of its own.

What an alert says is never a template: values are told to Ansible as unsafe
texts, and a job is limited to the one host that it is for.
"""

import asyncio
import importlib.util
import sys
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import msgspec
from pydantic import AfterValidator, Field

from app.act.ansible_inventory import AnsibleInventory
from app.act.passing import (
    Argument,
    PassingSettings,
    check_rest,
    one_host,
    pick,
    reaches,
)
from app.act.plays import Plays, Score
from app.core.configfile import Section
from app.core.errors import ConfigError, NotAccepted, OutgoingFailed
from app.models.job import Order, Progress
from app.ports import Backend, BackendEnv

PACKAGES = "ansible-runner==2.4.3 ansible-core==2.19.14"
PROGRAMS = ("ansible-playbook", "ansible-inventory")
KEY_VARIABLE = "smokejumper_key"
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
encode = msgspec.json.encode


def _playbook(text: str) -> str:
    """Return the path of a playbook below the folder project."""
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or not path.name:
        raise ValueError("write its path below the folder project")
    return text


class JobSettings(PassingSettings):
    """One playbook.

    Attributes:
        playbook: its path below the folder ``project``.
        extravars: which variable gets which argument.
        limit: the argument that names the host that it is limited to;
            empty: the playbook itself says where it runs.
        shows: what its output is: what Ansible writes of the play, or the
            stdout of its tasks alone.
    """

    playbook: Annotated[str, AfterValidator(_playbook)]
    extravars: dict[Variable, Argument] = Field(default_factory=dict)
    limit: Argument | Literal[""] = "host"
    shows: Literal["play", "stdout"] = "play"


class AnsibleSettings(Section):
    """Where the playbooks are, and who plays them.

    Attributes:
        private_data_dir: the folder with ``project`` and ``inventory``, as
            Ansible Runner wants it.
        folder: where it is written what was started.
        python: a Python that has Ansible Runner; empty: ours.
        python_interpreter: the Python on the hosts; empty: as the inventory
            says.
        hosts: patterns of the hosts that it reaches; none: those of the
            inventory.
        forks: on so many hosts at once.
        environment: the variables of ours that plays get, too.
        jobs: the playbooks, by the names that we have for them.
    """

    private_data_dir: str = Field(min_length=1, max_length=1_000)
    folder: str = "var/ansible"
    python: str = ""
    python_interpreter: str = ""
    hosts: tuple[str, ...] = ()
    forks: int = Field(5, ge=1, le=500)
    environment: tuple[Variable, ...] = ()
    jobs: dict[
        Annotated[str, Field(min_length=1, max_length=200)], JobSettings
    ] = Field(default_factory=dict, max_length=1_000)


def plugin(env: BackendEnv) -> Backend | None:
    """Return the backend, or None when it is not configured."""
    if not env.is_configured:
        return None
    settings = env.settings(AnsibleSettings)
    home = env.home / settings.private_data_dir
    python = settings.python or sys.executable
    problems = []
    what = _lack(python, is_ours=not settings.python)
    if what:
        remedy = f"Run: {python} -m pip install {PACKAGES}"
        problems.append(env.problem(what, remedy, "python"))
    for name, job in settings.jobs.items():
        if not (home / "project" / job.playbook).is_file():
            what = f"{home / 'project' / job.playbook} is not there"
            remedy = "Put the playbook there, or correct its path."
            problems.append(env.problem(what, remedy, "jobs", name))
    if problems:
        raise ConfigError(problems)
    names = settings.environment
    folder = (env.home / settings.folder).resolve()
    inventory = AnsibleInventory(python, home.resolve(), names)
    plays = Plays(folder, python, names)
    return Ansible(settings, home.resolve(), inventory, plays)


def _lack(python: str, *, is_ours: bool) -> str:
    """Return what a Python lacks to play, or nothing."""
    if is_ours and importlib.util.find_spec("ansible_runner") is None:
        return "Ansible Runner is not installed"
    for program in PROGRAMS:
        if not (Path(python).parent / program).is_file():
            return f"{program} is not beside {python}"
    return ""


class Ansible:
    """Plays playbooks, each key once, and follows them."""

    def __init__(
        self,
        settings: AnsibleSettings,
        home: Path,
        inventory: AnsibleInventory,
        plays: Plays,
    ) -> None:
        """Take the playbooks, where they are, for whom, and who plays."""
        self._settings = settings
        self._home = home
        self._inventory = inventory
        self._plays = plays

    def knows(self, job: str) -> bool:
        """Tell whether there is a playbook of this name."""
        return job in self._settings.jobs

    def reaches(self, host: str, *, is_here: bool) -> bool:
        """Tell whether a host is in the inventory, or of the patterns.

        One that is not read yet may have it: that is seen at the start.
        """
        del is_here
        if self._settings.hosts:
            return reaches(self._settings.hosts, host)
        return not host or self._inventory.may_have(host)

    async def run(self) -> None:
        """Read the inventory now and then, until cancelled."""
        await self._inventory.run()

    async def read_inventory(self) -> None:
        """Learn which hosts there are, or raise OutgoingFailed."""
        await self._inventory.read()

    async def start(self, order: Order) -> Progress:
        """Start a playbook, or say how far it is; see the port."""
        job = self._settings.jobs.get(order.name)
        if job is None:
            raise NotAccepted(f"there is no job {order.name!r}")
        limited = (job.limit,) if job.limit else ()
        check_rest(order, (*job.extravars.values(), *limited), job.only)
        told = pick(order, job.extravars)
        limit = one_host(order, job.limit) if job.limit else ""
        if await asyncio.to_thread(self._plays.has_begun, order.key):
            return await asyncio.to_thread(self._plays.look, order.key, "")
        limit = await self._find_host(limit) if limit else ""
        score = Score(
            private_data_dir=str(self._home),
            playbook=job.playbook,
            limit=limit,
            forks=self._settings.forks,
            seconds=order.seconds,
            shows=job.shows,
        )
        variables = self._write(order, told)
        return await asyncio.to_thread(
            self._plays.start, order.key, score, variables
        )

    async def watch(self, order: Order) -> Progress:
        """Return how a playbook goes on."""
        return await asyncio.to_thread(
            self._plays.look, order.key, order.cursor
        )

    async def abort(self, order: Order) -> Progress:
        """Tell a playbook to end; what it has done stays done."""
        await asyncio.to_thread(self._plays.stop, order.key)
        return Progress(reference=order.reference, cursor=order.cursor)

    async def find(self, order: Order) -> Progress | None:
        """Return a playbook by its key, or None when it never ran here."""
        return await asyncio.to_thread(
            self._plays.find, order.key, order.cursor
        )

    async def _find_host(self, name: str) -> str:
        """Return how the inventory writes a host, or raise NotAccepted."""
        try:
            await self._inventory.need()
        except OutgoingFailed as error:
            why = f"the inventory is not known: {error}"
            raise NotAccepted(why, may_retry=True) from error
        if self._inventory.has_group(name):
            raise NotAccepted(f"{name!r} is a group of hosts, not one")
        found = self._inventory.spelling(name)
        if not found and not self._settings.hosts:
            raise NotAccepted(f"{name!r} is no host of the inventory")
        return found or name

    def _write(self, order: Order, told: dict[str, str | int]) -> str:
        """Return variables as YAML: texts are marked, and no templates."""
        lines = [
            f"{name}: {_value(value)}"
            for name, value in {**told, KEY_VARIABLE: order.key}.items()
        ]
        if self._settings.python_interpreter:
            path = encode(self._settings.python_interpreter).decode()
            lines.append(f"ansible_python_interpreter: {path}")
        return "---\n" + "\n".join(lines) + "\n"


def _value(value: str | int) -> str:
    """Return a value as YAML that Ansible takes as it is."""
    if isinstance(value, int):
        return str(value)
    return f"!unsafe {encode(value).decode()}"
