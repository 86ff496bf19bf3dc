"""Seal what is sent, so that the receiver knows that it is ours and new.

HMAC-SHA256 in hex over the time, a point and the text: the same that a
source of ours with ``kind: hmac`` asks of those who send to us.
"""

import hmac

TIME_HEADER = "X-Smokejumper-Timestamp"
SEAL_HEADER = "X-Smokejumper-Signature"
PREFIX = "sha256="


def seal(secret: str, moment: int, text: bytes) -> dict[str, str]:
    """Return the headers that prove who sent a text, and when.

    Args:
        secret: what both ends know.
        moment: now, in microseconds.
        text: the body as it is sent; of a request without one the method,
            a space, and the path with its query.
    """
    seconds = str(moment // 1_000_000)
    signed = seconds.encode() + b"." + text
    digest = hmac.digest(secret.encode(), signed, "sha256").hex()
    return {TIME_HEADER: seconds, SEAL_HEADER: PREFIX + digest}
