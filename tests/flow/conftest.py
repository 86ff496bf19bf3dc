"""One running service for a whole file: tests add to it, none resets it."""

from collections.abc import Iterator

import pytest

from tests.service import OPEN, Service

TOKEN = {"kind": "bearer", "secrets": ["old-token", "new-token"]}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a service with an open, a locked and a narrow source."""
    settings = {
        "sources": {
            "alertmanager": OPEN,
            "locked": {"type": "alertmanager", "auth": TOKEN},
            "password": {
                "type": "alertmanager",
                "auth": {"kind": "basic", "secrets": ["am:pass"]},
            },
            "narrow": {
                "type": "alertmanager",
                **OPEN,
                "allow": {"cluster": ["lab"]},
            },
            "strict": {"type": "alertmanager", **OPEN, "strict": True},
        },
        "server": {"limits": {"body_bytes": 20_000, "alerts": 20}},
    }
    with Service(tmp_path_factory.mktemp("shared"), settings) as service:
        yield service
