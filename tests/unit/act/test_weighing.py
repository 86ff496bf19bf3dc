"""An action is as bad as what its job may do here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.act import actions, backends
from app.act.catalogue import make_catalogue
from app.act.hands import Surroundings, apply_runs, make_backends
from app.act.weighing import apply_risks
from app.core.clock import SystemClock
from app.core.registry import scan
from app.models.action import Catalogue, Risk, Run
from tests.unit.act.backends.making import config_of

OWN = """
name: mend_it
purpose: Mend it.
when_to_use: When it is broken.
when_not_to_use: When it is not.
parameters: {host: {purpose: the host, shape: host, labels: [instance]}}
risk: reversible
run: {backend: local, job: kill-process}
check: {name: memory_has_room}
"""


def weighed(
    folder: Path, local: Mapping[str, Any], **runs: tuple[Run, ...]
) -> Catalogue:
    """Return the catalogue of a site with a local backend."""
    own = folder / "actions"
    own.mkdir()
    (own / "mend_it.yaml").write_text(OWN)
    sections = config_of(folder, {"backends": {"local": local}})
    around = Surroundings({}, SystemClock(), folder)
    made = make_backends(sections, scan(backends), around)
    whole = make_catalogue(scan(actions), [own])
    config = config_of(folder, {})
    return apply_risks(apply_runs(whole, runs, made, config), made)


@pytest.mark.parametrize("socket", ["", "hands.sock"])
@pytest.mark.parametrize(
    ("deed", "risk"),
    [
        ({"end": ["leaker"]}, Risk.DESTRUCTIVE),
        ({"restart": ["shop"], "end": []}, Risk.DISRUPTIVE),
        ({"drop_caches": True}, Risk.DISRUPTIVE),
        ({}, Risk.DISRUPTIVE),
    ],
)
def test_memory_is_freed_as_carefully_as_it_may_end(
    tmp_path: Path, deed: Mapping[str, Any], risk: Risk, socket: str
) -> None:
    """Whoever may end a process asks as kill_process does."""
    local = {
        "allow": ["free-memory"],
        "socket": socket,
        "deeds": {"free-memory": deed},
    }
    found = weighed(tmp_path, local)
    assert found.get("free_memory").risk is risk


def test_no_action_of_a_site_makes_a_kill_smaller(tmp_path: Path) -> None:
    """Whatever it declares; and nothing is made smaller that it declares."""
    found = weighed(tmp_path, {"allow": ["kill-process"]})
    assert found.get("mend_it").risk is Risk.DESTRUCTIVE
    assert found.get("free_disk_space").risk is Risk.DESTRUCTIVE
    assert found.get("collect_diagnostics").risk is Risk.OBSERVE


def test_the_worst_of_its_ways_counts(tmp_path: Path) -> None:
    """Which one is taken is known only when it runs."""
    ways = (
        Run(backend="local", job="free-memory"),
        Run(backend="local", job="kill-process"),
    )
    local = {"allow": ["free-memory", "kill-process"]}
    found = weighed(tmp_path, local, free_memory=ways)
    assert found.get("free_memory").risk is Risk.DESTRUCTIVE


def test_where_it_is_not_done_here_it_is_as_declared(tmp_path: Path) -> None:
    """Others are told by those who run them."""
    found = weighed(tmp_path, {"enabled": False})
    assert found.get("free_memory").risk is Risk.DISRUPTIVE
    assert found.get("mend_it").risk is Risk.REVERSIBLE
