"""What daemons need in tests: a deed's environment, a hand, a systemctl."""

import json
import stat
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel

from app.act.local.hand import Hand
from app.core import program
from app.core.clock import Clock, SystemClock
from app.core.errors import ConfigProblem
from app.core.host import HostSettings
from app.core.look.past import Past
from tests.unit.act.local.stands import wait_for

Settings = TypeVar("Settings", bound=BaseModel)
PLACES = "/usr/bin:/bin"
# What systemd shows of a unit that runs and was never in trouble. No machine
# has such a process: it is none of ours.
HEALTHY: Mapping[str, str] = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "SubState": "running",
    "UnitFileState": "enabled",
    "Type": "simple",
    "Result": "success",
    "MainPID": "4204242",
    "NRestarts": "0",
    "InvocationID": "first",
    "StateChangeTimestampMonotonic": "1000000",
    "ExecMainStartTimestampMonotonic": "1000000",
    "StartLimitBurst": "5",
    "StartLimitIntervalUSec": "10s",
    "TimeoutStopUSec": "1min 30s",
    "RefuseManualStart": "no",
    "RefuseManualStop": "no",
    "CanStart": "yes",
    "RequiredBy": "",
    "RequisiteOf": "",
    "BoundBy": "",
    "ConsistsOf": "",
}
UP = {"ActiveState": "active", "SubState": "running", "Result": "success"}
# Follows systemctl of systemd 252: its words, its status, and its order,
# which is its own and not the one that was asked for.
SYSTEMCTL = """
    import json, pathlib, sys

    folder = pathlib.Path(__file__).parent
    known = json.loads((folder / "units.json").read_text())
    with (folder / "calls").open("a") as calls:
        calls.write(" ".join(sys.argv[1:]) + "\\n")
    verb, *words = sys.argv[1:]
    asked_units = words[words.index("--") + 1 :]
    unit = asked_units[0]
    own = known["aliases"].get(unit, unit)
    shown = known["units"].get(own)

    def save():
        (folder / "units.json").write_text(json.dumps(known))

    def fail(text, status):
        print(text, file=sys.stderr)
        sys.exit(status)

    if verb == "show":
        (asked,) = (w for w in words if w.startswith("--property="))
        names = asked.partition("=")[2].split(",")
        if shown is None:
            shown = {"LoadState": "not-found", "ActiveState": "inactive",
                     "SubState": "dead", "Id": unit, "Names": unit}
        elif shown.get("then"):
            shown.update(shown["then"].pop(0))
            save()
        for place, each in enumerate(asked_units):
            if place:
                own = known["aliases"].get(each, each)
                shown = known["units"].get(own, {"Id": each, "Names": each})
                print()
            for name in sorted(shown):
                if name in names:
                    print(f"{name}={shown[name]}")
    elif verb == "restart":
        assert "--no-block" in words and "--no-ask-password" in words
        begin = f"Failed to restart {unit}: "
        hint = f"See system logs and 'systemctl status {unit}' for details."
        if known["denial"]:
            fail(f"{begin}{known['denial']}\\n{hint}", 1)
        if shown is None:
            fail(f"{begin}Unit {unit} not found.", 5)
        if shown["LoadState"] == "masked":
            fail(f"{begin}Unit {unit} is masked.", 1)
        if "yes" in (shown["RefuseManualStart"], shown["RefuseManualStop"]):
            fail(f"{begin}Operation refused, unit {unit} may be requested by"
                 " dependency only (it is configured to refuse manual"
                 f" start/stop).\\n{hint}", 4)
        shown["then"] = shown.pop("after_restart")
        save()
    else:
        fail(f"Unknown operation {verb}.", 1)
"""


