"""Whether somebody listens on a port of the target."""

import asyncio
import socket
from contextlib import suppress

from pydantic import Field

from app.core.configfile import Section
from app.core.options import Options
from app.models.gauge import Gauge, is_known
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, CheckEnv

GAUGE = Gauge(check="tcp_probe", unit="listens", is_floor=True)
MOST_ADDRESSES = 2
# These say that nobody listens; others, that we cannot get there.
DEAF = (ConnectionRefusedError, ConnectionResetError, TimeoutError)


class TcpOptions(Section):
    """Which port; and which host, when it is not the action's."""

    port: int = Field(ge=1, le=65_535)
    host: str = Field("", max_length=253)
    timeout: float = Field(2.5, gt=0, le=4)


class TcpProbe:
    """Connects, and says nothing."""

    def __init__(self, env: CheckEnv) -> None:
        """Take the clock and the inventory."""
        self.options = Options(TcpOptions)
        self._clock = env.clock
        self._inventory = env.inventory

    async def measure(self, subject: Subject) -> Reading:
        """Return 1 when somebody takes a connection.

        An alert alone does not say where we connect to: its host must be
        this machine, or one of the inventory.
        """
        options = self.options.read(subject.options)
        host = options.host or subject.host
        if not options.host and not is_known(subject, self._inventory()):
            says = f"{host or 'the host'} is not in the inventory"
            return GAUGE.miss(self._clock.now(), says)
        place = f"{host}:{options.port}"
        try:
            await connect(host, options.port, options.timeout)
        except DEAF:
            now = self._clock.now()
            return GAUGE.read(now, 0.0, 1.0, f"nobody listens on {place}")
        except (OSError, UnicodeError) as error:
            says = f"{place} cannot be reached: {type(error).__name__}"
            return GAUGE.miss(self._clock.now(), says)
        now = self._clock.now()
        return GAUGE.read(now, 1.0, 1.0, f"somebody listens on {place}")

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means; who listened and does not is worse."""
        return GAUGE.judge(before, after)


async def connect(host: str, port: int, seconds: float) -> None:
    """Connect to one place and leave, or raise OSError.

    The error says that nobody listens only when no address of the host
    fails otherwise.
    """
    errors: list[OSError] = []
    for address in await find_addresses(host, port, seconds):
        try:
            async with asyncio.timeout(seconds):
                _, writer = await asyncio.open_connection(address, port)
        except OSError as error:
            errors.append(error)
            continue
        writer.close()
        # Somebody is there: how they say goodbye does not matter.
        with suppress(OSError):
            await writer.wait_closed()
        return
    others = (one for one in errors if not isinstance(one, DEAF))
    raise next(others, errors[0])


async def find_addresses(host: str, port: int, seconds: float) -> list[str]:
    """Return the first addresses of a host, or raise OSError."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError as error:
        raise socket.gaierror("the name is not resolved in time") from error
    return [str(one[4][0]) for one in found[:MOST_ADDRESSES]]


def plugin(env: CheckEnv) -> Check:
    """Return the check; it takes no settings."""
    env.settings(Section)
    return TcpProbe(env)
