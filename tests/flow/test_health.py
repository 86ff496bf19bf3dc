"""What watches the service asks whether it is well."""

import httpx
import pytest

from tests.service import Service


def test_health_ready_and_version(shared: Service) -> None:
    """Alive, ready after a real write, and which release."""
    assert httpx.get(f"{shared.url}/health").json() == {"status": "alive"}
    assert httpx.get(f"{shared.url}/ready").json() == {"status": "ready"}
    version = httpx.get(f"{shared.url}/version").json()
    assert version["name"] == "smokejumper"


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_a_probe_may_ask_for_the_head_alone(
    shared: Service, path: str
) -> None:
    """As load balancers do; what it is told is the same, without a body."""
    whole = httpx.get(f"{shared.url}{path}")
    head = httpx.head(f"{shared.url}{path}")
    assert head.status_code == whole.status_code == 200
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert head.content == b""
