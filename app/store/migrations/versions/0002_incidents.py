"""Incidents, what people say about them, and the action log."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
REFUSAL = "the action log is append-only"


def upgrade() -> None:
    """Create the tables of incidents and of the action log."""
    _create_strand()
    _create_episode()
    _create_incident()
    _create_words()
    _create_log()
    if op.get_context().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgres()


def _texts(*names: str) -> list[sa.Column[str]]:
    """Return columns of texts that are always there."""
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _wide(*names: str) -> list[sa.Column[int]]:
    """Return columns of moments and ids that are always there."""
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _counts(*names: str) -> list[sa.Column[int]]:
    """Return columns of counts that are always there."""
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


def _create_strand() -> None:
    """Create the table of strands."""
    op.create_table(
        "strand",
        sa.Column("id", ID, primary_key=True),
        *_texts("fingerprint", "source", "name", "labels"),
        *_texts("target", "target_kind", "target_name", "problem", "memory"),
    )
    op.create_index(
        "strand_name", "strand", ["fingerprint", "source"], unique=True
    )


def _create_episode() -> None:
    """Create the table of episodes."""
    op.create_table(
        "episode",
        sa.Column("id", ID, primary_key=True),
        *_wide("strand_id", "incident_id", "pin", "home"),
        *_texts("because", "source", "fingerprint", "target", "problem"),
        *_texts("name", "severity", "summary"),
        *_wide("begins_at", "until"),
        *_texts("ended"),
        *_wide("first_alert", "last_alert"),
        *_counts("alerts"),
        *_wide("seen_at"),
    )
    op.create_index("episode_target", "episode", ["target", "until"])
    op.create_index("episode_incident", "episode", ["incident_id", "until"])
    op.create_index("episode_problem", "episode", ["problem", "begins_at"])


def _create_incident() -> None:
    """Create the table of incidents."""
    op.create_table(
        "incident",
        sa.Column("id", ID, primary_key=True),
        *_counts("version"),
        *_texts("state", "reason"),
        sa.Column("due_at", sa.BigInteger),
        *_texts("target", "target_kind", "target_name", "problem"),
        *_texts("source", "severity", "title"),
        *_wide("opened_at", "changed_at", "begins_at"),
        sa.Column("ends_at", sa.BigInteger),
        *_counts("episodes", "firing"),
        sa.Column("held_until", sa.BigInteger),
        sa.Column("flapping_until", sa.BigInteger),
        *_wide("merged_into"),
        *_texts("owner", "acknowledged_by"),
        sa.Column("acknowledged_at", sa.BigInteger),
    )
    for name, columns in {
        "incident_state": ["state", "id"],
        "incident_target": ["target", "id"],
        "incident_name": ["target_name", "id"],
        "incident_opened": ["opened_at"],
    }.items():
        op.create_index(name, "incident", columns)
    is_due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "incident_due",
        "incident",
        ["due_at"],
        sqlite_where=is_due,
        postgresql_where=is_due,
    )


def _create_words() -> None:
    """Create the tables of what people say, and of how far we have come."""
    op.create_table(
        "word",
        sa.Column("id", ID, primary_key=True),
        *_wide("incident_id", "at"),
        *_texts("author", "kind", "text"),
        *_wide("alert_id"),
    )
    op.create_index("word_incident", "word", ["incident_id", "id"])
    op.create_table(
        "mute",
        sa.Column("id", ID, primary_key=True),
        *_texts("name", "kind", "matchers"),
        *_wide("starts_at", "ends_at"),
        *_texts("rule", "zone", "except_at", "author", "comment"),
        *_wide("created_at"),
        sa.Column("ended_at", sa.BigInteger),
        *_texts("uid"),
    )
    op.create_table(
        "mark",
        sa.Column("name", sa.Text, primary_key=True),
        *_wide("position"),
    )


def _create_log() -> None:
    """Create the table of the action log."""
    op.create_table(
        "entry",
        sa.Column("id", ID, primary_key=True),
        *_wide("at"),
        *_texts("kind"),
        *_wide("incident_id"),
        *_texts("target", "problem", "severity", "status", "actor"),
        *_texts("action", "summary", "body"),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    for column in ("incident_id", "target", "status", "kind"):
        name = f"entry_{column.removesuffix('_id')}"
        op.create_index(name, "entry", [column, "id"])
    op.create_index("entry_at", "entry", ["at"])
    op.create_table(
        "cut",
        sa.Column("id", ID, primary_key=True),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        *_wide("at"),
    )


def _guard_sqlite() -> None:
    """Let SQLite refuse to change what is written, and to leave gaps."""
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    last = "(SELECT coalesce(max(id), 0) FROM entry)"
    cut = "(SELECT coalesce(max(id), 0) FROM cut)"
    for name, when in {
        "entry_kept BEFORE UPDATE ON entry": "",
        "entry_stays BEFORE DELETE ON entry": f"WHEN OLD.id > {cut}",
        "entry_follows BEFORE INSERT ON entry": (
            f"WHEN NEW.id IS NULL OR NEW.id <> max({last}, {cut}) + 1"
        ),
        "cut_kept BEFORE UPDATE ON cut": "",
        "cut_stays BEFORE DELETE ON cut": "",
        "cut_follows BEFORE INSERT ON cut": f"WHEN NEW.id <= {cut}",
    }.items():
        op.execute(f"CREATE TRIGGER {name} {when} {refuse}")


def _guard_postgres() -> None:
    """Let PostgreSQL refuse the same, and TRUNCATE."""
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger"
        " LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE FUNCTION guard_entry() RETURNS trigger"  # noqa: S608
        " LANGUAGE plpgsql AS $$"
        " DECLARE cut_id bigint; last_id bigint; BEGIN"
        " SELECT coalesce(max(id), 0) INTO cut_id FROM cut;"
        " IF TG_OP = 'DELETE' THEN"
        f" IF OLD.id > cut_id THEN RAISE EXCEPTION '{REFUSAL}'; END IF;"
        " RETURN OLD; END IF;"
        " SELECT coalesce(max(id), 0) INTO last_id FROM entry;"
        " IF NEW.id <> greatest(last_id, cut_id) + 1 THEN"
        f" RAISE EXCEPTION '{REFUSAL}'; END IF;"
        " RETURN NEW; END $$"
    )
    for name, when in {
        "entry_kept": "BEFORE UPDATE ON entry FOR EACH ROW",
        "entry_whole": "BEFORE TRUNCATE ON entry FOR EACH STATEMENT",
        "cut_kept": "BEFORE UPDATE OR DELETE ON cut FOR EACH ROW",
        "cut_whole": "BEFORE TRUNCATE ON cut FOR EACH STATEMENT",
    }.items():
        op.execute(
            f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER entry_follows BEFORE INSERT OR DELETE ON entry"
        " FOR EACH ROW EXECUTE FUNCTION guard_entry()"
    )
