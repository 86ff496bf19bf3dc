"""What the real Alertmanager says is stored as it means it."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.real.alertmanager import (
    Alertmanager,
    ended,
    labels_of,
    make_alert,
)
from tests.real.listing import Listing
from tests.real.proxy import BadLine
from tests.real.waiting import wait_for

pytestmark = pytest.mark.real
OFTEN = {"repeat_interval": "1s"}


def to(listing: Listing, source: str = "alertmanager") -> dict[str, Any]:
    """Return a webhook that sends to a source of the service."""
    return {"url": f"{listing.url}/webhooks/{source}"}


def test_firing_repeat_and_resolved_are_one_episode(
    listing: Listing, folder: Path
) -> None:
    """A repeat is counted; the end has the fingerprint of the beginning."""
    alert = make_alert("DiskFull", instance="db-01", mount="/var/lib/pg")
    with Alertmanager(folder, to(listing), OFTEN) as alertmanager:
        alertmanager.push(alert)
        firing = listing.wait_for_alert(name="DiskFull", status="firing")
        listing.wait_for_repeat(firing)
        assert len(listing.alerts(name="DiskFull")) == 1
        shown = alertmanager.alerts()[0]
        alertmanager.push(ended(alert))
        resolved = listing.wait_for_alert(name="DiskFull", status="resolved")
    assert firing["fingerprint"] == shown["fingerprint"]
    assert resolved["fingerprint"] == firing["fingerprint"]
    assert resolved["starts_at"] == firing["starts_at"]
    assert firing["ends_at"] is None
    assert resolved["ends_at"] > resolved["starts_at"]
    assert firing["labels"] == alert["labels"]
    assert firing["annotations"] == alert["annotations"]
    assert firing["severity"] == "warning"


def test_the_bytes_are_kept_as_they_came(
    listing: Listing, folder: Path
) -> None:
    """The stored body is the group as Alertmanager wrote it."""
    path = "C:\\x “y”\n"
    with BadLine(listing.url, []) as line:
        webhook = {"url": f"{line.url}/webhooks/alertmanager"}
        with Alertmanager(folder, webhook) as alertmanager:
            alertmanager.push(make_alert("Bytes", path=path))
            alert = listing.wait_for_alert(name="Bytes")
    body = listing.body(alert["delivery_id"])
    group = json.loads(body)
    assert line.bodies == [body]
    assert group["version"] == "4"
    assert group["groupLabels"] == {"alertname": "Bytes"}
    assert group["alerts"][0]["fingerprint"] == alert["fingerprint"]
    assert alert["labels"]["path"] == path


def test_each_alert_of_a_mixed_group_has_its_own_status(
    listing: Listing, folder: Path
) -> None:
    """The status of a group says nothing about one of its alerts."""
    over = make_alert("Mixed", instance="web-01")
    stays = make_alert("Mixed", instance="web-02")
    with Alertmanager(folder, to(listing)) as alertmanager:
        alertmanager.push(over, stays)
        wait_for("both", lambda: len(listing.alerts(name="Mixed")) == 2)
        alertmanager.push(ended(over))
        resolved = listing.wait_for_alert(name="Mixed", status="resolved")
        group = json.loads(listing.body(resolved["delivery_id"]))
    firing = listing.alerts(name="Mixed", status="firing")
    assert group["status"] == "firing"
    assert [alert["status"] for alert in group["alerts"]].count("firing") == 1
    assert resolved["labels"]["instance"] == "web-01"
    assert labels_of(firing, "instance") == ["web-01", "web-02"]
    again = [row for row in firing if row["labels"]["instance"] == "web-02"]
    assert again[0]["repeats"] == 1


def test_a_truncated_group_yields_the_alerts_that_it_shows(
    listing: Listing, folder: Path
) -> None:
    """What max_alerts cuts off is missing, the rest is whole."""
    alerts = [make_alert("Cut", instance=f"web-{n}") for n in range(5)]
    webhook = {**to(listing), "max_alerts": 2}

    def cut() -> list[dict[str, Any]]:
        """Return the deliveries that were cut, once it has all alerts."""
        whole = [(row, body_of(row)) for row in listing.deliveries()]
        return [row for row, sent in whole if sent["truncatedAlerts"] == 3]

    def body_of(row: dict[str, Any]) -> dict[str, Any]:
        """Return what a delivery holds."""
        found: dict[str, Any] = json.loads(listing.body(row["id"]))
        return found

    with Alertmanager(folder, webhook) as alertmanager:
        alertmanager.push(*alerts)
        delivery = wait_for("a group that was cut", cut)[0]
        sent = {
            one["labels"]["instance"] for one in body_of(delivery)["alerts"]
        }
        wait_for("alerts", lambda: sent <= instances(listing))
    assert len(sent) == 2
    assert listing.deliveries()[0]["outcome"] == "parsed"


def instances(listing: Listing) -> set[str]:
    """Return of which instances there is an alert."""
    return {row["labels"]["instance"] for row in listing.alerts(name="Cut")}


def test_three_alertmanagers_make_one_alert(
    listing: Listing, folder: Path
) -> None:
    """The members of a cluster that lost each other tell the same thing."""
    alert = make_alert("Thrice", instance="web-01")
    with ExitStack() as running:
        members = [
            running.enter_context(
                Alertmanager(folder / str(number), to(listing))
            )
            for number in range(3)
        ]
        for member in members:
            member.push(alert)
        wait_for(
            "two repeats of one alert",
            lambda: (
                [r["repeats"] for r in listing.alerts(name="Thrice")] == [2]
            ),
        )
        shown = {member.alerts()[0]["fingerprint"] for member in members}
    assert shown == {listing.alerts(name="Thrice")[0]["fingerprint"]}
