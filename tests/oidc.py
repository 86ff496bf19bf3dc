"""An OpenID provider that says what a test wants it to say.

It signs with real keys and answers over real HTTP; what is wrong with its
answers is up to the test. tests/real/test_oidc.py asks a real one.
"""

import json
import threading
from base64 import b64decode
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

CLIENT = "smokejumper"
SECRET = "a secret of the client"
CODE = "code-1"


@cache
def make_rsa(kid: str, number: int = 1) -> RSAKey:
    """Return a key; to make one takes a while, so each is made once."""
    del number
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


class _Server(ThreadingHTTPServer):
    """Lets many wait at once."""

    request_queue_size = 64


class FakeProvider:
    """A provider on a port of its own."""

    def __init__(self) -> None:
        self.keys: list[Any] = [
            make_rsa("r1"),
            ECKey.generate_key("P-256", {"kid": "e1", "use": "sig"}),
        ]
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.userinfo: dict[str, Any] | None = None
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "r1"}
        # A whole token in the place of the one that it would sign.
        self.id_token: str | None = None
        self.status: dict[str, int] = {}
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.logins: list[str] = []
        self.codes = {CODE}
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,)
        )

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Be gone."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, form: dict[str, str]) -> dict[str, Any] | None:
        """Return what is answered to a request, None for a refusal."""
        if path.startswith("/.well-known"):
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                **self.metadata,
            }
        if path == "/jwks":
            return dict(KeySet(self.keys).as_dict(private=False))
        if path == "/userinfo":
            return self.userinfo
        if path == "/token" and form.get("code") in self.codes:
            self.codes.discard(form["code"])
            return {"access_token": "at", "id_token": self.sign()}
        return None

    def sign(self) -> str:
        """Return the token with today's claims."""
        if self.id_token is not None:
            return self.id_token
        key = next(k for k in self.keys if k.kid == self.header.get("kid"))
        return jwt.encode(
            self.header, self.claims, key, algorithms=[self.header["alg"]]
        )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        """Return who answers for this provider."""
        provider = self

        class Handler(BaseHTTPRequestHandler):
            """Answers one request."""

            def do_GET(self) -> None:
                """Answer a question."""
                self._answer({})

            def do_POST(self) -> None:
                """Answer a form."""
                length = int(self.headers["content-length"])
                content = self.rfile.read(length).decode()
                form = {n: v[0] for n, v in parse_qs(content).items()}
                provider.forms.append(form)
                told = self.headers.get("authorization", "")
                if told.startswith("Basic "):
                    login = b64decode(told.removeprefix("Basic ")).decode()
                    provider.logins.append(login)
                self._answer(form)

            def _answer(self, form: dict[str, str]) -> None:
                """Answer what the provider says."""
                path = urlsplit(self.path).path
                provider.asked.append(path)
                said = provider.answer(path, form)
                status = provider.status.get(path, 200 if said else 400)
                body = json.dumps(said).encode()
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("location", f"{provider.issuer}/jwks")
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