class Env:
    """What a deed gets: its settings as they would stand in the file."""

    def __init__(
        self,
        settings: Mapping[str, Any] | None = None,
        host: HostSettings | None = None,
    ) -> None:
        self.name = "a-deed"
        self.clock: Clock = SystemClock()
        self.host = host or HostSettings()
        self.past = Past(self.clock)
        self._written = dict(settings or {})

    def settings(self, model: type[Settings]) -> Settings:
        """Return the settings."""
        return model.model_validate(self._written)

    def problem(self, what: str, remedy: str, *path: str) -> ConfigProblem:
        """Return a problem of a setting."""
        return ConfigProblem(".".join(path), "here", what, remedy)


class Palm(Hand):
    """A hand that keeps what a deed says."""

    def __init__(self, folder: Path, seconds: float = 60.0) -> None:
        self.said: list[str] = []
        self.stop = folder / "stop"
        super().__init__("sj-1-a", seconds, self.said.append, self.stop)

    @property
    def text(self) -> str:
        """Return all that was said."""
        return "".join(self.said)

    @contextmanager
    def stopped_once(self, is_so: Callable[[], object]) -> Iterator[None]:
        """Have it told to end as soon as something is so."""

        def tell() -> None:
            """Wait until it is so, and tell it."""
            wait_for(is_so)
            self.stop.touch()

        with ThreadPoolExecutor(1) as pool:
            told = pool.submit(tell)
            yield
            told.result()


class Systemctl:
    """A systemctl that keeps what it is told in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "programs"
        self._folder.mkdir()
        self._known: dict[str, Any] = {
            "units": {}, "aliases": {}, "denial": ""
        }  # fmt: skip
        self._write("systemctl", SYSTEMCTL)
        self.journal("worker crashed: no space left on device")
        self._save()

    def unit(self, name: str, *after: Mapping[str, str], **shown: str) -> None:
        """Add a unit.

        Args:
            name: what it is called.
            after: what is shown, one after the other, once it is restarted.
            shown: what differs from a healthy one.
        """
        self._known["units"][name] = {
            **HEALTHY,
            "Id": name,
            "Names": name,
            **shown,
            "after_restart": list(
                after
                or [{**UP, "InvocationID": "second", "MainPID": "4204711"}]
            ),
        }
        self._save()

    def alias(self, name: str, unit: str) -> None:
        """Give a unit another name."""
        self._known["aliases"][name] = unit
        self._known["units"][unit]["Names"] += f" {name}"
        self._save()

    def deny(self, text: str) -> None:
        """Let polkit say no."""
        self._known["denial"] = text
        self._save()

    def journal(self, *lines: str, status: int = 0) -> None:
        """Let the journal have some lines."""
        self._write("journalctl", f"""
            import pathlib, sys
            folder = pathlib.Path(__file__).parent
            (folder / "asked").write_text(" ".join(sys.argv[1:]))
            print({chr(10).join(lines)!r})
            sys.exit({status})
        """)  # fmt: skip

    @property
    def places(self) -> str:
        """Return where programs are looked for."""
        return f"{self._folder}:{PLACES}"

    @property
    def calls(self) -> list[str]:
        """Return what it was told, without what was only asked."""
        file = self._folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [one for one in lines if not one.startswith("show ")]

    @property
    def asked_journal(self) -> str:
        """Return with which words the journal was asked."""
        return (self._folder / "asked").read_text()

    def _save(self) -> None:
        """Write down what it knows."""
        (self._folder / "units.json").write_text(json.dumps(self._known))

    def _write(self, name: str, code: str) -> None:
        """Write a program."""
        file = self._folder / name
        file.write_text(f"#!{sys.executable} -IS\n{textwrap.dedent(code)}")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemctl:
    """Return the systemctl of this machine, which a test may tell things."""
    made = Systemctl(tmp_path)
    monkeypatch.setattr(program, "PLACES", made.places)
    return made


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often, and for a short while: nothing real has to come up."""
    monkeypatch.setattr("app.core.daemons.STAY_SECONDS", 0.2)
    monkeypatch.setattr("app.core.daemons.LOOK_SECONDS", 0.02)
