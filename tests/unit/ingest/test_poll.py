"""What an Alertmanager's list says, compared with what goes on here."""

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from app.core.configfile import load_config
from app.core.errors import ConfigError
from app.core.registry import scan
from app.ingest import sources
from app.ingest.counters import Counters
from app.ingest.entrances import World, make_entrances
from app.ingest.intake import Entrance
from app.ingest.poll import (
    Answer,
    Found,
    Listed,
    Memory,
    Told,
    compare,
    read_answer,
    to_body,
    to_firing,
    to_resolved,
    unite,
)
from app.ingest.polls import Poll, make_polls
from app.ingest.sources.alertmanager import Alertmanager
from app.models.alert import Status
from app.models.delivery import Delivery, Unparsed
from app.store.ongoing import Ongoing
from tests.fakes import FakeClock

SECOND = 1_000_000
T0 = 1_795_227_242_000_000
BEGAN = "2026-11-21T02:14:02.418123456Z"
# The API tells milliseconds, a notification may tell more.
BEGAN_AT = 1_795_227_242_418_000
UP = b'{"uptime": "2026-11-20T00:00:00Z"}'
AUTH = {"kind": "none"}
URL = "http://am.example.net:9093"
# Neither a fingerprint nor a label to make one of.
NAMELESS = (
    b'[{"labels":{},"startsAt":"2026-11-21T02:14:02Z",'
    b'"status":{"state":"active"}}]'
)


def entry(fingerprint: str = "f1", **more: Any) -> dict[str, Any]:
    """Return one alert as Alertmanager's API lists it."""
    return {
        "annotations": {"summary": "it fires"},
        "endsAt": "2026-11-21T02:20:00Z",
        "fingerprint": fingerprint,
        "receivers": [{"name": "ops"}],
        "startsAt": BEGAN,
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
        "updatedAt": BEGAN,
        "generatorURL": "http://prometheus.example.net/graph",
        "labels": {"alertname": "Disk", "cluster": "lab"},
        **more,
    }


def read(*entries: dict[str, Any], status: bytes = UP) -> Answer:
    """Return the answer that a list of alerts is."""
    return read_answer(status, json.dumps(entries).encode())


def goes_on(fingerprint: str = "f1", **more: Any) -> Ongoing:
    """Return an episode that goes on here."""
    values: dict[str, Any] = {
        "episode": 1,
        "strand": 1,
        "begins_at": BEGAN_AT,
        "came_at": T0 - 600 * SECOND,
        "seen_at": T0,
        "summary": "it fires",
        **more,
    }
    return Ongoing(fingerprint=fingerprint, **values)


def look(listed: list[dict[str, Any]], *ongoing: Ongoing) -> Found:
    """Return what is found when all of the list is ours."""
    return compare(unite([read(*listed)]), ongoing, lambda _: True)


def make(tree: dict[str, Any], folder: Path, **environ: str) -> list[Poll]:
    """Return what is polled with these sources in the settings."""
    file = folder / "settings.yaml"
    file.write_text(json.dumps({"sources": tree}))
    config = load_config(file, {})
    world = World(
        environ,
        FakeClock(),
        None,  # type: ignore[arg-type]  # nothing is fetched here
        Counters(CollectorRegistry()),
        "127.0.0.1",
    )
    entrances: dict[str, Entrance] = make_entrances(
        config, scan(sources), world
    )
    return make_polls(config, entrances, environ)


def polled(**poll: Any) -> dict[str, Any]:
    """Return the settings of a source that is polled."""
    return {"alertmanager": {"auth": AUTH, "poll": {"url": URL, **poll}}}


def test_nobody_is_polled_unasked(tmp_path: Path) -> None:
    """Without the setting there is no poll."""
    assert make({"alertmanager": {"auth": AUTH}}, tmp_path) == []


def test_an_address_is_enough(tmp_path: Path) -> None:
    """The rest has defaults; the last slash makes no difference."""
    (poll,) = make(polled(url=f"{URL}/"), tmp_path)
    assert poll.urls == (URL,)
    assert poll.settings.seconds == 60
    assert poll.headers == {}
    assert poll.age == 60 * SECOND
    assert poll.uptime == 300 * SECOND


def test_a_cluster_has_several_addresses(tmp_path: Path) -> None:
    """A list of addresses is one cluster."""
    (poll,) = make(polled(url=[URL, "https://other/am/"]), tmp_path)
    assert poll.urls == (URL, "https://other/am")


@pytest.mark.parametrize(
    ("kind", "secret", "header"),
    [
        ("bearer", "s3cret", "Bearer s3cret"),
        (
            "basic",
            "ops:pässword",
            "Basic " + base64.b64encode("ops:pässword".encode()).decode(),
        ),
    ],
)
def test_a_secret_comes_from_a_variable(
    tmp_path: Path, kind: str, secret: str, header: str
) -> None:
    """The poll proves itself with it, and does not show it."""
    tree = polled(**{kind: "env:AM_SECRET"})
    (poll,) = make(tree, tmp_path, AM_SECRET=secret)
    assert poll.headers == {"Authorization": header}
    assert secret not in repr(poll.settings)


