"""Secrets that we hand out: we keep what they are known by, not themselves."""

import hashlib
import secrets

BYTES = 32


def make_secret(prefix: str = "") -> str:
    """Return a new secret that nobody can guess, as one word."""
    return prefix + secrets.token_urlsafe(BYTES)


def digest_of(secret: str) -> str:
    """Return what a secret is known by.

    It holds 256 random bits: to try all of them is hopeless, so one plain
    SHA-256 is enough, other than for a password.
    """
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
