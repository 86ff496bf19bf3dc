"""Do jobs on this machine: within the service, or by a process beside it."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from app.act.local.client import Client
from app.act.local.executor import Executor
from app.act.local.repaying import keep_repaying
from app.act.local.settings import LocalSettings, make_executor
from app.core.here import Here
from app.core.look.past import Past
from app.models.action import Risk
from app.models.job import Order, Progress
from app.ports import Backend, BackendEnv

T = TypeVar("T")
# What is done when the service ends may go on for so long.
GRACE_SECONDS = 3.0


def plugin(env: BackendEnv) -> Backend | None:
    """Return the backend, or None when it is switched off."""
    settings = env.settings(LocalSettings)
    if not settings.enabled:
        return None
    here = Here(env.host, env.clock)
    # To look up our own full name may take a while: not within a turn.
    here.names()
    if settings.socket:
        hands = Client(env.home / settings.socket)
        return Local(hands, settings, here.is_here)
    executor, past = make_executor(env, settings)
    return LivingLocal(executor, settings, here.is_here, past)


class Local:
    """Does jobs on this machine, each key once."""

    def __init__(
        self,
        hands: Executor | Client,
        settings: LocalSettings,
        is_own: Callable[[str], bool],
    ) -> None:
        """Take who does them, which, and who knows our own names."""
        self._hands = hands
        self._settings = settings
        self._is_own = is_own

    def knows(self, job: str) -> bool:
        """Tell whether a deed may be done here."""
        return job in self._settings.known

    def risk_of(self, job: str) -> Risk:
        """Return how bad a deed may be as it is set up here."""
        return self._settings.risk_of(job)

    def reaches(self, host: str, *, is_here: bool) -> bool:
        """Tell whether a host is this machine, and this its own name.

        Whoever does the job compares the name again.
        """
        return bool(host) and is_here and self._is_own(host)

    async def start(self, order: Order) -> Progress:
        """Start a job, or say how far it is when it was started before."""
        return await _aside(self._hands.start, order)

    async def watch(self, order: Order) -> Progress:
        """Return how a job goes on."""
        return await _aside(self._hands.watch, order)

    async def abort(self, order: Order) -> Progress:
        """Tell a job to end."""
        return await _aside(self._hands.abort, order)

    async def find(self, order: Order) -> Progress | None:
        """Return a job by its key, or None when it was never started."""
        return await asyncio.to_thread(self._hands.find, order)


class LivingLocal(Local):
    """The same within the service: it remembers how the machine was."""

    def __init__(
        self,
        hands: Executor,
        settings: LocalSettings,
        is_own: Callable[[str], bool],
        past: Past,
    ) -> None:
        """Take the same, and what is remembered."""
        super().__init__(hands, settings, is_own)
        self._executor = hands
        self._past = past

    async def run(self) -> None:
        """Look at the machine now and then, until cancelled.

        Then nothing is begun any more, and what has ended a daemon gets the
        time to start it.
        """
        repaying = asyncio.create_task(keep_repaying(self._executor))
        try:
            await self._past.run()
        except asyncio.CancelledError:
            await asyncio.to_thread(self._executor.close, GRACE_SECONDS)
            raise
        finally:
            repaying.cancel()


async def _aside(call: Callable[[Order], Progress], order: Order) -> Progress:
    """Return what comes of a call that touches the disk, off the loop."""
    return await asyncio.to_thread(call, order)
