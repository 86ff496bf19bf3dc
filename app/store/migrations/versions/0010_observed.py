"""What was observed, and what came of a problem, is found in any crowd."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index what was only observed, and the decisions that were judged."""
    was_observed = sa.text("outcome = 'observe'")
    op.create_index(
        "ruling_observed",
        "ruling",
        ["at"],
        sqlite_where=was_observed,
        postgresql_where=was_observed,
    )
    is_judged = sa.text("verdict <> ''")
    op.create_index(
        "decision_judged",
        "decision",
        ["problem", "id"],
        sqlite_where=is_judged,
        postgresql_where=is_judged,
    )
    op.drop_index("decision_problem", "decision")
