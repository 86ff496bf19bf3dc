"""Ask a page: a program of its own, for the network of an engine.

python ask.py URL TOKEN: prints the status, and the body on further lines.
An empty token is not sent.
"""

import sys
import urllib.error
import urllib.request

SECONDS = 10.0


def tell(status: int, body: bytes) -> None:
    """Write an answer."""
    sys.stdout.write(f"{status}\n{body.decode()}")


def main(url: str, token: str) -> int:
    """Print what a page answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    asked = urllib.request.Request(url, headers=headers)
    try:
        with opener.open(asked, timeout=SECONDS) as answer:
            tell(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            tell(error.code, error.read())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
