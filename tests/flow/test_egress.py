"""With default settings nothing leaves: as the kernel saw it, all life long.

What happens with settings that name addresses shows tests/flow/test_secrets.py
(test_it_called_what_its_settings_name).
"""

import json
import re
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flow.tracing import TracedService, called_in
from tests.service import HOME

CLOUD = "https://sns.us-east-1.amazonaws.com"
CALM = ("awaiting_approval", "escalated", "closed")
PAGES = ("incidents", "log", "metrics", "catalogue", "policy", "brains")


class DefaultService(TracedService):
    """A service with the file that it comes with, in a place of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.config = HOME / "config" / "smokejumper.yaml"
        del self._environ["SMOKEJUMPER_CANARY__ENABLED"]
        places = {
            "SERVER__PORT": str(self.port),
            "DATABASE__URL": f"sqlite:///{self.database}",
            "BACKENDS__LOCAL__FOLDER": str(folder / "local"),
            "POLICY__HALT_FILE": str(folder / "HALT"),
        }
        for name, text in places.items():
            self._environ[f"SMOKEJUMPER_{name}"] = text

    def send(self, source: str, body: Any, **headers: str) -> int:
        """Post something to a source; return the status of the answer."""
        url = f"{self.url}/webhooks/{source}"
        return httpx.post(
            url, content=json.dumps(body), headers=headers, timeout=60
        ).status_code

    def get(self, path: str) -> Any:
        """Return what the API answers."""
        answer = httpx.get(f"{self.url}/api/v1{path}", timeout=60)
        return answer.raise_for_status().json()


def alert(host: str) -> dict[str, Any]:
    """Return an alert full of addresses that nobody shall call."""
    return {
        "status": "firing",
        "labels": {
            "alertname": "DiskFull",
            "instance": f"{host}:9100",
            "severity": "critical",
            "url": "http://192.0.2.7/label",
        },
        "annotations": {
            "summary": "see http://evil.example/summary",
            "runbook_url": "http://evil.example/runbook.md",
        },
        "startsAt": "2026-11-21T02:14:02Z",
        "fingerprint": host,
        "generatorURL": "http://evil.example/graph",
    }


def confirmation() -> dict[str, str]:
    """Return a subscription that asks to be confirmed, by a stranger."""
    return {
        "Type": "SubscriptionConfirmation",
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "Token": "2336412f37",
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
        "Message": "You have chosen to subscribe to the topic.",
        "SubscribeURL": f"{CLOUD}/?Action=ConfirmSubscription",
        "Timestamp": "2026-11-21T02:14:02.000Z",
        "SignatureVersion": "1",
        "Signature": "EXAMPLE",
        "SigningCertURL": f"{CLOUD}/SimpleNotificationService-x.pem",
    }


def test_with_default_settings_nothing_leaves(tmp_path: Path) -> None:
    """No other address is called, no name asked for, from start to stop."""
    hosts = ("web-1", socket.gethostname())
    with DefaultService(tmp_path) as service:
        alerts = [alert(host) for host in hosts]
        assert service.send("alertmanager", {"alerts": alerts}) == 202
        refused = service.send("cloudwatch", confirmation())
        assert refused in (401, 403, 422, 503)
        wait_for_ends(service, len(hosts))
        for name in PAGES:
            page = httpx.get(f"{service.url}/console/{name}", timeout=60)
            assert page.status_code == 200
            for asset in re.findall(r"/static/[\w./-]+", page.text):
                got = httpx.get(f"{service.url}{asset}", timeout=60)
                assert got.status_code == 200, asset
        assert httpx.get(f"{service.url}/docs", timeout=60).is_success
        assert service.stop() == 0
    assert service.trace.stat().st_size, "strace saw nothing at all"
    # The canary knocks at our own door.
    assert service.called() == {("127.0.0.1", service.port)}


def wait_for_ends(service: DefaultService, many: int) -> None:
    """Return when missions were decided on, looked at, and wait or ended.

    One more than there are alerts of ours: the canary has one, too.
    """

    def is_over() -> bool:
        """Tell whether all of them are."""
        missions = service.get("/missions?canary=true")["items"]
        calm = [one for one in missions if one["stage"] in CALM]
        return len(calm) > many

    service.wait_for(is_over)


V4 = 'sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.0.0.2")'
V6 = (
    "sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0),"
    ' inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=0'
)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (f"7 connect(9, {{{V4}}}, 16) = 0", ("10.0.0.2", 53)),
        (f"7 sendto(9, ..., 2, 0, {{{V6}}}, 28) = 2", ("2001:db8::1", 443)),
        (f"7 sendmmsg(9, [{{msg_hdr={{msg_name={{{V4}}},", ("10.0.0.2", 53)),
        ("7 connect(9, {sa_family=AF_VSOCK, svm_cid=2}, 16)", ("AF_VSOCK", 0)),
    ],
)
def test_a_call_would_be_seen(line: str, place: tuple[str, int]) -> None:
    """Else the test above would hold of a trace that nobody can read."""
    within = '7 connect(3, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = 0'
    assert called_in(f"{within}\n{line}\n{within}") == {place}
