"""Probes: real listeners on loopback, good ones and bad ones."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.core.errors import OutgoingFailed
from app.models.verdict import Judgement, Reading, Subject
from app.verify.checks.http_probe import fill
from tests.programs import free_port
from tests.unit.decide.listener import Asked, Listener
from tests.unit.verify.making import WEB, away, here, make_check, measure


def probe(
    name: str, subject: Subject, **options: str | float
) -> tuple[Reading, Judgement]:
    """Return a reading and what it means alone."""
    check = make_check(name, None, (WEB,))
    asked = Subject(
        host=subject.host, is_here=subject.is_here, options=options
    )
    found = measure(check, asked)
    return found, check.judge(None, found)


@contextmanager
def silent() -> Iterator[int]:
    """Yield the port of somebody who takes calls and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("status", "wanted", "expected"),
    [
        (200, 200, Judgement.GOOD),
        (503, 200, Judgement.BAD),
        (302, 200, Judgement.BAD),
        (401, 401, Judgement.GOOD),
        (204, 200, Judgement.BAD),
    ],
)
def test_a_page_has_the_status_that_it_should(
    status: int, wanted: int, expected: Judgement
) -> None:
    """A redirect is an answer, and is not followed."""
    with Listener(lambda _asked: (status, b"")) as page:
        url = f"{page.url}/health"
        found, judgement = probe("http_probe", away(), url=url, status=wanted)
        assert [one.path for one in page.asked] == ["/health"]
    assert judgement is expected
    assert found.says == f"{url} answers {status}"


def test_nobody_there_is_bad_and_worse_than_before() -> None:
    """A page that answered before the action and does not after it."""
    url = f"http://127.0.0.1:{free_port()}/"
    found, judgement = probe("http_probe", away(), url=url)
    assert judgement is Judgement.BAD
    check = make_check("http_probe")
    before = Reading(
        check="http_probe", at=1, value=1.0, unit="answers", limit=1.0,
        is_floor=True,
    )  # fmt: skip
    assert check.judge(before, found) is Judgement.WORSE


def test_a_page_that_hangs_is_bad() -> None:
    """It is not waited for any longer than its declaration says."""
    with silent() as port:
        url = f"http://127.0.0.1:{port}/"
        found, judgement = probe("http_probe", away(), url=url, timeout=0.2)
    assert judgement is Judgement.BAD
    assert found.says == f"{url} does not answer in 0.2 s"


def test_a_page_that_dribbles_is_bad() -> None:
    """Its time is over as a whole, not only between two bytes."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(20)
    ended = threading.Event()

    def dribble() -> None:
        """Send a header without an end."""
        caller, _ = server.accept()
        with caller:
            while not ended.wait(0.02):
                try:
                    caller.sendall(b"H")
                except OSError:
                    return

    thread = threading.Thread(target=dribble)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        _, judgement = probe("http_probe", away(), url=url, timeout=0.3)
    finally:
        ended.set()
        thread.join(30)
        server.close()
    assert not thread.is_alive()
    assert judgement is Judgement.BAD


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_we_cannot_reach_is_unknown(scheme: str) -> None:
    """A name that nobody resolves, a server that speaks no TLS."""
    if scheme == "http":
        with pytest.raises(OutgoingFailed, match="no-such-host"):
            probe("http_probe", away(), url="http://no-such-host.invalid/")
        return
    with Listener(lambda _asked: (200, b"")) as page:
        url = page.url.replace("http:", "https:")
        with pytest.raises(OutgoingFailed, match="https://127"):
            probe("http_probe", away(), url=url)


def test_a_page_of_the_target_needs_a_target_that_is_known() -> None:
    """An alert's host is never called on its word alone."""
    with Listener(lambda _asked: (200, b"")) as page:
        url = page.url.replace("127.0.0.1", "{host}")
        stranger = away(host="127.0.0.1")
        found, judgement = probe("http_probe", stranger, url=url)
        assert page.asked == []
        assert judgement is Judgement.UNKNOWN
        assert found.says == "127.0.0.1 is not in the inventory"
        found, judgement = probe("http_probe", here(host="127.0.0.1"), url=url)
        assert len(page.asked) == 1
    assert judgement is Judgement.GOOD


def test_an_address_of_six_stands_in_brackets() -> None:
    """So that its colons are no port."""
    assert fill("http://{host}:80/", "2001:db8::1") == (
        "http://[2001:db8::1]:80/"
    )
    assert fill("http://{host}:80/", "web-1") == "http://web-1:80/"


def test_the_probe_says_nothing_of_us() -> None:
    """No cookies, no tokens: only who asks."""
    seen: list[Asked] = []

    def answer(asked: Asked) -> tuple[int, bytes]:
        """Remember the request."""
        seen.append(asked)
        return 200, b"x" * 100_000

    with Listener(answer) as page:
        probe("http_probe", away(), url=page.url)
    assert "authorization" not in seen[0].headers
    assert seen[0].headers["user-agent"] == "smokejumper"


def test_a_port_that_somebody_listens_on_is_good() -> None:
    """Nothing is said, only the connection counts."""
    with silent() as port:
        found, judgement = probe(
            "tcp_probe", away(), port=port, host="127.0.0.1"
        )
        assert judgement is Judgement.GOOD
        assert found.says == f"somebody listens on 127.0.0.1:{port}"
        ours = here(host="127.0.0.1")
        assert probe("tcp_probe", ours, port=port)[1] is Judgement.GOOD


def test_a_port_that_nobody_listens_on_is_bad() -> None:
    """Of this machine or of one of the inventory."""
    port = free_port()
    found, judgement = probe("tcp_probe", away(), port=port, host="127.0.0.1")
    assert judgement is Judgement.BAD
    assert found.says == f"nobody listens on 127.0.0.1:{port}"


def test_a_host_of_an_alert_alone_is_not_connected_to() -> None:
    """It says so, and nobody is called."""
    with silent() as port:
        stranger = away(host="127.0.0.1")
        found, judgement = probe("tcp_probe", stranger, port=port)
    assert judgement is Judgement.UNKNOWN
    assert found.says == "127.0.0.1 is not in the inventory"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 80, "x..y"])
def test_a_host_that_cannot_be_found_is_unknown(host: str) -> None:
    """That tells of our name server, not of the host."""
    found, judgement = probe("tcp_probe", away(), port=80, host=host)
    assert judgement is Judgement.UNKNOWN
    assert "cannot be reached" in found.says
