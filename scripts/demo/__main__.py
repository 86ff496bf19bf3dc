"""Run the demo: start everything, cause a fault, tell what becomes of it.

    ./start_environment.sh --demo          a CPU fault; then what you choose
    ./start_environment.sh --demo all      each fault, one after the other
    ./start_environment.sh --demo disk     only this one; --port N moves it

With a terminal it asks what next; without one it ends after its faults. It
ends clean: no process, no file system and no file of a fault stays.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from types import FrameType

import httpx

from scripts.demo.following import Follower, Missed
from scripts.demo.holding import LAST_PORT, Janitor, hold_ports
from scripts.demo.programs import Broken, Program
from scripts.demo.settings import write
from scripts.demo.stage import (
    HOME,
    Stage,
    find_scratch,
    name_programs,
)
from scripts.demo.telling import Teller
from scripts.demo.touring import FAULTS, Tour

OLLAMA = "http://127.0.0.1:11434"
MODEL = "llama3.2"
FINE, NOT_FIXED, WRONG_USE, BROKEN = 0, 1, 2, 4
FIRST_PORT = 8080


def main(words: Sequence[str]) -> int:
    """Run the demo and return its exit status."""
    if {"--help", "-h"} & {*words}:
        print(__doc__)
        return FINE
    faults, port = read_words(words)
    if faults is None:
        known = ", ".join(("all", *FAULTS))
        print(f"Error: there is no such fault; there are {known}.\n")
        print(__doc__)
        return WRONG_USE
    if not 1 <= port <= LAST_PORT:
        print(f"Error: --port is 1 to {LAST_PORT} for a demo, not {port}.")
        return WRONG_USE
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    teller = Teller()
    try:
        with ExitStack() as stack:
            return _run(faults, port, teller, stack)
    except (Broken, Missed, httpx.HTTPError) as error:
        teller.say(f"The demo ended: {error}", "bold red")
        return BROKEN
    except KeyboardInterrupt:
        teller.say("Ended.")
        return 128 + signal.SIGINT


def read_words(words: Sequence[str]) -> tuple[list[str] | None, int]:
    """Return which faults were asked for, None for a wrong word; the port."""
    faults: list[str] = []
    said = os.environ.get("SMOKEJUMPER_SERVER__PORT", "")
    port = int(said) if said.isdecimal() else FIRST_PORT
    for word in words:
        if word == "all":
            faults += FAULTS
        elif word in FAULTS:
            faults.append(word)
        else:
            return None, port
    return faults, port


def _run(
    faults: list[str], port: int, teller: Teller, stack: ExitStack
) -> int:
    """Start everything, tour, and end what was started."""
    stage, janitor = _make_stage(port, stack)
    model = find_model()
    write(stage, model)
    teller.say("Smokejumper's demo: a real fault, real monitoring, one loop.")
    teller.say("Starting the service, its host monitor and the simulator ...")
    _start(stage, janitor, stack)
    _say_where(stage, model, teller)
    follower = stack.enter_context(closing(Follower(stage.url)))
    tour = Tour(stage, follower, teller)
    is_fine = True
    for fault in faults or FAULTS[:1]:
        is_fine = tour.show(fault) and is_fine
    if not faults and sys.stdin.isatty():
        for fault in _choices(teller):
            is_fine = tour.show(fault) and is_fine
    teller.head("Ending: the service drains, the simulator takes all away.")
    return FINE if is_fine else NOT_FIXED


def _make_stage(port: int, stack: ExitStack) -> tuple[Stage, Janitor]:
    """Return where the demo takes place, and who clears it away."""
    state = HOME / "var"
    state.mkdir(mode=0o700, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="demo-", dir=state))
    scratch = find_scratch(folder)
    janitor = Janitor(folder, scratch)
    stack.callback(janitor.close)
    ports = hold_ports(port, 3, stack)
    stage = Stage(
        folder=folder,
        python=Path(sys.executable),
        port=ports[0],
        simulator_port=ports[1],
        shop_port=ports[2],
        scratch=scratch,
        programs=name_programs(folder),
    )
    return stage, janitor


def find_model() -> str:
    """Return the model of an Ollama server on this machine, or nothing."""
    try:
        answer = httpx.get(f"{OLLAMA}/api/tags", timeout=1.0)
        names = [one["name"] for one in answer.json()["models"]]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return ""
    fitting = [name for name in names if name.partition(":")[0] == MODEL]
    return fitting[0] if fitting else ""


def _start(stage: Stage, janitor: Janitor, stack: ExitStack) -> None:
    """Start the service and the simulator, and wait for both."""
    environ = own_environ()
    service = Program(
        "the service",
        [str(stage.python), "main.py", "serve"],
        stage.folder / "service.log",
        environ | {"SMOKEJUMPER_CONFIG": str(stage.settings)},
    )
    stack.callback(service.stop)
    janitor.wait_for(service.pid)
    simulator = Program(
        "the simulator",
        [str(stage.python), "-m", "simulator", "serve"],
        stage.folder / "simulator.log",
        environ | {"SIMULATOR_CONFIG": str(stage.simulator_settings)},
    )
    stack.callback(simulator.stop)
    janitor.wait_for(simulator.pid)
    simulator.wait_until_ready(f"{stage.simulator_url}/api/state")
    service.wait_until_ready(f"{stage.url}/ready")


def own_environ() -> dict[str, str]:
    """Return our environment, without settings of another service."""
    return {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("SMOKEJUMPER_")
    }


def _say_where(stage: Stage, model: str, teller: Teller) -> None:
    """Say where to look, and who decides."""
    teller.say(f"  console     {stage.url}/console/incidents")
    teller.say(f"  the API     {stage.url}/docs")
    teller.say(f"  simulator   {stage.simulator_url}/")
    brain = (
        f"{model} of Ollama beside the trained gate"
        if model
        else ("the trained gate (no Ollama with llama3.2 on this machine)")
    )
    teller.say(f"  decides     {brain}")


def _choices(teller: Teller) -> Iterator[str]:
    """Yield what the person wants to see next, until they have enough."""
    names = ", ".join(FAULTS)
    while True:
        teller.head(f"What next? {names}; Enter ends the demo.")
        try:
            word = input("> ").strip().lower()
        except EOFError:
            return
        if not word or word in ("q", "quit", "exit"):
            return
        if word in FAULTS:
            yield word
        else:
            teller.say(f"There is no fault {word!r}.")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End as by Ctrl-C: everything is taken down."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
