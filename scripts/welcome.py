"""Say where the service is and what to try, for start_environment.sh.

It reads the settings as the service does, and touches nothing.
"""

import json
import os
import shlex
import sys
from pathlib import Path

from app.bootstrap import HOME, Product, build
from app.core.configfile import CONFIG_VARIABLE, load_config
from app.core.errors import ConfigError
from app.core.log import set_up_log
from app.ingest.auth import Open
from app.ingest.intake import Entrance
from app.ingest.tokens import WithTokens

WIDTH = 14
# Short enough to be read; app/ingest/sources/alertmanager.py has a whole one.
FIRST_ALERT = {
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "TryMe", "severity": "warning"},
            "annotations": {"summary": "Nothing burns"},
            "startsAt": "2026-11-21T02:14:02Z",
            "fingerprint": "try-me",
        }
    ]
}


def welcome(product: Product, url: str) -> str:
    """Return the addresses, and a line to try."""
    lines = [
        _line("open", f"{url}/console/incidents"),
        _line("the API", f"{url}/docs"),
        _line("incidents", f"{url}/api/v1/incidents"),
        _line("alerts", f"{url}/api/v1/alerts"),
        _line("deliveries", f"{url}/api/v1/deliveries"),
        _line("metrics", f"{url}/metrics"),
        "",
        "Point your monitoring systems at:",
    ]
    for name, entrance in product.entrances.items():
        lines += [_line(name, url + path) for path in entrance.paths]
    lines += ["", *_try(product, url)]
    return "\n".join([*lines, *set_up(product)])


def set_up(product: Product) -> list[str]:
    """Return the link of the first admin, nothing when it was used."""
    file = product.access.setup.place.file
    try:
        link = file.read_text().strip() if file is not None else ""
    except OSError:
        return []
    return ["", "Make the first admin (works once):", f"  {link}"]


def _line(name: str, text: str) -> str:
    """Return one entry of a list."""
    return f"  {name:<{WIDTH}} {text}"


def _try(product: Product, url: str) -> list[str]:
    """Return a line to try, and what to expect of it."""
    entrance = choose(product)
    if entrance is None:
        return ["No source is enabled: add one to 'sources' in the settings."]
    lines = [
        "Try it: the first time it answers accepted 1, then repeat true.",
        f"  {curl(entrance, url)}",
    ]
    if not product.gate.has_tokens:
        lines += [
            "and look at what became of it:",
            f"  curl -sS {url}/api/v1/incidents",
        ]
    return lines


def choose(product: Product) -> Entrance | None:
    """Return the source to try: one without a secret, the easy ones first."""
    return min(
        product.entrances.values(),
        key=lambda entrance: (
            not is_open(entrance),
            entrance.kind != "alertmanager",
        ),
        default=None,
    )


def is_open(entrance: Entrance) -> bool:
    """Tell whether this machine needs no secret for a source."""
    check = entrance.authenticator
    if isinstance(check, WithTokens):
        check = check.otherwise
    return isinstance(check, Open)


def curl(entrance: Entrance, url: str) -> str:
    """Return the command that sends one alert to a source."""
    body = entrance.example.body.decode()
    if entrance.kind == "alertmanager":
        body = json.dumps(FIRST_ALERT, separators=(",", ":"))
    words = ["curl", "-sS", url + entrance.paths[0]]
    if not is_open(entrance):
        words += ["-H", "Authorization: Bearer YOUR_SECRET"]
    for name, value in entrance.example.headers:
        words += ["-H", f"{name.decode()}: {value.decode()}"]
    return shlex.join([*words, "--data-binary", body])


def main(url: str, what: str = "all") -> int:
    """Print it all, or the link only, for these settings."""
    default = HOME / "config" / "smokejumper.yaml"
    file = Path(os.environ.get(CONFIG_VARIABLE) or default)
    set_up_log("error", "console")
    try:
        product = build(load_config(file, os.environ))
        is_all = what == "all"
        text = welcome(product, url) if is_all else "\n".join(set_up(product))
    except ConfigError:
        text = "The settings are wrong by now: see 'main.py check-config'."
    try:
        if text:
            print(text, flush=True)
    except BrokenPipeError:
        # Whoever read the first lines has gone: that is no error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
