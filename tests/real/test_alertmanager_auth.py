"""The real Alertmanager shows its secret, or is refused."""

import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.programs import need
from tests.real.alertmanager import Alertmanager, make_alert
from tests.real.conftest import NEXT_TOKEN, PAIR, TOKEN
from tests.real.listing import Listing
from tests.real.waiting import wait_for

pytestmark = pytest.mark.real
EXAMPLE = Path(__file__).parents[2] / "config/alertmanager.example.yml"
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


@pytest.mark.parametrize("way", ["authorization", "basic_auth"])
def test_a_token_of_an_account_is_taken(
    listing: Listing, folder: Path, way: str
) -> None:
    """As config/alertmanager.example.yml shows it, in both of its ways."""
    url = f"{listing.url}/api/v1"
    account = {"name": f"am-{way.partition('_')[0]}", "nature": "service"}
    made = httpx.post(f"{url}/people", json=account).json()["account"]
    wish = {
        "account": made["id"],
        "label": "Alertmanager",
        "sources": ["tokens"],
    }
    secret = httpx.post(f"{url}/tokens", json=wish).json()["secret"]
    file = folder.parent / "smokejumper.token"
    file.write_text(secret)
    example = yaml.safe_load(EXAMPLE.read_text())
    webhook = example["receivers"][0]["webhook_configs"][0]
    config = webhook["http_config"]
    config["authorization"]["credentials_file"] = str(file)
    if way == "basic_auth":
        del config["authorization"]
        basic = {"username": "alertmanager", "password_file": str(file)}
        config["basic_auth"] = basic
    webhook["url"] = f"{listing.url}/webhooks/tokens"
    name = f"Account{way}"
    with Alertmanager(folder, webhook) as alertmanager:
        alertmanager.push(make_alert(name))
        alert = listing.wait_for_alert(name=name)
    assert alert["source"] == "tokens"


def test_the_example_is_right() -> None:
    """Alertmanager's own tool takes it."""
    tool = need("amtool", "prometheus-alertmanager")
    done = subprocess.run(
        [tool, "check-config", EXAMPLE],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
