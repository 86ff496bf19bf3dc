"""Look at the network: interfaces, TCP, names, routes, full tables."""

import os
import socket
import time
from collections import Counter
from contextlib import suppress
from functools import partial

from app.act.local.look.lens import Lens, Window
from app.act.local.look.probe import Limit, Notes, Probe, why
from app.act.local.look.sockets import read_sockets
from app.core.look.amounts import percent, size, span

TITLE = "network"
TOPICS = frozenset({"network", "http", "queue", "security", "database"})
DNS_SECONDS = 1.5
MOST_SERVERS = 3
LEAST_SENT = 20
# So many connections that nobody accepts, or that nobody closes.
MOST_WAITING, MOST_UNCLOSED = 64, 200
_LOST = Limit(1.0, 1.0, lambda value: f"{value:.1f} in a second", 57.0)
_AGAIN = Limit(5.0, 2.0, percent, 61.0)
_FLOW = Limit(float("inf"), 5e6, lambda value: f"{size(value)}/s")
_REFUSED = Limit(1.0, 0.5, lambda value: f"{value:.1f} in a second", 67.0)
# A question that every resolver knows an answer to: the root's servers.
_QUESTION = b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01"


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, TOPICS, _look, seconds=12.0)


def _look(lens: Lens, notes: Notes) -> None:
    """Note what the network does and whether names are found."""
    with notes.trying("default route"):
        _note_route(lens, notes)
    with notes.trying("name servers"):
        _note_names(lens, notes)
    with notes.trying("connections"):
        _note_sockets(lens, notes)
    _note_tracked(lens, notes)
    window = lens.window()
    for device in sorted(set(window.devices("net.in"))):
        _note_interface(lens, window, notes, device)
    _note_tcp(lens, window, notes)


def _note_interface(
    lens: Lens, window: Window, notes: Notes, device: str
) -> None:
    """Note what goes through one interface, and what is lost there."""
    rise = {
        what: window.rises.get(f"net.{what}:{device}", 0.0)
        for what in ("in", "out", "errors", "drops")
    }
    count = {
        what: window.counters.get(f"net.{what}:{device}", 0.0)
        for what in ("errors", "drops")
    }
    state = "unknown"
    with suppress(OSError):
        state = lens.text(f"sys/class/net/{device}/operstate").strip()
    notes.say(
        TITLE,
        f"{device} ({state}): in {size(rise['in'])}/s, out"
        f" {size(rise['out'])}/s, errors {count['errors']:.0f}, drops"
        f" {count['drops']:.0f} since start",
    )
    for what in ("errors", "drops"):
        name = f"net.{what}:{device}"
        grown = lens.past.grown(name, count[what])
        usual = lens.past.rate(name)
        notes.compare(f"{device} {what}", rise[what], usual, _LOST)
        if grown and grown.more >= 100 and rise[what] < _LOST.most:
            notes.odd(
                35.0,
                f"{device} had {grown.more:.0f} {what} in the past"
                f" {span(grown.seconds)}",
            )
    for what in ("in", "out"):
        name = f"net.{what}:{device}"
        usual = lens.past.rate(name)
        notes.compare(f"{device} {what}", rise[what], usual, _FLOW)


def _note_tcp(lens: Lens, window: Window, notes: Notes) -> None:
    """Note what TCP had to send again, and whom it turned away."""
    sent = window.rate("tcp.OutSegs") or 0.0
    again = window.rate("tcp.RetransSegs", "tcp.OutSegs")
    if again is not None and sent >= LEAST_SENT:
        usual = lens.past.rate("tcp.RetransSegs", "tcp.OutSegs")
        notes.say(TITLE, f"sent again: {percent(again)} of segments")
        notes.compare("TCP segments sent again:", again, usual, _AGAIN)
    for name in ("tcp.ListenOverflows", "tcp.ListenDrops"):
        rate, now = window.rate(name), window.counters.get(name)
        if rate is None or now is None:
            continue
        notes.say(TITLE, f"{name.removeprefix('tcp.')} {now:.0f} since start")
        usual = lens.past.rate(name)
        what = "connections turned away by full listen queues:"
        notes.compare(what, rate, usual, _REFUSED)
        grown = lens.past.grown(name, now)
        if grown and grown.more > 0 and rate < _REFUSED.most:
            notes.odd(
                53.0,
                f"{grown.more:.0f} connections were turned away by full"
                f" listen queues in the past {span(grown.seconds)}",
            )


