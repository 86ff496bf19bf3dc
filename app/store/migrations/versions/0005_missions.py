"""What is done about incidents: missions, jobs, approvals and rulings."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
LIVE_JOB = "state IN ('planned', 'claimed', 'started')"


def upgrade() -> None:
    """Create the tables of missions and of all that belongs to them."""
    _create_missions()
    _create_jobs()
    _create_approvals()
    _create_rulings()
    op.create_table(
        "halt",
        sa.Column("id", sa.Integer, primary_key=True),
        *_counts("version", "is_halted"),
        *_texts("reason", "by"),
        *_wide("at"),
    )


def _create_missions() -> None:
    """Create the table of missions."""
    op.create_table(
        "mission",
        sa.Column("id", ID, primary_key=True),
        *_wide("incident_id"),
        *_texts("target"),
        *_counts("version"),
        *_texts("stage", "end", "reason"),
        *_counts("round"),
        *_wide("decision_id", "approval_id", "job_id", "undoes"),
        *_moments("due_at"),
        *_wide("deadline_at"),
        *_texts("holder"),
        *_wide("lease_until", "fence", "opened_at", "changed_at"),
    )
    _index("mission", "due", "due_at", where="due_at IS NOT NULL")
    _index("mission", "lent", "lease_until", where="lease_until > 0")
    goes_on = "stage NOT IN ('escalated', 'closed')"
    _index("mission", "one", "incident_id", where=goes_on, unique=True)
    _index("mission", "incident", "incident_id", "id")
    _index("mission", "stage", "stage", "id")


def _create_jobs() -> None:
    """Create the tables of jobs and of what they wrote."""
    op.create_table(
        "job",
        sa.Column("id", ID, primary_key=True),
        *_wide("incident_id", "mission_id", "decision_id"),
        *_texts("action", "arguments", "target", "environment", "team"),
        *_texts("risk", "backend", "name", "key"),
        *_counts("is_idempotent"),
        *_texts("proposer"),
        *_wide("approval_id"),
        *_texts("state", "reference", "reason"),
        *_wide("fence", "planned_at"),
        *_moments("started_at", "until", "ended_at"),
        *_wide("output_bytes"),
        *_texts("cursor"),
        *_counts("is_cut"),
        *_texts("before", "after", "verdict", "abort", "told"),
    )
    held = f"{LIVE_JOB} AND target <> ''"
    _index("job", "one", "target", where=held, unique=True)
    _index("job", "key", "key", unique=True)
    _index("job", "decision", "decision_id", unique=True)
    _index("job", "planned", "planned_at")
    _index("job", "started", "started_at")
    _index("job", "target", "target", "planned_at")
    _index("job", "incident", "incident_id", "id")
    _index("job", "mission", "mission_id")
    _index("job", "state", "state", "id")
    op.create_table(
        "output",
        *_wide("job_id", "position"),
        *_texts("text"),
        sa.PrimaryKeyConstraint("job_id", "position"),
    )


def _create_approvals() -> None:
    """Create the tables of questions and of their answers."""
    op.create_table(
        "approval",
        sa.Column("id", ID, primary_key=True),
        *_wide("incident_id", "mission_id", "decision_id"),
        *_texts("action", "arguments", "target", "environment", "team"),
        *_texts("policy", "rule", "reason", "mode", "whom"),
        *_counts("people"),
        *_texts("proposer", "state", "says"),
        *_wide("asked_at", "expires_at"),
        *_moments("ended_at"),
        *_counts("version"),
    )
    _index("approval", "state", "state", "id")
    _index("approval", "incident", "incident_id", "id")
    _index("approval", "decision", "decision_id")
    _index("approval", "asked", "asked_at")
    op.create_table(
        "vote",
        *_wide("approval_id"),
        *_texts("person", "answer", "comment"),
        *_wide("at"),
        sa.PrimaryKeyConstraint("approval_id", "person", "answer"),
    )


def _create_rulings() -> None:
    """Create the table of rulings."""
    op.create_table(
        "ruling",
        sa.Column("id", ID, primary_key=True),
        *_wide("incident_id", "mission_id", "decision_id", "at"),
        *_texts("action", "target", "environment", "outcome", "rule"),
        *_texts("reason", "policy", "mode", "body"),
    )
    _index("ruling", "at", "at")
    _index("ruling", "incident", "incident_id", "id")


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
    """Return columns of moments, ids and sums that are always there."""
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _moments(*names: str) -> list[sa.Column[int]]:
    """Return columns of moments that may never come."""
    return [sa.Column(name, sa.BigInteger) for name in names]


def _counts(*names: str) -> list[sa.Column[int]]:
    """Return columns of counts that are always there."""
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]
