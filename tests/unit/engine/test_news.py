"""News of the log comes in pages, and none of them is forgotten."""

import pytest

from app.store import casefile
from tests.unit.engine.test_missions import Hall, hall

__all__ = ["hall"]


def test_news_behind_a_full_page_is_not_forgotten(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked at though nobody has written since."""
    monkeypatch.setattr(casefile, "MOST_NEWS", 2)
    monkeypatch.setattr(casefile, "FRESH", casefile.FRESH.limit(2))
    chore = hall.chore()
    hall.decide(hall.fire("web-01"), "mend")
    for _ in range(20):
        hall.round(chore)
    mission = hall.mission().id
    for host in ("web-02", "web-03", "web-04"):
        hall.fire(host)
    hall.end("web-01")
    for _ in range(20):
        hall.round(chore)
    assert hall.stage(mission) == "closed"
