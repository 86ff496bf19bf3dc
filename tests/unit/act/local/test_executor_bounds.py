"""The executor: what it refuses, and what it gives up."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.act.local import executor as local_executor
from app.act.local.executor import HANGS
from app.core.errors import NotAccepted
from app.models.job import JobState
from tests.unit.act.backends.making import order
from tests.unit.act.local.stands import wait_for
from tests.unit.act.local.test_executor import (
    KEY,
    end_of,
    make,
    trick,
    waiting,
)


@pytest.mark.parametrize("host", ["web-02", "", "localhost"])
def test_another_host_is_refused(tmp_path: Path, host: str) -> None:
    """Whoever sends an order may be wrong about who we are."""
    executor = make(tmp_path, later=trick(tmp_path))
    arguments = {"host": host, "service": "nginx"}
    with pytest.raises(NotAccepted, match=r"host\.names") as refusal:
        executor.start(order("later", arguments=arguments))
    assert not refusal.value.may_retry
    assert executor.find(order("later")) is None


def test_what_hangs_gives_its_place_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends as unknown; when it comes back at last, that stays so."""
    monkeypatch.setattr(local_executor, "LATE_SECONDS", 0.0)
    monkeypatch.setattr(local_executor, "MOST_LOST", 2)
    with waiting() as (deed, go_on):
        executor = make(tmp_path, most=1, later=deed)
        for key in (KEY, "sj-2"):
            executor.start(order("later", key, seconds=1))
            with capture_logs() as lines:
                said = end_of(executor, key)
            assert (said.state, said.reason) == (JobState.UNKNOWN, HANGS)
            assert said.output == "waits\n"
            assert [line["event"] for line in lines] == ["deed.hangs"]
        with pytest.raises(NotAccepted, match="2 earlier jobs hang") as no:
            executor.start(order("later", "sj-3"))
        assert no.value.may_retry
        assert make(tmp_path).watch(order("later")).reason == HANGS
        go_on.set()
        wait_for(lambda: not executor._lost)
        assert executor.watch(order("later")).state is JobState.UNKNOWN
        executor.start(order("later", "sj-3"))
        assert end_of(executor, "sj-3").state is JobState.SUCCEEDED


def test_no_more_than_allowed_at_once(tmp_path: Path) -> None:
    """One more is refused for now, and taken when there is room."""
    with waiting() as (deed, go_on):
        executor = make(tmp_path, most=1, later=deed)
        executor.start(order("later"))
        with pytest.raises(NotAccepted, match="at once") as refusal:
            executor.start(order("later", "sj-2"))
        assert refusal.value.may_retry
        assert executor.find(order("later", "sj-2")) is None
        go_on.set()
        end_of(executor)
        executor.start(order("later", "sj-2"))
        assert end_of(executor, "sj-2").state is JobState.SUCCEEDED
