"""The inbox: deliveries, their alerts, and the probe of readiness."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables of the inbox."""
    _create_delivery()
    _create_alert()
    op.create_table(
        "probe",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("written_at", sa.BigInteger, nullable=False),
    )


def _create_delivery() -> None:
    """Create the table of deliveries."""
    op.create_table(
        "delivery",
        sa.Column("id", ID, primary_key=True),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("peer", sa.Text, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("accepted", sa.Integer, nullable=False),
        sa.Column("repeated", sa.Integer, nullable=False),
        sa.Column("rejected", sa.Integer, nullable=False),
        sa.Column("unparsed", sa.Integer, nullable=False),
        sa.Column("truncated", sa.Integer, nullable=False),
        sa.Column("alerts", sa.Text, nullable=False),
        sa.Column("repeats", sa.Integer, nullable=False),
        sa.Column("last_seen_at", sa.BigInteger, nullable=False),
    )
    unparsed = sa.text("outcome = 'unparsed'")
    op.create_index(
        "delivery_unparsed",
        "delivery",
        ["id"],
        sqlite_where=unparsed,
        postgresql_where=unparsed,
    )
    silent = sa.text("accepted = 0")
    op.create_index(
        "delivery_silent",
        "delivery",
        ["key"],
        unique=True,
        sqlite_where=silent,
        postgresql_where=silent,
    )


def _create_alert() -> None:
    """Create the table of alerts."""
    op.create_table(
        "alert",
        sa.Column("id", ID, primary_key=True),
        sa.Column("identity", sa.LargeBinary, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("occurrence", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("delivery_id", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("annotations", sa.Text, nullable=False),
        sa.Column("starts_at", sa.BigInteger),
        sa.Column("ends_at", sa.BigInteger),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("repeats", sa.Integer, nullable=False),
        sa.Column("last_seen_at", sa.BigInteger, nullable=False),
    )
    op.create_index("alert_identity", "alert", ["identity"], unique=True)
