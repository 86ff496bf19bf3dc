"""The example: a payload that a source carries."""

import msgspec


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A payload that a source carries: shown in the docs, run by tests.

    Attributes:
        body: one delivery as the monitoring system sends it.
        headers: what comes with it and matters.
        names: the names of the alerts that it must yield, in order.
    """

    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = (
        (b"content-type", b"application/json"),
    )
    names: tuple[str, ...]
