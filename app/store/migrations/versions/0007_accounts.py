"""Who may come in, and to whose team an incident belongs."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
HAS_SUBJECT = sa.text("subject != ''")


def upgrade() -> None:
    """Create the tables of accounts; add the team to incidents."""
    _create_accounts()
    _create_sessions()
    _create_tokens()
    _create_invitations()
    op.create_table(
        "attempt",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        *_wide("until"),
    )
    # An incident of before belongs to no team: who sees all sees it.
    team = sa.Column("team", sa.Text, nullable=False, server_default="")
    op.add_column("incident", team)
    op.create_index("incident_team", "incident", ["team", "id"])


def _create_accounts() -> None:
    """Create the table of accounts."""
    op.create_table(
        "account",
        sa.Column("id", ID, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        *_texts("name", "nature", "role", "teams", "secret", "subject"),
        sa.Column("is_disabled", sa.Boolean, nullable=False),
        *_wide("created_at"),
        *_texts("created_by"),
    )
    op.create_index("account_name", "account", ["name"], unique=True)
    op.create_index(
        "account_subject",
        "account",
        ["subject"],
        unique=True,
        sqlite_where=HAS_SUBJECT,
        postgresql_where=HAS_SUBJECT,
    )


def _create_sessions() -> None:
    """Create the table of sessions."""
    op.create_table(
        "session",
        sa.Column("id", ID, primary_key=True),
        *_texts("digest"),
        *_wide("account_id"),
        *_texts("way", "agent"),
        *_wide("created_at", "seen_at", "expires_at"),
    )
    op.create_index("session_digest", "session", ["digest"], unique=True)
    op.create_index("session_account", "session", ["account_id"])
    op.create_index("session_end", "session", ["expires_at"])


def _create_tokens() -> None:
    """Create the table of tokens."""
    op.create_table(
        "token",
        sa.Column("id", ID, primary_key=True),
        *_texts("digest"),
        *_wide("account_id"),
        *_texts("label", "role", "teams", "sources"),
        *_wide("created_at"),
        *_texts("created_by"),
        *_moments("expires_at", "used_at", "revoked_at"),
    )
    op.create_index("token_digest", "token", ["digest"], unique=True)
    op.create_index("token_account", "token", ["account_id"])


def _create_invitations() -> None:
    """Create the table of invitations."""
    op.create_table(
        "invitation",
        sa.Column("id", ID, primary_key=True),
        *_texts("digest"),
        *_wide("account_id", "created_at"),
        *_moments("expires_at", "used_at"),
    )
    digest = ["digest"]
    op.create_index("invitation_digest", "invitation", digest, unique=True)


def _texts(*names: str) -> list[sa.Column[str]]:
    """Return columns of texts that are always there."""
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _wide(*names: str) -> list[sa.Column[int]]:
    """Return columns of moments and ids that are always there."""
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _moments(*names: str) -> list[sa.Column[int]]:
    """Return columns of moments that may not be there."""
    return [sa.Column(name, sa.BigInteger) for name in names]
