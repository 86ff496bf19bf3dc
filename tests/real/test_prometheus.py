"""The real Prometheus, by way of an Alertmanager and without one."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest

from tests.real.alertmanager import Alertmanager
from tests.real.listing import Listing
from tests.real.prometheus import Prometheus
from tests.real.waiting import wait_for
from tests.service import Service

pytestmark = pytest.mark.real
RULES = {"Direct": "critical", "Twofold": "warning", "Through": "info"}


class Lab(NamedTuple):
    """A Prometheus that tells Smokejumper both ways at once."""

    prometheus: Prometheus
    alertmanager: Alertmanager


@pytest.fixture(scope="module")
def lab(
    smokejumper: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """Return a running lab, shared because it is slow to get ready."""
    folder = tmp_path_factory.mktemp("prometheus-lab")
    webhook = {"url": f"{smokejumper.url}/webhooks/alertmanager"}
    with ExitStack() as running:
        alertmanager = running.enter_context(
            Alertmanager(folder / "alertmanager", webhook)
        )
        prometheus = running.enter_context(
            Prometheus(folder, [smokejumper.url, alertmanager.url], RULES)
        )
        yield Lab(prometheus, alertmanager)


def rows(listing: Listing, source: str, name: str) -> list[dict[str, Any]]:
    """Return what a source said of an alert, oldest first."""
    return listing.alerts(source=source, name=name)


def test_we_stand_in_the_place_of_an_alertmanager(
    listing: Listing, lab: Lab
) -> None:
    """Prometheus' own words make firing, repeats and resolved."""
    lab.prometheus.fire("Direct", "db-01:9100")
    where = {"source": "prometheus", "name": "Direct"}
    firing = listing.wait_for_alert(status="firing", **where)
    wait_for("repeat", lambda: rows(listing, **where)[0]["repeats"])
    assert len(rows(listing, **where)) == 1
    lab.prometheus.end("Direct", "db-01:9100")
    resolved = listing.wait_for_alert(status="resolved", **where)
    wait_for("repeat of the end", lambda: rows(listing, **where)[1]["repeats"])
    assert len(rows(listing, **where)) == 2
    assert firing["severity"] == "critical"
    assert firing["summary"] == "db-01:9100 at 93.5 %"
    assert firing["labels"]["cluster"] == "lab"
    assert resolved["fingerprint"] == firing["fingerprint"]
    assert resolved["starts_at"] == firing["starts_at"]


def test_both_ways_give_the_same_identity(listing: Listing, lab: Lab) -> None:
    """Our fingerprint of the labels is the one that Alertmanager gives."""
    lab.prometheus.fire("Twofold", "wéb-01:9100", 'C:\\x "y"\n')
    where = {"name": "Twofold", "status": "firing"}
    direct = listing.wait_for_alert(source="prometheus", **where)
    passed_on = listing.wait_for_alert(source="alertmanager", **where)
    shown = [
        alert["fingerprint"]
        for alert in lab.alertmanager.alerts()
        if alert["labels"]["alertname"] == "Twofold"
    ]
    assert shown == [direct["fingerprint"]]
    assert passed_on["fingerprint"] == direct["fingerprint"]
    for field in ("labels", "starts_at", "severity", "summary", "url"):
        assert passed_on[field] == direct[field]


def test_the_end_comes_through_an_alertmanager(
    listing: Listing, lab: Lab
) -> None:
    """From a rule to the list and back: fired, over, the same episode."""
    where = {"source": "alertmanager", "name": "Through"}
    lab.prometheus.fire("Through", "db-02:9100")
    firing = listing.wait_for_alert(status="firing", **where)
    lab.prometheus.end("Through", "db-02:9100")
    resolved = listing.wait_for_alert(status="resolved", **where)
    assert resolved["fingerprint"] == firing["fingerprint"]
    assert resolved["starts_at"] == firing["starts_at"]
    assert len(rows(listing, **where)) == 2
