"""Hold many files open."""

import os
import resource

from simulator.children import leash

# Those that it has anyway, with some to spare.
OWN = 16
# How full its own table is, so that its monitor sees it near its limit.
FULL = 0.95


def main() -> None:
    """Open as many as told, and hold them until it is over."""
    words = leash.take()
    count = int(words["level"])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = int(count / FULL) + OWN
    if hard not in {resource.RLIM_INFINITY, -1}:
        most = min(most, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        held = [os.open(os.devnull, os.O_RDONLY) for _ in range(count)]
    except (OSError, ValueError) as error:
        leash.fail(f"it may not hold {count} files open: {error}")
    leash.ready()
    leash.stay()
    for file in held:
        os.close(file)


if __name__ == "__main__":
    main()
