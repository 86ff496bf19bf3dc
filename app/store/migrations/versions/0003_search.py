"""What the lists are searched by: words, and the time of stretches of ids.

SQLite indexes words with FTS5, and a view says what they are: the same text
that went in is needed to take them out again. PostgreSQL keeps a tsvector
beside each row, made by app/store/indexing.py. Both forget with the row.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LISTS = ("entry", "incident", "alert", "delivery")
# The beginning of every mark: a letter of Unicode's private use.
MARK = "char(57344)"
# See app/store/words.py: rows are found by these columns, too.
ENTRY_MARKS = {
    "t": "hex({0}.target)",
    "p": "hex({0}.problem)",
    "v": "hex({0}.severity)",
    "s": "hex({0}.status)",
    "k": "hex({0}.kind)",
    "a": "hex({0}.actor)",
    "c": "hex({0}.action)",
    "i": "{0}.incident_id",
}
ALERT_MARKS = {
    "o": "hex({0}.source)",
    "s": "hex({0}.status)",
    "v": "hex({0}.severity)",
    "n": "hex({0}.name)",
    "f": "hex({0}.fingerprint)",
}
LABELS = (
    "coalesce((SELECT group_concat(key || ' ' || value, ' ')"
    " FROM json_each({0}.labels)), '')"
)
ALERT_WORDS = ("{0}.name", "{0}.summary", LABELS)
# What the alerts of a delivery say.
TOLD = (
    "coalesce((SELECT group_concat("  # noqa: S608 (names of ours)
    + " || ' ' || ".join(part.format("a") for part in ALERT_WORDS)
    + ", ' ') FROM json_each(delivery.alerts) AS told"
    " JOIN alert AS a ON a.id = told.value), '')"
)
VIEWS = {
    "entry": (
        ("summary", "target", "problem", "actor", "action"),
        ENTRY_MARKS,
    ),
    "incident": (("title", "target_name", "problem"), {}),
    "alert": (ALERT_WORDS, ALERT_MARKS),
    "delivery": (
        (
            "reason",
            "field",
            "source",
            "peer",
            TOLD,
        ),
        {},
    ),
}


def upgrade() -> None:
    """Create the indexes of words, and of time."""
    op.create_table(
        "span",
        sa.Column("list", sa.Text, primary_key=True),
        sa.Column("bucket", sa.BigInteger, primary_key=True),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "outdated",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
        ),
    )
    if op.get_context().dialect.name == "sqlite":
        for name, (texts, marks) in VIEWS.items():
            _create_view(name, texts, marks)
            _create_fts(name)
        _keep_in_step()
    else:
        for name in LISTS:
            _create_vectors(name)
        _keep_postgres_in_step()


def _create_view(
    name: str, texts: tuple[str, ...], marks: dict[str, str]
) -> None:
    """Say what the rows of a table are searched by, in SQLite."""
    words = " || ' ' || ".join(text.format(name) for text in texts)
    parts = [f"replace({words}, {MARK}, ' ')"]
    parts += [
        f"' ' || {MARK} || '{letter}' || {value.format(name)}"
        for letter, value in marks.items()
    ]
    op.execute(
        f"CREATE VIEW {name}_words AS SELECT id,"  # noqa: S608
        f" {' || '.join(parts)} AS words FROM {name}"
    )


def _create_fts(name: str) -> None:
    """Create the index of a table's words in SQLite.

    What a delivery says depends on its alerts, which may go before it: so
    its words are kept.
    """
    content = f"content='{name}_words', content_rowid='id',"
    if name == "delivery":
        content = ""
    op.execute(
        f"CREATE VIRTUAL TABLE {name}_text USING fts5(words, {content}"
        " detail=none, columnsize=0,"
        " tokenize='unicode61 remove_diacritics 2')"
    )


def _keep_in_step() -> None:
    """Let SQLite write and forget words together with their rows."""
    read = "(SELECT position FROM mark WHERE name = 'searched:{}')"
    changed = "OLD.title || OLD.target_name || OLD.problem IS NOT"
    changed += " NEW.title || NEW.target_name || NEW.problem"
    for trigger, what in {
        "entry_noted AFTER INSERT ON entry": _take("entry")
        + _stretch("entry", "at"),
        "entry_gone BEFORE DELETE ON entry": _drop("entry"),
        "incident_noted AFTER INSERT ON incident": (
            _take("incident") + _stretch("incident", "opened_at")
        ),
        "incident_gone BEFORE DELETE ON incident": _drop("incident"),
        "incident_left BEFORE UPDATE OF title, target_name, problem"
        f" ON incident WHEN {changed}": _drop("incident"),
        "incident_renamed AFTER UPDATE OF title, target_name, problem"
        f" ON incident WHEN {changed}": _take("incident"),
        "alert_gone BEFORE DELETE ON alert"
        f" WHEN OLD.id <= {read.format('alert')}": _drop("alert"),
        "delivery_gone BEFORE DELETE ON delivery": (
            "DELETE FROM delivery_text WHERE rowid = OLD.id;"
        ),
        "delivery_reread AFTER UPDATE OF outcome, reason ON delivery"
        f" WHEN OLD.id <= {read.format('delivery')}": (
            "INSERT OR IGNORE INTO outdated (id) VALUES (OLD.id);"
        ),
    }.items():
        op.execute(f"CREATE TRIGGER {trigger} BEGIN {what} END")


def _take(name: str) -> str:
    """Return the statement that writes the words of a new row."""
    return (
        f"INSERT INTO {name}_text (rowid, words)"  # noqa: S608
        f" SELECT id, words FROM {name}_words WHERE id = NEW.id;"
    )


def _stretch(name: str, moment: str) -> str:
    """Return the statement that notes when the rows of some ids came."""
    return (
        "INSERT INTO span (list, bucket, first_at, last_at)"  # noqa: S608
        f" VALUES ('{name}', NEW.id >> 12, NEW.{moment}, NEW.{moment})"
        " ON CONFLICT (list, bucket) DO UPDATE SET"
        " first_at = min(first_at, excluded.first_at),"
        " last_at = max(last_at, excluded.last_at)"
        " WHERE excluded.first_at < first_at OR excluded.last_at > last_at;"
    )


def _drop(name: str) -> str:
    """Return the statement that forgets the words of an old row."""
    return (
        f"INSERT INTO {name}_text ({name}_text, rowid, words)"  # noqa: S608
        f" SELECT 'delete', id, words FROM {name}_words WHERE id = OLD.id;"
    )


def _create_vectors(name: str) -> None:
    """Create the table of a list's words in PostgreSQL."""
    at = "at bigint NOT NULL," if name == "entry" else ""
    op.execute(
        f"CREATE TABLE {name}_text"
        f" (id bigint PRIMARY KEY, {at} words tsvector NOT NULL)"
    )
    # What is not yet in the index is read whole by every search: be brief.
    op.execute(
        f"CREATE INDEX {name}_words ON {name}_text USING gin (words)"
        " WITH (gin_pending_list_limit = 128)"
    )
    op.execute(
        f"CREATE FUNCTION forget_{name}() RETURNS trigger"  # noqa: S608
        " LANGUAGE plpgsql AS $$ BEGIN"
        f" DELETE FROM {name}_text USING gone WHERE {name}_text.id = gone.id;"
        " RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name}_gone AFTER DELETE ON {name}"
        " REFERENCING OLD TABLE AS gone FOR EACH STATEMENT"
        f" EXECUTE FUNCTION forget_{name}()"
    )


def _keep_postgres_in_step() -> None:
    """Let PostgreSQL note which deliveries must be read again."""
    op.execute(
        "CREATE FUNCTION reread_delivery() RETURNS trigger"
        " LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO outdated (id) VALUES (OLD.id) ON CONFLICT DO NOTHING;"
        " RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER delivery_reread AFTER UPDATE OF outcome, reason"
        " ON delivery FOR EACH ROW EXECUTE FUNCTION reread_delivery()"
    )
