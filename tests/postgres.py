"""A PostgreSQL server of our own, for tests that need the real one."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from tests.programs import free_port, need

PACKAGE = "postgresql"
USER = "postgres"
PREFIX = "smokejumper-pg-"
# The server is killed and restarted, but the machine goes on: so it may
# write to memory, where nobody waits for a disk.
FAST = Path("/dev/shm")
ROOM = 1 << 30


def _home() -> Path | None:
    """Return where there is room for a server, None for the usual place."""
    has_room = FAST.is_dir() and shutil.disk_usage(FAST).free > ROOM
    return FAST if has_room else None


class Postgres:
    """A server on a free port, as an ordinary user, with fsync on."""

    def __init__(self, home: Path | None = None) -> None:
        """Take where its files shall be, for what memory has no room for."""
        self._ctl = need("pg_ctl", PACKAGE)
        self._initdb = need("initdb", PACKAGE)
        self._psql = need("psql", PACKAGE)
        self.port = free_port()
        place = home or _home()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        self._log_room = "4GB" if home else "128MB"

    def __enter__(self) -> Self:
        """Make a cluster and start it."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER, USER)
        self._run(
            self._initdb, "-D", self._data, "-A", "trust", "-U", "smoke",
            "-E", "UTF8", "--locale=C.UTF-8",
        )  # fmt: skip
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server and remove its files."""
        self._run(self._ctl, "-D", self._data, "-m", "immediate", "stop")
        shutil.rmtree(self.folder)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = (
            f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.folder}"
            f" -c max_wal_size={self._log_room}"
        )
        self._run(
            self._ctl, "-D", self._data, "-w", "-o", options,
            "-l", f"{self.folder}/log", "start",
        )  # fmt: skip

    def restart_immediately(self) -> None:
        """Restart it as after a crash: nothing is finished, all recovered."""
        self._run(
            self._ctl, "-D", self._data, "-w", "-m", "immediate",
            "-l", f"{self.folder}/log", "restart",
        )  # fmt: skip

    def make_database(self, name: str, like: str = "template1") -> str:
        """Make an empty database, or a copy of one, and return its URL."""
        with self._connect() as server:
            server.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(like)
                )
            )
        return f"{self._url}/{name}"

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected, where memory is short."""
        if FAST not in self.folder.parents:
            return
        with self._connect() as server:
            gone = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            server.execute(gone.format(sql.Identifier(name)))

    def _connect(self) -> psycopg.Connection:
        """Return a connection whose statements hold at once."""
        return psycopg.connect(f"{self._url}/postgres", autocommit=True)

    @property
    def _url(self) -> str:
        """Return the address of the server."""
        return f"postgresql://smoke@127.0.0.1:{self.port}"

    @property
    def _data(self) -> str:
        """Return the folder of the cluster."""
        return f"{self.folder}/data"

    def _run(self, program: Path, *arguments: str) -> None:
        """Run a program of PostgreSQL, never as root."""
        as_whom = {"user": USER, "group": USER} if os.geteuid() == 0 else {}
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(  # type: ignore[call-overload]  # (user)
                [program, *arguments],
                **as_whom,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=120,
                check=False,
            )
            if done.returncode:
                output.seek(0)
                text = output.read().decode(errors="replace")
                raise RuntimeError(f"{program.name} failed: {text}")
