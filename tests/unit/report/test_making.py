"""Making channels: every mistake is said, and no secret."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ConfigError, NotAccepted, OutgoingFailed
from app.models.message import Letter
from app.report.channels.apprise import Apprise, urgency
from app.report.making import Tame, find_pagers
from tests.unit.report.making import letter, make, settings

HOOK = {"kind": "webhook", "url": "https://x.example.org", "secret": "s3cret"}


def wrong(folder: Path, sections: object, **more: Any) -> dict[str, str]:
    """Return what is wrong with settings, by its place."""
    assert isinstance(sections, dict)
    with pytest.raises(ConfigError) as caught:
        make(folder, sections, **more)
    return {one.setting: one.what for one in caught.value.problems}


def test_without_channels_there_are_none(tmp_path: Path) -> None:
    """The line in the log is all there is."""
    assert make(tmp_path, {}) == {}


def test_each_has_a_name_of_its_own(tmp_path: Path) -> None:
    """Two of one kind are two channels."""
    mail = {"kind": "apprise", "url": "mailto://localhost?from=a@b.c&to=d@e.f"}
    made = make(tmp_path, {"one": HOOK, "two": HOOK, "mail": mail})
    assert set(made) == {"one", "two", "mail"}


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """Kinds, names, settings, secrets and URLs."""
    said = wrong(
        tmp_path,
        {
            "Bad Name": HOOK,
            "none": {},
            "other": {"kind": "pigeon"},
            "hook": {"kind": "webhook", "url": "ftp://x", "scret": "y"},
            "dark": {**HOOK, "secret": "env:NOT_THERE"},
            "chat": {"kind": "apprise", "url": "nosuch://token-of-ours"},
            "file": {**HOOK, "ca_file": "none.pem"},
        },
        report={"routes": [{"levels": [{"channels": ["hook", "pager"]}]}]},
    )
    assert set(said) == {
        "channels.Bad Name",
        "channels.none.kind",
        "channels.other.kind",
        "channels.hook.url",
        "channels.hook.secret",
        "channels.hook.scret",
        "channels.dark.secret",
        "channels.chat.url",
        "channels.file.ca_file",
        "report.routes.0.levels.0.channels",
    }
    assert "nosuch://" in said["channels.chat.url"]
    assert "token-of-ours" not in str(said)
    assert "'pager'" in said["report.routes.0.levels.0.channels"]


@pytest.mark.parametrize(
    "report",
    [
        {"routes": [{"levels": [{"channels": []}]}]},
        {"routes": [{}]},
        {"routes": [{"levels": [], "quiet": "night"}]},
        {"routes": [{"levels": [], "matchers": ["("]}]},
        {"routes": [{"levels": [], "kinds": ["digest"]}]},
        {
            "routes": [
                {
                    "levels": [
                        {"channels": ["a"], "after_seconds": 9},
                        {"channels": ["a"]},
                    ]
                }
            ]
        },
        {"digest": {"window_seconds": 60, "every_seconds": 30}},
        {"digest": {"most": 1}},
        {"base_url": "smokejumper.example.org"},
        {"base_url": "https://user@x"},
        {"retries": {"tries": 0}},
    ],
)
def test_settings_that_make_no_sense_are_refused(
    tmp_path: Path, report: dict[str, Any]
) -> None:
    """Each is named by where it stands."""
    (place,) = {
        place.split(".")[0]
        for place in wrong(tmp_path, {"a": HOOK}, report=report)
    }
    assert place == "report"


class Rude:
    """A channel that quotes what it was told in confidence."""

    def __init__(self, error: OutgoingFailed | None = None) -> None:
        self._error = error

    async def send(self, what: Letter) -> str:
        """Fail, or say too much."""
        del what
        if self._error:
            raise self._error
        return "at s3cret-of-ours\n" + "x" * 900


def test_what_a_channel_says_is_tamed() -> None:
    """One line, not too long, and without our secrets."""
    tame = Tame(Rude(), ["s3cret-of-ours"])
    said = asyncio.run(tame.send(letter()))
    assert said.startswith("at (SECRET) x")
    assert len(said) <= 200
    later = NotAccepted("no\ns3cret-of-ours", may_retry=True, after_seconds=7)
    tame = Tame(Rude(later), ["s3cret-of-ours"])
    with pytest.raises(NotAccepted) as caught:
        asyncio.run(tame.send(letter()))
    assert str(caught.value) == "no (SECRET)"
    assert (caught.value.may_retry, caught.value.after_seconds) == (True, 7)
    tame = Tame(Rude(OutgoingFailed("x s3cret-of-ours")), ["s3cret-of-ours"])
    with pytest.raises(OutgoingFailed, match=r"x \(SECRET\)") as unknown:
        asyncio.run(tame.send(letter()))
    assert not isinstance(unknown.value, NotAccepted)


@pytest.mark.parametrize(
    ("kind", "severity", "said"),
    [
        ("escalated", "critical", "failure"),
        ("escalated", "warning", "warning"),
        ("asked", "error", "failure"),
        ("halted", "", "warning"),
        ("digest", "critical", "failure"),
        ("evidence", "critical", "info"),
        ("acted", "critical", "info"),
        ("fixed", "critical", "success"),
        ("closed", "critical", "success"),
    ],
)
def test_pagers_open_for_what_is_urgent_and_close_when_it_is_over(
    kind: str, severity: str, said: str
) -> None:
    """Evidence and news neither open nor close an alert."""
    assert urgency(letter(kind, severity=severity)) == said


def test_channels_say_whether_they_wake_people(tmp_path: Path) -> None:
    """Pagers are known by their URL, unless the settings name them."""
    key = "a" * 32
    sections = {
        "chat": {"kind": "apprise", "url": "json://127.0.0.1/"},
        "ops": {"kind": "apprise", "url": f"opsgenie://{key}"},
        "duty": {"kind": "apprise", "url": f"PagerDuty://{key}@{key}"},
        "desk": {
            "kind": "webhook",
            "url": "https://desk.example.org/",
            "secret": "both-ends-know-this",
        },
    }
    found = find_pagers(make(tmp_path, sections))
    assert sorted(found) == ["duty", "ops"]
    assert settings().with_pagers(found).pagers == tuple(found)
    said = settings(pagers=["desk"]).with_pagers(found)
    assert said.pagers == ("desk",)
    assert settings(pagers=[]).with_pagers(found).pagers == ()


def test_a_pager_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    """It is said at start-up, not when somebody should have been woken."""
    sections = {"duty": {"kind": "apprise", "url": "json://127.0.0.1/"}}
    with pytest.raises(ConfigError, match="no channel 'dutty'"):
        make(tmp_path, sections, {"pagers": ["dutty"]})


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "split"),
        ("pagerduty://IntegrationKey@ApiKey", "truncate"),
        ("pagerduty://IntegrationKey@ApiKey?overflow=split", "split"),
        ("discord://41742162/JHMHI8qB?overflow=upstream", "upstream"),
    ],
)
def test_a_pager_gets_one_alert_and_a_chat_every_line(
    url: str, mode: str
) -> None:
    """What is too long comes in pieces, but for pagers; a URL may say so."""
    (service,) = Apprise(url, 5)._sender(letter())
    assert service.overflow_mode == mode
    assert not service.redirects
    assert service.request_timeout == (5, 5)
