"""The settings of a demo: quick, and free to act on simulated trouble only.

What waits for minutes elsewhere waits for seconds here. The guard is the
same: the environment ``simulator`` is trusted, and nothing else is.
"""

import os
from typing import Any

import psutil
import yaml

from scripts.demo.stage import (
    ADDRESS,
    DISK_MB,
    FOLDER,
    HOME,
    SERVICE,
    TMPFS,
    Stage,
)

QUICK = {
    "hold_seconds": 4,
    "within_seconds": 30,
    "every_seconds": 1,
    "cooldown_seconds": 0,
    "budget": {"runs": 100, "window_seconds": 600},
}
ACTIONS = ("kill_process", "free_disk_space", "restart_service", "free_memory")
DEEDS = ("collect-diagnostics", *(one.replace("_", "-") for one in ACTIONS))
OPEN = {"auth": {"kind": "none"}}
HOT = {"for_seconds": 3, "clear_seconds": 2}
# A model without an accelerator takes half a minute for an answer.
VOICE_SECONDS = 3
# A leak is told of below what the simulator leaks when nobody says how much.
GROWTH_MB_PER_MINUTE = 200
# What has just begun holds less, and is well.
FLOOR_MB = 32
MB = 1_048_576
# Of the whole machine: a demo does not tell of those who watch it.
ASIDE = (
    "cpu", "load", "memory", "swap", "network", "temperature", "zombies",
    "clock", "pressure_cpu", "pressure_memory", "pressure_io",
)  # fmt: skip


def write(stage: Stage, model: str = "") -> None:
    """Write all settings of a demo into its folder.

    Args:
        stage: where it takes place.
        model: a model of an Ollama server on this machine, or nothing.
    """
    stage.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stage.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, tree in (
        ("smokejumper.yaml", make_service(stage, model)),
        ("policy.yaml", make_policy(stage)),
        ("inventory.yaml", make_inventory(stage)),
        ("simulator.yaml", make_simulator(stage)),
    ):
        text = yaml.safe_dump(dict(tree), sort_keys=False)
        (stage.folder / name).write_text(text, encoding="utf-8")


def make_policy(stage: Stage) -> dict[str, Any]:
    """Return what code allows: much, and of the simulator's only."""
    return {
        "budgets": [{"name": "demo", "runs": 1000, "window": "1h"}],
        "blast": {"targets": 50, "share": 1.0},
        "rules": [
            {
                # A busy compiler of the person who watches is no part of it.
                "name": "only-the-simulators-own",
                "reason": "Only what the simulator started is ended.",
                "actions": ["kill_process"],
                "when": "!action.arguments.process"
                f".startsWith('{stage.programs}-')",
                "outcome": "deny",
            },
            {
                "name": "destructive-needs-two",
                "reason": "What cannot be taken back needs two people.",
                "risks": ["destructive"],
                "when": "target.environment != 'simulator'",
                "outcome": "ask",
                "people": 2,
            },
        ],
        "trust": {
            "ladder": [
                {"risk": "observe", "mode": "auto"},
                # What the brain alone would do is what a demo shows.
                {"environment": "simulator", "mode": "auto", "unsure": "run"},
            ],
            "otherwise": "approve",
        },
    }


def make_service(stage: Stage, model: str = "") -> dict[str, Any]:
    """Return the settings of the service."""
    folder = stage.folder
    brains: dict[str, Any] = {}
    if model:
        ollama = {"enabled": True, "model": model}
        cascade = {"voice_seconds": VOICE_SECONDS}
        brains = {"brains": {"ollama": ollama, "cascade": cascade}}
    return {
        "server": {"host": ADDRESS, "port": stage.port},
        "database": {"url": f"sqlite:///{folder}/demo.db"},
        "incidents": {
            "anchor_file": f"{folder}/log.anchor",
            # A fault that is caused once more is another one.
            "again_seconds": 1,
            "together_seconds": 5,
            "flapping": {"changes": 60, "within_seconds": 60},
        },
        "inventory": {"file": f"{folder}/inventory.yaml"},
        "policy": {
            "file": f"{folder}/policy.yaml",
            "halt_file": f"{folder}/HALT",
        },
        "decide": {"settle_seconds": 0.2, "rest_seconds": 1},
        "act": {
            "poll_seconds": 0.2,
            "change": {name: dict(QUICK) for name in ACTIONS},
        },
        "backends": {"local": make_hands(stage)},
        "checks": make_checks(stage),
        "host": make_host(stage),
        "watch": make_watch(stage),
        "simulator": {"url": stage.simulator_url},
        # Whoever is at this machine looks on: nobody has an account.
        "access": {"open": "always"},
        "sources": {
            name: dict(OPEN)
            for name in ("alertmanager", "prometheus", "zabbix", "generic")
        }
        | {"watch": {"type": "alertmanager", **OPEN}},
        **brains,
    }


