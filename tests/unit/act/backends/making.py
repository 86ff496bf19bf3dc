"""Backends as the product makes them, out of settings."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

from app.act import backends
from app.act.hands import Surroundings, make_backends
from app.core.clock import Clock, SystemClock
from app.core.configfile import Config, load_config
from app.core.registry import scan
from app.models.job import Order, Progress
from app.ports import Backend
from tests.receiver import Receiver

SECRET = "both-ends-know-this"
P = ParamSpec("P")


def on_a_loop(test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """Return a test that runs on an event loop of its own."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        """Run it to its end."""

        async def whole() -> None:
            """Wait for the test."""
            await test(*args, **kwargs)

        asyncio.run(whole())

    return run


def config_of(folder: Path, tree: Mapping[str, Any]) -> Config:
    """Return settings as if they were read from a file."""
    file = folder / "settings.yaml"
    file.write_text(json.dumps(tree), encoding="utf-8")
    return load_config(file, {})


def make(
    folder: Path,
    sections: Mapping[str, Any],
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
) -> dict[str, Backend]:
    """Return the backends of a section ``backends``."""
    around = Surroundings(environ or {}, clock or SystemClock(), folder)
    config = config_of(folder, {"backends": sections})
    return dict(make_backends(config, scan(backends), around))


def endpoint(
    receiver: Receiver, mode: str, /, **more: object
) -> dict[str, Any]:
    """Return the settings of an endpoint of a receiver."""
    return {
        "url": f"{receiver.url}/{mode}/job",
        "secret": SECRET,
        "allow": ["127.0.0.0/8"],
        "find_url": f"{receiver.url}/find?key={{key}}",
        **more,
    }


def order(name: str, key: str = "sj-1-abc", **more: Any) -> Order:
    """Return the order of a job."""
    values: dict[str, Any] = {
        "action": "restart_service",
        "arguments": {"host": "web-01", "service": "nginx"},
        "target": "host:web-01",
        "incident": 7,
        "decision": 1,
        **more,
    }
    return Order(key=key, name=name, **values)


def further(sent: Order, said: Progress) -> Order:
    """Return the order as it is after something was said of it."""
    return order(
        sent.name,
        sent.key,
        reference=said.reference or sent.reference,
        cursor=said.cursor or sent.cursor,
    )


async def follow(
    backend: Backend,
    sent: Order,
    said: Progress,
    pass_time: Callable[[], object] = bool,
    polls: int = 10,
) -> tuple[Progress, str]:
    """Return how a job ended, and all that it wrote."""
    output = said.output
    for _ in range(polls):
        if said.has_ended:
            return said, output
        pass_time()
        sent = further(sent, said)
        said = await backend.watch(sent)
        output += said.output
    raise AssertionError("the job does not end")
