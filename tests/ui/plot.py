"""The plot of the night: hosts, alerts, jobs and the rules of the site."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

HOSTS: dict[str, Any] = {
    "checkout-web-01": {
        "role": "web",
        "environment": "production",
        "team": "shop",
        "services": ["nginx", "php8.2-fpm"],
    },
    "orders-worker-03": {
        "role": "worker",
        "environment": "production",
        "team": "orders",
        "services": ["celery-worker"],
    },
    "search-cache-02": {
        "role": "cache",
        "environment": "staging",
        "team": "search",
        "services": ["memcached"],
    },
    "docs-web-02": {
        "role": "web",
        "environment": "staging",
        "team": "docs",
        "services": ["nginx"],
    },
    "thumbs-07": {
        "role": "app",
        "environment": "staging",
        "team": "media",
        "containers": ["thumbs-api"],
    },
    "build-04": {
        "role": "ci",
        "environment": "staging",
        "team": "platform",
    },
    "loyalty-worker-02": {
        "role": "worker",
        "environment": "production",
        "team": "loyalty",
        "services": ["celery-worker"],
    },
    "vault-01": {"environment": "production", "team": "security"},
    "orders-db-01": {
        "role": "database",
        "environment": "production",
        "team": "data",
    },
    "edge-sw-01": {"role": "switch", "team": "network"},
    "edge-sw-02": {"role": "switch", "team": "network"},
    "probe-05": {"environment": "production", "team": "network"},
    "status-01": {"environment": "production", "team": "platform"},
    "mail-02": {"environment": "production", "team": "mail"},
    "lab-01": {"environment": "lab", "team": "platform"},
}
POLICY: dict[str, Any] = {
    "rules": [
        {
            "name": "loyalty-freeze",
            "reason": "Nothing of loyalty is changed at the end of a month.",
            "teams": ["loyalty"],
            "outcome": "deny",
        },
        {
            "name": "orders-soon",
            "reason": "Orders wait for nobody: a question is short.",
            "teams": ["orders"],
            "outcome": "ask",
            "for": "12m",
        },
    ],
    "trust": {
        "ladder": [
            {"risk": "observe", "mode": "auto"},
            {"action": "restart_pod", "mode": "auto"},
            {"environment": "staging", "mode": "auto", "unsure": "run"},
        ],
        "otherwise": "approve",
    },
    "ask": {"for": "30m"},
    "blast": {"siblings": 1000, "targets": 1000, "least": 1000},
}
# Alerts are told apart by when they began: one night has one beginning.
NOW = datetime.now(UTC).replace(microsecond=0)
LINES = 8_000
LOUD = 1_000
PODS = 12


def _rollout() -> list[dict[str, Any]]:
    """Return what a long job writes: much at once, then ever more."""
    many = "".join(
        f"{number:05d} layer sha256:{number * 7919 % 65536:04x}"
        f" {'exists' if number % 9 else 'pulled'}\n"
        for number in range(LINES)
    )
    # One step says 64 KiB at most.
    size = 60_000
    parts = [many[i : i + size] for i in range(0, len(many), size)]
    steps: list[dict[str, Any]] = [{"says": "TASK [pull the image]\n"}]
    steps += [{"says": part} for part in parts]
    steps += [
        {
            "says": f"pod thumbs-{number % PODS} ready after"
            f" {number % 5 + 1}.{number % 10} s\n",
            "seconds": number * 0.5,
        }
        for number in range(1, LOUD - len(steps))
    ]
    return steps


JOBS: dict[str, Any] = {
    "restart": {
        "steps": [
            {"says": "stopping ...\n"},
            {"says": "started\n", "seconds": 0.3},
        ],
        "seconds": 0.5,
    },
    "rollout": {"steps": _rollout(), "seconds": 3_000},
    "clean": {
        "steps": [{"says": "removed 214 files, 18.2 GiB\n"}],
        "seconds": 0.2,
    },
    "look": {
        "steps": [
            {
                "says": "load 14.2 11.0 7.3\n"
                "top: blender 391 % CPU, 2.1 GiB\n"
                "disk: / 41 %, /var 63 %\n"
            }
        ]
    },
}


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What one thing of the night is, in alerts.

    Attributes:
        name: of its alerts.
        host: where.
        severity: how bad.
        summary: in words.
        minutes: how long ago it began.
        labels: more of its labels.
        many: values of the label "device": as many alerts.
    """

    name: str
    host: str
    severity: str
    summary: str
    minutes: float
    labels: Mapping[str, str] = {}
    many: tuple[str, ...] = ("",)

    @property
    def target(self) -> str:
        """Return what its incident is about, as the API finds it."""
        return self.host or self.labels["pod"]

    def alerts(
        self, status: str, minutes: float | None = None
    ) -> list[dict[str, Any]]:
        """Return its alerts as Alertmanager has them.

        Args:
            status: firing or resolved.
            minutes: how long ago it began, when not as ever.
        """
        ago = self.minutes if minutes is None else minutes
        began = NOW - timedelta(minutes=ago)
        over = NOW if minutes is None else began + timedelta(seconds=50)
        return [
            self._alert(device, status, began, over) for device in self.many
        ]

    def _alert(
        self, device: str, status: str, began: datetime, over: datetime
    ) -> dict[str, Any]:
        """Return one of its alerts."""
        more = {"device": device} if device else {}
        team = HOSTS.get(self.host, {}).get("team", "")
        ended = over.isoformat() if status == "resolved" else ""
        return {
            "status": status,
            "labels": {
                "alertname": self.name,
                "severity": self.severity,
                **({"instance": f"{self.host}:9100"} if self.host else {}),
                **({"team": team} if team else {}),
                **self.labels,
                **more,
            },
            "annotations": {"summary": self.summary},
            "startsAt": began.isoformat(),
            "endsAt": ended or "0001-01-01T00:00:00Z",
            "generatorURL": f"https://prometheus.example.net/{self.name}",
            "fingerprint": f"{self.name}-{self.target}-{device}"[:60],
        }


