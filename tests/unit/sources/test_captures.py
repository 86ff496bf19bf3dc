"""What real programs sent, read against expectations made by hand.

The captures are no part of this repository: the folder that holds them is
named by TEST_DATA, and each test is skipped where it is not there.
"""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.models.alert import Status
from app.models.delivery import Parsed
from app.models.wire import to_fingerprint
from tests.unit.sources.making import make_delivery, make_source, moment

REPOSITORY = Path(__file__).parents[3]
DEFAULT = REPOSITORY.parent / "shared" / "data"
DATA = Path(os.environ.get("TEST_DATA", DEFAULT))
pytestmark = pytest.mark.skipif(
    not (DATA / "captured").is_dir(),
    reason="captures: set TEST_DATA to the folder that holds captured/",
)
FIRING, RESOLVED, UPDATED = Status.FIRING, Status.RESOLVED, Status.UPDATED
DISK, DOWN, CPU = "HostFilesystemUsage", "InstanceDown", "CpuModeSeen"
# File: of each alert the status, name, fingerprint, start and end, on
# 2026-11-21, some milliseconds after the second.
ALERTMANAGER: dict[str, list[tuple[Status, str, str, str, str]]] = {
    "basic": [(FIRING, DOWN, "ce2c60c66383cd83", "02:14:03", "")],
    "bearer_resolved": [
        (RESOLVED, DOWN, "ce2c60c66383cd83", "02:14:03", "02:18:55")
    ],
    "bearer_two_instances": [
        (FIRING, DOWN, "b801b59e0209f1a7", "02:19:16", ""),
        (FIRING, DOWN, "ce2c60c66383cd83", "02:19:10", ""),
    ],
    "custom_scheme": [(FIRING, DOWN, "ce2c60c66383cd83", "02:14:03", "")],
    "firing_first": [(FIRING, DISK, "9f09b5c5bacad926", "02:14:02", "")],
    "firing_repeat": [(FIRING, DISK, "9f09b5c5bacad926", "02:14:02", "")],
    "grouped_mixed_firing_resolved": [
        (FIRING, DISK, "9f09b5c5bacad926", "02:14:02", ""),
        (RESOLVED, DISK, "e9781ae5702f403e", "02:18:55", "02:19:09"),
    ],
    "grouped_two_firing": [
        (FIRING, DISK, "9f09b5c5bacad926", "02:14:02", ""),
        (FIRING, DISK, "e9781ae5702f403e", "02:18:55", ""),
    ],
    "resolved": [(RESOLVED, DISK, "9f09b5c5bacad926", "02:14:02", "02:19:15")],
    "truncated_firing": [
        (FIRING, CPU, "5c1e87ea23d95914", "02:14:03", ""),
        (FIRING, CPU, "90c93e04054df33d", "02:14:03", ""),
        (FIRING, CPU, "335f50b8c934dc6a", "02:14:03", ""),
    ],
    "truncated_resolved": [
        (RESOLVED, CPU, "5c1e87ea23d95914", "02:14:03", "02:19:23"),
        (RESOLVED, CPU, "90c93e04054df33d", "02:14:03", "02:19:23"),
        (RESOLVED, CPU, "335f50b8c934dc6a", "02:14:03", "02:19:23"),
    ],
    "urlcreds": [(FIRING, DOWN, "ce2c60c66383cd83", "02:14:03", "")],
}
NGINX = '"nginx" is not running on Lab DB 01 (primary)'
FULL = "/var/lib/postgresql: Disk space is critically low (used > 90%)"
ODD = (
    'Hostile "quote" \\ back $(id) `id` \n newline \N{CHECK MARK} '
    "Lab DB 01 (primary)"
)
ACK = "2026.11.21 02:23:28 acknowledged and commented"
WORSE = "2026.11.21 02:23:28 changed severity from High to Disaster"
CLOSE = "2026.11.21 02:23:42 commented and closed"
UNACK = "2026.11.21 02:23:37 unacknowledged"
# File: status, event id, occurrence, name, severity's word, start and end.
ZABBIX: dict[str, tuple[Status, str, str, str, str, str, str]] = {
    "problem": (FIRING, "21", "", FULL, "High", "02:20:48", ""),
    "problem_basic": (FIRING, "21", "", FULL, "High", "02:20:48", ""),
    "problem_odd_characters": (
        *(FIRING, "23", "", ODD, "Warning", "02:20:48", ""),
    ),
    "recovery": (
        *(RESOLVED, "22", "25", NGINX, "Average", "02:20:48", "02:22:04"),
    ),
    "recovery_manual_close": (
        *(RESOLVED, "21", "28", FULL, "Disaster", "02:20:48", "02:22:15"),
    ),
    "update": (UPDATED, "30", ACK, NGINX, "Average", "02:23:16", ""),
    "update_close": (
        *(UPDATED, "29", CLOSE, FULL, "Disaster", "02:23:16", "02:23:45"),
    ),
    "update_severity_change": (
        *(UPDATED, "29", WORSE, FULL, "Disaster", "02:23:16", ""),
    ),
    "update_unack": (
        *(UPDATED, "30", UNACK, NGINX, "Average", "02:23:16", "02:23:42"),
    ),
}
SECRETS = ("global-macro-token", "k3y", "29996")


def load(name: str) -> Any:
    """Return a capture: a request, or a list of them."""
    text = (DATA / "captured" / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text)


