"""What people say about an incident; no event ever takes it away."""

from app.fold.weaving import Woven
from app.models.entry import Note
from app.models.incident import Incident
from app.store.ledger import Connection


def take_updates(
    connection: Connection,
    woven: Woven,
    after: dict[int, Incident],
    notes: list[Note],
) -> None:
    """Keep what people said in the monitoring system."""
    del connection, woven, after, notes
