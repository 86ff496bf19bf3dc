"""What Zabbix shall have: one description for its API, the diff and us.

A tree of names and values, in which no id of one installation stands.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

Tree = dict[str, Any]
FOLDER = Path(__file__).parents[2] / "config/monitoring/zabbix"
SCRIPT = FOLDER / "webhook.js"
PARAMETERS = FOLDER / "parameters.json"
MARK = "Made by scripts/setup_zabbix.py, which keeps and removes it."
SURNAME = "(scripts/setup_zabbix.py)"
WEBHOOK = "4"
ORDINARY_USER = "1"  # the type of role with the least rights
NO_FRONTEND = "3"
MAY_READ = "2"
ALL_SEVERITIES = "63"
ALWAYS = "1-7,00:00-24:00"
TRIGGERS = "0"
HOST_GROUP = "0"
MESSAGE = "0"
MOMENTS = ("0", "1", "2")  # a problem, its end, an update of it
URL = "smokejumper_url"
SECRET = "smokejumper_secret"  # the parameter's name
FRONTEND = "zabbix_url"


class Wish(NamedTuple):
    """What the command line asks for.

    Attributes:
        name: what our things are called.
        url: the webhook of the service.
        secret: what the service knows this source by, or empty.
        frontend: where people open this Zabbix.
        groups: the host groups whose problems are told.
        nested: the groups below those, which Zabbix counts in.
    """

    name: str
    url: str = ""
    secret: str = ""
    frontend: str = ""
    groups: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()


def read_parameters() -> dict[str, str]:
    """Return the parameters of the media type, but ours of the site."""
    found: dict[str, str] = json.loads(PARAMETERS.read_text("utf-8"))
    return found


def media_type(wish: Wish) -> Tree:
    """Return the media type: the webhook."""
    parameters = {
        URL: wish.url,
        SECRET: wish.secret,
        **read_parameters(),
        FRONTEND: wish.frontend,
    }
    return {
        "name": wish.name,
        "type": WEBHOOK,
        "status": "0",
        "description": MARK,
        "script": SCRIPT.read_text("utf-8").strip(),
        "parameters": parameters,
        # An outage of the service of ten minutes loses nothing.
        "timeout": "10s",
        "maxattempts": "30",
        "attempt_interval": "20s",
        "maxsessions": "4",
        # Without a template Zabbix sends nothing; the texts do not matter.
        "message_templates": [
            {
                "eventsource": TRIGGERS,
                "recovery": moment,
                "subject": "{EVENT.NAME}",
                "message": "{EVENT.OPDATA}",
            }
            for moment in MOMENTS
        ],
    }


def role(wish: Wish) -> Tree:
    """Return a role without the API; the group forbids the frontend."""
    return {
        "name": wish.name,
        "type": ORDINARY_USER,
        "rules": {"api.access": "0"},
    }


def user_group(wish: Wish) -> Tree:
    """Return the group that may read the hosts whose problems are told."""
    return {
        "name": wish.name,
        "gui_access": NO_FRONTEND,
        "users_status": "0",
        "rights": dict.fromkeys((*wish.groups, *wish.nested), MAY_READ),
    }


def user(wish: Wish) -> Tree:
    """Return who is told; nobody logs in as this one."""
    return {
        "username": wish.name,
        "name": "Smokejumper",
        "surname": SURNAME,
        "role": wish.name,
        "groups": [wish.name],
        "medias": [
            {
                "media_type": wish.name,
                "sendto": "smokejumper",
                "active": "0",
                "severity": ALL_SEVERITIES,
                "period": ALWAYS,
            }
        ],
    }


def action(wish: Wish) -> Tree:
    """Return what tells our user of problems, their ends and updates."""
    told = {"tells": wish.name, "by": wish.name}
    return {
        "name": wish.name,
        "eventsource": TRIGGERS,
        "status": "0",
        "host_groups": sorted(wish.groups),
        "operations": [told],
        "recovery_operations": [told],
        "update_operations": [told],
    }
