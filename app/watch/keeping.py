"""Keeping: what the watch still has to tell, over a restart.

Without it nobody would tell that something is over which ended while the
watch was away. It is a small file, written when what is to be told changes.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from app.core.log import get_log
from app.watch.rules import Alert

MOST_BYTES = 8 * 1_048_576
log = get_log("watch")


class Kept(msgspec.Struct, frozen=True):
    """What stands in the file.

    Attributes:
        url: who was told; what another service was told is no matter here.
        alerts: what was to be told, of each alert in order.
    """

    url: str
    alerts: tuple[Alert, ...]


class Keep:
    """The file; none where there is no path."""

    def __init__(self, path: Path | None, url: str) -> None:
        """Take where it is, and who is told."""
        self._path = path
        self._url = url
        self._written: tuple[Alert, ...] = ()
        self._was_told = False

    def read(self) -> tuple[Alert, ...]:
        """Return what was still to be told; nothing when it says nothing."""
        if self._path is None:
            return ()
        try:
            with self._path.open("rb") as file:
                kept = msgspec.json.decode(file.read(MOST_BYTES), type=Kept)
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.DecodeError) as error:
            log.warning("watch.state_not_read", reason=str(error)[:200])
            return ()
        if kept.url != self._url:
            return ()
        self._written = kept.alerts
        return kept.alerts

    def is_new(self, alerts: Sequence[Alert]) -> bool:
        """Tell whether there is anything to write."""
        return self._path is not None and tuple(alerts) != self._written

    def write(self, alerts: Sequence[Alert]) -> None:
        """Replace it: a crash leaves the old one or the new one.

        What cannot be written now is new still, and tried again: a disk that
        was full has room some day.
        """
        told = tuple(alerts)
        if self._path is None:
            return
        try:
            _replace(self._path, Kept(self._url, told))
        except OSError as error:
            if not self._was_told:
                file, why = str(self._path), error.strerror
                log.warning("watch.state_not_kept", file=file, reason=why)
            self._was_told = True
        else:
            self._was_told = False
            self._written = told


def _replace(path: Path, kept: Kept) -> None:
    """Write a file beside the old one, then put it in its place."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    with suppress(FileNotFoundError):
        fresh.unlink()
    mode = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(fresh, mode, 0o600), "wb") as file:
        file.write(msgspec.json.encode(kept))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
