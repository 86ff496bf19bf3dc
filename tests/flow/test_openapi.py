"""The OpenAPI page tells the truth, and nothing it allows breaks us."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.service import HOME, OPEN, Service

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SOURCES = [
    file.stem.replace("_", "-")
    for file in sorted((HOME / "app/ingest/sources").glob("[a-z]*.py"))
]


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.real)],
)
def everything(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Return a service with every source there is, on each database."""
    tree: dict[str, Any] = {"sources": dict.fromkeys(SOURCES, OPEN)}
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        tree["database"] = {"url": server.make_database("everything")}
    with Service(tmp_path_factory.mktemp("everything"), tree) as service:
        yield service


@pytest.fixture(scope="module")
def page(everything: Service) -> Any:
    """Return the OpenAPI page as schemathesis reads it."""
    return schemathesis.openapi.from_url(f"{everything.url}/openapi.json")


def test_every_source_has_an_example_that_works(everything: Service) -> None:
    """What the page shows can be sent as it is."""
    page = httpx.get(f"{everything.url}/openapi.json", timeout=60).json()
    for source in SOURCES:
        operation = page["paths"][f"/webhooks/{source}"]["post"]
        ((media_type, content),) = operation["requestBody"]["content"].items()
        example = content["example"]
        options = (
            {"content": example}
            if isinstance(example, str)
            else {"json": example}
        )
        if source == "uptime-kuma" and media_type != "application/json":
            continue
        answer = httpx.post(
            f"{everything.url}/webhooks/{source}",
            headers={"content-type": media_type},
            **options,
        )
        assert answer.status_code == 202, (source, answer.text)
        assert answer.json()["unparsed"] == 0, source


def test_every_reading_answer_has_an_example(everything: Service) -> None:
    """And the example is an answer that the page allows."""
    page = httpx.get(f"{everything.url}/openapi.json", timeout=60).json()
    for path, methods in page["paths"].items():
        if methods.get("get", {}).get("tags") != ["read"]:
            continue
        content = methods["get"]["responses"]["200"]["content"]
        for media_type, shown in content.items():
            assert "example" in shown, path
            if media_type == "application/json":
                schema = {**shown["schema"], "components": page["components"]}
                jsonschema_rs.validate(schema, shown["example"])


def check_operation(operation: Any) -> None:
    """Send what the page allows for one operation, and then some."""

    @given(case=operation.as_strategy())
    @settings(
        max_examples=12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def send(case: schemathesis.Case[Any]) -> None:
        """Send one request; the answer is one that the page declares."""
        answer = case.call(timeout=10)
        assert answer.status_code < 500
        case.validate_response(answer, checks=CHECKS)

    send()


def test_nothing_the_page_allows_ends_in_a_5xx(page: Any) -> None:
    """Schemathesis over every operation of the page."""
    # A stream never ends: tests/flow/test_stream.py asks for it.
    page = page.exclude(path="/api/v1/stream")
    operations = [result.ok() for result in page.get_all_operations()]
    assert len(operations) > len(SOURCES)
    for operation in operations:
        check_operation(operation)


def test_the_page_for_people_needs_nothing_from_elsewhere(
    everything: Service,
) -> None:
    """Every path is on it, and no address but our own is loaded."""
    answer = httpx.get(f"{everything.url}/docs")
    paths = httpx.get(f"{everything.url}/openapi.json").json()["paths"]
    for path in paths:
        assert f" {path}</code>" in answer.text
    assert "<script" not in answer.text
    assert not re.search(r"(src|href)=.?(https?:)?//", answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
