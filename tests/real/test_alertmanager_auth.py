"""The real Alertmanager shows its secret, or is refused."""

from pathlib import Path
from typing import Any

import pytest

from tests.real.alertmanager import Alertmanager, make_alert
from tests.real.conftest import NEXT_TOKEN, PAIR, TOKEN
from tests.real.listing import Listing
from tests.real.waiting import wait_for

pytestmark = pytest.mark.real
REFUSED = "smokejumper_deliveries_refused_total"


def to(
    listing: Listing, source: str, http_config: dict[str, Any]
) -> dict[str, Any]:
    """Return a webhook with a secret."""
    return {
        "url": f"{listing.url}/webhooks/{source}",
        "http_config": http_config,
    }


def bearer(token: str) -> dict[str, Any]:
    """Return how Alertmanager is told to show a token."""
    return {"authorization": {"type": "Bearer", "credentials": token}}


@pytest.mark.parametrize("token", [TOKEN, NEXT_TOKEN])
def test_each_right_token_is_taken(
    listing: Listing, folder: Path, token: str
) -> None:
    """While secrets change, the old and the new one are both right."""
    name = f"Token{len(token)}"
    webhook = to(listing, "guarded", bearer(token))
    with Alertmanager(folder, webhook) as alertmanager:
        alertmanager.push(make_alert(name))
        alert = listing.wait_for_alert(name=name)
    assert alert["source"] == "guarded"


def test_basic_credentials_are_taken(listing: Listing, folder: Path) -> None:
    """User and password may hold anything but a colon in the name."""
    user, password = PAIR
    config = {"basic_auth": {"username": user, "password": password}}
    with Alertmanager(folder, to(listing, "basic", config)) as alertmanager:
        alertmanager.push(make_alert("Basic"))
        alert = listing.wait_for_alert(name="Basic")
    assert alert["source"] == "basic"


@pytest.mark.parametrize(
    ("source", "http_config", "reason"),
    [
        ("guarded", bearer("wrong"), "wrong_secret"),
        ("guarded", {}, "no_secret"),
        (
            "basic",
            {"basic_auth": {"username": PAIR[0], "password": "wrong"}},
            "wrong_secret",
        ),
    ],
)
def test_a_wrong_secret_stores_nothing(
    listing: Listing,
    folder: Path,
    source: str,
    http_config: dict[str, Any],
    reason: str,
) -> None:
    """It is refused with 401, counted by reason, and leaves no trace."""
    labels = {"source": source, "reason": reason}
    refused = listing.metric(REFUSED, **labels)
    stored = listing.deliveries(source=source)
    webhook = to(listing, source, http_config)
    with Alertmanager(folder, webhook) as alertmanager:
        alertmanager.push(make_alert("Stranger"))
        wait_for("failure", alertmanager.failures)
        log = (folder / "alertmanager.log").read_text()
    assert "unexpected status code 401" in log
    assert listing.metric(REFUSED, **labels) > refused
    assert listing.deliveries(source=source) == stored
    assert listing.alerts(name="Stranger") == []
