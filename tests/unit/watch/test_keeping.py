"""What is told outlives a restart of the watch."""

import asyncio
import threading
import time
from functools import partial
from pathlib import Path

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from app.core.machine import look
from app.watch import textfile, watching
from app.watch.keeping import Keep
from app.watch.rules import Alert, Text
from app.watch.sending import Sender
from app.watch.settings import WatchSettings
from app.watch.watching import Watch
from tests.fakes import FakeClock
from tests.unit.watch.making import NOW, URL, make_place

SECONDS = 20.0


def make_alert(name: str = "ServiceDown", host: str = "h") -> Alert:
    """Return an alert about the service shop."""
    labels = {
        "alertname": name,
        "host": host,
        "severity": "critical",
        "service": "shop",
    }
    text = Text("service shop: down", "for long")
    return Alert(name=name, labels=labels, text=text, starts_at=NOW)


OVER = msgspec.structs.replace(make_alert(), ends_at=NOW + 1)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """As it was, by its owner only, and only when it is new."""
    path = tmp_path / "state" / "watch.state"
    keep = Keep(path, URL)
    assert keep.read() == ()
    assert not keep.is_new(())
    assert keep.is_new((make_alert(),))
    keep.write((make_alert(), OVER))
    assert not keep.is_new((make_alert(), OVER))
    assert path.stat().st_mode & 0o777 == 0o600
    again = Keep(path, URL)
    assert again.read() == (make_alert(), OVER)
    assert not again.is_new((make_alert(), OVER))
    assert [one.name for one in path.parent.iterdir()] == ["watch.state"]


def test_what_another_service_was_told_is_no_matter(tmp_path: Path) -> None:
    """Its alerts are nobody's here."""
    path = tmp_path / "watch.state"
    Keep(path, URL).write((make_alert(),))
    assert Keep(path, "http://127.0.0.1:2/webhooks/watch").read() == ()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}', "\0\xff"])
def test_a_file_that_says_nothing_is_none(tmp_path: Path, text: str) -> None:
    """It is not known any more; the watch runs."""
    path = tmp_path / "watch.state"
    path.write_text(text, encoding="latin-1")
    assert Keep(path, URL).read() == ()


def test_a_file_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    """It is tried again until it can: a restart is to find it."""
    folder = tmp_path / "file"
    folder.touch()
    keep = Keep(folder / "watch.state", URL)
    assert keep.read() == ()
    keep.write((make_alert(),))
    assert keep.is_new((make_alert(),))
    folder.unlink()
    keep.write((make_alert(),))
    assert not keep.is_new((make_alert(),))
    assert Keep(folder / "watch.state", URL).read() == (make_alert(),)
    none = Keep(None, URL)
    assert none.read() == ()
    assert not none.is_new((make_alert(),))
    none.write((make_alert(),))


def test_a_file_that_hangs_blinds_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its disk does not answer; the machine is looked at all the same."""
    hangs, clock = threading.Event(), FakeClock()
    monkeypatch.setattr(textfile, "write", lambda *_: hangs.wait(SECONDS))
    monkeypatch.setattr(watching, "look", partial(look, seconds=1.0))
    settings = WatchSettings(every_seconds=0.5, textfile=str(tmp_path))
    place = make_place(clock)

    async def go() -> int:
        """Return how often it looked, after some that hung."""
        seen = set[float]()
        watch = asyncio.create_task(Watch(settings, place).run())
        until = time.monotonic() + SECONDS
        while len(seen) < 5 and time.monotonic() < until:
            clock.advance(1)
            seen |= {one.at for one in place.readings.newest()}
            await asyncio.sleep(0.05)
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        return len(seen)

    try:
        assert asyncio.run(go()) >= 5
    finally:
        hangs.set()


class Door:
    """A service that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Take it."""
        (one,) = msgspec.json.decode(request.content)["alerts"]
        labels = one["labels"]
        told = (labels["host"], labels["alertname"], one["status"])
        self.told.append(told)
        return httpx.Response(202)


def resume(
    path: Path, wanted: int, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, str, str]]:
    """Run a watch that was told of alerts before; return what it tells."""
    door = Door()
    monkeypatch.setattr(
        watching,
        "Sender",
        partial(
            Sender,
            client=lambda: httpx.AsyncClient(
                transport=httpx.MockTransport(door)
            ),
        ),
    )
    settings = WatchSettings(every_seconds=0.5)
    clock = FakeClock()
    place = make_place(clock, path)

    async def go() -> None:
        """Run it until it has told so much."""
        watch = asyncio.create_task(Watch(settings, place).run())
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            done = len(door.told) >= wanted
            if watch.done() or (done and not firing(path)):
                break
            await asyncio.sleep(0.05)
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)

    monkeypatch.setattr("app.watch.rules.CLEAR_SECONDS", 0.0)
    asyncio.run(go())
    return door.told


def test_more_alerts_than_are_told_are_in_the_log() -> None:
    """Once, until there is room for all of them again."""
    clock = FakeClock()
    watch = Watch(WatchSettings(), make_place(clock))
    with capture_logs() as lines:
        for count in (0, 3, 4, 0, 2):
            watch._rules.left_out = count
            watch._tell_left_out()
    assert [(one["event"], one["alerts"]) for one in lines] == [
        ("watch.left_out", 3),
        ("watch.left_out", 2),
    ]


def firing(path: Path) -> list[Alert]:
    """Return what the file says goes on."""
    return [one for one in Keep(path, URL).read() if one.ends_at is None]


def test_what_ended_meanwhile_is_told_as_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service was taken out of the settings while nobody watched."""
    path = tmp_path / "watch.state"
    Keep(path, URL).write((make_alert(),))
    told = resume(path, 2, monkeypatch)
    assert told == [
        ("h", "ServiceDown", "firing"),
        ("h", "ServiceDown", "resolved"),
    ]


def test_what_was_not_delivered_is_told_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A beginning and an end, in that order; and that of another name."""
    path = tmp_path / "watch.state"
    Keep(path, URL).write((make_alert(), OVER, make_alert(host="old")))
    told = resume(path, 4, monkeypatch)
    of_us = [one for one in told if one[0] == "h"]
    assert of_us == [
        ("h", "ServiceDown", "firing"),
        ("h", "ServiceDown", "resolved"),
    ]
    assert ("old", "ServiceDown", "resolved") in told