PORTS = tuple(f"swp{number}" for number in range(1, 10))
ALERTS: Mapping[str, Story] = {
    "asked": Story(
        name="SystemdUnitFailed",
        host="checkout-web-01",
        severity="critical",
        summary="php8.2-fpm.service failed on checkout-web-01",
        minutes=7,
        labels={"name": "php8.2-fpm.service", "service": "php8.2-fpm"},
    ),
    "asked_too": Story(
        name="ServiceDown",
        host="orders-worker-03",
        severity="warning",
        summary="celery-worker on orders-worker-03 does not run",
        minutes=3,
        labels={"service": "celery-worker"},
    ),
    "running": Story(
        name="ContainerUnhealthy",
        host="thumbs-07",
        severity="critical",
        summary="Container thumbs-api fails its health check",
        minutes=5,
        labels={"container": "thumbs-api"},
    ),
    "verifying": Story(
        name="KubePodCrashLooping",
        host="",
        severity="warning",
        summary="Pod recommend-api-7c9f does not get ready",
        minutes=6,
        labels={
            "namespace": "recommend",
            "pod": "recommend-api-7c9f",
            "cluster": "stage-1",
        },
    ),
    "fixed": Story(
        name="MemcachedDown",
        host="search-cache-02",
        severity="critical",
        summary="memcached on search-cache-02 is down",
        minutes=4,
        labels={"service": "memcached"},
    ),
    "fixed_too": Story(
        name="SystemdUnitFailed",
        host="docs-web-02",
        severity="warning",
        summary="nginx.service failed on docs-web-02",
        minutes=4,
        labels={"name": "nginx.service", "service": "nginx"},
    ),
    "not_fixed": Story(
        name="NodeFilesystemNearlyFull",
        host="build-04",
        severity="warning",
        summary="Filesystem /var/log on build-04 is 93 % full",
        minutes=9,
        labels={"mountpoint": "/var/log", "fstype": "ext4"},
    ),
    "denied": Story(
        name="ServiceDown",
        host="loyalty-worker-02",
        severity="critical",
        summary="celery-worker on loyalty-worker-02 does not run",
        minutes=2,
        labels={"service": "celery-worker"},
    ),
    "unknown": Story(
        name="AuditLogTampered",
        host="vault-01",
        severity="critical",
        summary="Entries of the audit log of vault-01 are missing",
        minutes=12,
    ),
    "acknowledged": Story(
        name="PostgresReplicationLag",
        host="orders-db-01",
        severity="warning",
        summary="The replica of orders-db-01 is 240 s behind",
        minutes=25,
        labels={"service": "postgresql"},
    ),
    "nothing": Story(
        name="TestNotification",
        host="status-01",
        severity="info",
        summary="This is a test notification, nothing is wrong",
        minutes=1,
    ),
    "flapping": Story(
        name="ProbeFailed",
        host="probe-05",
        severity="warning",
        summary="The probe from probe-05 fails now and then",
        minutes=8,
    ),
    "held": Story(
        name="MailQueueSlow",
        host="mail-02",
        severity="info",
        summary="Mail waits for 90 s in the queue of mail-02",
        minutes=1,
        labels={"service": "postfix"},
    ),
    "muted": Story(
        name="DiskFailing",
        host="lab-01",
        severity="warning",
        summary="SMART says that sdb of lab-01 is failing",
        minutes=18,
    ),
    "storm": Story(
        name="InterfaceDown",
        host="edge-sw-01",
        severity="critical",
        summary="Interfaces of edge-sw-01 are down",
        minutes=15,
        many=PORTS,
    ),
    "sibling": Story(
        name="InterfaceDown",
        host="edge-sw-02",
        severity="critical",
        summary="Interfaces of edge-sw-02 are down",
        minutes=15,
        many=PORTS[:3],
    ),
}
