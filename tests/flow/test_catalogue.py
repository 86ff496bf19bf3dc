"""The catalogue by HTTP."""

import httpx

from tests.service import Service


def test_the_catalogue_is_shown(shared: Service) -> None:
    """Each action with its digest, its declaration and its function."""
    answer = httpx.get(f"{shared.url}/api/v1/catalogue")
    found = answer.json()
    assert len(found["digest"]) == 16
    (one,) = [a for a in found["actions"] if a["name"] == "restart_service"]
    assert one["changes"] is True
    assert one["spec"]["risk"] == "disruptive"
    assert one["function"]["parameters"]["additionalProperties"] is False
    alone = httpx.get(f"{shared.url}/api/v1/catalogue/restart_service")
    assert alone.json() == one
    tag = {"if-none-match": answer.headers["etag"]}
    again = httpx.get(f"{shared.url}/api/v1/catalogue", headers=tag)
    assert again.status_code == 304


def test_an_unknown_action_is_not_found(shared: Service) -> None:
    """It says where to look; what can be no name is refused."""
    url = f"{shared.url}/api/v1/catalogue"
    missing = httpx.get(f"{url}/reboot")
    assert missing.status_code == 404
    assert missing.json()["remedy"].endswith("GET /api/v1/catalogue.")
    assert httpx.get(f"{url}/Reboot!").status_code == 422


def test_the_metrics_tell_what_is_known(shared: Service) -> None:
    """Nothing, when nobody keeps an inventory."""
    text = httpx.get(f"{shared.url}/metrics").text
    assert 'smokejumper_inventory_things{kind="host"} 0.0' in text
