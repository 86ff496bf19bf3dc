"""Requests as they go over the wire, and Alertmanager's bodies."""

import json
import re
import socket
from typing import Any

import httpx

from tests.service import Service


def group(*fingerprints: str, **labels: str) -> bytes:
    """Return a delivery of Alertmanager with these alerts."""
    alerts: list[dict[str, Any]] = [
        {
            "status": "firing",
            "labels": {"alertname": "A", **labels},
            "annotations": {},
            "startsAt": "2026-11-21T02:14:02Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": fingerprint,
        }
        for fingerprint in fingerprints
    ]
    return json.dumps({"version": "4", "alerts": alerts}).encode()


def request(path: str, body: bytes, *headers: str) -> bytes:
    """Return a POST with a body."""
    head = [
        f"POST {path} HTTP/1.1",
        "host: test",
        f"content-length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def chunked(path: str, body: bytes, *headers: str) -> bytes:
    """Return a POST with a body in two chunks."""
    head = [
        f"POST {path} HTTP/1.1",
        "host: test",
        "transfer-encoding: chunked",
        *headers,
    ]
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:40], body[40:])
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + chunks + b"0\r\n\r\n"


def statuses(answers: bytes) -> list[bytes]:
    """Return the statuses of answers, in order."""
    return re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)


def deliveries(answers: bytes) -> list[int]:
    """Return the numbers of the deliveries that were answered, in order."""
    return [int(n) for n in re.findall(rb'"delivery":(\d+)', answers)]


def stored(service: Service, delivery: int) -> bytes:
    """Return the body that is stored of a delivery."""
    url = f"{service.url}/api/v1/deliveries/{delivery}/body"
    return httpx.get(url).raise_for_status().content


def dial(service: Service) -> socket.socket:
    """Return an open connection."""
    return socket.create_connection(("127.0.0.1", service.port), timeout=10)


def talk(service: Service, *parts: bytes) -> bytes:
    """Send parts over one connection; return all that comes until it ends.

    The last request should ask to close the connection.
    """
    with dial(service) as line:
        for part in parts:
            line.sendall(part)
        answer = b""
        while chunk := line.recv(65_536):
            answer += chunk
    return answer