def read(kind: str, request: Any) -> Parsed:
    """Return what a source reads out of a captured request."""
    body = request["body"].encode()
    received_at = moment(request["iso"])
    delivery = make_delivery(body, received_at=received_at)
    return make_source(kind).parse(delivery)


def at(clock: str, fraction: str = "") -> int | None:
    """Return the moment of a time of the day of the captures."""
    return moment(f"2026-11-21T{clock}{fraction}Z") if clock else None


@pytest.mark.parametrize("name", ALERTMANAGER)
def test_alertmanager(name: str) -> None:
    """Each alert of each capture is read as it was meant."""
    parsed = read("alertmanager", load(f"alertmanager_{name}"))
    assert parsed.unparsed == ()
    assert parsed.truncated == (5 if name.startswith("truncated") else 0)
    found = [
        (a.status, a.name, a.fingerprint, a.starts_at, a.ends_at)
        for a in parsed.alerts
    ]
    assert found == [
        (*words, at(start, ".418"), at(end, ".418"))
        for *words, start, end in ALERTMANAGER[name]
    ]


@pytest.mark.parametrize("name", ALERTMANAGER)
def test_our_fingerprint_is_alertmanagers(name: str) -> None:
    """What Prometheus posts to us has the identity it would have there."""
    for alert in json.loads(load(f"alertmanager_{name}")["body"])["alerts"]:
        assert to_fingerprint(alert["labels"]) == alert["fingerprint"]


def test_no_capture_is_forgotten() -> None:
    """A capture that is added has to be described here."""
    for prefix, known in (("alertmanager", ALERTMANAGER), ("zabbix", ZABBIX)):
        files = DATA.glob(f"captured/{prefix}_*.json")
        names = {file.stem.removeprefix(f"{prefix}_") for file in files}
        webhooks = {n for n in names if not n.lower().endswith("get")}
        assert webhooks == set(known)


@pytest.mark.parametrize("name", ZABBIX)
def test_zabbix(name: str) -> None:
    """Each message is of its kind, and of its problem."""
    parsed = read("zabbix", load(f"zabbix_{name}"))
    (alert,) = parsed.alerts
    *words, start, end = ZABBIX[name]
    assert words == [
        alert.status,
        alert.fingerprint,
        # Behind an update's time and action a hash of what was said follows.
        (alert.occurrence or "")[: len(words[2])],
        alert.name,
        alert.labels["severity"],
    ]
    assert (alert.starts_at, alert.ends_at) == (at(start), at(end))
    assert alert.labels["host"] == "lab-db-01"
    assert alert.labels["env"] == "lab"
    assert not [secret for secret in SECRETS if secret in repr(alert)]


def test_zabbix_joins_a_tag_that_comes_twice() -> None:
    """The tag service is there for nginx and for postgres."""
    (alert,) = read("zabbix", load("zabbix_update_unack")).alerts
    assert alert.labels["service"] == "nginx,postgres"


def test_prometheus() -> None:
    """Two alerts fire, with the fingerprints that Alertmanager gives them."""
    request = load("prometheus_post_api_v2_alerts")
    parsed = read("prometheus", request)
    assert [(a.status, a.name, a.fingerprint) for a in parsed.alerts] == [
        (FIRING, DISK, "9f09b5c5bacad926"),
        (FIRING, DISK, "e9781ae5702f403e"),
    ]
    starts = {alert.starts_at for alert in parsed.alerts}
    assert starts == {at("02:20:31", ".418")}
    assert {a.ends_at for a in parsed.alerts} == {at("02:24:31", ".418")}
    late = {**request, "iso": "2026-11-21T02:24:32Z"}
    assert {a.status for a in read("prometheus", late).alerts} == {RESOLVED}


def test_vmalert() -> None:
    """It sends the same alert each second; all of it is one message."""
    requests = load("vmalert_post_api_v2_alerts")
    alerts = [a for one in requests for a in read("prometheus", one).alerts]
    assert len(alerts) == len(requests) == 6
    assert {alert.name for alert in alerts} == {"VMAlwaysFiring"}
    identities = {(a.fingerprint, a.occurrence, a.status) for a in alerts}
    (identity,) = identities
    assert identity[1:] == (str(at("03:01:12", ".317830")), FIRING)


def wrap(kind: str, row: Any) -> Any:
    """Return the webhook of a row that tells only a single alert."""
    payload = row["payload"]
    if row["id"].startswith("a"):
        if kind == "zabbix":
            return {"event_id": row["id"], "event_value": "1", **payload}
        return {"alerts": [{**payload, "status": "firing"}]}
    return payload


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("notifications400", {"alertmanager": 300, "zabbix": 100}),
        ("dev150", {"alertmanager": 122, "zabbix": 28}),
        ("alerts80", {"alertmanager": 46, "zabbix": 23, "grafana": 11}),
    ],
)
def test_corpora(file: str, expected: dict[str, int]) -> None:
    """Real-shaped notifications are read without a flaw."""
    text = (DATA / f"{file}.jsonl").read_text(encoding="utf-8")
    sources = {kind: make_source(kind) for kind in expected}
    seen: Counter[str] = Counter()
    for row in map(json.loads, text.splitlines()):
        kind = row["source"]
        parsed = sources[kind].parse(make_delivery(wrap(kind, row)))
        assert parsed.unparsed == (), row["id"]
        assert parsed.alerts, row["id"]
        assert all(a.name and a.labels for a in parsed.alerts), row["id"]
        assert {a.status for a in parsed.alerts} <= {FIRING, RESOLVED}
        seen[kind] += 1
    assert seen == expected
