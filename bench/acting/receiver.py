"""A receiver of jobs that costs little, and counts.

    python -m bench.acting.receiver PORT POLLS

A job is over when it was asked for so often; 0: with its start. GET /count
says how many were started, and how many of them more than once.
"""

import asyncio
import json
import sys
from collections import Counter

started: Counter[str] = Counter()
polled: Counter[str] = Counter()
DONE = {"status": "succeeded"}
RUNNING = {"status": "running"}


def start(body: bytes, polls: int) -> tuple[int, object, str]:
    """Return what is said of an order."""
    key = json.loads(body)["key"]
    started[key] += 1
    return (202, RUNNING, key) if polls else (200, DONE, "")


def look(path: str, polls: int) -> tuple[int, object, str]:
    """Return what is said of a job, or of all of them."""
    if path == "/count":
        twice = sum(n > 1 for n in started.values())
        return 200, {"started": len(started), "twice": twice}, ""
    key = path.rpartition("/")[2]
    polled[key] += 1
    return 200, DONE if polled[key] >= polls else RUNNING, ""


def answer(head: bytes, body: bytes, port: int, polls: int) -> bytes:
    """Return the answer to a request."""
    method, path, _ = head.decode().split(" ", 2)
    is_order = method == "POST"
    status, says, key = start(body, polls) if is_order else look(path, polls)
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
