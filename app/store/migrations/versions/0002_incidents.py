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
    _create_mutes()
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
    goes_on = sa.text(f"until = {2**63 - 1}")
    op.create_index(
        "episode_silent",
        "episode",
        ["source", "seen_at"],
        sqlite_where=goes_on,
        postgresql_where=goes_on,
    )
    is_stale = sa.text("ended = 'stale'")
    op.create_index(
        "episode_stale",
        "episode",
        ["id"],
        sqlite_where=is_stale,
        postgresql_where=is_stale,
    )


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
    is_merged = sa.text("merged_into <> 0")
    op.create_index(
        "incident_merged",
        "incident",
        ["merged_into"],
        sqlite_where=is_merged,
        postgresql_where=is_merged,
    )


def _create_words() -> None:
    """Create the table of what people say."""
    op.create_table(
        "word",
        sa.Column("id", ID, primary_key=True),
        *_wide("incident_id", "at"),
        *_texts("author", "kind", "text"),
        *_wide("alert_id"),
        *_texts("details"),
        *_counts("version"),
        *_texts("key"),
    )
    op.create_index("word_incident", "word", ["incident_id", "id"])
    has_key = sa.text("key <> ''")
    op.create_index(
        "word_key",
        "word",
        ["incident_id", "key"],
        unique=True,
        sqlite_where=has_key,
        postgresql_where=has_key,
    )


def _create_mutes() -> None:
    """Create the table of mutes, and of how far we have come."""
    op.create_table(
        "mute",
        sa.Column("id", ID, primary_key=True),
        *_texts("kind", "matchers"),
        *_wide("starts_at", "ends_at"),
        *_texts("rule", "zone", "except_at", "also_at", "author", "comment"),
        *_wide("created_at"),
        sa.Column("ended_at", sa.BigInteger),
        *_texts("uid"),
        *_wide("instance"),
        sa.Column("active_from", sa.BigInteger),
        sa.Column("active_until", sa.BigInteger),
        sa.Column("is_on", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger),
    )
    is_due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "mute_due",
        "mute",
        ["due_at"],
        sqlite_where=is_due,
        postgresql_where=is_due,
    )
    op.create_index("mute_uid", "mute", ["uid"])
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
    # A restored backup has its cuts before its entries.
    loose = (
        "(EXISTS (SELECT 1 FROM entry) AND NOT EXISTS (SELECT 1 FROM entry"
        " WHERE id = NEW.id AND hash = NEW.hash))"
    )
    for name, when in {
        "entry_kept BEFORE UPDATE ON entry": "",
        "entry_stays BEFORE DELETE ON entry": f"WHEN OLD.id > {cut}",
        "entry_follows BEFORE INSERT ON entry": (
            f"WHEN NEW.id IS NULL OR NEW.id <> max({last}, {cut}) + 1"
        ),
        "cut_kept BEFORE UPDATE ON cut": "",
        "cut_stays BEFORE DELETE ON cut": "",
        "cut_follows BEFORE INSERT ON cut": (
            f"WHEN NEW.id IS NULL OR NEW.id <= {cut} OR {loose}"
        ),
    }.items():
        op.execute(f"CREATE TRIGGER {name} {when} {refuse}")


def _guard_postgres() -> None:
    """Let PostgreSQL refuse the same, and TRUNCATE.

    A session's own search_path, or its temporary tables, must not decide
    which tables are asked.
    """
    own = sa.text("SELECT quote_ident(current_schema())")
    schema = op.get_bind().execute(own).scalar_one()
    language = (
        " RETURNS trigger LANGUAGE plpgsql"
        f" SET search_path = pg_catalog, {schema}, pg_temp"
    )
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger"
        " LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        f"CREATE FUNCTION guard_entry() {language} AS $$"  # noqa: S608
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
    _guard_postgres_cuts(language)


def _guard_postgres_cuts(language: str) -> None:
    """Let PostgreSQL take a cut only at an entry that is there."""
    op.execute(
        f"CREATE FUNCTION guard_cut() {language} AS $$ BEGIN"  # noqa: S608
        " IF NEW.id <= (SELECT coalesce(max(id), 0) FROM cut)"
        " OR (EXISTS (SELECT 1 FROM entry) AND NOT EXISTS (SELECT 1"
        " FROM entry WHERE id = NEW.id AND hash = NEW.hash))"
        f" THEN RAISE EXCEPTION '{REFUSAL}'; END IF;"
        " RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER cut_follows BEFORE INSERT ON cut"
        " FOR EACH ROW EXECUTE FUNCTION guard_cut()"
    )
