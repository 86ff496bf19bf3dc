"""Start the executor's process: its own settings, users, signals, an end.

Its settings file is a lock of its own: whatever the web process may ask for,
only what stands there is done.
"""

import asyncio
import os
import pwd
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from app.act.local.executor import Executor
from app.act.local.repaying import keep_repaying
from app.act.local.server import Server, listening
from app.act.local.settings import LocalSettings, make_executor
from app.core.clock import Clock, SystemClock
from app.core.configfile import PREFIX, Config, load_config, suggest
from app.core.errors import ConfigError, ConfigProblem
from app.core.home import HOME, find_settings
from app.core.host import HostSettings
from app.core.log import get_log, set_up_log
from app.core.look.past import Past
from app.core.place import Place
from app.core.settings import LogSettings

SETTINGS = find_settings("hands.yaml")
SECTION, NAME = "backends", "local"
# Nothing else stands in its file, and no other variable reaches it.
SECTIONS = (SECTION, "host", "log")
VARIABLES = (f"{PREFIX}BACKENDS__LOCAL__", f"{PREFIX}HOST__", f"{PREFIX}LOG__")
PAUSE_SECONDS = 60.0
log = get_log("hands")


class Env(Place):
    """What deeds are made with in a process of their own."""

    def __init__(
        self, config: Config, environ: Mapping[str, str], home: Path
    ) -> None:
        """Take the settings, and what paths in them are relative to."""
        super().__init__(SECTION, NAME, config, environ)
        self.clock: Clock = SystemClock()
        self.home = home


class Plan(msgspec.Struct, frozen=True):
    """All that is needed to start.

    Attributes:
        executor: does the deeds.
        past: what it remembers of this machine.
        socket: where it listens.
        group: whose members may write there, or empty.
        users: whose calls are taken.
        log: how it logs.
    """

    executor: Executor
    past: Past
    socket: Path
    group: str
    users: frozenset[int]
    log: LogSettings


def make_plan(
    file: Path,
    served: Sequence[str],
    environ: Mapping[str, str] = os.environ,
    home: Path = HOME,
) -> Plan:
    """Return what shall run, or raise ConfigError with all that is wrong.

    Args:
        file: its own settings.
        served: the users whose calls are taken, by name or number; besides
            the one that it runs as.
        environ: settings may stand here, too.
        home: what paths in settings are relative to.
    """
    ours = {n: v for n, v in environ.items() if n.startswith(VARIABLES)}
    config = load_config(file, ours)
    problems = config.unknown(SECTIONS)
    problems += config.check({"host": HostSettings, "log": LogSettings})
    problems += [
        config.problem((SECTION, name), "is not for this file", remedy)
        for name in config.names(SECTION)
        if name != NAME and (remedy := suggest(name, (NAME,)))
    ]
    if problems:
        raise ConfigError(problems)
    env = Env(config, environ, home)
    settings = env.settings(LocalSettings)
    if not settings.enabled:
        remedy = "Write true, or do not start this process."
        problems.append(env.problem("nothing is done here", remedy, "enabled"))
    if not settings.socket:
        remedy = "Write where it listens: the web process has the same."
        problems.append(env.problem("is missing", remedy, "socket"))
    users, unknown = _find_users(served, env)
    problems += unknown
    if problems:
        raise ConfigError(problems)
    executor, past = make_executor(env, settings)
    return Plan(
        executor=executor,
        past=past,
        socket=home / settings.socket,
        group=settings.group,
        users=frozenset(users),
        log=config.read(LogSettings, "log"),
    )


def _find_users(
    served: Sequence[str], env: Env
) -> tuple[set[int], list[ConfigProblem]]:
    """Return who is served beside ourselves, and what is wrong with it."""
    users = {os.geteuid()}
    problems = []
    for name in served:
        try:
            users.add(find_user(name))
        except ValueError as error:
            remedy = "Name a user of this machine with --for."
            problems.append(env.problem(str(error), remedy, "socket"))
    return users, problems


def find_user(name: str) -> int:
    """Return a user's number, or raise ValueError when there is none."""
    if name.isascii() and name.isdecimal():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError as error:
        raise ValueError(f"there is no user {name!r}") from error


def start(plan: Plan, seconds: float) -> None:
    """Answer until told to end (SIGTERM or Ctrl-C); or raise OSError.

    Args:
        plan: what runs.
        seconds: so long what is done may go on then.
    """
    set_up_log(plan.log.level, plan.log.format)
    asyncio.run(_run(plan, seconds))
    log.info("hands.stopped")


async def _run(plan: Plan, seconds: float) -> None:
    """Answer, and remember how the machine was, until told to end."""
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Before anybody can see that it listens.
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, end.set)
    with listening(plan.socket, plan.group) as listener:
        log.info(
            "hands.started",
            socket=str(plan.socket),
            allowed=sorted(plan.executor.names),
            users=sorted(plan.users),
        )
        remembering = asyncio.create_task(_remember(plan.past))
        repaying = asyncio.create_task(keep_repaying(plan.executor))
        server = Server(plan.executor, plan.users)
        await server.run(listener, end, seconds)
        remembering.cancel()
        repaying.cancel()


async def _remember(past: Past) -> None:
    """Look at the machine now and then; a bug there stops no deed."""
    while True:
        try:
            await past.run()
        except Exception:
            log.exception("past.crashed")
        await asyncio.sleep(PAUSE_SECONDS)
