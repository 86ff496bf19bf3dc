"""Tell people through Apprise: chats, mail, pagers, ... one URL each.

Apprise is imported when such a channel is made, and not before: it is
large. It reads no settings of its own, writes nothing, follows no redirect
and tries once; what is repeated, we repeat. It says only that something did
not work, so a letter that failed may have arrived.
"""

import asyncio
import contextlib
import importlib
import logging
import math
import re
import threading
import warnings
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from pydantic import Field, SecretStr

from app.core.configfile import Section
from app.core.errors import ConfigError, NotAccepted, OutgoingFailed
from app.core.redaction import SHOWN
from app.models.alert import Severity
from app.models.message import Letter
from app.ports import Channel, ChannelEnv
from app.report.pagers import OVER, QUIET, aim, is_pager

CONNECT_SECONDS = 5.0
# Calls that have not ended, also such that were given up; no more are begun.
MOST_AT_ONCE = 8
LEAST_CHARS = 6
# No letter is longer, its title with it.
LONGEST = 12_500
# Of the time that one letter may take, so much is rested between its pieces.
RESTED = 0.6
BAD = (Severity.CRITICAL, Severity.ERROR)
# What makes a chat call everybody, whoever wrote it, in whatever letters; and
# what makes it show other words, or a picture, instead of an address.
SHOUT = re.compile(
    r"@(?=\W{0,3}(?:everyone|here|channel|all)\b|\*)"
    r"|<(?=[!@#]|at\s|users/)|\](?=\()",
    re.IGNORECASE,
)
PARTS = re.compile(r"[/:@?&=#,+]+")


class AppriseSettings(Section):
    """Where letters go.

    Attributes:
        url: one URL of Apprise, which is a secret: it holds what opens the
            other end.
        timeout_seconds: how long one letter may take.
    """

    url: SecretStr
    timeout_seconds: float = Field(20.0, gt=0, le=300)


def plugin(env: ChannelEnv) -> Channel:
    """Return the channel."""
    settings = env.settings(AppriseSettings)
    url = env.secret(settings.url, "url")
    try:
        return Apprise(url, settings.timeout_seconds)
    except ValueError as error:
        remedy = "See docs/messages.md for URLs of Apprise."
        problem = env.problem(str(error), remedy, "url")
        raise ConfigError([problem]) from error


