"""Assets: our own scripts and styles, read once, under the name of a digest.

The digest is in the address, so a browser never asks for a file twice, and
never has the script of one release with the page of another.
"""

import gzip
import hashlib
import mimetypes
import re
from pathlib import Path

import msgspec
from fastapi import APIRouter, Request, Response

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
# Smaller ones do not shrink.
LEAST_BYTES = 400
# From the beginning of a line to the end of one.
COMMENT = re.compile(
    r"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/).)*\*/[ \t]*)$", re.MULTILINE | re.DOTALL
)
COMMENTED = (".js", ".css")
TEXTS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class Asset(msgspec.Struct, frozen=True):
    """One file.

    Attributes:
        media_type: what it is.
        plain: its bytes, without what is said to its readers.
        packed: the same, packed; empty when that is not smaller.
    """

    media_type: str
    plain: bytes
    packed: bytes


class Assets:
    """Every file, and the digest of them all."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Read a folder."""
        self._files: dict[str, Asset] = {}
        sum_of_all = hashlib.sha256()
        for file in sorted(folder.rglob("*")):
            if not file.is_file():
                continue
            name = file.relative_to(folder).as_posix()
            plain = file.read_bytes()
            sum_of_all.update(name.encode() + b"\0" + plain)
            self._files[name] = _make(file, plain)
        self.digest = sum_of_all.hexdigest()[:12]

    @property
    def root(self) -> str:
        """Return what the address of each file begins with."""
        return f"/static/{self.digest}"

    def answer(self, digest: str, name: str, encodings: str) -> Response:
        """Return a file as an answer.

        Args:
            digest: of the page that asks; another node's may be another
                release, and then the file is given without being kept.
            name: its path.
            encodings: what the browser can unpack.
        """
        file = self._files.get(name)
        if file is None:
            return Response("There is no such file.", 404)
        headers = {
            "cache-control": FOR_EVER if digest == self.digest else "no-store",
            "vary": "accept-encoding",
            "x-content-type-options": "nosniff",
        }
        content = file.plain
        if file.packed and "gzip" in encodings:
            headers["content-encoding"] = "gzip"
            content = file.packed
        return Response(content, 200, headers, file.media_type)


def without_comments(text: str) -> str:
    """Return a script or style whose lines of comment are empty.

    No browser reads them, and they are a seventh of what it fetches. All
    that stands beside a comment stays, and each line keeps its number: what
    a browser says of an error leads to the line that we wrote.
    """
    return COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)


def _make(file: Path, plain: bytes) -> Asset:
    """Return a file with its bytes packed, when that is worth it."""
    if file.suffix in COMMENTED:
        plain = without_comments(plain.decode()).encode()
    kind = TEXTS.get(file.suffix) or mimetypes.guess_type(file.name)[0]
    packed = gzip.compress(plain, mtime=0) if len(plain) > LEAST_BYTES else b""
    is_smaller = len(packed) < len(plain)
    return Asset(
        kind or "application/octet-stream",
        plain,
        packed if is_smaller else b"",
    )


def make_router(assets: Assets) -> APIRouter:
    """Return the route of the files."""
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{digest}/{name:path}")
    async def get_asset(digest: str, name: str, request: Request) -> Response:
        """Return one file; there is nothing secret in any."""
        encodings = request.headers.get("accept-encoding", "")
        return assets.answer(digest, name, encodings)

    return router
