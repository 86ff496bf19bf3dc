"""supervisord, asked by XML-RPC over its socket file or over HTTP."""

import base64
import time
import xmlrpc.client
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeVar
from urllib.parse import unquote, urlsplit
from xml.parsers.expat import ExpatError

import msgspec

from app.core.brief import brief
from app.core.errand import Errand, Notes
from app.core.errors import NotAccepted, NotSent, OutgoingFailed
from app.core.nearby import Address, Answer, Call, call_near
from app.core.warden import Standing, State, last_lines, whole_lines

STATES = {
    "RUNNING": State.ACTIVE,
    "STARTING": State.STARTING,
    "BACKOFF": State.STARTING,
    "STOPPING": State.STARTING,
    "STOPPED": State.INACTIVE,
    "FATAL": State.FAILED,
}
BUSY = ("STARTING", "BACKOFF", "STOPPING")
OVER = ("STOPPED", "EXITED", "FATAL")
# A program that may take longer to end is not ended by us: whoever waits
# for it must also start it again.
END_SECONDS = 60
ASK_SECONDS = 5.0
# Whoever asks for something else waits meanwhile.
RESUME_SECONDS = 2.0
WARDEN = "supervisor"
LOOK_SECONDS = 0.1
TAIL_BYTES = 32_768
# What no XML may hold, and the logs of programs do.
BAD_BYTES = bytes(one for one in range(32) if one not in b"\t\n\r")
PATH = "/RPC2"
# The last argument of what acts: whether it waits for the end of it.
AT_ONCE = False
# The faults ALREADY_STARTED and NOT_RUNNING.
DONE_ALREADY = (60, 70)
STRANGE = "what answers is no supervisor"
# What the reader of XML-RPC makes of texts that are none.
STRANGE_ERRORS = (
    ExpatError,
    xmlrpc.client.Error,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
Kind = TypeVar("Kind")


class _Fault(OutgoingFailed):
    """supervisord says no.

    Attributes:
        code: its number for it.
    """

    def __init__(self, code: int, text: str) -> None:
        """Take what it says."""
        self.code = code
        super().__init__(f"supervisor says {brief(text)}")


class Program(msgspec.Struct, frozen=True):
    """What supervisord says of a program.

    Attributes:
        name: what it is called in its group.
        group: its group's name: the same when it is alone there.
        statename: how it is.
        pid: its process; 0 for none.
        start: when it was started last; 0 for never.
        stop: when it ended last.
        now: what time it is there.
        exitstatus: what it ended with.
        description: the same for people.
        spawnerr: why it could not be started.
    """

    name: str
    group: str
    statename: str
    pid: int = 0
    start: int = 0
    stop: int = 0
    now: int = 0
    exitstatus: int = 0
    description: str = ""
    spawnerr: str = ""

    @property
    def whole(self) -> str:
        """Return what it is called among all."""
        if self.name == self.group:
            return self.name
        return f"{self.group}:{self.name}"


class Bounds(msgspec.Struct, frozen=True):
    """How a program may be ended, as supervisord says it."""

    name: str
    group: str
    stopwaitsecs: int = 10


class Supervisor:
    """Keeps the programs of one supervisord."""

    def __init__(self, written: str) -> None:
        """Take where it answers, as the settings say it."""
        self._address, self._headers = _read_address(written)

    def look(self, name: str, seconds: float) -> Standing | None:
        """Return how a program is, None when it is none of its own."""
        found = _match(name, self._programs(seconds))
        if not found:
            return None
        if len(found) > 1:
            some = ", ".join(one.whole for one in found[:3])
            says = f"{name} is {len(found)} programs: name one of {some}"
            return Standing(
                name=name,
                warden="supervisor",
                state=State.UNKNOWN,
                says=says,
                refusal=says,
            )
        return _standing(found[0])

    def survey(self, seconds: float) -> tuple[Standing, ...]:
        """Return how all programs of it are."""
        return tuple(map(_standing, self._programs(seconds)))

    def restart(self, standing: Standing, errand: Errand) -> None:
        """End a program and start it again, or raise.

        Once it was told to end, nothing but its end is waited for: it is
        never left so because something else takes long. Before that it is
        written down that it must be started, for whoever comes after us.
        """
        program, patience = self._prepare(standing.name)
        if program.statename != "RUNNING":
            self._act("supervisor.startProcess", program.whole)
            return
        errand.notes.owe(WARDEN, program.whole)
        self._tell_to_end(program.whole, errand.notes)
        self._wait_for_end(program.whole, patience + ASK_SECONDS)
        try:
            self._act("supervisor.startProcess", program.whole)
        except _Fault:
            # It was tried: to try again would be another restart.
            errand.notes.pay()
            raise
        errand.notes.pay()

    def resume(self, name: str, since: float) -> str:
        """Start a program that was ended here, if nobody did meanwhile.

        Returns:
            What was done, for people.

        Raises:
            OutgoingFailed: supervisor does not answer, or the program has
                not ended yet.
        """
        programs = self._programs(RESUME_SECONDS)
        found = [one for one in programs if one.whole == name]
        if not found:
            return f"supervisor knows no {name} any more"
        program = found[0]
        if program.statename == "STOPPING":
            raise OutgoingFailed(f"{name} is STOPPING still")
        is_ours = 0 < program.start <= since
        if program.statename not in OVER or not is_ours:
            return f"{name} is {program.statename}: nothing was to be done"
        self._act("supervisor.startProcess", name, RESUME_SECONDS)
        return f"{name} was {program.statename}, and was started again"

    def tail(
        self, standing: Standing, lines: int, seconds: float
    ) -> tuple[str, ...]:
        """Return the last lines of a program: what it says went wrong."""
        until = time.monotonic() + seconds
        found: list[str] = []
        for kind in ("Stderr", "Stdout"):
            method = f"supervisor.readProcess{kind}Log"
            left = max(0.1, until - time.monotonic())
            try:
                said = self._ask(left, method, standing.name, -TAIL_BYTES, 0)
            except _Fault:
                # It keeps no such log.
                continue
            text = whole_lines(str(said), TAIL_BYTES)
            some = last_lines(text, lines - len(found))
            found += [f"{kind.lower()}: {line}" for line in some]
            if len(found) >= lines:
                break
        return tuple(found)

    def _prepare(self, name: str) -> tuple[Program, int]:
        """Return a program and how long its end may take.

        Raises:
            NotAccepted: it is not touched.
        """
        method = "supervisor.getAllConfigInfo"
        try:
            programs = self._programs(ASK_SECONDS)
            said = self._ask(ASK_SECONDS, method)
            bounds = _convert(said, tuple[Bounds, ...])
        except OutgoingFailed as error:
            raise NotAccepted(str(error), may_retry=True) from error
        found = [one for one in programs if one.whole == name]
        if not found:
            raise NotAccepted(f"supervisor knows no {name}")
        program = found[0]
        refusal = _refusal(program)
        if refusal:
            raise NotAccepted(refusal)
        own = (program.group, program.name)
        patience = max(
            (
                one.stopwaitsecs
                for one in bounds
                if (one.group, one.name) == own
            ),
            default=END_SECONDS,
        )
        if patience > END_SECONDS:
            raise NotAccepted(
                f"{name} may take {patience} s to end, and we wait for"
                f" {END_SECONDS} s"
            )
        return program, patience

    def _tell_to_end(self, name: str, notes: Notes) -> None:
        """Tell a program to end, or raise when it was certainly not told."""
        try:
            self._act("supervisor.stopProcess", name)
        except NotSent as error:
            notes.pay()
            raise NotAccepted(str(error), may_retry=True) from error
        except _Fault:
            notes.pay()
            raise
        except OutgoingFailed:
            # It may end by now: whether it does is seen.
            return

    def _act(
        self, method: str, name: str, seconds: float = ASK_SECONDS
    ) -> None:
        """Have something done; that it is done already is as good."""
        try:
            self._ask(seconds, method, name, AT_ONCE)
        except _Fault as error:
            if error.code not in DONE_ALREADY:
                raise

    def _wait_for_end(self, name: str, seconds: float) -> None:
        """Return once a program has ended, or raise OutgoingFailed."""
        until = time.monotonic() + seconds
        says = "supervisor does not say how it is"
        while time.monotonic() < until:
            with suppress(OutgoingFailed):
                for one in self._programs(ASK_SECONDS):
                    if one.whole != name:
                        continue
                    if one.statename in OVER:
                        return
                    says = f"it is {one.statename}"
            time.sleep(LOOK_SECONDS)
        raise OutgoingFailed(
            f"{name} did not end within {seconds:g} s, {says}: it must be"
            " started once it has ended"
        )

    def _programs(self, seconds: float) -> tuple[Program, ...]:
        """Return all that it keeps."""
        said = self._ask(seconds, "supervisor.getAllProcessInfo")
        return _convert(said, tuple[Program, ...])

    def _ask(self, seconds: float, method: str, *given: str | int) -> object:
        """Return what a method gives.

        Raises:
            _Fault: supervisord says no.
            OutgoingFailed: it does not answer, or what it says is nothing.
        """
        body = xmlrpc.client.dumps(given, method).encode()
        headers = {"content-type": "text/xml", **self._headers}
        call = Call(method="POST", path=PATH, body=body, headers=headers)
        return _read(call_near(self._address, call, seconds))


def _read_address(written: str) -> tuple[Address, dict[str, str]]:
    """Return where supervisord listens, and what it wants to hear."""
    parts = urlsplit(written)
    if parts.scheme == "unix":
        return Address(file=unquote(parts.path)), {}
    is_secure = parts.scheme == "https"
    address = Address(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or (443 if is_secure else 80),
        is_secure=is_secure,
    )
    if parts.username is None:
        return address, {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    word = base64.b64encode(pair.encode()).decode()
    return address, {"authorization": f"Basic {word}"}


def _read(answer: Answer) -> object:
    """Return what an answer holds, or raise OutgoingFailed."""
    if answer.status == 401:
        raise OutgoingFailed("supervisor wants another name and password")
    if answer.status != 200:
        raise OutgoingFailed(f"supervisor: status {answer.status}")
    # What a document declares of itself could make it endless.
    if b"<!" in answer.body:
        raise OutgoingFailed(STRANGE)
    try:
        text = answer.body.translate(None, BAD_BYTES)
        found: tuple[object, ...] = xmlrpc.client.loads(text)[0]
    except xmlrpc.client.Fault as error:
        raise _Fault(error.faultCode, error.faultString) from error
    except STRANGE_ERRORS as error:
        raise OutgoingFailed(STRANGE) from error
    return found[0] if found else None


def _convert(said: object, kind: type[Kind]) -> Kind:
    """Return what it said as a type, or raise OutgoingFailed."""
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError as error:
        raise OutgoingFailed(STRANGE) from error


def _match(name: str, programs: Sequence[Program]) -> list[Program]:
    """Return which programs a name stands for: whole, alone, or a group."""
    ranks = (
        [one for one in programs if one.whole == name],
        [one for one in programs if one.name == name],
        [one for one in programs if one.group == name],
    )
    return next((found for found in ranks if found), [])


def _standing(one: Program) -> Standing:
    """Return how a program is."""
    state = STATES.get(one.statename, State.UNKNOWN)
    if one.statename == "EXITED":
        state = State.FAILED if one.exitstatus else State.INACTIVE
    why = brief(one.spawnerr or one.description, 120)
    began = one.start if one.pid else one.stop
    return Standing(
        name=one.whole,
        warden="supervisor",
        state=state,
        says=f"{one.whole} is {one.statename}" + (f": {why}" if why else ""),
        pid=one.pid,
        seconds=float(max(0, one.now - began)) if began else None,
        run=f"{one.pid}@{one.start}",
        refusal=_refusal(one),
        names=(one.whole, one.name, one.group),
    )


def _refusal(one: Program) -> str:
    """Return why a program must not be restarted now, or nothing.

    One that was given up (FATAL) may be started once more: nothing else
    brings it back. One that is being started (BACKOFF) is in good hands,
    and what was told to end (STOPPED) was so by somebody else: what we end
    we start, or it is written down that we owe it.
    """
    if one.statename in BUSY:
        return f"{one.whole} is {one.statename}: supervisor is at it already"
    if one.statename not in ("RUNNING", *OVER):
        return f"{one.whole} is {one.statename}"
    if not one.start:
        return f"{one.whole} was never started: it is not meant to run"
    if one.statename == "STOPPED":
        return f"{one.whole} is STOPPED: somebody stopped it"
    return ""
