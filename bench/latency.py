"""How long a delivery takes at a steady pace, as a sender sees it.

Run: python -m bench.latency [--rate N] [--seconds N]
"""

import argparse
import asyncio
import itertools
import tempfile
import time
from pathlib import Path

import msgspec

from bench.ingest.run import TOKEN, cpu_seconds, settings
from tests.service import Service

BODY = (
    '{"alerts":[{"status":"firing","labels":{"alertname":"Paced",'
    '"instance":"web-%d:9100","severity":"warning"},"annotations":'
    '{"summary":"%s"},"startsAt":"2026-11-21T02:14:02Z",'
    '"fingerprint":"%016x"}]}'
)
numbers = itertools.count(int(time.time()) << 20)
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def request() -> bytes:
    """Return a delivery that nobody has sent before."""
    number = next(numbers)
    body = (BODY % (number % 500, "x" * 800, number)).encode()
    head = (
        "POST /webhooks/alertmanager HTTP/1.1\r\nhost: bench\r\n"
        f"authorization: Bearer {TOKEN}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def deliver(lines: "asyncio.Queue[Line]", times: list[float]) -> None:
    """Send one delivery over a free line and note the time it took."""
    start = time.perf_counter()
    reader, writer = await lines.get()
    writer.write(request())
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split()[0])
    await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 202"):
        raise RuntimeError(head.decode())
    times.append(time.perf_counter() - start)
    lines.put_nowait((reader, writer))


async def pace(port: int, rate: int, seconds: int) -> list[float]:
    """Return the times of deliveries that start on the beat."""
    lines: asyncio.Queue[Line] = asyncio.Queue()
    for _ in range(100):
        lines.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    times: list[float] = []
    loop = asyncio.get_running_loop()
    start = loop.time()
    async with asyncio.TaskGroup() as group:
        for number in range(rate * seconds):
            await asyncio.sleep(start + number / rate - loop.time())
            group.create_task(deliver(lines, times))
    return sorted(times)


class Paced(msgspec.Struct, frozen=True):
    """What a steady pace took.

    Attributes:
        times: the seconds of each delivery, in ascending order.
        cpu_ms: of the service, for each delivery.
    """

    times: list[float]
    cpu_ms: float

    def share_ms(self, share: float) -> float:
        """Return the milliseconds that so many stay within."""
        place = min(len(self.times) - 1, int(len(self.times) * share))
        return self.times[place] * 1_000


def measure(rate: int, seconds: int) -> Paced:
    """Run the service and keep the pace."""
    with (
        tempfile.TemporaryDirectory() as name,
        Service(Path(name), settings("")) as service,
    ):
        asyncio.run(pace(service.port, rate, 2))
        before = cpu_seconds(service.pid)
        times = asyncio.run(pace(service.port, rate, seconds))
        used = cpu_seconds(service.pid) - before
    return Paced(times, used / len(times) * 1_000)


def main(rate: int, seconds: int) -> None:
    """Measure, and print the percentiles."""
    found = measure(rate, seconds)
    for share in (0.5, 0.99, 0.999):
        print(f"p{share * 100:g}: {found.share_ms(share):.1f} ms")
    print(f"CPU: {found.cpu_ms:.3f} ms a delivery")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=20)
    arguments = parser.parse_args()
    main(arguments.rate, arguments.seconds)
