"""Signals through a pidfd: they reach one process, never its successor.

A number may be given to another process at any moment. A pidfd is opened by
number, then all that is known is compared with whoever it is: from then on
the descriptor stands for that process alone, and its end is waited for on
the descriptor as well.
"""

import errno
import os
import select
import signal
import sys
import time

from app.act.local.hand import Hand, Unwilling
from app.act.local.runaway.identity import Identity, differences, identify

PIECE_MS = 50


class Grip:
    """Holds one process by a descriptor; close it, or use ``with``."""

    def __init__(self, known: Identity) -> None:
        """Take who it was when it was looked at, and get hold of it.

        Raises:
            Unwilling: it is gone, or somebody else, or cannot be held.
        """
        self.known = known
        self._file = _open(known.pid)
        try:
            self.compare()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Grip":
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go."""
        self.close()

    def close(self) -> None:
        """Let go."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def compare(self) -> None:
        """Return when it is still the same in all, or raise Unwilling."""
        found = differences(self.known, identify(self.known.pid))
        if found:
            raise Unwilling(
                f"{self.known.name}[{self.known.pid}] is not what was"
                f" measured: {'; '.join(found)}; nothing was sent to what is"
                " there now"
            )

    def send(self, sign: signal.Signals) -> bool:
        """Send a signal; False when it has ended already.

        Raises:
            Unwilling: we may not.
        """
        if sys.platform != "linux":
            raise Unwilling("this system has no pidfd")
        # The kernel takes signals for whoever has ended and is not buried.
        if self.has_ended:
            return False
        try:
            signal.pidfd_send_signal(self._file, sign)
        except ProcessLookupError:
            return False
        except PermissionError as error:
            raise Unwilling(
                f"{sign.name} was refused by the system: we are uid"
                f" {os.geteuid()}, it is uid {self.known.uid}, and we have"
                " no CAP_KILL"
            ) from error
        return True

    @property
    def has_ended(self) -> bool:
        """Tell whether it has ended."""
        return self._poll(0)

    def wait(self, seconds: float, hand: Hand) -> bool:
        """Tell whether it ends within a time.

        Raises:
            Stopped: the deed must end.
        """
        until = time.monotonic() + seconds
        while not self._poll(PIECE_MS):
            if time.monotonic() >= until:
                return self.has_ended
            hand.check()
        return True

    def _poll(self, milliseconds: int) -> bool:
        """Tell whether it ends within a moment."""
        poll = select.poll()
        poll.register(self._file, select.POLLIN)
        return bool(poll.poll(milliseconds))


def _open(pid: int) -> int:
    """Return a descriptor of whoever has a number now.

    Raises:
        Unwilling: nobody has it, or this system has no such thing.
    """
    if sys.platform != "linux":
        raise Unwilling("this system has no pidfd: no process is ended")
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError as error:
        raise Unwilling(f"process {pid} has ended meanwhile") from error
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EPERM):
            text = "this system has no pidfd: no process is ended"
            raise Unwilling(text) from error
        raise
