"""A Zabbix as its API is known, in releases that Debian has not.

Only what scripts/setup_zabbix.py asks for. Where releases differ, it knows
nothing of what the asked one does not have: a field of another release is
refused, as the real one does. The same tests run against the real 6.0.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Tree = dict[str, Any]
ADMIN, WEAK = ("Admin", "zabbix"), ("Wanda", "w3ak-enough")
IDS = {
    "mediatype": "mediatypeid",
    "role": "roleid",
    "usergroup": "usrgrpid",
    "user": "userid",
    "action": "actionid",
    "hostgroup": "groupid",
}
# What may be told at creation; what must be told first.
FIELDS = {
    "mediatype": "name type status description script parameters timeout"
    " maxattempts attempt_interval maxsessions message_templates",
    "role": "name type rules",
    "usergroup": "name gui_access users_status",
    "user": "username name surname roleid usrgrps medias passwd",
    "action": "name eventsource status filter operations"
    " recovery_operations update_operations",
    "hostgroup": "name",
}
DEFAULTS = {"mediatype": {"description": "", "message_templates": []}}
NEEDED = {"user": "username passwd roleid usrgrps", "role": "name type"}
SELECTS = {
    "selectMessageTemplates": "message_templates",
    "selectRules": "rules",
    "selectMedias": "medias",
    "selectUsrgrps": "usrgrps",
    "selectFilter": "filter",
    "selectOperations": "operations",
    "selectRecoveryOperations": "recovery_operations",
    "selectUpdateOperations": "update_operations",
}
LOST = "Session terminated, re-login, please."


class Wrong(Exception):
    """The API answers with an error."""


class ZabbixFake:
    """One frontend of one release, on a port of its own."""

    def __init__(self, version: str) -> None:
        self.version = tuple(int(part) for part in version.split("."))
        self.things: dict[str, dict[str, Tree]] = {kind: {} for kind in IDS}
        self.sessions: dict[str, str] = {}
        self.refuses = ""  # a method that fails, as a role may have it
        self.written: list[str] = []
        self._last = 100
        self.add("hostgroup", {"name": "Linux servers"})
        self._server = Frontend(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,)
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add(self, kind: str, tree: Tree) -> str:
        """Put a thing there; return its id."""
        self._last += 1
        made = str(self._last)
        bare = {IDS[kind]: made, **DEFAULTS.get(kind, {})}
        self.things[kind][made] = {**bare, **tree}
        return made

    def answer(self, request: Tree, header: str) -> Any:
        """Return a result, or raise Wrong."""
        method, told = request["method"], request["params"]
        if request.keys() - {"jsonrpc", "id", "method", "params", "auth"}:
            raise Wrong("Invalid request.")
        if method == "apiinfo.version":
            return ".".join(map(str, (*self.version, 3)))
        if method == "user.login":
            return self._log_in(told)
        user = self._who(request, header)
        if method == "user.logout":
            return True
        kind, verb = method.split(".")
        reads = verb == "get" and kind != "authentication"
        if method == self.refuses or (user != ADMIN[0] and not reads):
            raise Wrong(f'No permissions to call "{method}".')
        if kind == "authentication":
            return {}
        if verb == "get":
            return list(self._get(kind, told))
        self.written.append(method)
        return {f"{IDS[kind]}s": getattr(self, f"_{verb}")(kind, told)}

    def _log_in(self, told: Tree) -> str:
        """Return a new session's id."""
        # "user" is gone since 6.4; what has both is never asked for it.
        if (told.get("username"), told.get("password")) not in (ADMIN, WEAK):
            raise Wrong("Incorrect user name or password or account is"
                        " temporarily blocked.")  # fmt: skip
        token = f"session-{len(self.sessions)}"
        self.sessions[token] = told["username"]
        return token

    def _who(self, request: Tree, header: str) -> str:
        """Return the user of a request; each release has its own place."""
        token = request.get("auth")
        if "auth" in request and self.version >= (7, 2):
            raise Wrong('Invalid parameter "/": unexpected parameter "auth".')
        if self.version >= (6, 4) and header.startswith("Bearer "):
            token = header.removeprefix("Bearer ")
        user = self.sessions.get(str(token))
        if user is None:
            raise Wrong("Not authorised." if token is None else LOST)
        return user

    def _fields(self, kind: str) -> set[str]:
        """Return what a thing may have in this release."""
        more = {self._rights()} if kind == "usergroup" else set()
        return set(FIELDS[kind].split()) | more

    def _rights(self) -> str:
        """Return what rights on host groups are called in this release."""
        return "hostgroup_rights" if self.version >= (6, 2) else "rights"

    def _check(self, kind: str, told: Tree, allowed: set[str]) -> None:
        """Refuse fields that this release does not have."""
        unknown = sorted(told.keys() - allowed)
        if unknown:
            raise Wrong(
                f'Invalid parameter "/1": unexpected parameter "{unknown[0]}".'
            )
        key = "username" if kind == "user" else "name"
        own = told.get(IDS[kind])
        for number, other in self.things[kind].items():
            if number != own and other[key] == told.get(key):
                raise Wrong(f"{kind} {told[key]!r} already exists.")

    def _create(self, kind: str, told: Tree) -> list[str]:
        """Make a thing."""
        self._check(kind, told, self._fields(kind))
        for name in NEEDED.get(kind, "name").split():
            if not told.get(name):
                raise Wrong(
                    f'Invalid parameter "/1": the parameter "{name}" is'
                    " missing."
                )
        return [self.add(kind, told)]

    def _update(self, kind: str, told: Tree) -> list[str]:
        """Change a thing."""
        # An action belongs to its kind of events for ever.
        allowed = self._fields(kind) - {"eventsource"} | {IDS[kind]}
        self._check(kind, told, allowed)
        self.things[kind][told[IDS[kind]]] |= told
        return [told[IDS[kind]]]

    def _delete(self, kind: str, told: list[str]) -> list[str]:
        """Take things away; what others need stays."""
        for number in told:
            if self._is_needed(kind, number):
                raise Wrong(f"Cannot delete {kind} {number}: it is used.")
            del self.things[kind][number]
        return told

    def _is_needed(self, kind: str, number: str) -> bool:
        """Tell whether something else names a thing."""
        users = {"role": "user", "usergroup": "user", "user": "action",
                 "mediatype": "action"}  # fmt: skip
        holders = self.things[users[kind]] if kind in users else {}
        return any(
            f'"{IDS[kind]}": "{number}"' in json.dumps(holder)
            for holder in holders.values()
        )

    def _get(self, kind: str, told: Tree) -> Iterator[Tree]:
        """Yield what was asked for, with what was selected only."""
        selects = {name for name in told if name.startswith("select")}
        known = {*SELECTS, "selectUsers", "selectRole"}
        known.add(f"select{'HostGroupR' if self.version >= (6, 2) else 'R'}"
                  "ights")  # fmt: skip
        if selects - known:
            raise Wrong(f"unexpected parameter {sorted(selects - known)[0]}")
        for thing in self.things[kind].values():
            if _fits(thing, told, IDS[kind]):
                hidden = {SELECTS[n] for n in SELECTS.keys() - selects}
                hidden.add("passwd")
                shown = {k: v for k, v in thing.items() if k not in hidden}
                yield shown | self._joined(kind, thing, selects)

    def _joined(self, kind: str, thing: Tree, selects: set[str]) -> Tree:
        """Return what stands in other tables."""
        users = self.things["user"].values()
        key = IDS[kind]
        if kind == "user":
            groups = [
                self.things["usergroup"][one["usrgrpid"]]
                for one in thing["usrgrps"]
            ]
            role = self.things["role"][thing["roleid"]]
            return {"usrgrps": groups, "role": role}
        if "selectUsers" not in selects:
            return {}
        of_it = [user for user in users if f'"{key}": "{thing[key]}"'
                 in json.dumps(user)]  # fmt: skip
        return {"users": of_it}


