"""Ask a running simulator, for the commands."""

import os
import re
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx

from simulator.problem import Refused
from simulator.reading import bearer
from simulator.settings import EVERYWHERE, load_settings, place_of_settings

URL = "SIMULATOR_URL"
TOKEN = "SIMULATOR_TOKEN"  # noqa: S105  the name of a variable
DEFAULT = "http://127.0.0.1:8099"
ADDRESS = re.compile(r"https?://[\w.\[\]:-]+(/[\w./-]*)?", re.ASCII)
SECONDS = 60.0


class NotRunning(Exception):
    """Nobody answers."""


class Client:
    """The REST of a running simulator."""

    def __init__(self) -> None:
        """Find out where it is: in the environment, or in the settings."""
        found, known = _from_settings()
        self.url = (os.environ.get(URL) or found).rstrip("/")
        # The settings' token is for who has the settings, nobody else.
        token = os.environ.get(TOKEN) or (known if self.url == found else "")
        headers = {"accept": "application/json", **bearer(token)}
        if not ADDRESS.fullmatch(self.url):
            raise self._no_address()
        try:
            self._client = httpx.Client(
                base_url=self.url,
                headers=headers,
                timeout=SECONDS,
                # Never through a proxy that the environment names.
                trust_env=False,
            )
        except httpx.InvalidURL as error:
            raise self._no_address() from error

    def _no_address(self) -> Refused:
        """Return that it is none."""
        return Refused(
            f"{self.url!r} is no address",
            field="url",
            remedy="Write it as http://127.0.0.1:8099",
        )

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self._client.close()

    def ask(
        self, method: str, *path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return what it says.

        Raises:
            NotRunning: nobody answers there.
            Refused: it will not.
        """
        where = "/api/" + "/".join(quote(part, safe="") for part in path)
        try:
            answer = self._client.request(method, where, json=body)
            said = answer.json()
        except httpx.HTTPError as error:
            kind = type(error).__name__
            raise NotRunning(f"{self.url}: {error or kind}") from error
        except ValueError as error:
            raise NotRunning(f"{self.url} is no simulator") from error
        if not isinstance(said, dict):
            raise NotRunning(f"{self.url} is no simulator")
        if not answer.is_success:
            raise _refusal(said, answer.status_code)
        return said


def _refusal(said: dict[str, Any], status: int) -> Refused:
    """Return a problem that was answered as the refusal that it is."""
    words = [str(said.get(name, "")) for name in ("detail", "field", "remedy")]
    detail, field, remedy = words
    error = Refused(
        detail or f"it answered {status}", field=field, remedy=remedy
    )
    error.status = status
    return error


def _from_settings() -> tuple[str, str]:
    """Return address and token of the settings, where there are any."""
    if not Path(place_of_settings()).exists():
        return DEFAULT, ""
    settings = load_settings()
    host: str = settings.listen
    host = "127.0.0.1" if host == EVERYWHERE else host
    host = f"[{host}]" if ":" in host else host
    port = settings.port or 8099
    return f"http://{host}:{port}", settings.token.get_secret_value()
