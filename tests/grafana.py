"""A stand-in for Grafana's provisioning API, written from its contract.

Grafana itself cannot run here. What its own code promises is kept: statuses,
the covered secret, what may not be removed, and who may change what.
"""

import json
import re
import threading
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

TOKEN = "glsa_token"
POINTS = "/api/v1/provisioning/contact-points"
POLICIES = "/api/v1/provisioning/policies"
COVERED = "[REDACTED]"
SECRETS = ("authorization_credentials", "password")
UID = re.compile(r"[a-zA-Z0-9_-]{1,40}\Z")

Tree = dict[str, Any]
Answer = tuple[int, Any]


class GrafanaFake:
    """One organisation with an e-mail contact point as its default."""

    def __init__(self) -> None:
        self.points: dict[str, Tree] = {
            "mail": {
                "uid": "mail",
                "name": "grafana-default-email",
                "type": "email",
                "settings": {"addresses": "a@example.com"},
                "disableResolveMessage": False,
            }
        }
        self.tree: Tree = {
            "receiver": "grafana-default-email",
            "group_by": ["grafana_folder", "alertname"],
        }
        self.writes: list[tuple[str, str]] = []
        fake = self

        class Desk(BaseHTTPRequestHandler):
            """One request."""

            def answer(self) -> None:
                """Read it, look it up, answer it."""
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"null")
                status, told = fake.rule(self, body)
                text = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 its API

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def rule(self, asked: BaseHTTPRequestHandler, body: Any) -> Answer:
        """Return the answer to a request."""
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Unauthorized"}
        free = asked.headers.get("X-Disable-Provenance") is not None
        provenance = "" if free else "api"
        method, path = asked.command, asked.path
        if method != "GET":
            self.writes.append((method, path))
        if path == POLICIES:
            return self._policies(method, body, provenance)
        uid = path.removeprefix(POINTS).removeprefix("/")
        return self._points(method, uid, body, provenance)

    def _policies(self, method: str, body: Any, provenance: str) -> Answer:
        """Answer about the tree."""
        if method == "GET":
            return 200, self.tree
        if self.tree.get("provenance", "") not in ("", provenance):
            return 409, {"message": "provenance mismatch"}
        known = {point["name"] for point in self.points.values()}
        if unknown := _receivers(body) - known:
            return 400, {"message": f"receiver {unknown} does not exist"}
        self.tree = _as_kept(body)
        self.tree.pop("provenance", None)
        if provenance:
            self.tree["provenance"] = provenance
        return 202, {"message": "policies updated"}

    def _points(
        self, method: str, uid: str, body: Any, provenance: str
    ) -> Answer:
        """Answer about contact points."""
        if method == "GET":
            return 200, [_covered(one) for one in self.points.values()]
        stored = self.points.get(uid)
        if stored and stored.get("provenance", "") not in ("", provenance):
            return 409, {"message": "provenance mismatch"}
        if method == "DELETE":
            return self._remove(uid)
        if method == "PUT" and stored is None:
            return 404, {"message": "not found"}
        uid = uid or body.get("uid", "")
        is_taken = method == "POST" and uid in self.points
        if is_taken or not UID.match(uid) or not body["settings"].get("url"):
            return 400, {"message": "invalid contact point"}
        self._keep(uid, body, provenance)
        return 202, _covered(self.points[uid])

    def _remove(self, uid: str) -> Answer:
        """Remove one, unless a policy names it."""
        point = self.points.get(uid)
        if point and point["name"] in _receivers(self.tree):
            return 409, {"message": "contact point is used by a policy"}
        self.points.pop(uid, None)
        return 202, {"message": "contactpoint deleted"}

    def _keep(self, uid: str, body: Tree, provenance: str) -> None:
        """Keep one; a covered secret means the one that is there."""
        point = {**deepcopy(body), "uid": uid}
        for name in SECRETS:
            if point["settings"].get(name) == COVERED:
                old = self.points.get(uid, {}).get("settings", {})
                point["settings"][name] = old.get(name, "")
        if provenance:
            point["provenance"] = provenance
        self.points[uid] = point

    def __enter__(self) -> Self:
        """Answer."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing running."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _as_kept(tree: Tree) -> Tree:
    """Return policies as Grafana tells them again.

    Its Go type leaves out a ``continue`` that is false and sorts matchers by
    label, value and operator; a value loses a quote at each end.
    """
    kept = deepcopy(tree)
    if not kept.get("continue"):
        kept.pop("continue", None)
    if "object_matchers" in kept:
        kept["object_matchers"] = sorted(
            (
                [label, sign, value.removeprefix('"').removesuffix('"')]
                for label, sign, value in kept["object_matchers"]
            ),
            key=lambda one: (
                one[0],
                one[2],
                ["=", "!=", "=~", "!~"].index(one[1]),
            ),
        )
    if "routes" in kept:
        kept["routes"] = [_as_kept(one) for one in kept["routes"]]
    return kept


def _receivers(tree: Tree) -> set[str]:
    """Return all that a tree of policies names."""
    found = {tree["receiver"]} if "receiver" in tree else set()
    for route in tree.get("routes") or []:
        found |= _receivers(route)
    return found


def _covered(point: Tree) -> Tree:
    """Return a contact point as it is shown."""
    shown = deepcopy(point)
    for name in SECRETS:
        if name in shown["settings"]:
            shown["settings"][name] = COVERED
    return shown