class Apprise:
    """One service, as Apprise knows it."""

    def __init__(self, url: str, seconds: float) -> None:
        """Take where it is, and how long one letter may take.

        Raises:
            ValueError: Apprise knows no such service.
        """
        self._library = importlib.import_module("apprise")
        # What it tells comes with each result; its own lines are not ours.
        logging.getLogger("apprise").propagate = False
        self._url = url
        self._seconds = seconds
        with warnings.catch_warnings():
            # All services are loaded; some use what Python gives up.
            warnings.simplefilter("ignore", DeprecationWarning)
            service = self._instantiate()
        if service is None:
            scheme = url.partition("://")[0]
            is_name = re.fullmatch(r"[a-z0-9]{1,20}", scheme) is not None
            shown = f"{scheme}://" if is_name else "this"
            raise ValueError(f"Apprise can make nothing of {shown}...")
        self._service = service
        self.is_pager = is_pager(url)
        self._secrets = _secrets(url)
        self._begun: set[threading.Thread] = set()

    def _instantiate(self) -> Any:
        """Return the service of our URL, or None."""
        asset = self._asset()
        made = self._library.Apprise.instantiate(self._url, asset=asset)
        if made is not None:
            made.socket_connect_timeout = min(CONNECT_SECONDS, self._seconds)
            made.socket_read_timeout = self._seconds
            if "overflow=" not in self._url:
                made.overflow_mode = _overflow(self._url)
            made.request_rate_per_sec = _rest(made, self._seconds)
        return made

    def _sender(self, letter: Letter) -> Any:
        """Return what sends a letter."""
        service = self._service
        if self.is_pager:
            # It is told about which alert: one for each letter, as two may
            # be on their way at once.
            service = self._instantiate()
            aim(service, self._url, letter)
        sender = self._library.Apprise(asset=service.asset)
        sender.add(service)
        return sender

    def _asset(self) -> Any:
        """Return how Apprise shall behave."""
        return self._library.AppriseAsset(
            app_id="Smokejumper",
            app_desc="Smokejumper",
            app_url="",
            image_url_mask="",
            image_url_logo="",
            async_mode=False,
            storage_mode="memory",
            secure_logging=True,
            http_redirects=False,
            interpret_emojis=False,
            interpret_escapes=False,
            allow_templates=False,
            pgp_autogen=False,
            pem_autogen=False,
            language="en",
            timezone="UTC",
            # Our own time-out holds; with its own it would keep threads.
            service_timeout=0,
        )

    async def send(self, letter: Letter) -> str:
        """Send a letter; see the port for what it raises."""
        self._begun = {one for one in self._begun if one.is_alive()}
        if len(self._begun) >= MOST_AT_ONCE:
            text = f"{MOST_AT_ONCE} letters before this one still hang"
            raise NotAccepted(text, may_retry=True)
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._begun.add(self._begin(letter, ended))
        try:
            async with asyncio.timeout(self._seconds):
                failure = await ended
        except TimeoutError as error:
            text = f"no answer in {self._seconds:g} s"
            raise OutgoingFailed(text) from error
        if failure:
            raise OutgoingFailed(failure)
        return ""

    def _begin(
        self, letter: Letter, ended: "asyncio.Future[str]"
    ) -> threading.Thread:
        """Send a letter on a thread that nobody has to wait for."""
        loop = asyncio.get_running_loop()

        def settle(failure: str) -> None:
            """Say how it went, when somebody is still there to hear it."""
            if not ended.done():
                ended.set_result(failure)

        def run() -> None:
            """Send it, and say how it went."""
            failure = "it broke off"
            try:
                failure = self._notify(letter)
            finally:
                _tell(loop, lambda: settle(failure))

        thread = threading.Thread(target=run, name="apprise", daemon=True)
        thread.start()
        return thread

    def _notify(self, letter: Letter) -> str:
        """Send a letter and wait; return what went wrong, or nothing."""
        plain = self._library.NotifyFormat.TEXT
        result = self._sender(letter).notify(
            body=_calm(letter.text),
            title=_calm(letter.title),
            notify_type=urgency(letter),
            body_format=plain,
        )
        attempts = [one for service in result for one in service]
        if attempts and attempts[-1]:
            return ""
        lines = [str(one.message) for one in result.logs()]
        said = "; ".join(line.replace("\n", " ") for line in lines)
        return self._hide(said) or "Apprise does not say why"

    def _hide(self, text: str) -> str:
        """Return a text without any part of our URL."""
        for secret in self._secrets:
            text = text.replace(secret, SHOWN)
        return text


def urgency(letter: Letter) -> str:
    """Return how Apprise calls it: failure, warning, info or success.

    Pagers open an alert for the first two, and close it for the last.
    """
    if letter.kind in OVER:
        return "success"
    if letter.kind in QUIET:
        return "info"
    return "failure" if letter.severity in BAD else "warning"


def _overflow(url: str) -> str:
    """Return what is done with a letter that is too long for a service.

    A chat gets it in pieces. Each piece would open an alert of a pager, so
    there it is cut: the most important is said first.
    """
    return "truncate" if is_pager(url) else "split"


def _rest(service: Any, seconds: float) -> float:
    """Return how long Apprise rests between two pieces of a letter.

    By itself it rests 5.5 s for most services: a letter in five pieces would
    never be over in its time, and be sent again and again.
    """
    is_cut = service.overflow_mode == "truncate"
    pieces = 1 if is_cut else math.ceil(LONGEST / max(1, service.body_maxlen))
    calls = pieces * max(1, len(service))
    return float(min(service.request_rate_per_sec, RESTED * seconds / calls))


def _secrets(url: str) -> list[str]:
    """Return the parts of a URL that nobody should see, the longest first."""
    rest = url.partition("://")[2]
    parts = {url, rest, *PARTS.split(rest)}
    parts |= {unquote(part) for part in parts}
    long = {part for part in parts if len(part) >= LEAST_CHARS}
    return sorted(long, key=len, reverse=True)


def _calm(text: str) -> str:
    """Return a text that calls nobody, and hides no address, for others."""
    return SHOUT.sub(lambda match: f"{match[0]}\u200b", text)


def _tell(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Call something on a loop, when it is still there."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call)
