"""Alerts of many hosts, and a sender that keeps a pace."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence

import msgspec

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]
LINES = 32
# Whoever is told to come again does so after this long.
AGAIN_SECONDS = 1.0
ENOUGH = 60


class Sent(msgspec.Struct):
    """What came of it.

    Attributes:
        acknowledged: how many deliveries were answered with 202.
        again: how often one was told to come again.
        seconds: how long all of it took.
        slowest: how long the slowest delivery took.
    """

    acknowledged: int = 0
    again: int = 0
    seconds: float = 0.0
    slowest: float = 0.0


def alert(host: int, part: int = 0) -> dict[str, object]:
    """Return one alert: a file system of a host is full."""
    name = f"web-{host:05}"
    return {
        "status": "firing",
        "labels": {
            "alertname": "HostFilesystemUsage",
            "cluster": "prod-eu1",
            "device": f"/dev/vd{part}",
            "instance": f"{name}:9100",
            "job": "node",
            "severity": "warning",
        },
        "annotations": {
            "summary": "Filesystem / at 95.8%",
            "description": f"The filesystem / of {name} has been filling up"
            " for some hours and will be full before the morning comes.",
        },
        "startsAt": "2026-11-21T02:14:02.418Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.net:9090/graph?g0.tab=1",
        "fingerprint": f"{host:08x}{part:08x}",
    }


def storm(hosts: int, parts: int, size: int = 1) -> Iterator[tuple[int, int]]:
    """Yield so many alerts of each host, a delivery of one host at a time.

    Args:
        hosts: how many hosts.
        parts: how many alerts of each.
        size: so many of one host come together.
    """
    for first in range(0, parts, size):
        for host in range(hosts):
            for part in range(first, min(first + size, parts)):
                yield host, part


def deliveries(
    alerts: Sequence[tuple[int, int]], size: int
) -> Iterator[bytes]:
    """Yield requests with so many alerts in each."""
    for start in range(0, len(alerts), size):
        some = [alert(*one) for one in alerts[start : start + size]]
        body = json.dumps({"version": "4", "alerts": some}).encode()
        head = (
            "POST /webhooks/alertmanager HTTP/1.1\r\nhost: bench\r\n"
            "content-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


async def exchange(line: Line, request: bytes) -> int:
    """Return the status that a request is answered with."""
    reader, writer = line
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split()[0])
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


async def deliver(
    lines: "asyncio.Queue[Line]", request: bytes, sent: Sent
) -> None:
    """Send one delivery until it is taken."""
    began = time.monotonic()
    for _ in range(ENOUGH):
        line = await lines.get()
        try:
            status = await exchange(line, request)
        finally:
            lines.put_nowait(line)
        if status == 202:
            sent.acknowledged += 1
            sent.slowest = max(sent.slowest, time.monotonic() - began)
            return
        if status not in (429, 503):
            raise RuntimeError(f"answered {status}")
        sent.again += 1
        await asyncio.sleep(AGAIN_SECONDS)


async def send(
    ports: Sequence[int], requests: Sequence[bytes], seconds: float
) -> Sent:
    """Send deliveries on the beat, in turns to some ports.

    Args:
        ports: where services listen.
        requests: what is sent.
        seconds: in which time; 0: as fast as they are taken.
    """
    lines: asyncio.Queue[Line] = asyncio.Queue()
    for number in range(LINES):
        port = ports[number % len(ports)]
        lines.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    sent = Sent()
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number, request in enumerate(requests):
            beat = began + number * seconds / len(requests)
            await asyncio.sleep(beat - time.monotonic())
            group.create_task(deliver(lines, request, sent))
    sent.seconds = time.monotonic() - began
    while not lines.empty():
        lines.get_nowait()[1].close()
    return sent