@pytest.mark.parametrize(
    ("poll", "what"),
    [
        ({"bearer": "env:AM_SECRET"}, "AM_SECRET is not set"),
        ({"bearer": "a", "basic": "b:c"}, "a bearer and a basic"),
        ({"basic": "alone"}, "not of the form"),
        ({"bearer": "a\nb"}, "no text that a header"),
        ({"url": "am:9093"}, "http://HOST"),
        ({"url": "http://ops:secret@am:9093"}, "bearer or basic"),
        ({"url": f"{URL}?x=1"}, "bearer or basic"),
        ({"url": []}, "empty list"),
        ({"seconds": 0}, "greater than or equal"),
        ({"second": 5}, "is not a setting"),
    ],
)
def test_a_wrong_setting_stops_the_start(
    tmp_path: Path, poll: dict[str, Any], what: str
) -> None:
    """It is named with its place, and without any secret."""
    with pytest.raises(ConfigError) as caught:
        make(polled(**poll), tmp_path)
    text = str(caught.value)
    assert what in text
    assert "sources.alertmanager.poll" in text
    assert "ops:secret" not in text


def test_only_an_alertmanager_is_polled(tmp_path: Path) -> None:
    """Another type has no such list."""
    tree = {"zabbix": {"auth": AUTH, "poll": {"url": URL}}}
    with pytest.raises(ConfigError, match="is never polled"):
        make(tree, tmp_path)


def test_what_is_listed_is_told_as_the_webhook_tells_it() -> None:
    """Fingerprint, start and labels are those of a notification."""
    (told,) = (to_firing(one) for one in look([entry()]).news)
    delivery = Delivery(source="am", body=to_body([told]), received_at=T0)
    (alert,) = Alertmanager().parse(delivery).alerts
    assert alert.fingerprint == "f1"
    assert alert.status is Status.FIRING
    assert alert.starts_at == BEGAN_AT
    assert alert.occurrence == str(BEGAN_AT)
    assert alert.ends_at is None
    assert alert.labels == {"alertname": "Disk", "cluster": "lab"}
    assert alert.summary == "it fires"
    group = json.loads(delivery.body)
    assert (group["version"], group["receiver"]) == ("4", "smokejumper-poll")


def test_a_notification_and_the_list_mean_the_same_beginning() -> None:
    """However many digits each of them writes."""
    (one,) = unite([read(entry(startsAt="2026-11-21T02:14:02.418Z"))]).values()
    told = to_firing(one)
    exact = msgspec.structs.replace(told, startsAt=BEGAN)
    bodies = [to_body([told]), to_body([exact])]
    alerts = [
        Alertmanager()
        .parse(Delivery(source="am", body=body, received_at=T0))
        .alerts[0]
        for body in bodies
    ]
    assert alerts[0] == alerts[1]


def test_an_end_is_told_with_the_beginning_that_it_ends() -> None:
    """Start and fingerprint are those of the episode; it says who says so."""
    told = to_resolved(goes_on(), {"alertname": "Disk"}, T0 + 5 * SECOND)
    delivery = Delivery(source="am", body=to_body([told]), received_at=T0)
    (alert,) = Alertmanager().parse(delivery).alerts
    assert alert.status is Status.RESOLVED
    assert alert.starts_at == BEGAN_AT
    assert alert.ends_at == T0 + 5 * SECOND
    assert "lists it no longer" in alert.annotations["smokejumper_poll"]
    assert json.loads(delivery.body)["status"] == "resolved"


def test_the_same_alerts_make_the_same_bytes() -> None:
    """So that a second poll with the same news is a repeat."""
    one = look([entry("b"), entry("a")]).news
    two = look([entry("a"), entry("b")]).news
    bodies = {to_body(list(map(to_firing, news))) for news in (one, two)}
    assert len(bodies) == 1


def test_what_is_on_both_sides_is_confirmed() -> None:
    """It is no news, and did not vanish."""
    found = look([entry()], goes_on())
    assert (found.news, found.missing) == ([], [])
    assert [one.episode for one in found.confirmed] == [1]


def test_a_silenced_alert_still_goes_on() -> None:
    """What is known and silenced there did not vanish."""
    silenced = entry(status={"state": "suppressed"})
    found = look([silenced], goes_on())
    assert not found.missing
    assert [one.episode for one in found.confirmed] == [1]


def test_a_newer_beginning_is_news() -> None:
    """What fires anew there is told, though the old one goes on here."""
    found = look([entry()], goes_on(begins_at=BEGAN_AT - SECOND))
    assert [one.fingerprint for one in found.news] == ["f1"]
    assert (found.missing, found.confirmed) == ([], [])


