"""Zabbix's server, frontend and agent, set up by our own script.

Each lane of faults is a host of its own there, with the one template that it
is about; the agent of all of them is the same one.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pytest

from scripts.demo.stage import SERVICE, Stage
from tests.e2e.prometheus import set_up
from tests.e2e.stack import host_of
from tests.programs import free_port
from tests.programs import need as find
from tests.real.program import Program
from tests.real.zabbix import Zabbix, listens
from tests.real.zabbix_api import ADMIN, ZabbixApi

HOME = Path(__file__).parents[2]
TEMPLATE = HOME / "config/monitoring/zabbix/smokejumper_template.yaml"
GROUP = "Simulated trouble"
AGENT = """LogType=console
Server=127.0.0.1
ListenIP=127.0.0.1
ListenPort={port}
Hostname=lab
PidFile={folder}/agent.pid
ControlSocket={folder}/agent.sock
PluginSocket={folder}/plugin.sock
"""
RULES = {
    kind: {"createMissing": True}
    for kind in ("templates", "items", "triggers", "groups")
}
# What takes minutes elsewhere takes seconds here. A mean of one minute is
# above a tenth after a few seconds of a whole CPU.
QUICK = {"EVERY": "1s", "FOR": "#2"}
TEMPLATES = {
    "cpu": "Smokejumper process CPU by Zabbix agent",
    "memory": "Smokejumper process memory by Zabbix agent",
    "disk": "Smokejumper disk by Zabbix agent",
    "service": "Smokejumper service by Zabbix agent",
}


class Monitoring:
    """A Zabbix that watches one machine, and tells Smokejumper."""

    def __init__(self, folder: Path, stage: Stage) -> None:
        """Take where it lives and what it watches."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._stage = stage
        self._port = free_port()
        self._zabbix = Zabbix(folder, zone="UTC")
        self._running = ExitStack()

    def __enter__(self) -> Self:
        """Start all of it, and point it at Smokejumper."""
        with ExitStack() as starting:
            starting.enter_context(self._agent())
            starting.enter_context(self._zabbix)
            self._add_hosts(self._zabbix.log_in())
            self._tell_smokejumper()
            self._zabbix.start_server()
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing running."""
        self._running.close()

    def _agent(self) -> Program:
        """Return the agent, not started yet."""
        settings = self._folder / "agent.conf"
        settings.write_text(AGENT.format(folder=self._folder, port=self._port))
        return Program(
            [find("zabbix_agent2", "zabbix-agent2"), "-c", settings],
            self._folder / "agent.log",
            lambda: listens(self._port),
        )

    def _add_hosts(self, api: ZabbixApi) -> None:
        """Import our template, and add a host for each lane."""
        source = TEMPLATE.read_text()
        api.call(
            "configuration.import", format="yaml", source=source, rules=RULES
        )
        found = api.call("template.get", output=["host"])
        templates = {one["host"]: one["templateid"] for one in found}
        group = api.create("hostgroup", name=GROUP)
        for lane, macros in self._macros().items():
            api.create(
                "host",
                host=host_of(lane),
                groups=[{"groupid": group}],
                interfaces=[self._interface()],
                templates=[{"templateid": templates[TEMPLATES[lane]]}],
                macros=[
                    {"macro": f"{{$SMOKEJUMPER.{name}}}", "value": value}
                    for name, value in {**QUICK, **macros}.items()
                ],
            )

    def _interface(self) -> dict[str, Any]:
        """Return where the agent of each host is."""
        return {
            "type": 1,
            "main": 1,
            "useip": 1,
            "ip": "127.0.0.1",
            "dns": "",
            "port": str(self._port),
        }

    def _macros(self) -> dict[str, dict[str, str]]:
        """Return what each lane's host says of itself."""
        named = self._stage.programs
        return {
            "cpu": {"PROCESS": f"{named}-cpu", "CPU.MAX": "10"},
            "memory": {"PROCESS": f"{named}-memory", "MEMORY.MAX": "100M"},
            "disk": {"MOUNTPOINT": str(self._stage.disk)},
            "service": {
                "SERVICE": SERVICE,
                "SERVICE.PORT": str(self._stage.shop_port),
            },
        }

    def _tell_smokejumper(self) -> None:
        """Run our script as a user does."""
        user, password = ADMIN
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ZABBIX_USER", user)
            patch.setenv("ZABBIX_PASSWORD", password)
            set_up(
                "setup_zabbix",
                *("--zabbix", self._zabbix.url, "--group", GROUP),
                *("--url", self._stage.url),
            )
