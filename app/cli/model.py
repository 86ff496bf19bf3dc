"""model pull and model list: the models of an Ollama server."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Protocol, Self, TypeVar

import httpx
import typer
from ollama import AsyncClient, ProgressResponse, ResponseError
from pydantic import BaseModel
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from app.cli.output import Json, err, out, print_json, print_table, stop
from app.cli.setup import WRONG_SETTINGS, ConfigFile, explain, read_config
from app.core.brief import brief
from app.core.errors import ConfigError
from app.core.line import CappedTransport
from app.core.remote import Address

NO_SERVER = 3
REFUSED = 1
LOOK_SECONDS = 10.0
# A server may say nothing for long while it checks what it has got.
SILENT_SECONDS = 600.0
MOST_BYTES = 67_108_864
# A model has some parts; a server that names more of them is not believed.
MOST_PARTS = 100
EACH_PERCENT = 5
MB = 1_000_000
COLUMNS = ("model", "size", "parameters", "quantization", "digest")
T = TypeVar("T")
Url = Annotated[
    str | None,
    typer.Option(
        help="Another server than the settings name.",
        show_default="brains.ollama.url",
    ),
]
app = typer.Typer(help="Get and list the models of an Ollama server.")


class Place(BaseModel):
    """Where the Ollama server is; the rest of its settings is the brain's."""

    url: Address = "http://127.0.0.1:11434"


@app.command("pull")
def pull(
    name: Annotated[str, typer.Argument(help="Such as llama3.2.")],
    config: ConfigFile = None,
    url: Url = None,
) -> None:
    """Let an Ollama server download a model, and show how far it is."""
    if not name.strip() or not name.isprintable() or len(name) > 200:
        raise typer.BadParameter("write a model's name, such as llama3.2")
    address = _find_url(config, url)
    _run(address, name, lambda: _pull(address, name))
    out.print(f"{name} is there.")


@app.command("list")
def list_models(
    config: ConfigFile = None, url: Url = None, as_json: Json = False
) -> None:
    """List the models that an Ollama server has."""
    address = _find_url(config, url)
    rows = _run(address, "", lambda: _list(address))
    if as_json:
        print_json(rows)
    elif rows:
        print_table(rows, COLUMNS)
    else:
        out.print(
            f"The server at {address} has no model yet. Get one:"
            " .venv/bin/python main.py model pull llama3.2"
        )


def _find_url(config: Any, url: str | None) -> str:
    """Return the server that is meant, or end with what is wrong."""
    try:
        if url is not None:
            return Place(url=url).url
        return read_config(config).read(Place, "brains", "ollama").url
    except ConfigError as error:
        stop(explain(error), WRONG_SETTINGS)
    except ValueError:
        raise typer.BadParameter("write http://HOST:PORT") from None


def _open(url: str, seconds: float) -> AsyncClient:
    """Return a client of a server."""
    return AsyncClient(
        url,
        timeout=httpx.Timeout(seconds, connect=LOOK_SECONDS),
        follow_redirects=False,
        trust_env=False,
        transport=CappedTransport(MOST_BYTES),
    )


def _run(url: str, name: str, work: Callable[[], Awaitable[T]]) -> T:
    """Return what a call gives, or end the command with what is wrong."""

    async def call() -> T:
        """Make the call."""
        return await work()

    try:
        return asyncio.run(call())
    except ResponseError as error:
        said = brief(str(error.error)) or "without a word"
        status = f" ({error.status_code})" if error.status_code > 0 else ""
        remedy = (
            f" Is {name!r} the right name? See the server's library."
            if name
            else ""
        )
        stop(f"The server at {url} refused{status}: {said}.{remedy}", REFUSED)
    except (ConnectionError, httpx.ConnectError):
        stop(
            f"There is no Ollama server at {url}. Start it: ollama serve",
            NO_SERVER,
        )
    except httpx.HTTPError as error:
        what = type(error).__name__
        stop(
            f"The server at {url} broke off ({what}). Run this again; what is"
            " already there is not loaded twice.",
            NO_SERVER,
        )
    except (ValueError, AttributeError, RecursionError):
        stop(f"What answers at {url} is no Ollama server.", NO_SERVER)
    except KeyboardInterrupt:
        stop("Stopped. Run this again to go on.", 130)


class _Shown(Protocol):
    """Shows how far a download is."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """End."""

    def show(self, step: ProgressResponse) -> None:
        """Show what the server says."""


class _Bars:
    """A bar for each part, on a terminal."""

    def __init__(self) -> None:
        """Draw nothing yet."""
        self._tasks: dict[str, Any] = {}
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=err.console,
        )

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave them as they are."""
        self._bars.stop()

    def show(self, step: ProgressResponse) -> None:
        """Draw what the server says."""
        status = brief(step.status or "", 60)
        tasks, key = self._tasks, step.digest or status
        if key not in tasks and len(tasks) < MOST_PARTS:
            tasks[key] = self._bars.add_task(status, total=step.total)
        if key in tasks:
            total = step.total or 1
            completed = step.completed or 0 if step.total else 1
            self._bars.update(tasks[key], total=total, completed=completed)


class _Lines:
    """A line now and then, for a log and for whoever reads it."""

    def __init__(self) -> None:
        """Nothing was told yet."""
        self._told: dict[str, int] = {}

    def __enter__(self) -> Self:
        """There is nothing to begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to end."""

    def show(self, step: ProgressResponse) -> None:
        """Write a line when a part has come on by some percent."""
        status = brief(step.status or "", 60)
        key, done = step.digest or status, 0
        if step.total:
            done = min(100, 100 * (step.completed or 0) // step.total)
        reached = done - done % EACH_PERCENT
        is_new = key not in self._told and len(self._told) < MOST_PARTS
        if not is_new and reached <= self._told.get(key, reached):
            return
        self._told[key] = reached
        far = ""
        if step.total:
            amounts = (step.completed or 0) // MB, step.total // MB
            far = f" {reached} % ({amounts[0]} of {amounts[1]} MB)"
        # Without a terminal, stderr may be a pipe that is read as it comes.
        typer.echo(f"{status}{far}", err=True)


async def _pull(url: str, name: str) -> None:
    """Follow a download to its end."""
    shown: _Shown = _Bars() if sys.stderr.isatty() else _Lines()
    is_done = False
    async with _open(url, SILENT_SECONDS) as client:
        with shown:
            async for step in await client.pull(name, stream=True):
                is_done = step.status == "success"
                shown.show(step)
    if not is_done:
        raise httpx.ReadError("the stream ended before its end")


async def _list(url: str) -> list[dict[str, Any]]:
    """Return the models as rows."""
    async with _open(url, LOOK_SECONDS) as client:
        found = await client.list()
    return [
        {
            "model": one.model,
            "size": one.size.human_readable() if one.size else None,
            "parameters": one.details and one.details.parameter_size,
            "quantization": one.details and one.details.quantization_level,
            "digest": (one.digest or "")[:12],
        }
        for one in found.models
    ]
