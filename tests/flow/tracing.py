"""A service under strace: every address that it calls, as the kernel saw it.

Nothing in the process can hide a call from that: no thread, no child, no
library, no lookup of a name.
"""

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.programs import need
from tests.service import Service

# All by which something can leave for an address.
CALLS = "connect,sendto,sendmsg,sendmmsg"
ADDRESS = re.compile(
    r"sa_family=(AF_\w+)"
    r"(?:[^}]*?sin6?_port=htons\((\d+)\))?"
    r"(?:[^}]*?(?:inet_addr\(|inet_pton\(AF_INET6, )\"([^\"]+)\")?"
)
# What stays within the machine, and has no address that others could have.
INNER = frozenset({"AF_UNIX", "AF_NETLINK"})
PATIENCE = 120.0
Place = tuple[str, int]


class TracedService(Service):
    """A service whose calls are written down by the kernel's own means.

    Its other commands run as always: forked off, and not looked at.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._strace = need("strace", "strace")
        super().__init__(folder, settings, environ)
        self.trace = folder / "trace"

    def launch(self) -> None:
        """Start it without waiting for anything."""
        self.forks = False
        super().launch()
        self.forks = True

    def _command(self, *arguments: str) -> list[str]:
        """Return how main.py is started, under the eyes of strace."""
        # -D: the service stays our own child, which signals reach.
        return [
            *(str(self._strace), "-D", "-f", "-q", "--seccomp-bpf"),
            *("-e", f"trace={CALLS}", "-e", "signal=none", "-s", "0"),
            *("-o", str(self.trace)),
            *super()._command(*arguments),
        ]

    def wait_for(self, is_so: Callable[[], object]) -> None:
        """Return when something has come true, or fail."""
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.05)

    def called(self) -> set[Place]:
        """Return each address that anything was sent to, or tried to."""
        return called_in(self.trace.read_text(errors="replace"))


def called_in(trace: str) -> set[Place]:
    """Return the addresses that a trace names, but those within a machine."""
    return {
        (address or family, int(port or 0))
        for family, port, address in ADDRESS.findall(trace)
        if family not in INNER and family != "AF_UNSPEC"
    }
