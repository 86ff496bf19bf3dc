"""The write-ahead log of SQLite: whether it can begin anew in time.

It begins anew once all of it is in the database and nobody reads from it
any more. Our own questions are ended after some seconds; somebody else's,
such as those of a shell that was left open, are not ours to end, and the log
grows as long as they go on. So its size is shown, and the log of the service
tells when it is too much. When the reader has gone it is cut back to KEPT.
"""

import asyncio
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from app.core.log import get_log

# The file keeps this much for the next round: a checkpoint comes every
# 1,000 pages, and a large batch may overshoot that by some.
KEPT = 16 * 1_048_576
LOOK_SECONDS = 5.0
log = get_log("store")


class WalWatch:
    """Looks at the size of the log now and then."""

    def __init__(
        self, file: Path | None, alarm: int, registry: CollectorRegistry
    ) -> None:
        """Take the database, and from how many bytes on it is too long.

        Args:
            file: the SQLite file; None on PostgreSQL, where nothing is done.
            alarm: how long it may become.
            registry: where metrics are told.
        """
        self._file = file and file.with_name(f"{file.name}-wal")
        self._alarm = alarm
        self._is_long = False
        if file is not None:
            Gauge(
                "smokejumper_database_wal_bytes",
                "Size of SQLite's write-ahead log",
                registry=registry,
            ).set_function(self.size)

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while self._file is not None:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def size(self) -> int:
        """Return how long the log is, 0 when there is none."""
        try:
            return self._file.stat().st_size if self._file else 0
        except OSError:
            return 0

    def look(self) -> None:
        """Tell when the log has become too long, and when no more."""
        size = self.size()
        was_long, self._is_long = self._is_long, size > self._alarm
        if self._is_long and not was_long:
            log.warning(
                "wal.too_long",
                size=size,
                alarm=self._alarm,
                remedy="something has been reading the database for long, or"
                " holds it: find it with fuser or lsof, and end it",
            )
        elif was_long and not self._is_long:
            log.info("wal.short_again", size=size)