@pytest.mark.parametrize(
    ("alert", "receiver", "is_told"),
    [
        (entry(), "", True),
        (entry(), "ops", True),
        (entry(), "others", False),
        (entry(status={"state": "suppressed"}), "", False),
        (entry(status={"state": "unprocessed"}), "", False),
        (entry(labels={"alertname": "Disk", "cluster": "prod"}), "", False),
    ],
)
def test_only_what_would_be_told_to_us_is_news(
    tmp_path: Path, alert: dict[str, Any], receiver: str, *, is_told: bool
) -> None:
    """Silences, other receivers and foreign clusters are respected."""
    tree = polled(receiver=receiver)
    tree["alertmanager"]["allow"] = {"cluster": ["lab"]}
    (poll,) = make(tree, tmp_path)
    found = compare(unite([read(alert)]), [], poll.wants)
    assert bool(found.news) is is_told


def test_two_polls_in_a_row_must_agree() -> None:
    """What one poll does not list is asked for again before it is over."""
    memory = Memory()
    missing = [goes_on()]
    assert memory.settle_vanished(missing, T0, 0) == []
    again = memory.settle_vanished(missing, T0 + SECOND, 0)
    assert again == [(missing[0], max(T0, BEGAN_AT))]


def test_a_poll_between_that_saw_it_begins_anew() -> None:
    """Missed, listed, missed is not missed twice in a row."""
    memory = Memory()
    memory.settle_vanished([goes_on()], T0, 0)
    memory.settle_vanished([], T0, 0)
    assert memory.settle_vanished([goes_on()], T0, 0) == []


def test_a_failed_poll_between_begins_anew() -> None:
    """After a poll without an answer two more are needed."""
    memory = Memory()
    memory.settle_vanished([goes_on()], T0, 0)
    memory.forget()
    assert memory.settle_vanished([goes_on()], T0, 0) == []


def test_a_young_alert_is_left_alone() -> None:
    """It may have come while the list was on its way."""
    memory = Memory()
    young = goes_on(came_at=T0 - SECOND)
    for _ in range(3):
        assert memory.settle_vanished([young], T0, 60 * SECOND) == []


def test_another_episode_of_it_must_be_missed_twice_too() -> None:
    """A new beginning is another thing to miss."""
    memory = Memory()
    memory.settle_vanished([goes_on()], T0, 0)
    other = goes_on(begins_at=BEGAN_AT + SECOND)
    assert memory.settle_vanished([other], T0, 0) == []


def test_what_is_over_here_and_fires_there_is_told_anew() -> None:
    """Twice in a row it is listed with the start of what ended here."""
    memory = Memory()
    news = look([entry()]).news
    over = {news[0].beginning}
    assert memory.settle_refired(over, news, T0) == []
    (told,) = memory.settle_refired(over, news, T0 + SECOND)
    assert told.startsAt == "2026-11-21T02:14:03Z"
    assert "although" in told.annotations["smokejumper_poll"]


def test_what_is_unknown_is_told_at_once() -> None:
    """News needs no second poll."""
    told: list[Told] = Memory().settle_refired(set(), look([entry()]).news, 0)
    assert [one.fingerprint for one in told] == ["f1"]


def test_a_cluster_says_what_any_member_says() -> None:
    """The lists are united; of two words the one that fires counts."""
    silenced = entry(status={"state": "suppressed"})
    listed = unite([read(silenced), read(entry(), entry("f2")), read()])
    assert sorted(listed) == ["f1", "f2"]
    assert listed["f1"].status.state == "active"


@pytest.mark.parametrize(
    ("status", "alerts"),
    [
        (UP, b"<html>welcome</html>"),
        (UP, b"{}"),
        (UP, b"null"),
        (UP, b'[{"labels": {}}]'),
        (UP, b'[{"labels": {"a": 1}, "startsAt": "now", "status": {}}]'),
        (UP, b"[" * 100_000),
        (UP, b'["\xff"]'),
        (b"[]", b"[]"),
        (b"{}", b"[]"),
        (b'{"uptime": "0001-01-01T00:00:00Z"}', b"[]"),
        (UP, NAMELESS),
    ],
)
def test_nonsense_says_nothing(status: bytes, alerts: bytes) -> None:
    """An answer that is not wholly understood is no answer."""
    with pytest.raises(Unparsed):
        read_answer(status, alerts)


def test_an_empty_list_is_an_answer() -> None:
    """What comes of it depends on since when it is up."""
    answer = read()
    assert answer.alerts == []
    assert answer.up_since == 1_795_132_800 * SECOND


def test_a_missing_fingerprint_is_made_of_the_labels() -> None:
    """As for the webhook."""
    bare: list[Listed] = list(read(entry(fingerprint="")).alerts)
    assert len(bare[0].fingerprint) == 16
