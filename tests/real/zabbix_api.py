"""Zabbix's own API: what an administrator sets up, what an operator says."""

from collections.abc import Mapping
from typing import Any

import httpx

from scripts.zabbix.wanted import (
    FRONTEND,
    SCRIPT,
    SECRET,
    URL,
    read_parameters,
)

ADMINISTRATORS = "7"  # the groups and roles that every Zabbix begins with
SUPER_ADMIN = "3"
WEBHOOK = 4
TRAPPER = 2
UNSIGNED = 3
TRIGGERS = 0
MESSAGE, ALL_INVOLVED, ALL_INVOLVED_IN_UPDATE = 0, 11, 12
CLOSE, ACKNOWLEDGE, SAY, SEVERITY = 1, 2, 4, 8
ADMIN = ("Admin", "zabbix")
OPERATOR = ("olga", "0n-call-t0night")
# What people set up, with the address of whom a user's media names.
PARAMETERS = {
    **read_parameters(),
    "event_age": "{EVENT.AGE}",  # no two messages are the same bytes
    FRONTEND: "http://zabbix.example.net",
    URL: "{ALERT.SENDTO}",
}


class ZabbixApi:
    """A session of one user."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api_jsonrpc.php"
        self._token: str | None = None

    def log_in(self, user: str, password: str) -> None:
        """Begin the session."""
        self._token = self.call("user.login", username=user, password=password)

    def call(self, method: str, **parameters: Any) -> Any:
        """Return the result of a method, or fail with what Zabbix says."""
        request = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": method,
            "params": parameters,
            "auth": self._token,
        }
        answer = httpx.post(self._url, json=request, timeout=60).json()
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['data']}")
        return answer["result"]

    def create(self, kind: str, **parameters: Any) -> str:
        """Return the id of a new thing."""
        ids = self.call(f"{kind}.create", **parameters)
        found: str = next(iter(ids.values()))[0]
        return found

    def acknowledge(self, event_id: str, action: int, **said: Any) -> None:
        """Say something about an event, as the operator's page does."""
        self.call(
            "event.acknowledge", eventids=event_id, action=action, **said
        )

    def find_event(self, trigger_id: str) -> dict[str, Any] | None:
        """Return the newest problem event of a trigger, or None."""
        events = self.call(
            "event.get",
            objectids=trigger_id,
            value=1,
            sortfield="eventid",
            sortorder="DESC",
            limit=1,
        )
        return events[0] if events else None

    def messages(self, event_id: str, media_type: str) -> list[dict[str, str]]:
        """Return the messages about an event, with how they went."""
        found: list[dict[str, str]] = self.call(
            "alert.get", eventids=event_id, mediatypeids=media_type
        )
        return found


def add_host(api: ZabbixApi, host: str, name: str) -> str:
    """Return the id of a new host in a new group."""
    group = api.create("hostgroup", name=f"{name} and its like")
    return api.create(
        "host", host=host, name=name, groups=[{"groupid": group}]
    )


def add_trigger(api: ZabbixApi, host: Mapping[str, str], key: str) -> str:
    """Return the id of a trigger that fires above 90."""
    api.create(
        "item",
        hostid=host["id"],
        name=f"Space used by {key}",
        key_=key,
        type=TRAPPER,
        value_type=UNSIGNED,
    )
    return api.create(
        "trigger",
        description=problem_name(key),
        expression=f"last(/{host['host']}/{key})>90",
        priority=4,
        manual_close=1,
        opdata="Space used: {ITEM.LASTVALUE1} %",
        tags=[
            {"tag": "service", "value": "postgres"},
            {"tag": "scope", "value": "capacity"},
        ],
    )


def problem_name(key: str) -> str:
    """Return what a problem is called: nothing that a script may paste."""
    return f"{key}: disk \"full\" (>90%) \\ $(id) 'é'"


def add_media_type(
    api: ZabbixApi, name: str, token: str, attempts: int
) -> str:
    """Return the id of a webhook with a token of its own."""
    parameters = {**PARAMETERS, SECRET: token}
    return api.create(
        "mediatype",
        name=name,
        type=WEBHOOK,
        script=SCRIPT.read_text(),
        parameters=[
            {"name": name, "value": value}
            for name, value in parameters.items()
        ],
        timeout="5s",
        maxattempts=attempts,
        attempt_interval="1s",
        message_templates=[
            {
                "eventsource": TRIGGERS,
                "recovery": kind,
                "subject": "{EVENT.NAME}",
                "message": "{EVENT.OPDATA}",
            }
            for kind in range(3)
        ],
    )


def add_operator(api: ZabbixApi) -> None:
    """Add a person who is not the one that Zabbix tells."""
    user, password = OPERATOR
    api.create(
        "user",
        username=user,
        passwd=password,
        name="Olga",
        surname="On-Call",
        roleid=SUPER_ADMIN,
        usrgrps=[{"usrgrpid": ADMINISTRATORS}],
    )


def tell_admin(api: ZabbixApi, media_types: Mapping[str, str]) -> None:
    """Send everything to the administrator: media type to address."""
    medias = [
        {"mediatypeid": media_type, "sendto": [address]}
        for media_type, address in media_types.items()
    ]
    api.call("user.update", userid="1", medias=medias)
    message = {"default_msg": 1}
    api.create(
        "action",
        name="Tell Smokejumper",
        eventsource=TRIGGERS,
        esc_period="1m",
        operations=[
            {
                "operationtype": MESSAGE,
                "esc_step_from": 1,
                "esc_step_to": 2,
                "opmessage": message,
                "opmessage_usr": [{"userid": "1"}],
            }
        ],
        recovery_operations=[
            {"operationtype": ALL_INVOLVED, "opmessage": message}
        ],
        update_operations=[
            {"operationtype": ALL_INVOLVED_IN_UPDATE, "opmessage": message}
        ],
    )
