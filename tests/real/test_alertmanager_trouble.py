"""On a bad line the real Alertmanager sends again; nothing is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.alertmanager import Alertmanager, make_alert
from tests.real.listing import Listing
from tests.real.proxy import BadLine
from tests.real.waiting import wait_for
from tests.service import Service

pytestmark = pytest.mark.real
PATH = "/webhooks/alertmanager"


@pytest.fixture
def own_service(tmp_path: Path) -> Iterator[Service]:
    """Return a running service that a test may kill."""
    home = tmp_path / "own"
    home.mkdir()
    with Service(home) as service:
        yield service


def test_a_killed_service_gets_the_alert_after_its_start(
    own_service: Service, folder: Path
) -> None:
    """What fires while it is dead comes by Alertmanager's own retry."""
    listing = Listing(own_service.url)
    webhook = {"url": own_service.url + PATH}
    with Alertmanager(folder, webhook) as alertmanager:
        alertmanager.push(make_alert("Before"))
        before = listing.wait_for_alert(name="Before")
        own_service.kill()
        alertmanager.push(make_alert("Meanwhile"))
        wait_for("failure", alertmanager.failures)
        own_service.start()
        listing.wait_for_alert(name="Meanwhile")
    assert listing.wait_for_alert(name="Before")["id"] == before["id"]


def test_503_is_tried_again(listing: Listing, folder: Path) -> None:
    """Refused three times, the alert comes the fourth time, once."""
    with (
        BadLine(listing.url, ["refuse"] * 3) as line,
        Alertmanager(folder, {"url": line.url + PATH}) as alertmanager,
    ):
        alertmanager.push(make_alert("Refused"))
        alert = listing.wait_for_alert(name="Refused")
    assert line.met == ["refuse", "refuse", "refuse", None]
    assert alert["repeats"] == 0


def test_a_lost_answer_makes_a_repeat_only(
    listing: Listing, folder: Path
) -> None:
    """Accepted but not heard, the same bytes come again and are counted."""
    with (
        BadLine(listing.url, ["lose"] * 2) as line,
        Alertmanager(folder, {"url": line.url + PATH}) as alertmanager,
    ):
        alertmanager.push(make_alert("Unheard"))
        wait_for("third try", lambda: len(line.statuses) == 3)
        alert = listing.wait_for_alert(name="Unheard")
    assert listing.delivery_of(alert)["repeats"] == 2
    assert line.statuses == [202, 202, 202]


def test_a_slow_answer_makes_a_repeat_only(
    listing: Listing, folder: Path
) -> None:
    """Alertmanager gives up after its ten seconds and sends once more."""
    with (
        BadLine(listing.url, ["hold"]) as line,
        Alertmanager(folder, {"url": line.url + PATH}) as alertmanager,
    ):
        alertmanager.push(make_alert("Slow"))
        alert = listing.wait_for_alert(name="Slow")
        delivery = listing.wait_for_repeat(alert)
        wait_for("second answer", lambda: len(line.statuses) == 2)
    assert line.met == ["hold", None]
    assert delivery["repeats"] == 1
    assert len(listing.alerts(name="Slow")) == 1
