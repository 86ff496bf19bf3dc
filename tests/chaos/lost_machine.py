"""A machine is lost while it has a claim: no word of it arrives any more.

    unshare --net python -m tests.chaos.lost_machine

In a network of its own, with a server of its own. One node speaks to it over
the loopback, which is then taken down: nobody hangs up, and nothing answers
for that node, as when a cable is pulled. The other node, on the socket, says
how many seconds later it got the claim.
"""

import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

from app.store.claims import Claims
from app.store.location import locate
from tests.postgres import Postgres

NUMBER = 7
PATIENCE = 60.0
WAIT = 5.0


def switch(state: str) -> None:
    """Take the loopback up or down."""
    subprocess.run(["ip", "link", "set", "lo", state], check=True)


def main() -> float:
    """Return after how many seconds the other node has the claim."""
    switch("up")
    with Postgres() as server:
        url = server.make_database("lost")
        socket = quote(str(server.folder), safe="")
        beside = f"postgresql://smoke@/lost?host={socket}&port={server.port}"
        lost = Claims(locate(url, Path()), WAIT)
        other = Claims(locate(beside, Path()), WAIT)
        try:
            if not lost.take(NUMBER) or other.take(NUMBER):
                raise RuntimeError("a claim holds nobody off")
            switch("down")
            began = time.monotonic()
            while not other.take(NUMBER):
                if time.monotonic() > began + PATIENCE:
                    raise TimeoutError("the claim of a lost machine is kept")
                time.sleep(0.1)
            return time.monotonic() - began
        finally:
            other.close()
            lost.close()
            switch("up")


if __name__ == "__main__":
    sys.stdout.write(f"{main():.1f}\n")
