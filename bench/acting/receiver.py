"""A receiver of jobs that costs little, and counts.

    python -m bench.acting.receiver PORT POLLS

A job is over when it was asked for so often, 0: with its start; or when it
was told to end. GET /count says how many were started, how many of them more
than once, how many were told to end, and by the machine's clock that never
jumps when the last one was started.
"""

import asyncio
import json
import sys
import time
from collections import Counter

started: Counter[str] = Counter()
polled: Counter[str] = Counter()
ended: set[str] = set()
last = [0.0]
DONE = {"status": "succeeded"}
ABORTED = {"status": "aborted"}
RUNNING = {"status": "running"}


def start(body: bytes, polls: int) -> tuple[int, object, str]:
    """Return what is said of an order."""
    key = json.loads(body)["key"]
    started[key] += 1
    last[0] = time.monotonic()
    return (202, RUNNING, key) if polls else (200, DONE, "")


def look(path: str, polls: int) -> tuple[int, object, str]:
    """Return what is said of a job, or of all of them."""
    if path == "/count":
        twice = sum(n > 1 for n in started.values())
        count = {"started": len(started), "twice": twice}
        return 200, {**count, "ended": len(ended), "last": last[0]}, ""
    key = path.rpartition("/")[2]
    if key in ended:
        return 200, ABORTED, ""
    polled[key] += 1
    return 200, DONE if polled[key] >= polls else RUNNING, ""


def end(path: str) -> tuple[int, object, str]:
    """Return what is said to who ends a job."""
    ended.add(path.rpartition("/")[2])
    return 200, ABORTED, ""


def answer(head: bytes, body: bytes, port: int, polls: int) -> bytes:
    """Return the answer to a request."""
    method, path, _ = head.decode().split(" ", 2)
    if method == "POST":
        status, says, key = start(body, polls)
    else:
        status, says, key = (
            end(path) if method == "DELETE" else look(path, polls)
        )
    text = json.dumps(says).encode()
    lines = [
        f"HTTP/1.1 {status} OK",
        "content-type: application/json",
        f"content-length: {len(text)}",
    ]
    if key:
        lines.append(f"location: http://127.0.0.1:{port}/jobs/{key}")
    return "\r\n".join([*lines, "", ""]).encode() + text


async def serve(port: int, polls: int) -> None:
    """Answer until the end."""

    async def talk(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer what comes over one line; a probe says nothing."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                found = head.lower().partition(b"content-length: ")[2]
                body = await reader.readexactly(
                    int((found.split() or [b"0"])[0])
                )
                writer.write(answer(head, body, port, polls))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
