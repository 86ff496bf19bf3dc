"""Every plug point on one page."""

from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Sequence,
)
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, SecretStr

from app.core.clock import Clock
from app.core.errors import ConfigProblem, Unreadable
from app.core.host import HostSettings
from app.models.action import Catalogue
from app.models.case import Case
from app.models.choice import Calibrated, Choice, Weighed
from app.models.delivery import (
    Delivery,
    Parsed,
)
from app.models.dialogue import Answer, Prompt, Reading, Turn
from app.models.example import Example
from app.models.inventory import Inventory, Thing
from app.models.job import Order, Progress
from app.models.menu import Menu
from app.models.message import Letter
from app.models.verdict import Judgement, Subject
from app.models.verdict import Reading as Measurement

Settings = TypeVar("Settings", bound=BaseModel)
Fetch = Callable[[str], Awaitable[bytes]]


class PlugEnv(Protocol):
    """What every plug-in gets when it is made.

    Attributes:
        name: its name.
        clock: the time.
    """

    name: str
    clock: Clock

    def settings(self, model: type[Settings]) -> Settings:
        """Return the settings of this plug-in, or raise ConfigError."""


class SecretEnv(PlugEnv, Protocol):
    """What a plug-in with secrets gets when it is made."""

    def secret(self, written: SecretStr, *path: str) -> str:
        """Return the text of a secret, or raise ConfigError.

        Args:
            written: what the settings say.
            path: where they say it, below those of this plug-in.
        """

    def problem(self, what: str, remedy: str, *path: str) -> ConfigProblem:
        """Return a problem that is dated to the settings of this plug-in."""


class SourceEnv(PlugEnv, Protocol):
    """What a source gets when it is made: its own settings and the world."""

    fetch: Fetch


class Source(Protocol):
    """Reads what one monitoring system sends.

    Attributes:
        example: a payload for the docs and the contract test.
        paths: further paths that it answers on, beside /webhooks/NAME.
        tells_once: whether it says a thing once and repeats nothing, so
            that its silence does not mean that a problem is over.
        setup: how to point the monitoring system here, in one line.
    """

    example: Example
    paths: tuple[str, ...]
    tells_once: bool
    setup: str

    def parse(self, delivery: Delivery) -> Parsed:
        """Return the alerts of a delivery, or raise Unparsed."""


class SignedSource(Source, Protocol):
    """A source with a signature of its own, and a call back to confirm."""

    async def authenticate(self, delivery: Delivery) -> None:
        """Return when the signature is right, raise Refused when not."""

    async def confirm(self, address: str) -> None:
        """Call an address that the sender asked for, or raise."""


class Authenticator(Protocol):
    """Rules whether a delivery comes from who it says."""

    def check(self, delivery: Delivery) -> None:
        """Return when it does, raise Refused when not."""


class Dialogue(Protocol):
    """Speaks with a language model; the same for every way to reach one."""

    def compose(self, case: Case, menu: Menu, room: int) -> Prompt:
        """Return the prompt; the case is shortened to so many tokens."""

    def read(self, answer: str, menu: Menu) -> Reading:
        """Return what an answer in text says, or raise Unreadable."""

    def read_call(self, name: str, arguments: object, menu: Menu) -> Reading:
        """Return what a native tool call says, or raise Unreadable."""

    def complain(self, error: Unreadable) -> str:
        """Return what a model is told when its answer is no answer."""

    async def converse(self, voice: "Voice", case: Case, menu: Menu) -> Choice:
        """Return what a model chose, asked twice at most.

        Raises:
            BrainFailed: it cannot be reached, or makes no sense.
        """


class Voice(Protocol):
    """One way to reach a language model: a brain's own part.

    Attributes:
        name: the brain's name.
        room: how many tokens a prompt may have.
    """

    name: str
    room: int

    @property
    def model(self) -> str:
        """Return the model that is asked now."""

    async def say(self, prompt: Prompt, turns: Sequence[Turn]) -> Answer:
        """Return what the model answers, or raise BrainFailed."""

    def calibrate(self, answer: Answer, raw: float) -> Calibrated | None:
        """Return what a probability of an answer's tokens means, or None."""


class Gate(Protocol):
    """The trained classifier: small, quick, and measured."""

    @property
    def version(self) -> str:
        """Return which weights these are."""

    def weigh(self, case: Case, menu: Menu) -> Weighed:
        """Return what it would do, and how sure it is."""


class Brain(Protocol):
    """Chooses one action of a menu."""

    async def decide(self, case: Case, menu: Menu) -> Choice:
        """Return the choice, or raise BrainFailed."""


@runtime_checkable
class Closing(Protocol):
    """A brain that holds something open, such as a client."""

    async def close(self) -> None:
        """Give it back; on the event loop that it was used on."""


class BrainEnv(PlugEnv, Protocol):
    """What a brain gets when it is made; paths are relative to ``home``.

    Nobody waits for a decision longer than ``patience_seconds``.
    """

    dialogue: Dialogue
    catalogue: Catalogue
    home: Path
    patience_seconds: float

    def secret(self, written: SecretStr) -> str:
        """Return the text of a secret that settings name."""

    def gate(self) -> Gate:
        """Return the trained classifier."""

    def calibrate(
        self, model: str, raw: float, build: str = ""
    ) -> Calibrated | None:
        """Return what this brain's own number means, None when unknown.

        Args:
            model: the model that answered: of another nothing is known.
            raw: its number.
            build: which build of the model, or empty.
        """

    def model(self, brain: str) -> str:
        """Return the model that is set at run time, empty when none is."""

    def peer(self, name: str) -> Brain | None:
        """Return another brain, or None when it is not configured."""


