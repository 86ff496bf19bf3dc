"""Look at certificates: when those in files and of listeners run out.

Keys are not read: only files whose names say that they are certificates,
and of those only the first certificate, which is the one that is shown.
"""

import os
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from app.act.local.look.aside import KNOWN
from app.act.local.look.der import read_certificate
from app.act.local.look.lens import Lens
from app.act.local.look.probe import Notes, Probe, why
from app.act.local.look.sockets import reachable, read_sockets
from app.core.look.amounts import span

TITLE = "certificates"
TOPICS = frozenset({"certificate", "http", "security"})
FOLDERS = (
    "etc/letsencrypt/live", "etc/ssl", "etc/pki/tls/certs", "etc/nginx",
    "etc/apache2", "etc/httpd", "etc/haproxy", "etc/kubernetes/pki",
    "etc/postgresql", "etc/mysql", "etc/docker", "etc/traefik", "etc/caddy",
)  # fmt: skip
SUFFIXES = (".crt", ".cer", ".pem", ".cert")
# A key is called so with a word of its own, and by none of the other endings:
# of server-key.pem and privkey.pem nothing is read, of keycloak.pem all.
KEY = re.compile(r"(?:(?<![a-z])|priv|private|secret)keys?(?![a-z]).*\.pem")
# Others take it for an attack, or count it, when somebody says TLS to them.
TLS_PORTS = frozenset(
    {443, 465, 636, 853, 993, 995, 2376, 5671, 6443, 8443, 8883, 9443, 10250}
)
MOST_FILES, MOST_ENTRIES, MOST_DEPTH, MOST_PORTS = 200, 3_000, 3, 10
MOST_BYTES = 65_536
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
# A bundle of authorities is none of ours.
MOST_IN_FILE = 6
SECONDS = 2.0
DAY = 86_400.0
SOON_DAYS, VERY_SOON_DAYS = 21, 4


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, TOPICS, _look)


def _look(lens: Lens, notes: Notes) -> None:
    """Note when each certificate runs out, the first one first."""
    found: list[tuple[float, str]] = []
    for path in find_files(lens.root):
        try:
            _add_file(path, found)
        except KNOWN as error:
            notes.say(TITLE, f"{path}: not readable: {why(error)}")
    with notes.trying("TLS listeners"):
        _add_listeners(lens, notes, found)
    for left, what in sorted(found):
        state = "ran out" if left < 0 else "runs out in"
        text = f"{what} {state} {span(left)}{' ago' if left < 0 else ''}"
        notes.say(TITLE, text)
        if left < SOON_DAYS * DAY:
            notes.odd(_weigh(left), f"certificate {text}")
    if not found:
        notes.say(TITLE, "none were found in the usual folders and ports")


def _weigh(left: float) -> float:
    """Return how bad it is that so little time is left."""
    if left < 0:
        return 85.0
    return 76.0 if left < VERY_SOON_DAYS * DAY else 50.0


def find_files(root: Path) -> Iterator[Path]:
    """Yield files that are certificates by their names, within bounds."""
    left = MOST_ENTRIES
    count = 0
    for folder in FOLDERS:
        top = root / folder
        for at, inner, names in os.walk(top):
            left -= len(names) + len(inner)
            depth = len(Path(at).relative_to(top).parts)
            is_bundles = Path(at) == root / "etc/ssl/certs"
            if depth >= MOST_DEPTH or left < 0:
                inner.clear()
            if is_bundles or left < 0:
                continue
            for name in sorted(names):
                is_key = KEY.search(name.lower())
                if name.lower().endswith(SUFFIXES) and not is_key:
                    count += 1
                    yield Path(at, name)
                if count >= MOST_FILES:
                    return


def _add_file(path: Path, found: list[tuple[float, str]]) -> None:
    """Add the first certificate of a file."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        text = file.read(MOST_BYTES).decode("ascii", errors="replace")
    if not 1 <= text.count(BEGIN) <= MOST_IN_FILE:
        return
    pem = BEGIN + text.partition(BEGIN)[2].partition(END)[0] + END
    found.append(_read(ssl.PEM_cert_to_DER_cert(pem), str(path)))


def _read(raw: bytes, where: str) -> tuple[float, str]:
    """Return how many seconds a certificate has left, and what it is."""
    one = read_certificate(raw)
    left = (one.until - datetime.now(UTC)).total_seconds()
    return left, f"{where} ({one.name or 'without a name'})"


def _add_listeners(
    lens: Lens, notes: Notes, found: list[tuple[float, str]]
) -> None:
    """Add the certificates that listeners of this machine show."""
    places = {
        (reachable(one), one.port)
        for one in read_sockets(lens)
        if one.state == "LISTEN" and one.port in TLS_PORTS
    }
    calls = {
        f"tls {host} port {port}": partial(ask_certificate, host, port)
        for host, port in sorted(places)[:MOST_PORTS]
    }
    for key, said in lens.all_of(calls, SECONDS + 1.0):
        if isinstance(said, Exception):
            notes.say(TITLE, f"{key}: not readable: {why(said)}")
            continue
        with suppress(ValueError):
            found.append(_read(said, key))


def ask_certificate(host: str, port: int) -> bytes:
    """Return the certificate that a listener shows, or raise OSError."""
    # It is looked at, not trusted: one that ran out must be shown, too.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    until = time.monotonic() + SECONDS
    with socket.create_connection((host, port), SECONDS) as plain:
        plain.settimeout(max(0.1, until - time.monotonic()))
        with context.wrap_socket(plain) as secure:
            return secure.getpeercert(binary_form=True) or b""
