"""Trouble that tests of pages cause from outside: what all tabs hear of."""

import httpx

from tests.flow.deciding import firing
from tests.service import Service


def fire(service: Service, host: str) -> None:
    """Let something be wrong with a host."""
    body = {"version": "4", "alerts": [firing(host)]}
    answer = httpx.post(f"{service.url}/webhooks/alertmanager", json=body)
    assert answer.status_code == 202, answer.text


def halt(service: Service, *, halted: bool) -> None:
    """Pause everything, or let it go on."""
    body = {"author": "ana", "reason": "a drill", "halted": halted}
    answer = httpx.put(f"{service.url}/api/v1/halt", json=body, timeout=30)
    assert answer.is_success, answer.text
