"""What people are told, and each way that it goes."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
IS_DUE = "due_at IS NOT NULL"
# What a database has in its log already is old: nobody is told of it now,
# and nobody looks at it.
BEGIN = """
INSERT INTO mark (name, position)
SELECT names.name, ends.id FROM (
  SELECT 'told' AS name UNION ALL SELECT 'evidence'
) AS names, (
  SELECT max(each.id) AS id FROM (
    SELECT max(id) AS id FROM entry UNION ALL SELECT max(id) FROM cut
  ) AS each
) AS ends
WHERE ends.id IS NOT NULL
"""


def upgrade() -> None:
    """Create the tables of messages and of their dispatches."""
    op.create_table(
        "message",
        sa.Column("id", ID, primary_key=True),
        *_wide("entry_id", "at"),
        *_texts("kind"),
        *_wide("incident_id", "mission_id"),
        *_texts("severity", "labels", "facts"),
    )
    _index("message", "entry", "entry_id", "kind", unique=True)
    _index("message", "incident", "incident_id", "id")
    _index("message", "kind", "kind", "id")
    _create_dispatches()
    op.execute(BEGIN)


def _create_dispatches() -> None:
    """Create the table of dispatches."""
    op.create_table(
        "dispatch",
        sa.Column("id", ID, primary_key=True),
        *_wide("message_id", "incident_id"),
        *_texts("kind", "channel"),
        sa.Column("level", sa.Integer, nullable=False),
        *_texts("state", "reason"),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        *_wide("created_at"),
        sa.Column("ended_at", sa.BigInteger),
        *_texts("reference", "holder"),
        *_wide("lease_until", "fence"),
    )
    due = ("channel", "state", "due_at", "id")
    _index("dispatch", "due", *due, where=IS_DUE)
    order = ("incident_id", "channel", "id")
    _index("dispatch", "order", *order, where=IS_DUE)
    _index("dispatch", "message", "message_id")
    _index("dispatch", "state", "state", "id")
    _index("dispatch", "incident", "incident_id", "id")
    _index("dispatch", "channel", "channel", "ended_at")


def _index(
    table: str,
    name: str,
    *columns: str,
    where: str = "",
    unique: bool = False,
) -> None:
    """Create an index, of all rows or of those for which something holds."""
    only = sa.text(where) if where else None
    op.create_index(
        f"{table}_{name}",
        table,
        list(columns),
        unique=unique,
        sqlite_where=only,
        postgresql_where=only,
    )


def _texts(*names: str) -> list[sa.Column[str]]:
    """Return columns of texts that are always there."""
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _wide(*names: str) -> list[sa.Column[int]]:
    """Return columns of moments and ids that are always there."""
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]