def _note_sockets(lens: Lens, notes: Notes) -> None:
    """Note how many connections there are by state, and which wait."""
    counts: Counter[str] = Counter()
    unclosed: Counter[int] = Counter()
    for one in read_sockets(lens):
        counts[one.state] += 1
        if one.state == "CLOSE_WAIT":
            unclosed[one.port] += 1
        if one.state == "LISTEN" and one.waiting >= MOST_WAITING:
            notes.odd(
                71.0,
                f"{one.waiting} connections to port {one.port} wait to be"
                " accepted",
            )
    said = ", ".join(f"{name} {count}" for name, count in counts.most_common())
    notes.say(TITLE, f"TCP: {said or 'no connections'}")
    for port, count in unclosed.most_common(3):
        if count >= MOST_UNCLOSED:
            notes.odd(
                56.0,
                f"{count} connections of port {port} were closed by the other"
                " side and not by ours (CLOSE_WAIT)",
            )


def _note_tracked(lens: Lens, notes: Notes) -> None:
    """Note how full the table of tracked connections is."""
    folder = "proc/sys/net/netfilter/nf_conntrack_"
    # Most machines track no connections: then there is no table.
    with suppress(OSError, ValueError):
        count = int(lens.text(f"{folder}count"))
        most = int(lens.text(f"{folder}max"))
        text = f"tracked connections: {count} of {most}"
        notes.say(TITLE, text)
        if most and count >= 0.9 * most:
            notes.odd(88.0, f"{text}: new ones are dropped when it is full")


def _note_route(lens: Lens, notes: Notes) -> None:
    """Note by which interface the rest of the world is reached."""
    rows = [one.split() for one in lens.text("proc/net/route").splitlines()]
    found = [row for row in rows[1:] if row[1] == row[7] == "00000000"]
    for row in found:
        gateway = socket.inet_ntoa(int(row[2], 16).to_bytes(4, "little"))
        notes.say(TITLE, f"default route: {gateway} by {row[0]}")
    if not found:
        notes.say(TITLE, "there is no default route (IPv4)")
        notes.odd(30.0, "there is no default route (IPv4)")


def _note_names(lens: Lens, notes: Notes) -> None:
    """Note which name servers answer, and how fast."""
    rows = [line.split() for line in lens.text("etc/resolv.conf").splitlines()]
    servers = [r[1] for r in rows if len(r) > 1 and r[0] == "nameserver"]
    calls = {f"dns {at}": partial(ask_name, at) for at in servers}
    calls = dict(list(calls.items())[:MOST_SERVERS])
    for key, said in lens.all_of(calls, DNS_SECONDS + 0.5):
        server = key.removeprefix("dns ")
        if isinstance(said, Exception):
            notes.say(TITLE, f"name server {server}: {why(said)}")
            notes.odd(73.0, f"name server {server} does not answer")
        else:
            notes.say(TITLE, f"name server {server} answers in {span(said)}")


def ask_name(server: str, port: int = 53) -> float:
    """Return how long a name server takes, or raise OSError."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    mark = os.urandom(2)
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.settimeout(DNS_SECONDS)
        asking.connect((server.partition("%")[0], port))
        since = time.monotonic()
        asking.send(mark + _QUESTION)
        while asking.recv(4_096)[:2] != mark:
            asking.settimeout(
                max(0.01, since + DNS_SECONDS - time.monotonic())
            )
        return time.monotonic() - since
