"""The API on one page, made of OpenAPI; needs nothing from the network.

FastAPI's own page loads its scripts from elsewhere, which an offline
machine cannot and a careful one should not.
"""

import html
import json
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Smokejumper API</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto;
  max-width: 56rem; padding: 0 1rem; color-scheme: light dark }
code, pre { font: 0.9rem/1.4 ui-monospace, monospace }
pre { overflow-x: auto; border: 1px solid #8886; padding: 0.5rem }
h2 { border-top: 1px solid #8886; padding-top: 1rem; font-size: 1.1rem }
td, th { padding: 0 1rem 0 0; text-align: left; vertical-align: top }
</style>
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def add_docs(app: FastAPI) -> None:
    """Add the page at /docs."""

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        """Show every operation with its parameters and its example."""
        headers = {"content-security-policy": POLICY}
        return HTMLResponse("".join(_page(app.openapi())), headers=headers)


def _page(page: dict[str, Any]) -> Iterator[str]:
    """Yield the parts of the page; what is written in it is only text."""
    yield HEAD
    info = page["info"]
    yield f"<h1>{_text(info['title'])} {_text(info['version'])}</h1>"
    yield f"<p>{_text(info.get('description', ''))}</p>"
    yield '<p>For programs: <a href="/openapi.json">openapi.json</a></p>'
    for path, methods in page["paths"].items():
        for method, operation in methods.items():
            yield f"<h2><code>{method.upper()} {_text(path)}</code></h2>"
            yield from _operation(operation)


def _operation(operation: dict[str, Any]) -> Iterator[str]:
    """Yield what is said of one operation."""
    about = operation.get("description") or operation.get("summary", "")
    yield f"<p>{_text(about)}</p>"
    parameters = operation.get("parameters", ())
    if parameters:
        yield "<table>"
        for one in parameters:
            meaning = one.get("description") or _kind(one.get("schema", {}))
            yield f"<tr><td><code>{_text(one['name'])}</code></td>"
            yield f"<td>{_text(meaning)}</td></tr>"
        yield "</table>"
    for kind, content in (
        operation.get("requestBody", {}).get("content", {}).items()
    ):
        example = content.get("example", "")
        if not isinstance(example, str):
            example = json.dumps(example, indent=2, ensure_ascii=False)
        yield f"<p>{_text(kind)}</p><pre>{_text(example)}</pre>"
    statuses = [s for s in operation.get("responses", {}) if s != "default"]
    yield f"<p>Answers {_text(', '.join(statuses))}; else a problem.</p>"


def _kind(schema: dict[str, Any]) -> str:
    """Return what a parameter may be, in a word or two."""
    kinds = [
        s.get("type") or s.get("$ref", "").rpartition("/")[2].lower()
        for s in schema.get("anyOf", [schema])
    ]
    return " or ".join(kind for kind in kinds if kind not in ("", "null"))


def _text(text: object) -> str:
    """Return a text that no browser takes for markup."""
    return html.escape(str(text))
