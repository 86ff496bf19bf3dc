"""Fill a database with entries, past the log's own guards.

The first ones are made here and copied in; the others are made of them
inside the database. The chain of hashes is left out: no page asks for it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

from app.models.entry import COLUMNS
from app.store.words import LEVELS, PRIVATE, lexemes, mark_hash
from bench.log.making import LASTS, Row, rows
from bench.series import READERS

SPANS = (
    "INSERT INTO span SELECT 'entry', id >> 12, min(at), max(at)"
    " FROM entry GROUP BY id >> 12"
)
COPIED = ", ".join(COLUMNS[2:])
MARKED = {
    "target": "t", "problem": "p", "severity": "v", "status": "s",
    "kind": "k", "actor": "a", "action": "c", "incident_id": "i",
}  # fmt: skip
TEXTS = ("summary", "target", "problem", "actor", "action")


def fill_sqlite(file: Path, total: int, base: int) -> None:
    """Fill a SQLite file that has the tables and nothing in them."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        ask = connection.execute
        ask("PRAGMA synchronous = OFF")
        ask("PRAGMA journal_mode = MEMORY")
        ask("PRAGMA cache_size = -1000000")
        kept = ask(
            "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'entry'"
            " AND (type = 'trigger' OR (type = 'index' AND sql IS NOT NULL))"
        ).fetchall()
        for name, statement in kept:
            ask(f"DROP {statement.split()[1]} {name}")
        ask("BEGIN")
        marks = ", ".join("?" * len(COLUMNS))
        connection.executemany(
            f"INSERT INTO entry VALUES ({marks})",
            rows(base, total),
        )
        step = LASTS // total
        for turn in range(1, total // base):
            ask(
                f"INSERT INTO entry SELECT id + {turn * base},"
                f" at + {turn * base * step}, {COPIED} FROM entry"
                f" WHERE id <= {base}"
            )
        ask(SPANS)
        ask("INSERT INTO entry_text (entry_text) VALUES ('rebuild')")
        for reader in READERS:
            ask("INSERT INTO mark VALUES (?, ?)", (reader, total))
        for _, statement in kept:
            ask(statement)
        ask("COMMIT")
        ask("PRAGMA journal_mode = WAL")


def fill_postgres(conninfo: str, total: int, base: int) -> None:
    """Fill a PostgreSQL database that has the tables and nothing in them."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        ask = connection.execute
        ask("SET session_replication_role = replica")
        ask("SET maintenance_work_mem = '1GB'")
        ask("SET synchronous_commit = off")
        kept = [
            str(row[0])
            for row in ask(
                "SELECT indexdef FROM pg_indexes WHERE tablename IN"
                " ('entry', 'entry_text') AND indexname NOT LIKE '%_pkey'"
            )
        ]
        for definition in kept:
            ask(f"DROP INDEX {definition.split()[2]}")
        _copy(connection, total, base)
        for turn in range(1, total // base):
            _multiply(connection, (turn, base), LASTS // total)
        ask(SPANS)
        for reader in READERS:
            ask("INSERT INTO mark VALUES (%s, %s)", (reader, total))
        for definition in kept:
            ask(definition)
        ask("VACUUM ANALYZE entry")
        ask("VACUUM ANALYZE entry_text")
        ask("CHECKPOINT")


def _copy(
    connection: "psycopg.Connection[Row]", total: int, base: int
) -> None:
    """Copy the first entries in, and what they are searched by."""
    with connection.cursor() as cursor:
        with cursor.copy("COPY entry FROM STDIN") as copy:
            for row in rows(base, total):
                copy.write_row(row)
        cursor.execute(
            "CREATE TEMP TABLE made (id bigint, at bigint, w text[])"
        )
        with cursor.copy("COPY made FROM STDIN") as copy:
            for row in rows(base, total):
                entry = dict(zip(COLUMNS, row, strict=True))
                words = lexemes(
                    entry["id"],
                    [entry[name] for name in TEXTS],
                    [
                        mark_hash(of, entry[name])
                        for name, of in MARKED.items()
                    ],
                )
                copy.write_row((entry["id"], entry["at"], words))
        cursor.execute(
            "INSERT INTO entry_text SELECT id, at, array_to_tsvector(w)"
            " FROM made ORDER BY id"
        )


def _multiply(
    connection: "psycopg.Connection[Row]", turn: tuple[int, int], step: int
) -> None:
    """Write the first ones again with higher ids and later moments."""
    shift, base = turn[0] * turn[1], turn[1]
    later = f"{shift * step}"
    connection.execute(
        f"INSERT INTO entry SELECT id + {shift}, at + {later}, {COPIED}"
        f" FROM entry WHERE id <= {base} ORDER BY id"
    )
    old = ", ".join(
        f"'{PRIVATE}{level}' || to_hex(id >> {LEVELS[level]})"
        for level in range(len(LEVELS))
    )
    new = old.replace("id >>", f"(id + {shift}) >>")
    connection.execute(
        f"INSERT INTO entry_text SELECT id + {shift}, at + {later},"
        f" ts_delete(words, ARRAY[{old}]) || array_to_tsvector(ARRAY[{new}])"
        f" FROM entry_text WHERE id <= {base} ORDER BY id"
    )
