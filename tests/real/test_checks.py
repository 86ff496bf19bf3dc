"""Checks that ask a real Prometheus."""

from pathlib import Path

import pytest

from app.core.errors import OutgoingFailed
from app.models.verdict import Judgement, Reading
from tests.real.prometheus import Prometheus
from tests.real.waiting import wait_for
from tests.unit.verify.making import away, make_check, measure

pytestmark = pytest.mark.real

NAME = 'Disk "full" \\d'
QUERY = "lab_used_percent{alert={alert}, instance=~{host~}}"
ELSEWHERE = "lab_used_percent{alert={alert}, instance={host}}"


def ask(real: Prometheus, query: str) -> Reading:
    """Return what a query gives."""
    check = make_check("promql", {"url": real.url})
    subject = away(
        host="web-1",
        arguments={"alert": NAME},
        options={"query": query, "limit": 90},
    )
    return measure(check, subject)


def test_a_real_prometheus_is_asked(tmp_path: Path) -> None:
    """A quoted name finds its series; a broken query has no value."""
    check = make_check("promql", {"url": "http://127.0.0.1:1"})
    with Prometheus(tmp_path / "prometheus", [], {"Unused": "info"}) as real:
        real.fire(NAME, "web-1:9100")
        real.fire(NAME, "web-10:9100")

        def look(wanted: Judgement) -> Reading | None:
            """Return a reading that means something, once there is one."""
            found = ask(real, QUERY)
            return found if check.judge(None, found) is wanted else None

        before = wait_for("a value", lambda: look(Judgement.BAD))
        assert before is not None
        assert before.says == "the query gives 93.5"
        real.end(NAME, "web-1:9100")
        after = wait_for("a good value", lambda: look(Judgement.GOOD))
        assert after is not None
        assert (after.value, after.limit) == (12.5, 90)
        nothing = ask(real, ELSEWHERE)
        assert nothing.says == "the query gives no series"
        with pytest.raises(OutgoingFailed, match="status 400"):
            ask(real, "up{")
