"""What did not help on a target is found however much was decided since."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the decisions that did not help."""
    did_not_help = sa.text("verdict = 'not_fixed'")
    op.create_index(
        "decision_failed",
        "decision",
        ["target", "at"],
        sqlite_where=did_not_help,
        postgresql_where=did_not_help,
    )
