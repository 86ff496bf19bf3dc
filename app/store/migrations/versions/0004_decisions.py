"""What was decided about incidents, and what is set at run time."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables of decisions and of the reins."""
    op.create_table(
        "decision",
        sa.Column("id", ID, primary_key=True),
        *_wide("incident_id", "at"),
        *_texts("target", "problem", "problems", "severity"),
        *_wide("seq"),
        *_texts("action", "arguments", "reason"),
        sa.Column("confidence", sa.Double),
        *_counts("asks"),
        *_texts("why", "brain", "casefile", "case_digest", "menu_digest"),
        *_texts("catalogue_digest", "settings_digest", "record"),
        *_counts("is_shadow"),
        *_wide("beside"),
        sa.Column("agrees", sa.Integer),
        *_wide("tokens"),
        *_counts("calls"),
        sa.Column("milliseconds", sa.Double, nullable=False),
        *_texts("verdict", "note"),
    )
    for name, columns in {
        "decision_incident": ["incident_id", "id"],
        "decision_target": ["target", "id"],
        "decision_problem": ["problem", "action"],
        "decision_at": ["at"],
    }.items():
        op.create_index(name, "decision", columns)
    op.create_table(
        "rein",
        sa.Column("id", sa.Integer, primary_key=True),
        *_counts("version"),
        *_texts("body"),
        *_wide("changed_at"),
        *_texts("changed_by"),
    )


def _texts(*names: str) -> list[sa.Column[str]]:
    """Return columns of texts that are always there."""
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _wide(*names: str) -> list[sa.Column[int]]:
    """Return columns of moments, ids and sums that are always there."""
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _counts(*names: str) -> list[sa.Column[int]]:
    """Return columns of counts that are always there."""
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]
