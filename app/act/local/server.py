"""The server: lets one web process call the executor over a unix socket.

It believes nobody: the kernel says who asks, only listed users may, and what
is no typed order is refused. Each connection carries one call, has little
time and little room, and there are few of them.
"""

import asyncio
import fcntl
import grp
import os
import socket
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from app.act.local.executor import Executor
from app.act.local.wire import MOST_ASKED, Call, Said, read_call, who_asks
from app.core.errors import NotAccepted, NotHere, OutgoingFailed
from app.core.log import get_log

MODE = 0o660
MOST_LINES = 64
QUEUE = 32
ASK_SECONDS = 5.0
# Who is turned away may still be heard out for so long, and so many.
LEAVE_SECONDS = 0.3
MOST_LEAVING = 128
log = get_log("hands")


class Server:
    """Answers calls, one for each connection."""

    def __init__(self, executor: Executor, users: Collection[int]) -> None:
        """Take who does the work, and whose calls are taken."""
        self._executor = executor
        self._users = frozenset(users)
        self._serving = 0
        self._leaving = 0
        self._strangers: set[int] = set()

    async def run(
        self, listener: socket.socket, end: asyncio.Event, seconds: float
    ) -> None:
        """Answer until the end is near and what runs has ended.

        Args:
            listener: where calls come in.
            end: is set when it shall end.
            seconds: so long what runs may still go on then.
        """
        server = await asyncio.start_unix_server(
            self._answer, sock=listener, limit=MOST_ASKED, backlog=QUEUE
        )
        try:
            await end.wait()
            log.info("hands.ending", seconds=seconds)
            # Whoever waits for a job still hears how it goes on.
            await asyncio.to_thread(self._executor.close, seconds)
        finally:
            server.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer the one call of a connection, whatever comes in."""
        try:
            async with asyncio.timeout(2 * ASK_SECONDS):
                said = await self._hear(reader, writer)
                writer.write(msgspec.json.encode(said) + b"\n")
                await writer.drain()
        except (OSError, TimeoutError, EOFError):
            # It hung up, or was silent: nothing was asked.
            writer.transport.abort()
        finally:
            writer.close()

    async def _hear(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Said:
        """Return the answer to what comes in.

        Raises:
            OSError: nobody knows who asks.
            TimeoutError: it took too long to ask.
            EOFError: it hung up before it had asked, or must.
        """
        user = who_asks(writer.get_extra_info("socket"))
        if user not in self._users:
            self._note(user)
            why = Said(refused=f"the user {user} may not ask here")
            return await self._turn_away(reader, why)
        if self._serving >= MOST_LINES:
            why = Said(refused="too many ask at once", may_retry=True)
            return await self._turn_away(reader, why)
        self._serving += 1
        try:
            return await self._serve(reader)
        finally:
            self._serving -= 1

    async def _turn_away(
        self, reader: asyncio.StreamReader, why: Said
    ) -> Said:
        """Return a refusal, once what was asked has been read away.

        What is not read when we hang up would take our answer with it.
        """
        if self._leaving >= MOST_LEAVING:
            raise EOFError
        self._leaving += 1
        try:
            with suppress(asyncio.LimitOverrunError, EOFError, TimeoutError):
                async with asyncio.timeout(LEAVE_SECONDS):
                    await reader.readuntil(b"\n")
        finally:
            self._leaving -= 1
        return why

    async def _serve(self, reader: asyncio.StreamReader) -> Said:
        """Return the answer to who may ask.

        Raises:
            TimeoutError: it took too long to ask.
            EOFError: it hung up before it had asked.
        """
        try:
            async with asyncio.timeout(ASK_SECONDS):
                line = await reader.readuntil(b"\n")
            call = read_call(line)
        except asyncio.LimitOverrunError:
            return Said(refused="that is too long for an order")
        except ValueError as error:
            return Said(refused=f"that is no order: {error}")
        return await asyncio.to_thread(self._carry_out, call)

    def _carry_out(self, call: Call) -> Said:
        """Return what came of a call; in a thread of its own."""
        try:
            if call.call == "start":
                return self._start(call)
            if call.call == "find":
                found = self._executor.find(call.order)
                return Said(progress=found, missing=found is None)
            watch = self._executor.watch
            asked = self._executor.abort if call.call == "abort" else watch
            return Said(progress=asked(call.order))
        except NotAccepted as error:
            return Said(refused=str(error), may_retry=error.may_retry)
        except NotHere:
            return Said(missing=True)
        except OutgoingFailed as error:
            return Said(failed=str(error))

    def _start(self, call: Call) -> Said:
        """Start a job, unless nobody waits for it any more."""
        said = self._executor.start(call.order, call.by)
        log.info(
            "deed.taken",
            key=call.order.key,
            deed=call.order.name,
            target=call.order.target[:200],
        )
        return Said(progress=said)

    def _note(self, user: int) -> None:
        """Log that a stranger asks, once for each."""
        if user not in self._strangers and len(self._strangers) < MOST_LINES:
            self._strangers.add(user)
            log.warning("stranger.refused", user=user)


@contextmanager
def listening(file: Path, group: str = "") -> Iterator[socket.socket]:
    """Lend a socket that nobody else listens on, and take it off at the end.

    Args:
        file: where it is; one that a dead process left is replaced.
        group: whose members may write to it; empty: its owner's group.

    Raises:
        OSError: it cannot be made, or somebody listens there.
    """
    file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    guard = os.open(f"{file}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take_place(file, guard)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            before = os.umask(0o777 & ~MODE)
            try:
                listener.bind(str(file))
            finally:
                os.umask(before)
            try:
                if group:
                    _give_to(file, _find_group(group))
                listener.listen(QUEUE)
                listener.settimeout(0)
                yield listener
            finally:
                with suppress(OSError):
                    file.unlink()
    finally:
        os.close(guard)


def _take_place(file: Path, guard: int) -> None:
    """Make room for a socket, or raise OSError when it is in use."""
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise FileExistsError(f"somebody listens at {file}") from error
    try:
        found = file.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise FileExistsError(f"{file} is there, and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(1.0)
        try:
            caller.connect(str(file))
        except ConnectionRefusedError:
            file.unlink()
            return
    raise FileExistsError(f"somebody listens at {file}")


def _give_to(file: Path, group: int) -> None:
    """Give a socket to a group, or raise OSError when we may not."""
    if file.stat().st_gid != group:
        os.chown(file, -1, group)


def _find_group(name: str) -> int:
    """Return a group's number, or raise OSError when there is none."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise OSError(f"there is no group {name}") from error
