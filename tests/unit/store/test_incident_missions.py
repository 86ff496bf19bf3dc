"""A page of incidents has their missions, whatever its size."""

from sqlalchemy import event

from app.store.ledger import Ledger
from app.store.listings import INCIDENTS
from app.store.location import Location
from app.store.missions import add_mission
from app.store.reading import Reader, Wish, open_engine
from tests.unit.store.missions import add_incident, make_mission


def fill(location: Location) -> None:
    """Write five incidents; 1 has two missions, 2 and 3 have one."""
    ledger = Ledger(location, 2.0)
    with ledger.turn() as connection:
        for number in range(1, 6):
            add_incident(connection, number)
        over = make_mission(1, stage="closed", end="fixed", due_at=None)
        add_mission(connection, over)
        for number in (1, 2, 3):
            add_mission(connection, make_mission(number))
    ledger.close()


def test_the_last_mission_is_shown(location: Location) -> None:
    """None where there was none; the dossier says the same."""
    fill(location)
    reader = Reader(open_engine(location, 2.0))
    rows = reader.page(INCIDENTS, Wish()).rows
    found = {row.id: row.mission and row.mission.id for row in rows}
    assert found == {1: 2, 2: 3, 3: 4, 4: None, 5: None}
    whole = reader.find_incident(1, 0)
    assert whole is not None
    assert whole.mission is not None
    assert whole.mission.id == 2
    bare = reader.find_incident(5, 0)
    assert bare is not None
    assert bare.mission is None
    reader.close()


def test_they_are_read_at_once(location: Location) -> None:
    """A page of five asks as often as a page of one."""
    fill(location)
    engine = open_engine(location, 2.0)
    asked: list[str] = []

    def note(*call: object) -> None:
        """Note a statement."""
        asked.append(str(call[2]))

    event.listen(engine, "before_cursor_execute", note)
    reader = Reader(engine)
    counts = []
    for limit in (1, 5):
        asked.clear()
        assert len(reader.page(INCIDENTS, Wish(limit=limit)).rows) == limit
        counts.append(sum("mission" in one for one in asked))
    reader.close()
    assert counts == [1, 1]
