"""Refusals that end a connection, as they go over the wire."""

import msgspec

from app.api.problems import MEDIA_TYPE, Problem, headers_of

HEAD_BYTES = 65_536
HEADERS = 100


def _refusal(title: str, problem: Problem) -> bytes:
    """Return a whole answer that ends the connection."""
    body = msgspec.json.encode(problem)
    extra = headers_of(problem.status)
    lines = [
        f"HTTP/1.1 {problem.status} {title}",
        f"content-type: {MEDIA_TYPE}",
        f"content-length: {len(body)}",
        *(f"{name}: {text}" for name, text in extra.items()),
        "connection: close",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


# Not 408: Alertmanager gives up on it, and would lose the notification.
TOO_SLOW = _refusal(
    "Service Unavailable",
    Problem(
        title="Not now",
        status=503,
        reason="too_slow",
        detail="The request did not arrive in time.",
        field="request",
        remedy="Send it at once; see server.limits in the settings.",
    ),
)
FULL = _refusal(
    "Service Unavailable",
    Problem(
        title="Not now",
        status=503,
        reason="connections",
        detail="All connections are taken.",
        field="connection",
        remedy="Send it again in a few seconds.",
    ),
)
TOO_LARGE = _refusal(
    "Request Header Fields Too Large",
    Problem(
        title="Too large",
        status=431,
        reason="head_too_large",
        detail=f"Over {HEAD_BYTES} bytes or {HEADERS} headers.",
        field="headers",
        remedy="Send fewer or shorter headers, and a shorter address.",
    ),
)
FILLING = _refusal(
    "Content Too Large",
    Problem(
        title="Too large",
        status=413,
        reason="body_too_large",
        detail="The body is too long for a call of the API.",
        field="body",
        remedy="Send less, or raise server.limits.body_bytes.",
    ),
)
MALFORMED = _refusal(
    "Bad Request",
    Problem(
        title="Bad request",
        status=400,
        reason="not_http",
        detail="What came is no request of HTTP/1.1.",
        field="request",
        remedy="Send HTTP/1.1, without TLS, to this port.",
    ),
)
