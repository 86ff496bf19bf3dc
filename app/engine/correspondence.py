"""Correspondence: what people ask of letters and of channels."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from app.core.clock import Clock
from app.core.errors import OutgoingFailed, Refused
from app.engine.posting import send_in_time
from app.engine.receipts import tell_retried, tell_tried
from app.models.message import Dispatch, DispatchState, Facts, Letter
from app.ports import Channel
from app.store.dispatches import find_dispatch, save_dispatch
from app.store.ledger import Connection

TEST = "test"


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a test letter.

    Attributes:
        channel: to which channel.
        is_sent: whether the other end has it.
        reference: what the other end calls it, or empty.
        error: why it was not sent, or that nobody knows; or empty.
        milliseconds: how long it took.
    """

    channel: str
    is_sent: bool
    reference: str = ""
    error: str = ""
    milliseconds: float = 0.0


class Correspondence:
    """Sends once more what was given up, and tries channels."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        kinds: Mapping[str, str],
        clock: Clock,
    ) -> None:
        """Take the channels, of which kind each is, and the time."""
        self.channels = channels
        self.kinds = kinds
        self._clock = clock

    def retry(
        self, connection: Connection, number: int, author: str
    ) -> Dispatch:
        """Let what was given up be sent once more, in a turn.

        Raises:
            Refused: it was not given up, or there is no such channel.
        """
        found = find_dispatch(connection, number)
        if found is None:
            raise Refused(
                404,
                "not_found",
                f"There is no dispatch {number}.",
                field="dispatch_id",
                remedy="List what there is with GET /api/v1/dispatches.",
            )
        if found.state != DispatchState.DEAD:
            raise Refused(
                409,
                "not_dead",
                f"Dispatch {number} is {found.state}.",
                field="dispatch_id",
                remedy="Only what was given up can be sent once more.",
            )
        self.must_find(found.channel, 409)
        now = self._clock.now()
        waiting = replace(
            found,
            state=DispatchState.WAITING.value,
            reason=f"{author} wants it sent once more",
            tries=0,
            due_at=now,
            ended_at=None,
        )
        save_dispatch(connection, found, waiting)
        tell_retried(connection, waiting, author, now)
        return waiting

    def must_find(self, name: str, status: int = 404) -> Channel:
        """Return a channel, or raise Refused."""
        channel = self.channels.get(name)
        if channel is None:
            known = ", ".join(sorted(self.channels)) or "none"
            raise Refused(
                status,
                "unknown_channel",
                f"There is no channel {name[:80]!r}; there is: {known}.",
                field="channel",
                remedy="Add it to 'channels' in the settings.",
            )
        return channel

    async def try_out(self, name: str, author: str) -> Tried:
        """Send a test letter now; return what came of it.

        Raises:
            Refused: there is no such channel.
        """
        channel = self.must_find(name)
        now = self._clock.now()
        letter = _make_letter(name, author, now)
        began = self._clock.monotonic()
        error = reference = ""
        try:
            reference = await send_in_time(channel, letter)
        except OutgoingFailed as failure:
            error = str(failure) or type(failure).__name__
        return Tried(
            channel=name,
            is_sent=not error,
            reference=reference,
            error=error,
            milliseconds=round((self._clock.monotonic() - began) * 1e3, 1),
        )

    def note(self, connection: Connection, tried: Tried, author: str) -> None:
        """Write into the log that a channel was tried, in a turn."""
        said = "sent" if tried.is_sent else tried.error
        now = self._clock.now()
        tell_tried(connection, tried.channel, author, said, now)


def _make_letter(channel: str, author: str, now: int) -> Letter:
    """Return a letter that only says that the channel works."""
    title = "A test letter of Smokejumper"
    text = (
        f"{author} tries the channel {channel!r}. Nothing has happened, and"
        " nothing is to be done."
    )
    facts = Facts(kind=TEST, at=now, title=title, happened=text)
    return Letter(
        key=f"sj-{now:x}-test",
        kind=TEST,
        severity="info",
        title=title,
        text=text,
        facts=facts,
    )
