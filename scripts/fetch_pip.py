"""Fetch pip for a Python that comes without it, as Debian's does.

    python3 scripts/fetch_pip.py FOLDER     print where the wheel is

It needs nothing but Python. PIP_INDEX_URL names the index; what that serves
must be, byte for byte, the one file that is named here.
"""

import hashlib
import os
import re
import ssl
import sys
import urllib.parse
import urllib.request
from pathlib import Path

WHEEL = "pip-26.2.1-py3-none-any.whl"
SHA256 = "71138adf1f4ca900cdb7d289c21b7494329f2332b6d85f0e1c42108c0384ed3e"
HTML = "application/vnd.pypi.simple.v1+html, text/html;q=0.9"
SECONDS = 30.0
MOST_BYTES = 32 * 1024 * 1024
DONE, FAILED, WRONG_USE = 0, 1, 2


class Failed(Exception):
    """It cannot be had, and the text says why."""


def get(url: str) -> bytes:
    """Return what is at an address."""
    if not url.startswith(("https://", "http://")):
        raise Failed(f"{url} is no address of an index")
    asked = urllib.request.Request(url, headers={"Accept": HTML})
    trusted = ssl.create_default_context(cafile=os.environ.get("PIP_CERT"))
    try:
        with urllib.request.urlopen(
            asked, timeout=SECONDS, context=trusted
        ) as answer:
            body: bytes = answer.read(MOST_BYTES)
    except (OSError, ValueError) as error:
        raise Failed(f"{url} does not answer: {error}") from error
    return body


def find(index: str) -> str:
    """Return where an index has the wheel."""
    page = f"{index.rstrip('/')}/pip/"
    text = get(page).decode(errors="replace")
    links = re.findall(rf'href="([^"#]*{re.escape(WHEEL)})["#]', text)
    if not links:
        raise Failed(f"{page} has no {WHEEL}")
    return str(urllib.parse.urljoin(page, links[0]))


def fetch(folder: Path) -> Path:
    """Return the wheel in a folder, or raise Failed."""
    index = os.environ.get("PIP_INDEX_URL")
    if not index:
        raise Failed("PIP_INDEX_URL does not say from where")
    body = get(find(index))
    if hashlib.sha256(body).hexdigest() != SHA256:
        raise Failed(f"{index} has another {WHEEL}: its hash differs")
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / WHEEL
    wheel.write_bytes(body)
    return wheel


def main(words: list[str]) -> int:
    """Fetch it; return the exit status."""
    if len(words) != 1:
        print(__doc__, file=sys.stderr)
        return WRONG_USE
    try:
        print(fetch(Path(words[0])))
    except Failed as error:
        print(f"pip could not be fetched: {error}", file=sys.stderr)
        return FAILED
    return DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
