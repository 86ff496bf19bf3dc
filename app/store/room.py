"""Room: how much of the disk holds rows, which a delete lowers at once.

SQLite keeps count of the pages that nothing uses. PostgreSQL does not: its
files stay as large as they were, so that the rows themselves are measured,
in the same few pages each time.
"""

import msgspec
from sqlalchemy import (
    Connection,
    Row,
    column,
    func,
    literal,
    select,
    table,
    tablesample,
    text,
)

# So many pages of each table are read at most; a smaller one is read whole.
MOST_PAGES = 2_000
SEED = 1
# What PostgreSQL keeps with each row.
ROW_BYTES = 28
TABLES = text(
    "SELECT c.relname AS name,"
    " pg_relation_size(c.oid) / current_setting('block_size')::int AS pages,"
    " pg_table_size(c.oid) AS bare, pg_total_relation_size(c.oid) AS whole,"
    " (SELECT array_agg(a.attname::text) FROM pg_attribute a WHERE"
    " a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns"
    " FROM pg_class c WHERE c.relkind = 'r'"
    " AND c.relnamespace = current_schema()::regnamespace"
)


class Room(msgspec.Struct, frozen=True):
    """How much of the disk the database takes.

    Attributes:
        used: bytes that hold rows; what was deleted does not count.
        total: bytes of the file, or of the database on its server.
    """

    used: int
    total: int


def measure_room(connection: Connection) -> Room:
    """Return how large the database is."""
    if connection.dialect.name != "sqlite":
        query = text("SELECT pg_database_size(current_database())")
        total = int(connection.execute(query).scalar_one())
        tables = connection.execute(TABLES).all()
        return Room(sum(_weigh(connection, one) for one in tables), total)

    def ask(name: str) -> int:
        """Return one of SQLite's figures."""
        return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())

    page = ask("page_size")
    pages = ask("page_count")
    return Room((pages - ask("freelist_count")) * page, pages * page)


def _weigh(connection: Connection, one: Row[tuple[object, ...]]) -> int:
    """Return how many bytes the rows of a table take, with their indexes.

    An index is taken to be as full as its table. The seed is always the
    same: an error of the sample stays as it is from hour to hour, instead
    of taking off a little each time that it is on the wrong side.
    """
    if not one.pages:
        return 0
    share = min(1.0, MOST_PAGES / one.pages)
    rows = tablesample(
        table(one.name, *map(column, one.columns)),
        func.system(literal(100 * share)),
        "rows",
        literal(SEED),
    )
    cells = [func.coalesce(func.pg_column_size(cell), 0) for cell in rows.c]
    size = sum(cells, start=literal(ROW_BYTES) + literal(0))
    found = connection.execute(select(func.sum(size))).scalar() or 0
    return int(int(found) / share * one.whole / one.bare)