class InventorySource(Protocol):
    """Knows which hosts, services and containers there are."""

    async def load(self) -> tuple[Thing, ...]:
        """Return all of them, or raise OutgoingFailed or ConfigError."""


class InventoryEnv(Protocol):
    """What a source of the inventory gets when it is made.

    Attributes:
        is_configured: whether the settings name it at all.
        actions: the names of the catalogue's actions.
        home: what paths in its settings are relative to.
    """

    name: str
    is_configured: bool
    actions: Collection[str]
    home: Path

    def settings(self, model: type[Settings]) -> Settings:
        """Return the settings of this source, or raise ConfigError."""

    def secret(self, written: SecretStr, *path: str) -> str:
        """Return the text of a secret, or raise ConfigError."""

    def problem(self, what: str, remedy: str) -> ConfigProblem:
        """Return a problem that is dated to the settings of this source."""


class Backend(Protocol):
    """Runs jobs. Whatever it is told, it starts one key once at most."""

    def knows(self, job: str) -> bool:
        """Tell whether it has a job of this name."""

    def reaches(self, host: str, *, is_here: bool) -> bool:
        """Tell whether its jobs can work on a host.

        Args:
            host: the host by the name that the inventory gives it; empty
                for what is on no host.
            is_here: whether that is the machine that we run on.
        """

    async def start(self, order: Order) -> Progress:
        """Start a job.

        Raises:
            NotAccepted: it was certainly not started, and may be told why.
            OutgoingFailed: nobody knows whether it was started.
        """

    async def watch(self, order: Order) -> Progress:
        """Return how a job goes on, with its output beyond the cursor.

        Raises:
            OutgoingFailed: it cannot be asked now.
            NotHere: it runs on the machine that began it, another one.
        """

    async def abort(self, order: Order) -> Progress:
        """Ask that a job ends; it may go on for a while.

        Raises:
            OutgoingFailed: it cannot be asked now.
        """

    async def find(self, order: Order) -> Progress | None:
        """Return a job by its key, or None when it was never started.

        Raises:
            OutgoingFailed: it cannot be asked now.
            CannotTell: this backend does not know jobs by their keys.
        """


@runtime_checkable
class Hearing(Protocol):
    """A backend whose running jobs are told that the problem is over."""

    async def hear(self, order: Order, word: str) -> bool:
        """Tell a job a word, or raise OutgoingFailed; False: none listens."""


@runtime_checkable
class Living(Protocol):
    """A plug-in that has something to do as long as the service runs."""

    async def run(self) -> None:
        """Go on until cancelled."""


class BackendEnv(SecretEnv, Protocol):
    """What a backend gets when it is made.

    Attributes:
        is_configured: whether the settings name it at all.
        home: what paths in its settings are relative to.
        host: what is said about the machine that we run on.
    """

    is_configured: bool
    home: Path
    host: HostSettings

    def settings(self, model: type[Settings], *path: str) -> Settings:
        """Return the settings of this backend, or raise ConfigError.

        Args:
            model: what they must look like.
            path: where they stand, below those of this backend.
        """


class Check(Protocol):
    """Measures one thing, and says what it means."""

    async def measure(self, subject: Subject) -> Measurement:
        """Return a reading; one without a value when it cannot be had.

        Raises:
            OutgoingFailed: somebody who must be asked does not answer.
        """

    def judge(
        self, before: Measurement | None, after: Measurement
    ) -> Judgement:
        """Return what a reading means, beside that before the action."""


class Readings(Protocol):
    """What was measured on the machine that we run on."""

    def mean(self, name: str, seconds: float) -> float | None:
        """Return the mean of the past seconds; None when nothing is known.

        A value counts when all that it tells of was in those seconds.

        Args:
            name: what was measured, such as cpu_percent.
            seconds: how far back.
        """


class CheckEnv(SecretEnv, Protocol):
    """What a check gets when it is made.

    Attributes:
        is_configured: whether the settings name it at all.
        host: what is said about the machine that we run on.
        readings: what is measured there; None when nothing watches it.
    """

    is_configured: bool
    host: HostSettings
    readings: Readings | None

    def inventory(self) -> Inventory:
        """Return what there is, as it is known now."""


class Channel(Protocol):
    """Tells people something: one way to reach some of them."""

    async def send(self, letter: Letter) -> str:
        """Return what the other end calls it, or nothing, once it has it.

        Raises:
            NotAccepted: it was certainly not sent; may_retry tells whether
                the same letter may be sent once more.
            OutgoingFailed: nobody knows whether it was sent.
        """


class ChannelEnv(SecretEnv, Protocol):
    """What a channel gets when it is made.

    Attributes:
        name: what this site calls the channel; its kind is the file's name.
        home: what paths in its settings are relative to.
    """

    home: Path
