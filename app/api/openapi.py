"""The webhooks in the OpenAPI page, with each source's own example."""

import contextlib
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.api import acting_examples, board, examples, message_examples
from app.bootstrap import Product
from app.ingest.intake import Entrance

PROBLEM = {
    "description": "Refused; says the field and the remedy",
    "content": {
        "application/problem+json": {
            "schema": {"$ref": "#/components/schemas/Problem"}
        }
    },
}
TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
PROBLEM_SCHEMA = {
    "type": "object",
    "title": "Problem",
    "properties": {
        "title": TEXT,
        "status": NUMBER,
        "reason": TEXT,
        "detail": TEXT,
        "field": TEXT,
        "remedy": TEXT,
    },
    "required": ["title", "status"],
}
RECEIPT_SCHEMA = {
    "type": "object",
    "title": "Receipt",
    "properties": {
        "delivery": {**NUMBER, "description": "its id"},
        "repeat": {"type": "boolean"},
        "accepted": {**NUMBER, "description": "new alerts"},
        "repeated": {**NUMBER, "description": "alerts that were known"},
        "rejected": {**NUMBER, "description": "alerts not allowed"},
        "unparsed": {**NUMBER, "description": "parts in quarantine"},
        "alerts": {"type": "array", "items": NUMBER},
    },
    "required": [
        "delivery",
        "repeat",
        "accepted",
        "repeated",
        "rejected",
        "unparsed",
        "alerts",
    ],
}
RECEIPT_EXAMPLE = {
    "delivery": 17,
    "repeat": False,
    "accepted": 1,
    "repeated": 0,
    "rejected": 0,
    "unparsed": 0,
    "alerts": [33],
}


def describe_webhooks(app: FastAPI, product: Product) -> None:
    """Make the OpenAPI page of an app tell about the lean path too."""

    def openapi() -> dict[str, Any]:
        """Return the page, made once."""
        if app.openapi_schema is None:
            page = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            _complete(page)
            schemas = page.setdefault("components", {}).setdefault(
                "schemas", {}
            )
            schemas["Problem"] = PROBLEM_SCHEMA
            schemas["Receipt"] = RECEIPT_SCHEMA
            for operation in _operations(page):
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = PROBLEM
            for entrance in product.entrances.values():
                for path in entrance.paths:
                    page["paths"][path] = {"post": _operation(entrance, path)}
            app.openapi_schema = page
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(page: dict[str, Any]) -> None:
    """Put the examples in as they were written: FastAPI drops each null."""
    shown = {
        **examples.BY_PATH,
        **acting_examples.BY_PATH,
        **message_examples.BY_PATH,
        "/api/v1/board": board.EXAMPLE,
    }
    for path, example in shown.items():
        answer = page["paths"][path]["get"]["responses"]["200"]
        answer["content"]["application/json"]["example"] = example


def _operations(page: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the operations that FastAPI found by itself."""
    return [
        operation
        for methods in page["paths"].values()
        for operation in methods.values()
    ]


def _operation(entrance: Entrance, path: str) -> dict[str, Any]:
    """Return what the page says about one webhook."""
    status = "200" if path in entrance.source.paths else "202"
    example: Any = entrance.example.body.decode(errors="replace")
    # A form or a text is shown as it is.
    with contextlib.suppress(msgspec.DecodeError):
        example = msgspec.json.decode(entrance.example.body)
    content = dict(entrance.example.headers).get(
        b"content-type", b"application/json"
    )
    media_type = content.decode().partition(";")[0]
    refusals = ("401", "403", "413", "415", "422", "503")
    return {
        "tags": ["webhooks"],
        "summary": f"Accept a delivery of {entrance.name}",
        "description": entrance.source.setup,
        "operationId": "accept_" + path.strip("/").replace("/", "_"),
        "requestBody": {
            "required": True,
            "content": {media_type: {"schema": {}, "example": example}},
        },
        "responses": {
            status: {
                "description": "It is on disk",
                "content": {
                    "application/json": {
                        "schema": {"$ref": "#/components/schemas/Receipt"},
                        "example": RECEIPT_EXAMPLE,
                    }
                },
            },
            **dict.fromkeys(refusals, PROBLEM),
        },
    }
