"""Every way out of the process, by name: none follows where it is sent.

A new place that calls somebody is not in this list, and fails.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

APP = Path(__file__).parents[3] / "app"
# Who calls by HTTP, and whom: what the settings name, or this machine. The
# letters of Apprise leave by its own code: tests/unit/report/channels.
WAYS = {
    "core/egress.py": "webhooks, letters, providers: to a checked address",
    "core/http.py": "inventories, checks, polls, platforms, spans",
    "core/endpoint.py": "models",
    "core/line.py": "models",
    "decide/brains/ollama.py": "models",
    "cli/model.py": "models, for a person",
    "verify/checks/container_is_healthy.py": "the socket of docker",
    "verify/checks/pod_is_ready.py": "the cluster that the settings name",
    "watch/sending.py": "the service itself, by the watch",
    "watch/watching.py": "the service itself, by the watch",
}
# The client of Ollama's own package is called so, and takes the same words.
CLIENTS = {"AsyncClient", "ollama.AsyncClient"} | {
    f"httpx.{name}"
    for name in (
        *("AsyncClient", "Client", "AsyncHTTPTransport", "HTTPTransport"),
        *("get", "post", "put", "request", "stream"),
    )
}


def clients() -> Iterator[tuple[str, ast.Call]]:
    """Yield every call that makes a client, with its file."""
    for file in sorted(APP.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and name_of(node) in CLIENTS:
                yield str(file.relative_to(APP)), node


def name_of(call: ast.Call) -> str:
    """Return what a call calls."""
    return ast.unparse(call.func)


def test_each_is_known() -> None:
    """Files that call by HTTP, and no others."""
    assert {file for file, _ in clients()} == set(WAYS)


def test_none_follows_a_redirect_or_asks_the_environment() -> None:
    """No proxy of a variable, and no address that an answer names."""
    for file, call in clients():
        given = {one.arg: ast.unparse(one.value) for one in call.keywords}
        assert given.get("follow_redirects", "False") == "False", file
        # A transport by itself knows no proxies; it is told them by a client.
        is_client = not name_of(call).endswith("Transport")
        assert not is_client or given.get("trust_env") == "False", file
