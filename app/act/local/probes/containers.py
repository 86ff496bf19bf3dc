"""Look at containers: which are not well, why, and what they wrote."""

import stat
from pathlib import Path
from urllib.parse import quote

import msgspec

from app.act.local.look.lens import Lens
from app.act.local.look.probe import Notes, Probe, why
from app.core.errors import OutgoingFailed
from app.core.look.amounts import percent, size
from app.core.nearby import Address, Call, call_near

TITLE = "containers"
TOPICS = frozenset({"container", "pod", "service"})
PLACES = ("run/docker.sock", "var/run/docker.sock", "run/podman/podman.sock")
SECONDS = 3.0
MOST_LISTED, MOST_ILL, MOST_WEIGHED = 60, 4, 6
LINES = 30
HEAD_BYTES = 8
FULL = 90.0


class Listed(msgspec.Struct, rename="pascal"):
    """One container of the list."""

    id: str
    names: tuple[str, ...] = ()
    image: str = ""
    state: str = ""
    status: str = ""

    @property
    def name(self) -> str:
        """Return what people call it."""
        return self.names[0].lstrip("/") if self.names else self.id[:12]

    @property
    def is_ill(self) -> bool:
        """Tell whether it is not as it should be."""
        is_bad = self.state in ("restarting", "dead", "paused")
        is_over = self.state == "exited" and "Exited (0)" not in self.status
        return is_bad or is_over or "(unhealthy)" in self.status


class Standing(msgspec.Struct, rename="pascal"):
    """How a container is."""

    exit_code: int = 0
    error: str = ""
    started_at: str = ""
    finished_at: str = ""
    oom_killed: bool = msgspec.field(default=False, name="OOMKilled")


class Inspected(msgspec.Struct, rename="pascal"):
    """What is known of one container."""

    state: Standing
    restart_count: int = 0


class Memory(msgspec.Struct):
    """What memory a container takes."""

    usage: int = 0
    limit: int = 0


class Stats(msgspec.Struct):
    """What a container takes."""

    memory_stats: Memory = msgspec.field(default_factory=Memory)


class Engine:
    """Asks the API of Docker, or of Podman; only what changes nothing."""

    def __init__(self, lens: Lens) -> None:
        """Find where it listens, or raise OutgoingFailed."""
        files = [lens.root / place for place in PLACES]
        found = next((file for file in files if _is_socket(file)), None)
        if found is None:
            raise OutgoingFailed("no container engine runs here")
        self._address = Address(file=str(found))

    def get(self, path: str) -> bytes:
        """Return what it answers, or raise OutgoingFailed."""
        answer = call_near(self._address, Call(path=path), SECONDS)
        if answer.status != 200:
            raise OutgoingFailed(f"the engine answers {answer.status}")
        return answer.body


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, TOPICS, _look, seconds=12.0)


def _look(lens: Lens, notes: Notes) -> None:
    """Note all containers, then why some are not well."""
    engine = Engine(lens)
    body = engine.get("/containers/json?all=1")
    found = msgspec.json.decode(body, type=list[Listed])
    found.sort(key=lambda one: (not one.is_ill, one.name))
    for one in found[:MOST_LISTED]:
        notes.say(TITLE, f"{one.name} ({one.image}): {one.status}")
    if not found:
        notes.say(TITLE, "there are none")
    for one in [one for one in found if one.is_ill][:MOST_ILL]:
        _note_ill(engine, one, notes)
    for one in [one for one in found if one.state == "running"][:MOST_WEIGHED]:
        with notes.trying(f"container {one.name}"):
            _note_weight(engine, one, notes)


def _note_ill(engine: Engine, one: Listed, notes: Notes) -> None:
    """Note why a container is not well, and the end of its log."""
    title = f"container {one.name}"
    path = f"/containers/{quote(one.id, safe='')}"
    reason = ""
    try:
        body = engine.get(f"{path}/json")
        said = msgspec.json.decode(body, type=Inspected)
    except (OutgoingFailed, msgspec.ValidationError) as error:
        notes.say(title, f"not readable: {why(error)}")
    else:
        is_oom = ", ended for want of memory" if said.state.oom_killed else ""
        reason = (
            f": exit code {said.state.exit_code}{is_oom}, restarted"
            f" {said.restart_count} times, started {said.state.started_at}"
            f" {said.state.error}"
        )
    weight = 45.0 if one.state in ("exited", "paused") else 74.0
    notes.odd(weight, f"{title} is {one.status}{reason}")
    notes.say(title, f"{one.status}{reason}")
    with notes.trying(title):
        asked = f"{path}/logs?stdout=1&stderr=1&tail={LINES}"
        notes.say(title, *_lines(engine.get(asked)))


def _note_weight(engine: Engine, one: Listed, notes: Notes) -> None:
    """Note what memory a container takes of what it may."""
    path = f"/containers/{quote(one.id, safe='')}/stats"
    body = engine.get(f"{path}?stream=false&one-shot=true")
    held = msgspec.json.decode(body, type=Stats).memory_stats
    if held.limit:
        share = 100.0 * held.usage / held.limit
        text = f"{size(held.usage)} of {size(held.limit)} ({percent(share)})"
        notes.say(TITLE, f"{one.name} holds {text}")
        if share >= FULL:
            notes.odd(62.0, f"container {one.name} holds {text}")


def _lines(body: bytes) -> list[str]:
    """Return the lines of a log; the engine may have put heads in it."""
    text = bytearray()
    while len(body) >= HEAD_BYTES and body[0] <= 2 and not any(body[1:4]):
        length = int.from_bytes(body[4:HEAD_BYTES], "big")
        text += body[HEAD_BYTES : HEAD_BYTES + length]
        body = body[HEAD_BYTES + length :]
    return (text + body).decode(errors="replace").splitlines()[-LINES:]


def _is_socket(file: Path) -> bool:
    """Tell whether a file is a socket."""
    try:
        return stat.S_ISSOCK(file.stat().st_mode)
    except OSError:
        return False