def _fits(thing: Tree, told: Tree, key: str) -> bool:
    """Tell whether a thing was asked for."""
    if f"{key}s" in told and thing[key] not in told[f"{key}s"]:
        return False
    for name, text in told.get("search", {}).items():
        if not thing[name].startswith(tuple(text)):
            return False
    return all(
        thing[name] in (wanted if isinstance(wanted, list) else [wanted])
        for name, wanted in told.get("filter", {}).items()
    )


class Frontend(ThreadingHTTPServer):
    """Listens for a fake."""

    daemon_threads = True

    def __init__(self, fake: ZabbixFake) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.fake = fake


class Door(BaseHTTPRequestHandler):
    """Speaks JSON-RPC at one address, and HTML elsewhere."""

    server: Frontend

    def do_POST(self) -> None:
        """Answer one call."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/moved/api_jsonrpc.php":
            self._say(301, b"", ("Location", "https://zabbix.test/"))
        elif self.path != "/api_jsonrpc.php":
            self._say(404, b"<html>Not Found</html>")
        else:
            self._say(200, json.dumps(self._call(body)).encode())

    def _call(self, body: bytes) -> Tree:
        """Return the answer to one call."""
        base: Tree = {"jsonrpc": "2.0", "id": 1}
        try:
            header = self.headers.get("Authorization", "")
            result = self.server.fake.answer(json.loads(body), header)
        except Wrong as wrong:
            error = {"code": -32602, "data": str(wrong)}
            return {**base, "error": error}
        return {**base, "result": result}

    def _say(self, status: int, body: bytes, *more: tuple[str, str]) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in (("Content-Length", str(len(body))), *more):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
