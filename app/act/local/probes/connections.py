"""Look at connections to databases and queues: how many, in which state.

Sockets are counted on both sides; nobody logs in anywhere.
"""

from collections import Counter

from app.act.local.look.lens import Lens
from app.act.local.look.probe import Notes, Probe
from app.act.local.look.sockets import read_sockets

TITLE = "connections to databases and queues"
TOPICS = frozenset({"database", "queue", "service", "http"})
PORTS = {
    1433: "SQL Server",
    1521: "Oracle",
    2181: "ZooKeeper",
    2379: "etcd",
    3306: "MySQL",
    5432: "PostgreSQL",
    5672: "RabbitMQ",
    6379: "Redis",
    6432: "PgBouncer",
    8123: "ClickHouse",
    9000: "ClickHouse or other",
    9042: "Cassandra",
    9092: "Kafka",
    9200: "Elasticsearch",
    11211: "memcached",
    26257: "CockroachDB",
    27017: "MongoDB",
}
MANY_UNANSWERED = 3
MANY_UNCLOSED = 50
# PostgreSQL and MySQL take 100 and 151 as they come.
MANY = 90


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, TOPICS, _look)


def _look(lens: Lens, notes: Notes) -> None:
    """Note how many there are, by port, side and state."""
    counts: dict[tuple[int, str], Counter[str]] = {}
    for one in read_sockets(lens):
        # A connection within this machine is counted on both sides.
        if one.port in PORTS:
            side = counts.setdefault((one.port, "here"), Counter())
            side[one.state] += 1
        if one.peer_port in PORTS:
            side = counts.setdefault((one.peer_port, one.peer), Counter())
            side[one.state] += 1
    for (port, where), states in sorted(counts.items()):
        name = f"{PORTS[port]} ({'port' if where == 'here' else where} {port})"
        said = ", ".join(f"{n} {state}" for state, n in states.most_common())
        notes.say(TITLE, f"{name}: {said}")
        _note_odd(name, where, states, notes)
    if not counts:
        notes.say(TITLE, "none")


def _note_odd(
    name: str, where: str, states: Counter[str], notes: Notes
) -> None:
    """Note what of it stands out."""
    if states["SYN_SENT"] >= MANY_UNANSWERED:
        text = f"{name} does not answer {states['SYN_SENT']} callers of ours"
        notes.odd(79.0, text)
    if states["CLOSE_WAIT"] >= MANY_UNCLOSED:
        text = f"{name}: {states['CLOSE_WAIT']} connections are not closed"
        notes.odd(54.0, text)
    if where == "here" and states["ESTABLISHED"] >= MANY:
        text = f"{name} has {states['ESTABLISHED']} connections"
        notes.odd(42.0, text)
