"""A service with a marked secret in every place that can hold one.

It is started, told of alerts, decides with a model, acts, tells people, is
looked at, backed up and stopped. What came out of it, everywhere, is kept.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx

from tests.flow.tracing import Place, TracedService
from tests.models.fake_openai import FakeOpenAI, completion

ALLOW = ["127.0.0.0/8"]
# Each of these is told by a variable, as the settings ask for it.
SETTINGS = {
    name: f"zq{name}-7f3a91-of-the-settings"
    for name in (
        *("source", "hmac", "api", "backend", "rundeck", "channel"),
        *("model", "oidc"),
    )
}
# Stands in the address of a channel; that address is a secret.
ADDRESS = "zqaddress7f3a91"
# What somebody logged, and what of it must not be found.
LOGGED = {
    "jwt": "session eyJhbGciOiJIUzI1NiJ9.eyJ6cWp3dDdmM2E5MSI6MX0.zqjwt7f3a91",
    "aws": "key AKIAZQAWS7F3A91ZQAWS was refused",
    "github": "cannot clone with ghp_zqgithub7f3a91zqgithub7f3a91",
    "password": "DB_PASSWORD=zqpassword7f3a91 is wrong",
    "bearer": "Authorization: Bearer zqbearer7f3a91.abcdef",
    "url": "cannot reach postgresql://shop:zqurl7f3a91@db-1:5432/shop",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nzqpem7f3a91\n"
    "-----END RSA PRIVATE KEY-----",
    "client_secret": "zqnamed7f3a91",
}
ALERTS = (
    *("zqjwt7f3a91", "eyJ6cWp3dDdmM2E5MSI6MX0", "AKIAZQAWS7F3A91ZQAWS"),
    *("zqgithub7f3a91", "zqpassword7f3a91", "zqbearer7f3a91"),
    *("zqurl7f3a91", "zqpem7f3a91", "zqnamed7f3a91", "zqlabel7f3a91"),
    "zqsummary7f3a91",
)
PASSWORD = "zqperson7f3a91 and some more words"
HOST = "web-canary"
CALL = {"name": "collect_diagnostics", "reason": "Look at it first."}
ARGUMENTS = {"host": HOST, "topic": "disk"}
Texts = dict[str, str]


class Outside:
    """A server that takes jobs and letters, and notes all that comes.

    Attributes:
        came: each request: its path, its headers, its body.
    """

    def __init__(self) -> None:
        self.came: list[tuple[str, Texts, str]] = []
        outside = self

        class Door(BaseHTTPRequestHandler):
            """Notes what comes, and takes it."""

            def do_POST(self) -> None:
                """Take an order or a letter."""
                size = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(size).decode()
                outside.came.append((self.path, dict(self.headers), body))
                # A job that writes its environment, as some do.
                says = f"token {SETTINGS['backend']}\n{LOGGED['password']}\n"
                raw = json.dumps({"status": "succeeded", "output": says})
                self.send_response(200)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.port = int(self._server.server_address[1])
        self.netloc = f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Open the door."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Shut it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def got(self, path: str) -> list[tuple[str, Texts, str]]:
        """Return what came to an address."""
        return [one for one in self.came if one[0].startswith(path)]


class Model(FakeOpenAI):
    """A model that wants the host to be looked at."""

    def __init__(self) -> None:
        said = json.dumps({"call": {**CALL, "arguments": ARGUMENTS}})
        pieces = [(said, -0.01)]
        super().__init__(completion(said, pieces=pieces))

    def prompts(self) -> str:
        """Return all that it was asked, but for who asks."""
        return "\n".join(asked.raw.decode() for asked in self.asked)


class MarkedService(TracedService):
    """A service with everything configured, and a secret in each."""

    def __init__(self, folder: Path, outside: Outside, model: Model) -> None:
        policy = folder / "policy.yaml"
        policy.write_text("trust: {ladder: [], otherwise: auto}\n")
        marks = {f"ZQ_{n.upper()}": text for n, text in SETTINGS.items()}
        environ = {**marks, "ZQ_URL": url_of(outside)}
        tree = settings_of(outside, model)
        tree["policy"] = {"file": str(policy)}
        super().__init__(folder, tree, environ)
        self.answers: Texts = {}
        self.headers = {"authorization": f"Bearer {SETTINGS['api']}"}

    def get(self, path: str, **query: Any) -> Any:
        """Return what the API answers to a program of ours."""
        url = f"{self.url}/api/v1{path}"
        said = httpx.get(url, params=query, headers=self.headers, timeout=60)
        return said.raise_for_status().json()

    def keep(self, name: str, answer: httpx.Response) -> None:
        """Keep what was answered, head and body."""
        head = "\n".join(f"{n}: {text}" for n, text in answer.headers.items())
        self.answers[name] = f"{head}\n{answer.content.decode('latin-1')}"


def settings_of(outside: Outside, model: Model) -> Any:
    """Return settings that have a secret wherever there can be one."""
    at = f"http://{outside.netloc}"
    locked = {"type": "alertmanager", "auth": bearer("source")}
    signed = {"type": "grafana", "auth": signature("hmac")}
    return {
        "sources": {"alertmanager": locked, "grafana": signed},
        "api": {"tokens": ["env:ZQ_API"]},
        "decide": {"brain": "openai", "settle_seconds": 0, "confidence": 0.1},
        "brains": {
            "openai": {
                "url": model.base,
                "key": "env:ZQ_MODEL",
                "model": "some-model",
            }
        },
        "act": {
            "poll_seconds": 0.1,
            "run": {
                "collect_diagnostics": {"backend": "webhook", "job": "look"}
            },
        },
        "backends": backends_of(at),
        "channels": {
            "desk": {
                "kind": "webhook",
                "url": f"{at}/letters",
                "secret": "env:ZQ_CHANNEL",
                "allow": ALLOW,
            },
            "chat": {"kind": "apprise", "url": "env:ZQ_URL"},
        },
        "access": {
            "public_url": "http://127.0.0.1",
            "oidc": {
                "issuer": f"{at}/oidc",
                "client_id": "smokejumper",
                "client_secret": "env:ZQ_OIDC",
                "roles": {"oncall": "approver"},
                "allow": ALLOW,
            },
        },
    }


def backends_of(at: str) -> Any:
    """Return backends that are there, each with a secret."""
    look = {"url": f"{at}/jobs", "secret": "env:ZQ_BACKEND", "allow": ALLOW}
    return {
        "local": {"enabled": False},
        "webhook": {"endpoints": {"look": look}},
        "rundeck": {
            "url": f"{at}/rundeck",
            "token": "env:ZQ_RUNDECK",
            "project": "ops",
            "jobs": {"restart": {"id": "9f0c6a0e"}},
            "timeout_seconds": 1,
            "allow": ALLOW,
        },
    }


def url_of(outside: Outside) -> str:
    """Return the address of a chat, which holds its secret."""
    return f"json://shop:{ADDRESS}@{outside.netloc}/chat"


def bearer(name: str) -> dict[str, Any]:
    """Return how a source shows a secret."""
    return {"kind": "bearer", "secrets": [f"env:ZQ_{name.upper()}"]}


def signature(name: str) -> dict[str, Any]:
    """Return how a source signs with a secret."""
    secrets = [f"env:ZQ_{name.upper()}"]
    return {"kind": "hmac", "secrets": secrets, "header": "x-sign"}


def alert() -> dict[str, Any]:
    """Return an alert that quotes what somebody logged."""
    return {
        "status": "firing",
        "labels": {
            "alertname": "DiskFull",
            "instance": f"{HOST}:9100",
            "severity": "warning",
            "probe": "https://shop:zqlabel7f3a91@shop.example/health",
        },
        "annotations": {
            "summary": "the disk is full, token=zqsummary7f3a91",
            **LOGGED,
        },
        "startsAt": "2026-11-21T02:14:02Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "a-marked-one",
        "generatorURL": "http://am.example/?token=zqsummary7f3a91",
    }


def cells(database: Path) -> Iterator[tuple[str, str]]:
    """Yield each cell of a database: its table and column, its text."""
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall()
        for (table,) in found:
            rows = connection.execute(f'SELECT * FROM "{table}"')
            names = [one[0] for one in rows.description]
            for row in rows:
                for name, value in zip(names, row, strict=True):
                    yield f"{table}.{name}", to_text(value)


def to_text(value: object) -> str:
    """Return what a cell holds as a text, whatever it is."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return str(value)


def found_in(texts: Mapping[str, str], marks: tuple[str, ...]) -> set[str]:
    """Return each place that holds a mark, and which."""
    return {
        f"{place}: {mark}"
        for place, text in texts.items()
        for mark in marks
        if mark.casefold() in text.casefold()
    }


def allowed_places(outside: Outside, model: Model) -> set[Place]:
    """Return the only addresses that its settings name."""
    port = int(model.netloc.rpartition(":")[2])
    return {("127.0.0.1", outside.port), ("127.0.0.1", port)}
