"""From what is there to what is wanted: the changes, and their undoing."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from scripts.setting_up import Change, Status, Stopped, text_of
from scripts.zabbix import wanted
from scripts.zabbix.seen import Found, Lens
from scripts.zabbix.talk import Zabbix
from scripts.zabbix.wanted import Tree, Wish

ANOTHER = "(another secret)"
KEPT = "(a secret)"
IDS = {
    "mediatype": "mediatypeid",
    "role": "roleid",
    "usergroup": "usrgrpid",
    "user": "userid",
    "action": "actionid",
}


class Works:
    """Our five things in one Zabbix, in the order they need each other."""

    def __init__(self, zabbix: Zabbix, wish: Wish) -> None:
        """Look at what is there; nothing is changed."""
        self._zabbix = zabbix
        self._groups = self._find_groups(wish.groups)
        below = self._find_below(wish.groups)
        self._groups |= below
        self._wish = wish._replace(nested=tuple(sorted(below)))
        lens = Lens(zabbix, wish.name)
        self._found: dict[str, Found | None] = {
            "mediatype": lens.media_type(),
            "role": lens.role(),
            "usergroup": lens.user_group(),
            "user": lens.user(),
        }
        user = self._found["user"]
        users = {user.id: wish.name} if user else {}
        self._found["action"] = lens.action(users)
        self._ids = {
            kind: found.id for kind, found in self._found.items() if found
        }
        self._made: list[str] = []

    def changes(self) -> list[Change]:
        """Return what would be changed for all to be as wanted."""
        wish = self._wish
        bodies: dict[str, tuple[Tree, Callable[[Tree], Tree]]] = {
            "mediatype": (wanted.media_type(wish), _media_type_body),
            "role": (wanted.role(wish), dict),
            "usergroup": (wanted.user_group(wish), self._group_body),
            "user": (wanted.user(wish), self._user_body),
            "action": (wanted.action(wish), self._action_body),
        }
        return [
            self._change(kind, tree, body)
            for kind, (tree, body) in bodies.items()
        ]

    def undoing(self) -> list[Change]:
        """Return what would be taken away, the last thing first."""
        return [
            Change(
                f"{kind} {self._wish.name}",
                text_of(_covered(found.tree, "")),
                "",
                self._maker(kind, "delete", found.ids),
            )
            for kind, found in reversed(self._found.items())
            if found
        ]

    def _change(
        self, kind: str, tree: Tree, body: Callable[[Tree], Tree]
    ) -> Change:
        """Return the change of one thing."""
        found = self._found[kind]
        secret = tree.get("parameters", {}).get(wanted.SECRET, "")
        before = found.tree if found else None

        def full() -> Tree:
            """Return what the API is told."""
            told = body(tree)
            if found:
                told[IDS[kind]] = found.id
            elif kind == "user":
                told["passwd"] = f"{secrets.token_urlsafe(32)}aA1!"
            return told

        return Change(
            f"{kind} {self._wish.name}",
            text_of(_covered(before, secret)),
            text_of(_covered(tree, secret)),
            self._maker(kind, "update" if found else "create", full),
        )

    def _maker(
        self, kind: str, verb: str, told: Callable[[], Any]
    ) -> Callable[[], None]:
        """Return what makes a change; when it is refused, none is left."""

        def make() -> None:
            """Make it, or take back what was made before it."""
            try:
                answer = self._zabbix.call(f"{kind}.{verb}", told())
            except Stopped as stop:
                raise self._taken_back(stop) from stop
            if verb == "create":
                self._ids[kind] = next(iter(answer.values()))[0]
                self._made.append(kind)

        return make

    def _taken_back(self, stop: Stopped) -> Stopped:
        """Take back what was made in this run; return what to say."""
        left = []
        for kind in reversed(self._made):
            try:
                self._zabbix.call(f"{kind}.delete", [self._ids[kind]])
            except Stopped:
                left.append(kind)
        words = "What this run made was taken back."
        if left:
            words = f"Left behind: {', '.join(left)}; --undo removes it."
        remedy = f"{stop.remedy} {words}".strip()
        return Stopped(stop.status, stop.reason, remedy)

    def _find_groups(self, names: tuple[str, ...]) -> dict[str, str]:
        """Return the ids of the host groups by their names."""
        asked = {"output": ["name"], "filter": {"name": list(names)}}
        found = self._zabbix.call("hostgroup.get", asked) if names else []
        ids = {one["name"]: one["groupid"] for one in found}
        missing = [name for name in names if name not in ids]
        if not missing:
            return ids
        sample = {"output": ["name"], "sortfield": "name", "limit": 20}
        there = [
            one["name"] for one in self._zabbix.call("hostgroup.get", sample)
        ]
        raise Stopped(
            Status.REFUSED,
            f"there is no host group {missing[0]!r}, or this account does"
            " not see it.",
            f"There are: {', '.join(there) or 'none'}. Nothing was changed.",
        )

    def _find_below(self, names: tuple[str, ...]) -> dict[str, str]:
        """Return the groups below those; a right does not reach them."""
        if not names:
            return {}
        asked = {
            "output": ["name"],
            "search": {"name": [f"{name}/" for name in names]},
            "startSearch": True,
            "searchByAny": True,
        }
        found = self._zabbix.call("hostgroup.get", asked)
        return {one["name"]: one["groupid"] for one in found}

    def _group_body(self, tree: Tree) -> Tree:
        """Return what the API is told of the user group."""
        rights = [
            {"id": self._groups[name], "permission": permission}
            for name, permission in tree["rights"].items()
        ]
        body = {key: tree[key] for key in ("name", "gui_access")}
        body["users_status"] = tree["users_status"]
        return {**body, self._zabbix.rights: rights}

    def _user_body(self, tree: Tree) -> Tree:
        """Return what the API is told of the user."""
        body = {key: tree[key] for key in ("username", "name", "surname")}
        medias = [
            {
                "mediatypeid": self._ids["mediatype"],
                **{k: v for k, v in media.items() if k != "media_type"},
            }
            for media in tree["medias"]
        ]
        return {
            **body,
            "roleid": self._ids["role"],
            "usrgrps": [{"usrgrpid": self._ids["usergroup"]}],
            "medias": medias,
        }

    def _action_body(self, tree: Tree) -> Tree:
        """Return what the API is told of the action."""
        tells = {
            "operationtype": wanted.MESSAGE,
            "opmessage": {
                "default_msg": "1",
                "mediatypeid": self._ids["mediatype"],
            },
            "opmessage_usr": [{"userid": self._ids["user"]}],
        }
        conditions = [
            {
                "conditiontype": wanted.HOST_GROUP,
                "operator": "0",
                "value": self._groups[name],
            }
            for name in tree["host_groups"]
        ]
        body = {
            "name": tree["name"],
            "status": tree["status"],
            "filter": {"evaltype": "0", "conditions": conditions},
            "operations": [
                {**tells, "esc_step_from": "1", "esc_step_to": "1"}
            ],
            "recovery_operations": [tells],
            "update_operations": [tells],
        }
        # It belongs to problems for ever: an update may not name it.
        if self._found["action"] is None:
            body["eventsource"] = tree["eventsource"]
        return body


def _media_type_body(tree: Tree) -> Tree:
    """Return what the API is told of the media type."""
    parameters = [
        {"name": name, "value": value}
        for name, value in tree["parameters"].items()
    ]
    return {**tree, "parameters": parameters}


def _covered(
    tree: Mapping[str, Any] | None, secret: str
) -> Mapping[str, Any] | None:
    """Return a tree that may be shown: it tells no secret."""
    if not tree or not tree.get("parameters", {}).get(wanted.SECRET):
        return tree
    kept = tree["parameters"][wanted.SECRET]
    word = KEPT if kept == secret else ANOTHER
    parameters = {**tree["parameters"], wanted.SECRET: word}
    return {**tree, "parameters": parameters}
