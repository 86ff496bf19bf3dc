"""What Zabbix has, as trees that can be compared with what is wanted."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from scripts.setting_up import Status, Stopped
from scripts.zabbix import wanted
from scripts.zabbix.talk import Zabbix
from scripts.zabbix.wanted import HOST_GROUP, Tree, Wish


class Found(NamedTuple):
    """A thing of ours that is there: its id, and how it is."""

    id: str
    tree: Tree

    def ids(self) -> list[str]:
        """Return what its deletion is told."""
        return [self.id]


class Lens:
    """Reads our five things; refuses what others made under our names."""

    def __init__(self, zabbix: Zabbix, name: str) -> None:
        """Take the session, and what our things are called."""
        self._zabbix = zabbix
        self._name = name

    def media_type(self) -> Found | None:
        """Return the webhook."""
        raw = self._zabbix.find(
            "mediatype", self._name, selectMessageTemplates="extend"
        )
        if raw is None:
            return None
        if raw["description"] != wanted.MARK:
            raise self._not_ours("media type")
        like = wanted.media_type(Wish(self._name))
        tree = {key: raw[key] for key in like}
        tree["parameters"] = {
            one["name"]: one["value"] for one in raw["parameters"]
        }
        tree["script"] = _plain(raw["script"])
        tree["message_templates"] = sorted(
            raw["message_templates"], key=lambda one: str(one["recovery"])
        )
        return Found(raw["mediatypeid"], tree)

    def role(self) -> Found | None:
        """Return the role; one that others use is none of ours."""
        raw = self._zabbix.find(
            "role", self._name, selectRules="extend", selectUsers="extend"
        )
        if raw is None:
            return None
        self._alone("role", raw["users"])
        access = str(int(raw["rules"]["api.access"]))
        rules = {"api.access": access}
        tree = {"name": raw["name"], "type": raw["type"], "rules": rules}
        return Found(raw["roleid"], tree)

    def user_group(self) -> Found | None:
        """Return the group; one with others in it is none of ours."""
        raw = self._zabbix.find(
            "usergroup",
            self._name,
            selectUsers="extend",
            **{self._zabbix.select_rights: "extend"},
        )
        if raw is None:
            return None
        self._alone("user group", raw["users"])
        rights = raw[self._zabbix.rights]
        names = self._group_names(one["id"] for one in rights)
        tree = {
            "name": raw["name"],
            "gui_access": raw["gui_access"],
            "users_status": raw["users_status"],
            "rights": {
                names[one["id"]]: str(one["permission"]) for one in rights
            },
        }
        return Found(raw["usrgrpid"], tree)

    def user(self) -> Found | None:
        """Return who is told."""
        raw = self._zabbix.find(
            "user",
            self._name,
            selectMedias="extend",
            selectUsrgrps="extend",
            selectRole="extend",
        )
        if raw is None:
            return None
        if raw["surname"] != wanted.SURNAME:
            raise self._not_ours("user")
        types = self._names("mediatype", "mediatypeid", raw["medias"])
        tree = {key: raw[key] for key in ("username", "name", "surname")}
        tree["role"] = raw["role"]["name"] if raw["role"] else ""
        tree["groups"] = sorted(one["name"] for one in raw["usrgrps"])
        tree["medias"] = [
            {
                "media_type": types[media["mediatypeid"]],
                "sendto": _only(media["sendto"]),
                "active": media["active"],
                "severity": media["severity"],
                "period": media["period"],
            }
            for media in raw["medias"]
        ]
        return Found(raw["userid"], tree)

    def action(self, users: Mapping[str, str]) -> Found | None:
        """Return the action; one that tells others is none of ours.

        Args:
            users: the names of those whom it may tell, by their ids.
        """
        raw = self._zabbix.find(
            "action",
            self._name,
            selectFilter="extend",
            selectOperations="extend",
            selectRecoveryOperations="extend",
            selectUpdateOperations="extend",
        )
        if raw is None:
            return None
        tree = {key: raw[key] for key in ("name", "eventsource", "status")}
        told = False
        for key in _OPERATIONS:
            tree[key] = [self._told(one, users) for one in raw[key]]
            told |= any("tells" in one for one in tree[key])
        if not told:
            raise self._not_ours("action")
        tree["host_groups"] = self._conditions(raw["filter"]["conditions"])
        return Found(raw["actionid"], tree)

    def _told(self, operation: Tree, users: Mapping[str, str]) -> Tree:
        """Return whom an operation tells; what is not ours as it is."""
        message = operation.get("opmessage") or {}
        told = [
            users.get(one["userid"])
            for one in operation.get("opmessage_usr") or ()
        ]
        plain = {
            operation["operationtype"],
            operation.get("esc_step_from", "1"),
            operation.get("esc_step_to", "1"),
        } == {wanted.MESSAGE, "1"}
        others = operation.get("opmessage_grp")
        if not plain or others or len(told) != 1 or not told[0]:
            return operation
        by = self._names("mediatype", "mediatypeid", [message])
        return {
            "tells": told[0],
            "by": by.get(message.get("mediatypeid", ""), ""),
        }

    def _conditions(self, conditions: Iterable[Tree]) -> list[Any]:
        """Return the host groups of a filter; other conditions as such."""
        found = list(conditions)
        groups = [
            one["value"] for one in found if one["conditiontype"] == HOST_GROUP
        ]
        names = self._group_names(groups)
        told: list[Any] = sorted(names.get(one, one) for one in groups)
        rest = [one for one in found if one["conditiontype"] != HOST_GROUP]
        return told + rest

    def _group_names(self, ids: Iterable[str]) -> dict[str, str]:
        """Return the names of host groups by their ids."""
        wrapped = [{"groupid": one} for one in ids]
        return self._names("hostgroup", "groupid", wrapped)

    def _names(
        self, kind: str, key: str, holders: Iterable[Tree]
    ) -> dict[str, str]:
        """Return the names of those whose ids stand in trees."""
        ids = sorted({one[key] for one in holders if one.get(key)})
        if not ids:
            return {}
        asked = {"output": ["name"], f"{key}s": ids}
        found = self._zabbix.call(f"{kind}.get", asked)
        return {one: one for one in ids} | {
            one[key]: one["name"] for one in found
        }

    def _alone(self, what: str, users: Iterable[Tree]) -> None:
        """Refuse what somebody else than our user has."""
        if any(one["username"] != self._name for one in users):
            raise self._not_ours(what)

    def _not_ours(self, what: str) -> Stopped:
        """Return why nothing is touched."""
        return Stopped(
            Status.REFUSED,
            f"there is a {what} {self._name!r} that this script did not"
            " make, or that others use by now.",
            "Nothing was changed. Rename it, or use another --name.",
        )


_OPERATIONS = ("operations", "recovery_operations", "update_operations")


def _plain(text: str) -> str:
    """Return a script without what a form adds to its lines."""
    return text.replace("\r\n", "\n").strip()


def _only(sendto: Any) -> str:
    """Return an address; Zabbix tells a list of some media types."""
    return ",".join(sendto) if isinstance(sendto, list) else str(sendto)
