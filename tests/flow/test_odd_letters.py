"""What JSON can say and no database can hold is refused, and no bug of ours.

Every route with a body is walked as it stands in the description of the API.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.flow.deciding import firing
from tests.postgres import Postgres
from tests.service import OPEN, Service

# Half of a surrogate pair; PostgreSQL alone refuses the other.
ODD = ("\ud800", "a\0b")
FIRST = {"incident_id": "1", "name": "cpu"}
# What no example leads to.
MORE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("mutes", {"matchers": ['{host="ODD"}'], "author": "ana"}),
    ("mutes/dry-run", {"matchers": ['{host="ODD"}']}),
    ("decide", {"source": "alertmanager", "payload": "ODD"}),
    ("decide", {"source": "alertmanager", "payload": {"ODD": ["ODD"]}}),
)
SPAN = {
    "from": "2027-11-22T02:00:00Z",
    "until": "2027-11-22T04:00:00Z",
    "comment": "work",
}


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.real)],
)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Return a service with an incident, and a simulator that is gone."""
    settings: dict[str, Any] = {
        "access": {"open": "always"},
        "simulator": {"url": "http://127.0.0.1:1"},
        "sources": {"alertmanager": OPEN},
    }
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        settings["database"] = {"url": server.make_database("odd_letters")}
    with Service(tmp_path_factory.mktemp("odd"), settings) as running:
        body = {"alerts": [firing("web-01")]}
        url = f"{running.url}/webhooks/alertmanager"
        httpx.post(url, json=body).raise_for_status()
        yield running


def bodies(whole: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each route with a body: method, address, an example."""
    for path, methods in whole["paths"].items():
        for method, about in methods.items():
            content = about.get("requestBody", {}).get("content", {})
            found = content.get("application/json", {}).get("schema", {})
            name = found.get("$ref", "").rpartition("/")[2]
            schema = whole["components"]["schemas"].get(name)
            if schema is None:
                continue
            example = dict(schema.get("examples", [{}])[0])
            for field in schema["properties"]:
                example.setdefault(field, None)
            address = re.sub(
                r"\{(\w+)\}", lambda one: FIRST.get(one[1], "1"), path
            )
            yield method, address, example


def changed(example: dict[str, Any], odd: str) -> Iterator[dict[str, Any]]:
    """Yield an example with something odd in one field after the other."""
    given = {name: value for name, value in example.items() if value}
    for field in example:
        for value in (odd, [odd], {"x": odd}, {odd: 1}, {"x": [odd]}):
            yield {**given, field: value}


def ask(
    service: Service, method: str, path: str, body: dict[str, Any]
) -> httpx.Response:
    """Return what is answered to a body that Python's JSON can say."""
    return httpx.request(
        method,
        f"{service.url}{path}",
        content=json.dumps(body),
        headers={"content-type": "application/json"},
        timeout=30,
    )


@pytest.mark.parametrize("odd", ODD)
def test_no_odd_letter_is_a_bug_of_ours(service: Service, odd: str) -> None:
    """Wherever it stands; whoever sends it is told what is wrong."""
    whole = httpx.get(f"{service.url}/openapi.json").json()
    wrong = []
    walked = 0
    for method, path, example in bodies(whole):
        for body in changed(example, odd):
            walked += 1
            answer = ask(service, method, path, body)
            if answer.json().get("reason") == "bug":
                wrong.append((method, path, ascii(body)))
    assert wrong == []
    assert walked > 200


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(("path", "body"), MORE)
def test_nor_where_no_example_leads(
    service: Service, path: str, body: dict[str, Any], odd: str
) -> None:
    """Within a matcher, and in a payload of a source."""
    if path == "mutes":
        body = {**SPAN, **body}
    text = json.dumps(body).replace("ODD", json.dumps(odd)[1:-1])
    answer = ask(service, "post", f"/api/v1/{path}", json.loads(text))
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"]