def make_hands(stage: Stage) -> dict[str, Any]:
    """Return what is done on this machine, and to whom."""
    floor = memory_floor(psutil.virtual_memory().total)
    return {
        "allow": list(DEEDS),
        "folder": f"{stage.folder}/local",
        "deeds": {
            "collect-diagnostics": {"seconds": 8, "window_seconds": 1},
            "kill-process": {
                # By number: not every user has a name here.
                "users": [os.geteuid()],
                "cpu_percent": 60,
                "window_seconds": 1.5,
                "grace_seconds": 3,
                # One fault after the other is shown.
                "rest_seconds": 0,
                "memory_percent": floor,
                "growth_mb_per_minute": GROWTH_MB_PER_MINUTE,
                "growth_floor_percent": floor,
            },
            "free-disk-space": {
                "until_percent": 60,
                "rules": [
                    {
                        "root": str(stage.disk),
                        "globs": ["**/*.log", "**/*.log.*"],
                        "min_age_hours": 1,
                        # The simulator dates its logs back.
                        "age": "content",
                    }
                ],
            },
        },
    }


def make_checks(stage: Stage) -> dict[str, Any]:
    """Return what is calm, and what may be cleaned up."""
    floor = memory_floor(psutil.virtual_memory().total)
    return {
        "path_is_listed": {"paths": [str(stage.disk)]},
        "process_is_calm": {"limit": 60, "memory_limit": floor},
        "process_is_runaway": {"limit": 60, "memory_limit": floor},
        "disk_has_room": {"limit": 80},
        "service_is_listed": {"services": [SERVICE]},
    }


def make_host(stage: Stage) -> dict[str, Any]:
    """Return what this machine is called, and who keeps its service."""
    ctl = [str(stage.python), "-I", "-S", str(HOME / "simulator" / "ctl.py")]
    where = ["--url", stage.simulator_url]
    # A tmpfs is a file system by itself; a folder is told its size.
    folders = {}
    if stage.disk_kind == FOLDER:
        folders = {str(stage.disk): {"mb": DISK_MB}}
    return {
        "names": list(stage.hosts),
        "services": {
            SERVICE: {
                "status": [*ctl, *where, "status", SERVICE],
                "restart": [*ctl, *where, "restart", SERVICE],
                "seconds": 30,
            }
        },
        "folders": folders,
    }


def make_watch(stage: Stage) -> dict[str, Any]:
    """Return what is watched, and from when on it is too much."""
    return {
        "enabled": stage.watches,
        "host": stage.hosts[0],
        "every_seconds": 1,
        "repeat_seconds": 10,
        "thresholds": {
            "process_cpu": {"limit": 70, **HOT},
            "process_memory": {
                "limit": GROWTH_MB_PER_MINUTE,
                "floor_percent": memory_floor(psutil.virtual_memory().total),
                "young_seconds": 1,
                **HOT,
            },
            "disk": {"limit": 90, "lower": 80, **HOT},
            "service": {"limit": 1, **HOT},
            "open_files": {"limit": 85, "lower": 75, **HOT},
            # Whatever else this machine is busy with is no part of it.
            **{name: {"enabled": False} for name in ASIDE},
        },
        "programs": [f"{stage.programs}-*"],
        "services": {
            SERVICE: {"url": f"http://{ADDRESS}:{stage.shop_port}/health"}
        },
        "disks": [str(stage.disk)] if stage.disk_kind == TMPFS else [],
    }


def memory_floor(total: int) -> float:
    """Return from which share of so many bytes on memory counts at all.

    The same amount on each machine: what the simulator may take is an
    amount, too, and of a large one it is a small share.
    """
    return max(0.0001, round(100.0 * FLOOR_MB * MB / total, 4))


def make_inventory(stage: Stage) -> dict[str, Any]:
    """Return what there is: this machine, by each of its names."""
    thing = {
        "role": "simulator",
        "environment": "simulator",
        "team": "demo",
        "services": {SERVICE: {"actions": ["restart_service"]}},
    }
    return {"hosts": dict.fromkeys(stage.hosts, thing)}


def make_simulator(stage: Stage) -> dict[str, Any]:
    """Return the settings of the simulator."""
    return {
        "enabled": True,
        "host": stage.hosts[0],
        "listen": ADDRESS,
        "port": stage.simulator_port,
        "service_port": stage.shop_port,
        "folder": str(stage.scratch),
        "services": [SERVICE],
        "programs": stage.programs,
        "spool": stage.spool,
        "most": {"memory_mb": 1024, "disk_mb": DISK_MB, "seconds": 600},
        "disk": {"kind": stage.disk_kind, "path": str(stage.disk)},
    }
