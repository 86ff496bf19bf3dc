"""Certificates: real ones, in files and shown by a real listener."""

import runpy
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from app.act.local.look.der import read_certificate
from app.act.local.probes.certificates import ask_certificate, find_files
from tests.unit.act.local.rounds import Round, write

TITLE = "certificates"
LOOK = Path(__file__).parents[4] / "host" / "look.py"


def make(until: datetime, name: str = "web1.example") -> tuple[bytes, bytes]:
    """Return a certificate and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example")]
    if name:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
    holder = x509.Name(attributes)
    made = (
        x509.CertificateBuilder()
        .subject_name(holder)
        .issuer_name(holder)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - timedelta(days=365))
        .not_valid_after(until)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM), key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def in_days(days: float) -> datetime:
    """Return a moment to come, to the second."""
    now = datetime.now(UTC).replace(microsecond=0)
    return now + timedelta(days=days)


@pytest.mark.parametrize(
    ("until", "name"),
    [
        (datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC), "web1.example"),
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), "müller.example"),
        # From 2050 on a year has four digits.
        (datetime(2061, 5, 6, 7, 8, 9, tzinfo=UTC), ""),
        (datetime(1999, 5, 6, 7, 8, 9, tzinfo=UTC), "old"),
    ],
)
def test_when_it_runs_out_and_whose_it_is(until: datetime, name: str) -> None:
    """As the one says that has made it."""
    pem, _ = make(until, name)
    found = read_certificate(ssl.PEM_cert_to_DER_cert(pem.decode()))
    assert (found.until, found.name) == (until, name)


def test_what_is_cut_or_no_certificate_is_refused() -> None:
    """At every byte: an error that says it, and nothing else."""
    pem, _ = make(in_days(9))
    raw = ssl.PEM_cert_to_DER_cert(pem.decode())
    for count in range(1, len(raw)):
        with pytest.raises(ValueError, match="cut"):
            read_certificate(raw[:count])
    with pytest.raises(ValueError, match="no certificate"):
        read_certificate(b"\x30\x04\x30\x02\x05\x00")
    for at in range(len(raw)):
        torn = raw[:at] + bytes([raw[at] ^ 0xFF]) + raw[at + 1 :]
        with suppress(ValueError):
            read_certificate(torn)


def test_those_that_run_out_stand_out(tmp_path: Path) -> None:
    """The first one first; keys, bundles and others are left alone."""
    nginx = tmp_path / "etc/nginx"
    nginx.mkdir(parents=True)
    for name, days in (("old", -3), ("soon", 2), ("later", 15), ("good", 300)):
        (nginx / f"{name}.pem").write_bytes(make(in_days(days), name)[0])
    pem, key = make(in_days(1), "never read")
    (nginx / "server-key.pem").write_bytes(key + pem)
    (nginx / "bundle.crt").write_bytes(pem * 10)
    write(nginx, "broken.crt", "-----BEGIN CERTIFICATE-----\n%%%%\n")
    found = Round("certificates", root=tmp_path)
    told = [line.split(" (")[1] for line in found.first]
    assert told[0].startswith("old) ran out 3 days ago")
    assert told[1].startswith("soon) runs out in 4")
    assert told[2].startswith("later) runs out in 15 days")
    assert len(told) == 3
    lines = found.lines(TITLE)
    assert any("good) runs out in 300 days" in line for line in lines)
    assert any("broken.crt: not readable: " in line for line in lines)
    assert not any("never read" in line for line in lines)


def test_only_what_is_called_a_key_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here and at other hosts; a name with these letters in it is none."""
    keys = ("privkey.pem", "server-key.pem", "key.pem", "my_key_2.pem",
            "site.key.pem", "privatekey.pem", "a.key")  # fmt: skip
    own = ("keycloak.pem", "monkey.example.org.crt", "turkey.pem",
           "server-key.crt", "fullchain.pem")  # fmt: skip
    for name in (*keys, *own):
        write(tmp_path, f"etc/nginx/{name}", "")
    assert {one.name for one in find_files(tmp_path)} == set(own)
    elsewhere = runpy.run_path(str(LOOK))["find_certificates"]
    monkeypatch.setitem(
        elsewhere.__globals__, "FOLDERS", (str(tmp_path / "etc/nginx"),)
    )
    assert {Path(one).name for one in elsewhere()} == set(own)


def test_files_are_found_within_bounds(tmp_path: Path) -> None:
    """Not too many, not too deep, and not the bundles of authorities."""
    write(tmp_path, "etc/nginx/a/b/c/d/e/deep.pem", "")
    write(tmp_path, "etc/ssl/certs/authority.pem", "")
    for number in range(300):
        write(tmp_path, f"etc/ssl/{number}.crt", "")
    files = list(find_files(tmp_path))
    assert len(files) == 200
    assert not any("deep" in str(one) for one in files)
    assert not any("authority" in str(one) for one in files)


@contextmanager
def listener(folder: Path, pem: bytes, key: bytes) -> Iterator[int]:
    """Run a listener that speaks TLS to one caller; its port."""
    file = folder / "both.pem"
    file.write_bytes(pem + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def speak() -> None:
            """Shake hands once."""
            plain, _ = server.accept()
            with plain, suppress(OSError):
                context.wrap_socket(plain, server_side=True).close()

        thread = threading.Thread(target=speak)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_a_listener_shows_its_own(tmp_path: Path) -> None:
    """Also one that ran out: that is what is looked for."""
    until = in_days(-1)
    with listener(tmp_path, *make(until, "expired")) as port:
        found = read_certificate(ask_certificate("127.0.0.1", port))
    assert (found.until, found.name) == (until, "expired")


def test_a_listener_that_says_nothing_is_given_up() -> None:
    """It accepts and is silent: there is an end, and an error."""
    with (
        create_server(("127.0.0.1", 0)) as server,
        pytest.raises(TimeoutError),
    ):
        ask_certificate("127.0.0.1", server.getsockname()[1])
