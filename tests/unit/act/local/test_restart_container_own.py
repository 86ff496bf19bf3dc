"""The container that we run in is known, and left alone."""

from pathlib import Path

import pytest

from app.act.local.hand import Unwilling
from app.act.local.restart import containers
from tests.unit.act.local.engine import ID, Engine, container
from tests.unit.act.local.test_restart_container import _hasty, hand, restart
from tests.unit.act.local.wards import Palm

__all__ = ["_hasty", "hand"]
OTHER = "b" * 64
LENT = "/var/lib/docker/containers"
PODS = "/var/lib/containers/storage/overlay-containers"


@pytest.mark.parametrize(
    ("cgroup", "mounts", "is_ours"),
    [
        (f"0::/docker/{ID}", "", True),
        (f"0::/system.slice/docker-{ID}.scope", "", True),
        (f"4:memory:/docker/{ID}\n0::/", "", True),
        (f"0::/machine.slice/libpod-{ID}.scope/container", "", True),
        ("0::/", f"9 8 0:1 {LENT}/{ID}/hostname /etc/hostname rw", True),
        ("0::/", f"9 8 0:1 {PODS}/{ID}/userdata/hosts /etc/hosts rw", True),
        (f"0::/docker/{OTHER}", "", False),
        ("0::/user.slice", f"9 8 0:1 / {LENT}/{ID}/mounts/shm rw", False),
        (f"0::/x{ID}{ID}", "9 8", False),
    ],
)
def test_we_know_the_container_that_we_run_in(
    tmp_path: Path,
    hand: Palm,
    monkeypatch: pytest.MonkeyPatch,
    cgroup: str,
    mounts: str,
    *,
    is_ours: bool,
) -> None:
    """Whatever its host's name is, by what the system says of us."""
    (tmp_path / "cgroup").write_text(f"{cgroup}\n")
    (tmp_path / "mountinfo").write_text(f"1 0 0:1 / / rw\n{mounts}\n")
    monkeypatch.setattr(containers, "PROC", tmp_path)
    with Engine(tmp_path, container()) as engine:
        if not is_ours:
            assert restart(engine, hand).reason
            return
        with pytest.raises(Unwilling, match="is where we run ourselves"):
            restart(engine, hand)
        assert engine.asked == []


def test_where_the_system_says_nothing_of_us_we_are_in_no_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere than on Linux."""
    monkeypatch.setattr(containers, "PROC", tmp_path / "none")
    assert containers.own_ids() == set()
