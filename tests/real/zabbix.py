"""The real Zabbix server with its API, on a database of its own."""

import os
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.programs import free_port, need
from tests.real.program import Program, answers
from tests.real.zabbix_api import ADMIN, ZabbixApi
from tests.real.zabbix_database import ZabbixDatabase, need_file

FRONTEND = Path("/usr/share/zabbix")
CLASS = FRONTEND / "include/classes/core/CConfigFile.php"
ZONE = "Asia/Kolkata"  # Zabbix writes local times without their zone
# The frontend reads its settings from one fixed path in /etc: its class is
# loaded first, with our path in it.
PREPEND = """<?php
eval('?>' . str_replace(
    '/etc/zabbix/zabbix.conf.php', {path!r}, file_get_contents({source!r})
));
"""
SETTINGS = """<?php
$DB['TYPE'] = 'POSTGRESQL';
$DB['SERVER'] = '127.0.0.1';
$DB['PORT'] = '{port}';
$DB['DATABASE'] = 'zabbix';
$DB['USER'] = 'smoke';
$DB['PASSWORD'] = '';
$DB['SCHEMA'] = '';
$DB['ENCRYPTION'] = false;
$DB['DOUBLE_IEEE754'] = true;
$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
"""
SERVER = """AllowRoot=1
LogType=console
ListenIP=127.0.0.1
ListenPort={listen}
SocketDir={folder}
PidFile={folder}/zabbix_server.pid
DBHost=127.0.0.1
DBPort={port}
DBName=zabbix
DBUser=smoke
CacheUpdateFrequency=1
HousekeepingFrequency=0
StartDBSyncers=1
StartPollers=3
StartPollersUnreachable=1
StartTrappers=1
StartPingers=0
StartDiscoverers=0
StartHTTPPollers=0
StartPreprocessors=1
StartLLDProcessors=1
StartAlerters=3
"""


class Zabbix:
    """Database, API and server; the server starts when it is set up."""

    def __init__(self, folder: Path, zone: str = ZONE) -> None:
        self._sender = need("zabbix_sender", "zabbix-sender")
        php = need("php", "php-cli php-pgsql")
        need_file(CLASS, "zabbix-frontend-php")
        self.folder = folder
        self.database = ZabbixDatabase()
        self._running = ExitStack()
        self._port = free_port()
        self.url = f"http://127.0.0.1:{free_port()}"
        self._server = Program(
            [
                need("zabbix_server", "zabbix-server-pgsql"),
                "-f",
                "-c",
                folder / "zabbix_server.conf",
            ],
            folder / "zabbix_server.log",
            lambda: listens(self._port),
            {**os.environ, "TZ": zone},
        )
        self._frontend = Program(
            [
                php,
                "-d",
                f"auto_prepend_file={folder / 'prepend.php'}",
                "-S",
                self.url.removeprefix("http://"),
                "-t",
                FRONTEND,
            ],
            folder / "frontend.log",
            lambda: answers(f"{self.url}/robots.txt"),
        )

    def __enter__(self) -> Self:
        """Make the database and start the API."""
        with ExitStack() as starting:
            starting.enter_context(self.database)
            self.database.load()
            self._write_settings()
            starting.enter_context(self._frontend)
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing running."""
        self._running.close()

    def start_server(self) -> None:
        """Start the server, which reads now what was set up."""
        self._running.enter_context(self._server)

    def log_in(self, user: tuple[str, str] = ADMIN) -> ZabbixApi:
        """Return a session of a user."""
        api = ZabbixApi(self.url)
        api.log_in(*user)
        return api

    def send(self, host: str, *values: tuple[str, int]) -> None:
        """Tell values of keys, as a script on a host does."""
        lines = [f"{host} {key} {value}\n" for key, value in values]
        done = subprocess.run(
            [
                self._sender, "-z", "127.0.0.1", "-p", str(self._port),
                "-i", "-",
            ],
            input="".join(lines),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )  # fmt: skip
        assert f"processed: {len(values)}; failed: 0" in done.stdout, done

    def hurry(self, event_id: str) -> None:
        """Let the next step of an escalation be due, not in a minute."""
        self.database.execute(
            "UPDATE escalations SET nextcheck = 0"
            f" WHERE eventid = {int(event_id)};"
        )

    def _write_settings(self) -> None:
        """Write the settings of server and frontend."""
        settings = self.folder / "zabbix.conf.php"
        settings.write_text(SETTINGS.format(port=self.database.port))
        prepend = PREPEND.format(path=str(settings), source=str(CLASS))
        (self.folder / "prepend.php").write_text(prepend)
        server = SERVER.format(
            listen=self._port, folder=self.folder, port=self.database.port
        )
        (self.folder / "zabbix_server.conf").write_text(server)


def listens(port: int) -> bool:
    """Tell whether somebody listens on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
