"""Requests as they go over the wire, and Alertmanager's bodies."""

import json
import socket
from contextlib import closing
from typing import Any

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


def talk(service: Service, *parts: bytes) -> bytes:
    """Send parts over one connection; return all that comes until it ends.

    The last request should ask to close the connection.
    """
    address = ("127.0.0.1", service.port)
    with closing(socket.create_connection(address, timeout=10)) as line:
        for part in parts:
            line.sendall(part)
        answer = b""
        while chunk := line.recv(65_536):
            answer += chunk
    return answer
