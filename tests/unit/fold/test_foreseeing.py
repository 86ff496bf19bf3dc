"""What a mute would keep is known before it is made."""

from collections.abc import Iterator

import pytest

from app.core.errors import Refused
from app.fold import foreseeing
from app.fold.foreseeing import Foreseen, check_matchers, foresee
from app.models.matcher import read_matchers
from app.store.location import Location
from tests.unit.fold.stage import Stage, host
from tests.unit.fold.turns import Said


@pytest.fixture
def stage(location: Location) -> Iterator[Stage]:
    """Return folding on a database without mutes."""
    made = Stage(location)
    yield made
    made.ledger.close()


def look(stage: Stage, matchers: str, *teams: str) -> Foreseen:
    """Return what some matchers would mute now, as some teams see it."""
    with stage.ledger.turn() as connection:
        return foresee(connection, read_matchers(matchers), teams)


def of_team(name: str, team: str, problem: str = "DiskFull") -> Said:
    """Return an alert about a host that names a team."""
    labels = {"alertname": problem, "instance": name, "team": team}
    return host(name, problem, labels=labels)


def names(seen: Foreseen) -> tuple[list[str], list[str]]:
    """Return the targets that would be silent, and those in part."""
    return (
        [one.target_name for one in seen.incidents],
        [one.target_name for one in seen.partly],
    )


def test_nothing_is_open_and_nothing_is_foreseen(stage: Stage) -> None:
    """An empty database has no incidents."""
    seen = look(stage, 'target="web-01"')
    assert names(seen) == ([], [])
    assert (seen.looked_at, seen.is_cut) == (0, False)


def test_what_is_foreseen_is_what_comes_true(stage: Stage) -> None:
    """The mute that is made then keeps just these."""
    stage.told(host("web-01"), host("web-02"), host("db-01"))
    seen = look(stage, 'target=~"web-.*"')
    assert names(seen) == (["web-01", "web-02"], [])
    assert seen.looked_at == 3
    assert stage.kinds() == ["incident.opened"] * 3
    stage.mute('target=~"web-.*"', 0, 60)
    stage.settle()
    kept = {one.target for one in stage.entries("incident.suppressed")}
    assert kept == {"web-01", "web-02"}


def test_an_incident_of_which_a_part_fits_would_stay(stage: Stage) -> None:
    """It is named apart: one of its alerts fires on."""
    stage.told(host("web-01"), host("web-01", "LoadHigh"))
    found = names(look(stage, 'alertname="DiskFull"'))
    assert found == ([], ["web-01"])
    assert names(look(stage, 'target="web-01"')) == (["web-01"], [])


def test_what_is_silent_already_is_not_counted(stage: Stage) -> None:
    """Another mute keeps it; a second one changes nothing."""
    stage.mute('target="web-01"', 0, 60)
    stage.told(host("web-01"), host("web-02"))
    assert names(look(stage, 'target=~"web-.*"')) == (["web-02"], [])


def test_what_is_over_is_not_looked_at(stage: Stage) -> None:
    """Only living incidents can be muted."""
    stage.told(host("web-01"), host("web-02"))
    stage.told(host("web-01", ends=1, status="resolved"))
    stage.wait(60)
    seen = look(stage, 'target=~"web-.*"')
    assert names(seen)[0] == ["web-02"]


def test_only_so_many_are_looked_at(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not looked at is said."""
    monkeypatch.setattr(foreseeing, "BATCH", 1)
    monkeypatch.setattr(foreseeing, "MOST", 2)
    stage.told(*(host(f"web-{number}") for number in range(3)))
    seen = look(stage, 'target=~"web-.*"')
    assert (len(seen.incidents), seen.looked_at, seen.is_cut) == (2, 2, True)


def test_who_sees_one_team_is_told_of_its_incidents_only(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither named nor counted: what an alert of theirs joined elsewhere.

    Those of others take no place among the first that are looked at.
    """
    monkeypatch.setattr(foreseeing, "BATCH", 1)
    monkeypatch.setattr(foreseeing, "MOST", 2)
    stage.told(
        of_team("web-01", "web"),
        of_team("web-01", "storage", "LoadHigh"),
        host("web-02"),
        of_team("db-01", "storage"),
    )
    seen = look(stage, 'team="storage"', "storage")
    assert names(seen) == (["db-01"], [])
    assert (seen.looked_at, seen.is_cut) == (1, False)
    whole = look(stage, 'team="storage"', "storage", "web")
    assert names(whole) == (["db-01"], ["web-01"])


@pytest.mark.parametrize("matchers", ['target=~".*"', 'severity!=""'])
def test_what_no_mute_may_say_is_refused(matchers: str) -> None:
    """As when one is made: it would mute everything."""
    with pytest.raises(Refused) as caught:
        check_matchers(read_matchers(matchers))
    assert (caught.value.status, caught.value.field) == (422, "matchers")
    check_matchers(read_matchers('target="web-01"'))
