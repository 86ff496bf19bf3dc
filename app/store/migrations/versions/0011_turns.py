"""What began or ended last is found in a log of any length."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the lines at which incidents and missions begin or end."""
    is_turn = sa.text(
        "kind IN ('incident.opened', 'incident.reopened',"
        " 'incident.released', 'incident.resolved', 'incident.escalated',"
        " 'mission.closed')"
    )
    op.create_index(
        "entry_turn",
        "entry",
        ["incident_id", "id"],
        sqlite_where=is_turn,
        postgresql_where=is_turn,
    )
