"""What was only observed is found however much was ruled on since."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the rulings after which only the log said what would be done."""
    was_observed = sa.text("outcome = 'observe'")
    op.create_index(
        "ruling_observed",
        "ruling",
        ["at"],
        sqlite_where=was_observed,
        postgresql_where=was_observed,
    )
