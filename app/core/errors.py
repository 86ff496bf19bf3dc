"""The error tree: the class says who must react.

SmokejumperError
  ConfigError        the person who wrote the settings; start-up stops
  Refused            the sender; nothing was stored
    TooBusy          the sender, later; nothing was stored
    TooOften         whoever signs in, after a pause
  StorageFailed      the operator; the work was not committed
    RowRefused       the developer: the database cannot hold a value
  OutgoingFailed     nobody yet: the call may be made again later
    BrainFailed      nobody yet: the incident is escalated without it
    NotAccepted      nobody yet: a job was certainly not started
    NotSent          nobody yet: a call has certainly not left this machine
  TooLate            nobody: somebody else was first; nothing was written
  CannotTell         nobody: a backend does not know its jobs by their keys
  Unreadable         the model: it is told once what was wrong
Anything else is a bug.
"""

from collections.abc import Sequence

import msgspec


class SmokejumperError(Exception):
    """Base of every error that this product raises on purpose."""


class ConfigProblem(msgspec.Struct, frozen=True):
    """One wrong setting: where it stands, what is wrong, what to do.

    Attributes:
        setting: dotted path of the setting, such as ``server.port``.
        where: file and line, or the environment variable.
        what: what is wrong, never the value of a secret.
        remedy: what to write instead.
    """

    setting: str
    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        """Return the problem as one line for a person."""
        return f"{self.where}: {self.setting}: {self.what}. {self.remedy}"


class ConfigError(SmokejumperError):
    """The settings are wrong; nothing was started."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        """Take all that is wrong, in the order to show it."""
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


class Refused(SmokejumperError):
    """A request that is not accepted; says the field and the remedy.

    Attributes:
        status: the HTTP status that tells the sender what to do.
        reason: a short machine word for metrics and the log.
        detail: what is wrong, in a sentence.
        field: which part of the request is meant, or empty.
        remedy: what the sender's owner should do.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        *,
        field: str = "",
        remedy: str = "",
    ) -> None:
        """Take what the sender is told."""
        self.status = status
        self.reason = reason
        self.detail = detail
        self.field = field
        self.remedy = remedy
        super().__init__(detail)


class TooBusy(Refused):
    """The service cannot take the request now; it may come again.

    503, never 429: Alertmanager drops a notification on 429.
    """

    def __init__(self, reason: str, detail: str, *, remedy: str = "") -> None:
        """Take what is short; the status is always 503."""
        super().__init__(
            503,
            reason,
            detail,
            remedy=remedy or "Send it again in a few seconds.",
        )


class TooOften(Refused):
    """Somebody tried to sign in too often, in vain.

    Attributes:
        seconds: after which they may try again.
    """

    def __init__(self, seconds: int) -> None:
        """Take how long to wait."""
        self.seconds = seconds
        super().__init__(
            429,
            "too_often",
            f"Too many tries failed; wait {seconds} s.",
            remedy=f"Try again in {seconds} s.",
        )


class StorageFailed(SmokejumperError):
    """The database did not take the work; nothing of it is promised."""


class RowRefused(StorageFailed):
    """The database cannot hold a value of a row; the others are fine."""


class OutgoingFailed(SmokejumperError):
    """A call to another system failed after its retries."""


class BrainFailed(OutgoingFailed):
    """A brain has no answer: it cannot be reached, or makes no sense.

    Attributes:
        remedy: the command or setting that mends it, or empty.
        call: what is known about the call: an app.models.choice.Call.
        earlier: the same of the calls before it.
    """

    def __init__(
        self, text: str, *, remedy: str = "", call: object = None
    ) -> None:
        """Take what went wrong and what mends it."""
        self.remedy = remedy
        self.call = call
        self.earlier: tuple[object, ...] = ()
        super().__init__(text)


class NotHere(OutgoingFailed):
    """A job is not known on this machine, and runs on one machine only."""


class NotAccepted(OutgoingFailed):
    """A backend did not take a job; it was certainly not started.

    Attributes:
        may_retry: whether the same order may be sent once more.
        after_seconds: not before so long, when the other end said so.
    """

    def __init__(
        self, text: str, *, may_retry: bool = False, after_seconds: float = 0
    ) -> None:
        """Take why, whether it may be tried once more, and when."""
        self.may_retry = may_retry
        self.after_seconds = after_seconds
        super().__init__(text)


class NotSent(OutgoingFailed):
    """Nothing of a call can have arrived anywhere.

    Attributes:
        may_retry: whether it may go better the next time.
    """

    def __init__(self, text: str, *, may_retry: bool = False) -> None:
        """Take why, and whether it may go better the next time."""
        self.may_retry = may_retry
        super().__init__(text)


class TooLate(SmokejumperError):
    """Somebody else was first, or has it now; nothing was written."""


class CannotTell(SmokejumperError):
    """A backend cannot say whether a job was ever started."""


class Unreadable(SmokejumperError):
    """What a model answered is no choice of the menu; says what is wrong."""
