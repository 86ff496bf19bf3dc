"""The database of a Zabbix server, in seconds instead of minutes."""

import gzip
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.postgres import Postgres

SHIPPED = Path("/usr/share/zabbix-server-pgsql")
PACKAGE = "zabbix-server-pgsql"
# What is shipped with Zabbix is nearly all templates, and takes minutes to
# load; a server and its API are content with these tables.
TABLES = frozenset(
    (
        "role", "role_rule", "users", "usrgrp", "users_groups", "hstgrp",
        "config", "config_autoreg_tls", "graph_theme",
    )
)  # fmt: skip
INSERT = re.compile(r"INSERT INTO (\w+) \(")
QUICK = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


class ZabbixDatabase(Postgres):
    """A PostgreSQL that may lose everything, with Zabbix's tables."""

    def start(self) -> None:
        """Start the server, quick rather than safe."""
        options = (
            f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.folder}"
        )
        self._run(
            self._ctl, "-D", self._data, "-w", "-o", f"{options} {QUICK}",
            "-l", f"{self.folder}/log", "start",
        )  # fmt: skip

    def load(self) -> str:
        """Make the database, and return its name."""
        self.make_database("zabbix")
        self.execute(read_shipped("schema.sql.gz"))
        lines = read_shipped("data.sql.gz").splitlines(keepends=True)
        self.execute("".join(without_templates(lines)))
        return "zabbix"

    def execute(self, sql: str) -> None:
        """Run statements in one transaction, all of them or none."""
        done = subprocess.run(
            [
                self._psql, "-q", "-1", "-v", "ON_ERROR_STOP=1", "-h",
                "127.0.0.1", "-p", str(self.port), "-U", "smoke", "zabbix",
            ],
            input=sql,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"psql failed: {done.stderr[-2000:]}")


def without_templates(lines: Iterable[str]) -> Iterator[str]:
    """Yield the statements about the tables that are needed."""
    wanted = False
    for line in lines:
        start = INSERT.match(line)
        if start:
            wanted = start[1] in TABLES
        if wanted and line != "COMMIT;\n":
            yield line


def read_shipped(name: str) -> str:
    """Return a file of Debian's package."""
    path = need_file(SHIPPED / name, PACKAGE)
    return gzip.decompress(path.read_bytes()).decode()


def need_file(path: Path, package: str) -> Path:
    """Return a path that is there, or skip naming what would add it."""
    if path.exists():
        return path
    remedy = f"{path} is not here: apt-get install {package}"
    if os.environ.get("REAL_SYSTEMS") == "required":
        pytest.fail(remedy)
    pytest.skip(remedy)
