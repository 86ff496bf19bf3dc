"""A real OpenID provider in a process of its own."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.programs import free_port
from tests.real.program import Program
from tests.service import Service

PACKAGE = "oidc_provider_mock"


@contextmanager
def run_provider(folder: Path, host: str = "127.0.0.1") -> Iterator[str]:
    """Run a provider that knows its clients; yield its address.

    Args:
        folder: where its log goes.
        host: what it is called; a name of this machine.
    """
    if importlib.util.find_spec(PACKAGE) is None:
        remedy = "pip install -r dev-requirements.txt adds oidc-provider-mock"
        if os.environ.get("REAL_SYSTEMS") == "required":
            pytest.fail(remedy)
        pytest.skip(remedy)
    port = free_port()

    def is_ready() -> bool:
        """Tell whether it answers."""
        try:
            url = f"http://127.0.0.1:{port}"
            return httpx.get(url, verify=False).status_code == 200
        except httpx.HTTPError:
            return False

    options = ["--require-registration", "true", "--require-nonce", "true"]
    program = Program(
        [sys.executable, "-m", PACKAGE, "--port", str(port), *options],
        folder / "provider.log",
        is_ready,
    )
    program.start()
    try:
        yield f"http://{host}:{port}"
    finally:
        program.stop()


def configure(service: Service, issuer: str, **more: Any) -> None:
    """Register a service at a provider, and write that into its settings."""
    back = f"{service.url}/console/login/oidc/callback"
    answer = httpx.post(
        f"{issuer}/oauth2/clients", json={"redirect_uris": [back]}
    )
    client = answer.json()
    tree = yaml.safe_load(service.config.read_text())
    tree["access"] = {
        "public_url": service.url,
        "oidc": {
            "issuer": issuer,
            "client_id": client["client_id"],
            "client_secret": client["client_secret"],
            "roles": {"oncall": "approver", "boss": "admin"},
            "teams_claim": "teams",
            "label": "Company login",
            "allow": ["127.0.0.0/8"],
            **more,
        },
    }
    service.config.write_text(yaml.safe_dump(tree))
