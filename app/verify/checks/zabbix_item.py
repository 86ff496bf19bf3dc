"""What a Zabbix server measured last of one item of the target."""

import re
from typing import Literal, TypeVar

import msgspec
from pydantic import Field

from app.core.configfile import Section
from app.core.errors import ConfigError, OutgoingFailed
from app.core.options import Options
from app.core.remote import RemoteSettings, asking, bearer
from app.core.zabbix import Release, ZabbixApi
from app.models.gauge import Gauge
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, CheckEnv

PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
# What cannot end a parameter of a key and begin another one.
PLAIN = re.compile(r"[A-Za-z0-9_.@:+/-]+")
NUMBERS = ("0", "3")  # floating point and unsigned
UNSUPPORTED = "1"
SECOND = 1_000_000
T = TypeVar("T")
BELOW = Gauge(check="zabbix_item", share=0.25)
ABOVE = Gauge(check="zabbix_item", share=0.25, is_floor=True)


class ZabbixOptions(Section):
    """Which item, which value of it is good, and how old it may be."""

    key: str = Field(min_length=1, max_length=2_048)
    limit: float
    good: Literal["below", "above"] = "below"
    fresh_seconds: int = Field(180, ge=1, le=86_400)


class Host(msgspec.Struct):
    """One host, as it comes."""

    hostid: str


class Item(msgspec.Struct):
    """One item, as it comes."""

    lastvalue: str
    lastclock: str
    value_type: str
    state: str = "0"


class ZabbixItem:
    """Asks for the last value of an item."""

    def __init__(
        self, env: CheckEnv, settings: RemoteSettings, token: str
    ) -> None:
        """Take where it is, and what proves who asks."""
        self.options = Options(ZabbixOptions)
        self._clock = env.clock
        self._inventory = env.inventory
        self._settings = settings
        self._api = ZabbixApi(settings, token)

    async def measure(self, subject: Subject) -> Reading:
        """Return the last value; nothing when that is too old."""
        options = self.options.read(subject.options)
        gauge = ABOVE if options.good == "above" else BELOW
        key = fill(options.key, subject)
        async with asking(self._settings):
            release = await self._api.release()
            host = await self._find_host(subject, release)
            item = await self._find_item(host, key, release)
        now = self._clock.now()
        if item.value_type not in NUMBERS or item.state == UNSUPPORTED:
            return gauge.miss(now, f"{key} measures no number now")
        age, value = read_item(item, now)
        if age is None or age > options.fresh_seconds:
            ago = "never" if age is None else f"{age} s ago"
            return gauge.miss(now, f"{key} was measured {ago}")
        if int(item.lastclock) * SECOND < subject.since:
            says = f"{key} was measured {age} s ago, before the job ended"
            return gauge.miss(now, says)
        says = f"{key} is {value:g}, measured {age} s ago"
        return gauge.read(now, value, options.limit, says)

    async def _find_host(self, subject: Subject, release: Release) -> str:
        """Return the id of the one host with these names."""
        thing = self._inventory().find_host(subject.host)
        names = {subject.host} if subject.host else set()
        if thing is not None:
            names |= {thing.name, *thing.aliases}
        if not names:
            raise OutgoingFailed("the action has no host")
        asked = {
            "output": ["hostid"],
            "filter": {"host": sorted(names), "name": sorted(names)},
            "searchByAny": True,
            "limit": 2,
        }
        body = await self._api.call("host.get", asked, release)
        found = decode(body, list[Host])
        if len(found) != 1:
            how = "several hosts" if found else "no host"
            raise OutgoingFailed(f"it knows {how} named {subject.host}")
        return found[0].hostid

    async def _find_item(self, host: str, key: str, release: Release) -> Item:
        """Return the one item of a host with a key."""
        asked = {
            "output": ["lastvalue", "lastclock", "value_type", "state"],
            "hostids": [host],
            "filter": {"key_": key},
            "monitored": True,
            "limit": 2,
        }
        body = await self._api.call("item.get", asked, release)
        found = decode(body, list[Item])
        if len(found) != 1:
            raise OutgoingFailed(f"it watches no item {key} there")
        return found[0]

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means; a quarter more of bad is worse."""
        gauge = ABOVE if after.is_floor else BELOW
        return gauge.judge(before, after)


def decode(body: bytes, kind: type[T]) -> T:
    """Return what an answer lists, or raise OutgoingFailed."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise OutgoingFailed("the answer is no list of these") from error


def fill(key: str, subject: Subject) -> str:
    """Return a key with the subject's names in it, or raise OutgoingFailed."""
    known = {"host": subject.host, **subject.arguments}
    for name in PLACE.findall(key):
        value = str(known.get(name, ""))
        if not PLAIN.fullmatch(value):
            raise OutgoingFailed(f"the key needs {name}, as a plain name")
        key = key.replace(f"{{{name}}}", value)
    return key


def read_item(item: Item, now: int) -> tuple[int | None, float]:
    """Return how old the last value is and what it is.

    Raises:
        OutgoingFailed: it is no number.
    """
    try:
        measured, value = int(item.lastclock), float(item.lastvalue)
    except ValueError as error:
        raise OutgoingFailed("the last value is no number") from error
    if not measured:
        return None, value
    return max(0, now // SECOND - measured), value


def plugin(env: CheckEnv) -> Check | None:
    """Return the check, or None without a Zabbix to ask."""
    if not env.is_configured:
        return None
    settings = env.settings(RemoteSettings)
    if settings.token is None:
        remedy = "Add 'token: env:ZABBIX_TOKEN'; docs/verify.md says how."
        raise ConfigError([env.problem("needs a token", remedy)])
    token = env.secret(settings.token, "token")
    try:
        bearer(token)
    except ValueError as error:
        remedy = "Write another token."
        raise ConfigError([env.problem(f"token {error}", remedy)]) from error
    return ZabbixItem(env, settings, token)
