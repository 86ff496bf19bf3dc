#!/usr/bin/env python3
"""Look at this machine and print what was seen; change nothing.

One file without anything beside the standard library (Python 3.6 and
newer), so that an automation can run it on any host: look.py TOPIC, or
look.py TOPIC SERVICE when an alert is about a service. It prints the same
form of text as the service does of its own machine, but it looks once. Its
past is what the host itself keeps: its counters since it was started, its
averages, and the time in the lines of its logs.
"""

import calendar
import errno
import json
import os
import re
import selectors
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

try:
    import ssl
except ImportError:
    # A small Python may come without it: all else is looked at.
    ssl = None

WINDOW_SECONDS = 2.0
PART_SECONDS = 8.0
# What a host does now is what it does in so long; against what it did since
# it was started, unless that was less than so long ago.
NOW_SECONDS, LEAST_PAST_SECONDS = 4.0, 1800.0
# So many times the mean, and at least so much more than it, is unusual.
TIMES = 3.0
# Such findings come first, before what is wrong by itself.
AGAINST_PAST = 100.0
# Of the lines of a log: the last minutes against what is before them.
BURST_SECONDS, LEAST_BURST = 600.0, 20
VMSTAT = {
    "pgmajfault": "pages read again", "pswpin": "pages swapped in",
    "pswpout": "pages swapped out",
}  # fmt: skip
STAT_SECONDS = 2.0
MOST_LINES = 60
MOST_CHARS = 300
MOST_BYTES = 200000
MOST_OUTPUT = 65536
MOST_LOOKED = 8192
MOST_COMMAND = 4096
MOST_ODD = 19
# How bad a plain figure is: nothing is wrong with it.
PLAIN = 1
PLACES = "/usr/bin:/bin:/usr/sbin:/sbin"
# There it is put by whoever has it not from the system.
MORE_PLACES = PLACES + ":/usr/local/bin"
SHOWN = "(SECRET)"
US = " (this is us)"
WORDS = (
    r"passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|credentials?"
)
ASKS = re.compile(rf"(?i)--?[\w-]*(?:{WORDS}|pass(?:in|out)?|auth)")
SECRETS = (
    (
        re.compile(
            r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]*key)"
            r"(\s*:\s*)[^\r\n]+"
        ),
        r"\1\2(SECRET)",
    ),
    (re.compile(r"-----BEGIN [A-Z ]+-----.*"), SHOWN),
    (re.compile(r"\bgithub_pat_\w{16,}"), SHOWN),
    (
        re.compile(rf"(?i)([\w-]*(?:{WORDS}))(\s*[=:]\s*)\S+"),
        r"\1\2(SECRET)",
    ),
    (re.compile(r"(://)[^\s/@:]*:[^\s/@]+@"), r"\1(SECRET)@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 (SECRET)"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w.-]{4,}"), SHOWN),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), SHOWN),
    (re.compile(r"\b(?:gh[pousr]_|glpat-|xox[a-z]-|sk-)[\w-]{8,}"), SHOWN),
)
# Options that tell a secret, of programs by their names: with the next word,
# and in one word with it.
NEXT = {
    "curl": ("-u", "-U", "--user", "--proxy-user"),
    "wget": ("-u", "--user"), "sshpass": ("-p",), "redis-cli": ("-a",),
    "smbclient": ("-U",), "lftp": ("-u",), "zip": ("-P",),
    "sqlcmd": ("-P",), "ipmitool": ("-P",),
}  # fmt: skip
GLUED = {
    "curl": "-u", "sshpass": "-p", "redis-cli": "-a", "7z": "-p", "7za": "-p",
    "rar": "-p", "unrar": "-p", "xtrabackup": "-p", "mariabackup": "-p",
}  # fmt: skip
# The same of families of programs, by how their names begin.
NEXT_OF = (("ldap", ("-w",)), ("mongo", ("-p",)),
           ("snmp", ("-c", "-A", "-X")))  # fmt: skip
GLUED_OF = ("mysql", "mariadb")
SHARED = re.compile(r"-[A-Za-z]{0,8}[uU]")
WORD = re.compile(r"(?:'[^']*'|\"[^\"]*\"|\\.|[^\s'\"\\]|['\"\\])+", re.DOTALL)
BEFORE = "({$`'\";&|!"
UNREAL = {
        "proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "tracefs",
        "securityfs", "pstore", "bpf", "debugfs", "configfs", "fusectl",
        "mqueue", "hugetlbfs", "autofs", "binfmt_misc", "nsfs", "squashfs",
        "rpc_pipefs", "efivarfs", "selinuxfs", "iso9660", "ramfs",
        # Those of containers are of the disk that the engine is on.
        "overlay", "aufs",
}  # fmt: skip
NEWS = (
    (r"out of memory: killed|oom-kill", 91, "processes ended for memory"),
    (r"remounting filesystem read-only", 96, "a file system is read-only"),
    (r"I/O error|medium error", 93, "a disk makes errors"),
    (r"blocked for more than \d+ seconds", 83, "processes hang"),
    (r"soft lockup|hardware error|machine check", 88, "hardware trouble"),
    (r"nf_conntrack: .*table full", 88, "tracked connections are full"),
    (r"segfault at", 41, "programs crash"),
)
TCP = {
    "01": "ESTABLISHED", "02": "SYN_SENT", "03": "SYN_RECV",
    "04": "FIN_WAIT1", "05": "FIN_WAIT2", "06": "TIME_WAIT", "07": "CLOSE",
    "08": "CLOSE_WAIT", "09": "LAST_ACK", "0A": "LISTEN", "0B": "CLOSING",
}  # fmt: skip
SOCKETS_BYTES = 16000000
CALL_SECONDS = 2.0
SLOW_SECONDS = 0.2
MOST_CALLS = 40
# They count callers that say nothing, and shut out whoever does it often;
# not those of the loopback.
COUNTING = (3306, 33060)
SERVERS = {
    1433: "SQL Server", 1521: "Oracle", 2181: "ZooKeeper", 2379: "etcd",
    3306: "MySQL", 5432: "PostgreSQL", 5672: "RabbitMQ", 6379: "Redis",
    6432: "PgBouncer", 8123: "ClickHouse", 9000: "ClickHouse or other",
    9042: "Cassandra", 9092: "Kafka", 9200: "Elasticsearch",
    11211: "memcached", 26257: "CockroachDB", 27017: "MongoDB",
}  # fmt: skip
MANY_UNANSWERED, MANY_UNCLOSED, MANY_CONNECTIONS = 3, 50, 90
# Others take it for an attack, or count it, when somebody says TLS to them.
TLS_PORTS = (
    443, 465, 636, 853, 993, 995, 2376, 5671, 6443, 8443, 8883, 9443, 10250,
)  # fmt: skip
MOST_TLS = 10
FOLDERS = (
    "/etc/letsencrypt/live", "/etc/ssl", "/etc/pki/tls/certs", "/etc/nginx",
    "/etc/apache2", "/etc/httpd", "/etc/haproxy", "/etc/kubernetes/pki",
    "/etc/postgresql", "/etc/mysql", "/etc/docker", "/etc/traefik",
    "/etc/caddy",
)  # fmt: skip
MOST_FILES, MOST_ENTRIES, MOST_DEPTH = 200, 3000, 3
# A key is called so with a word of its own: keycloak.pem is none.
KEY = re.compile(r"(?:(?<![a-z])|priv|private|secret)keys?(?![a-z]).*\.pem")
# A bundle of authorities is none of this machine's own.
MOST_IN_FILE = 6
PEM = "-----%s CERTIFICATE-----"
BEGIN, END = PEM % "BEGIN", PEM % "END"
DAY = 86400.0
SOON_DAYS, VERY_SOON_DAYS = 21, 4
SEQUENCE, UTC_TIME, GENERAL_TIME, VERSION = 0x30, 0x17, 0x18, 0xA0
# The name of a holder: 2.5.4.3, the common name.
COMMON_NAME = b"\x06\x03\x55\x04\x03"
ENGINES = ("/run/docker.sock", "/var/run/docker.sock",
           "/run/podman/podman.sock")  # fmt: skip
ENGINE_SECONDS = 3.0
MOST_ANSWER = 4000000
MOST_LISTED, MOST_ILL, LOG_LINES = 40, 3, 12
# A name of a service: nothing in it is an option, a path or a pattern.
SERVICE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,126}")
SUFFIX = ".service"
SHOWN_OF_UNIT = "LoadState,ActiveState,SubState,Result,NRestarts"
WEIGHTS = {
    "failed": 82, "maintenance": 82, "inactive": 73, "activating": 66,
    "deactivating": 66, "reloading": PLAIN, "active": PLAIN,
    # So says supervisor.
    "FATAL": 75, "BACKOFF": 49, "EXITED": 20,
}  # fmt: skip
STATES = "STOPPED|STARTING|RUNNING|BACKOFF|STOPPING|EXITED|FATAL|UNKNOWN"
PROGRAM = re.compile(rf"(\S+)\s+({STATES})\b\s*(.*)")
MOST_PROGRAMS, TAIL_BYTES = 4, 16384
SERVICE_LINES, MOST_ERRORS, LAST_LINES, ERRORS_WEIGHT = 200, 20, 25, 58
LOGS = "/var/log"
LOG_FILES, LOG_BYTES, NEWS_SECONDS, FEW_LINES = 3, 65536, 86400.0, 5
TROUBLE = re.compile(
    r"\b(?:emerg\w*|crit(?:ical)?|fatal|panic\w*|err(?:or)?s?|traceback"
    r"|\w+error|\w*exception|fail(?:ed|s|ures?)?|refused|denied|segfault"
    r"|time(?:d[ -]?)?[ -]?out|unreachable|unavailable|killed|aborted"
    r"|core dumped|no space left|out of memory|oom|exhausted"
    r"|too many|cannot|can't|could not|unable to)\b|\[alert\]",
    re.IGNORECASE,
)
FINE = re.compile(
    r"\b(?:level|severity|lvl)\"?\s*[=:]\s*\"?(?:info|debug|notice|trace)\b"
    r"|[\[<](?:info|debug|notice|trace)[\]>]"
    r"|\b(?:0|no|without) (?:err(?:or)?s?|fail(?:ed|ures?))\b"
    r"|\b(?:err(?:or)?s?|fail(?:ed|ures?))\"?\s*[=:]\s*(?:0|none|null)\b"
    r"|(?-i:\b(?:INFO|DEBUG|NOTICE|TRACE)\b)",
    re.IGNORECASE,
)


class Notes:
    """What one part has seen so far; it stays if the part hangs."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.lines = []
        self.odd = []

    def say(self, text: str) -> None:
        """Add a line."""
        self.lines.append(clean(text))

    def stand_out(self, weight: float, text: str) -> None:
        """Add what is not as it should be."""
        self.odd.append((weight, clean(text)))

    def line(self, _weight: float, text: str) -> None:
        """Add a line that is as it should be."""
        self.say(text)

    def both(self, weight: float, text: str) -> None:
        """Add a line that stands out."""
        self.say(text)
        self.stand_out(weight, text)


def clean(text: str) -> str:
    """Return one line without secrets and control characters.

    It is cut at its end: no pattern knows the half of a secret.
    """
    if len(text) > MOST_LOOKED:
        text = text[:MOST_LOOKED].rpartition(" ")[0]
    text = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", hide(text))
    return hide(text)[:MOST_CHARS].rstrip()


def hide(text: str) -> str:
    """Return a text without secrets."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


def read(path: str, most: int = 1048576) -> str:
    """Return the beginning of a file."""
    with open(path, "rb") as file:  # noqa: PTH123 the shortest that reads
        return file.read(most).decode("utf-8", "replace")


def size(count: float) -> str:
    """Return a number of bytes as people write it."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.1f} {unit}"
        count /= 1000.0
    return f"{count:.1f} TB"


def ask(name: str, *arguments: str, places: str = "") -> str:
    """Return what a program of the system says; no shell, an end."""
    path = shutil.which(name, path=places or PLACES)
    if path is None:
        raise OSError(f"{name} is not on this machine")
    running = subprocess.Popen(  # noqa: S603 fixed words
        [path, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": PLACES, "LC_ALL": "C"},
        start_new_session=True,
    )
    try:
        said, _ = running.communicate(timeout=4)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        raise OSError(f"{name} did not answer in 4 s") from None
    return keep_end(said)


def keep_end(said: bytes) -> str:
    """Return the end of an output, in whole lines: it is the newest."""
    kept = said[-MOST_OUTPUT:]
    if len(said) > MOST_OUTPUT:
        kept = kept.partition(b"\n")[2]
    return kept.decode("utf-8", "replace")


def command(pid: str, name: str) -> str:
    """Return a command line without what looks like a secret."""
    try:
        text = read(f"/proc/{pid}/cmdline", MOST_COMMAND)
    except OSError:
        return f"({name})"
    words = text.rstrip("\0").split("\0")
    if len(text) >= MOST_COMMAND:
        # The last word may be the half of a secret.
        words = words[:-1]
    if not any(words):
        return f"({name})"
    line = Line()
    return clean(" ".join([line.take(word) for word in words]))[:160]


class Line:
    """A command line, read from its beginning, to hide secrets in it.

    What runs a program for somebody else has its whole command line, and a
    shell has it in one word.
    """

    def __init__(self) -> None:
        """Begin before the first word."""
        self.name, self.next, self.glued = "", (), ""
        self.is_asked = False

    def take(self, word: str) -> str:
        """Return the next word as it is shown."""
        if self.is_asked or not re.search(r"\s", word):
            return self.take_bare(word)
        inner = Line()
        return WORD.sub(lambda found: inner.take_bare(found.group()), word)

    def take_bare(self, word: str) -> str:
        """Return a word as it is shown, whatever is in it."""
        if self.is_asked:
            self.is_asked = False
            return SHOWN
        bare = word.strip("'\"")
        self.note_program(word.lstrip(BEFORE).rstrip("'\"").split("/")[-1])
        is_shared = self.name == "curl" and SHARED.fullmatch(bare)
        if ASKS.fullmatch(bare) or bare in self.next or is_shared:
            self.is_asked = True
        elif self.glued and bare.startswith(self.glued) and bare != self.glued:
            return self.glued + SHOWN
        return word

    def note_program(self, name: str) -> None:
        """Know which options tell a secret from here on."""
        asked = NEXT.get(name, ())
        for family, options in NEXT_OF:
            asked = options if name.startswith(family) else asked
        glued = "-p" if name.startswith(GLUED_OF) else GLUED.get(name, "")
        if asked or glued:
            self.name, self.next, self.glued = name, asked, glued


def processes() -> dict:
    """Return name, state, parent, ticks and memory of all processes."""
    found = {}
    page = os.sysconf("SC_PAGE_SIZE")
    for pid in os.listdir("/proc"):  # noqa: PTH208
        if not pid.isdigit():
            continue
        try:
            text = read(f"/proc/{pid}/stat", 2048)
            name = text[text.index("(") + 1 : text.rindex(")")]
            rest = text[text.rindex(")") + 2 :].split()
            ticks = int(rest[11]) + int(rest[12])
            found[pid, rest[19]] = (
                name, rest[0], rest[1], ticks, int(rest[21]) * page,
            )  # fmt: skip
        except (OSError, ValueError, IndexError):
            continue
    return found


def mark(pid: str) -> str:
    """Return what follows a process that is this one."""
    return US if pid == str(os.getpid()) else ""


def look_machine(notes: Notes) -> None:
    """Note what it is and since when it runs."""
    about = os.uname()
    up = float(read("/proc/uptime").split()[0])
    notes.say(f"{about.sysname} {about.release} {about.machine}")
    notes.say("runs for %.1f hours" % (up / 3600))
    notes.say("load " + read("/proc/loadavg").strip())
    if up < 3600:
        notes.stand_out(57, f"the machine was started {up / 60:.0f} min ago")


def counters() -> dict:
    """Return what has been counted since the start, by what it is.

    Each is a count, what one of it is of a second, how it is shown, and how
    much more than usual is much.
    """
    lines = read("/proc/stat").splitlines()
    ticks = [int(word) for word in lines[0].split()[1:9]]
    cores = max(1, os.cpu_count() or 1)
    tick = 100.0 / os.sysconf("SC_CLK_TCK") / cores
    found = {
        "cpu busy": (sum(ticks) - ticks[3] - ticks[4], tick, "%", 30),
        "cpu waiting for disks": (ticks[4], tick, "%", 20),
        "cpu taken by the host": (ticks[7], tick, "%", 10),
    }
    for line in lines:
        if line.startswith("processes "):
            found["processes begun"] = (int(line.split()[1]), 1, "/s", 50)
    for line in read("/proc/vmstat").splitlines():
        name, _, count = line.partition(" ")
        if name in VMSTAT:
            found[VMSTAT[name]] = (int(count), 1, "/s", 200)
    for name, counts in counted().items():
        found[f"{name} busy"] = (counts[9], 0.1, "%", 40)
    found.update(lost())
    for kind in ("cpu", "memory", "io"):
        path = Path("/proc/pressure", kind)
        if path.exists():
            total = read(str(path)).splitlines()[0].rpartition("total=")[2]
            found[f"waiting for {kind}"] = (int(total), 0.0001, "%", 15)
    return found


def lost() -> dict:
    """Return what was lost, or sent once more, since the start."""
    found = {}
    for line in read("/proc/net/dev").splitlines()[2:]:
        name, _, rest = line.partition(":")
        words = [int(word) for word in rest.split()]
        count = words[2] + words[3] + words[10] + words[11]
        found[f"{name.strip()} lost"] = (count, 1, " packets/s", 20)
    lines = read("/proc/net/snmp").splitlines()
    heads, said = [line.split() for line in lines if line[:4] == "Tcp:"]
    count = int(said[heads.index("RetransSegs")])
    found["TCP sent once more"] = (count, 1, " packets/s", 20)
    return found


def look_past(notes: Notes) -> None:
    """Note what is unusual for this host, by what it has counted itself."""
    note_load(notes)
    up = float(read("/proc/uptime").split()[0])
    if up < LEAST_PAST_SECONDS:
        notes.say(f"no past yet: it was started {up / 60:.0f} min ago")
        return
    before, since = counters(), time.time()
    time.sleep(NOW_SECONDS)
    seconds = max(0.001, time.time() - since)
    ago = f"since its start {up / 3600:.1f} h ago"
    for name, (count, one, unit, much) in sorted(counters().items()):
        if name not in before:
            continue
        now = (count - before[name][0]) * one / seconds
        mean = before[name][0] * one / up
        note_unusual(notes, (name, now, mean), (unit, much), ago)


def note_unusual(notes: Notes, figure: tuple, scale: tuple, what: str) -> None:
    """Note a figure, and that it is unusual if it is.

    Args:
        notes: what takes it.
        figure: its name, what it is now, and what it was on average.
        scale: its unit, and how much more is much.
        what: of which past the average is.
    """
    (name, now, mean), (unit, much) = figure, scale
    if now < mean * TIMES or now - mean < much:
        if now >= 0.5 or mean >= 0.5:
            notes.say(f"{name} {now:.1f}{unit}, {mean:.1f}{unit} on average")
        return
    text = f"{name} {now:.1f}{unit}, unusual: {mean:.1f}{unit} on average"
    more = min(9.0, now / max(mean, 0.1) / 10)
    notes.both(AGAINST_PAST + more, f"{text} {what}")


def note_load(notes: Notes) -> None:
    """Note whether the load, and what waits, is more than a while ago."""
    words = read("/proc/loadavg").split()
    note_unusual(
        notes,
        ("load", float(words[0]), float(words[2])),
        ("", max(2, (os.cpu_count() or 1) / 2.0)),
        "over the last 15 min",
    )
    for kind in ("cpu", "memory", "io"):
        path = Path("/proc/pressure", kind)
        if path.exists():
            said = dict(
                word.split("=")
                for word in read(str(path)).splitlines()[0].split()[1:]
            )
            note_unusual(
                notes,
                (f"pressure of {kind}", float(said["avg10"]),
                 float(said["avg300"])),
                ("%", 15),
                "over the last 5 min",
            )  # fmt: skip


def note_burst(notes: Notes, name: str, lines: list) -> None:
    """Note whether a service writes more than before, by the lines' times."""
    times = []
    for line in lines:
        try:
            when = time.strptime(line[:19], "%Y-%m-%dT%H:%M:%S")
        except ValueError:
            continue
        times.append(calendar.timegm(when))
    if not times or times[-1] - times[0] < 2 * BURST_SECONDS:
        # What was read goes back too short a time.
        return
    edge = times[-1] - BURST_SECONDS
    new = len([one for one in times if one > edge])
    mean = (len(times) - new) * BURST_SECONDS / (edge - times[0])
    hours = (edge - times[0]) / 3600.0
    note_unusual(
        notes,
        (f"log of {name}: lines in its last 10 min", float(new), mean),
        ("", LEAST_BURST),
        f"in the {hours:.1f} h before",
    )


def look_cpu(notes: Notes) -> None:
    """Note how busy the cores are, and with what."""
    before, first = processes(), read("/proc/stat").split("\n")[0].split()
    since = time.time()
    time.sleep(WINDOW_SECONDS)
    after, last = processes(), read("/proc/stat").split("\n")[0].split()
    spent = [int(last[n]) - int(first[n]) for n in range(1, 9)]
    total = max(1, sum(spent))
    busy = 100.0 * (total - spent[3] - spent[4]) / total
    cores = os.cpu_count() or 1
    notes.say(
        f"{cores} cores: busy {busy:.0f} %, waiting for disks"
        f" {100.0 * spent[4] / total:.0f} %, taken by the host"
        f" {100.0 * spent[7] / total:.0f} %"
    )
    if busy >= 90:
        notes.stand_out(68, f"cpu {busy:.0f} %")
    ticks = os.sysconf("SC_CLK_TCK") * max(0.001, time.time() - since)
    note_busy(notes, busy, before, after)
    shares = [
        (100.0 * (now[3] - before.get(key, now)[3]) / ticks, key)
        for key, now in after.items()
    ]
    for share, key in sorted(shares, reverse=True)[:12]:
        if share < 0.5:
            break
        name, pid = after[key][0], key[0]
        text = (
            f"{name}[{pid}]{mark(pid)} takes {share:.0f} % of a core,"
            f" {size(after[key][4])}: {command(pid, name)}"
        )
        notes.say(text)
        # Who looks is at work: that is no news.
        if share >= (20 if busy >= 90 else 80) and not mark(pid):
            notes.stand_out(82 + share / 1000.0, text)


def note_busy(notes: Notes, busy: float, before: dict, after: dict) -> None:
    """Note in one line which programs take the most time."""
    spent = {}
    for key, now in after.items():
        ticks = now[3] - before.get(key, now)[3]
        spent[now[0]] = spent.get(now[0], 0) + ticks
    total = max(1, sum(spent.values()))
    most = sorted(spent.items(), key=lambda one: -one[1])[:3]
    said = ", ".join(f"{n} {100 * t // total} %" for n, t in most if t)
    text = f"cpu {busy:.0f} %, load {read('/proc/loadavg').split()[0]}"
    words = f"; of that {said}" if said else ""
    notes.stand_out(67 if busy >= 90 else PLAIN, text + words)


def look_memory(notes: Notes) -> None:
    """Note how full memory is, and who holds it."""
    found = {}
    for line in read("/proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        found[name] = int(value.split()[0]) * 1024
    total = found["MemTotal"]
    free = found.get("MemAvailable", found["MemFree"])
    used = 100.0 * (1 - free / float(total))
    text = f"memory used {used:.0f} % of {size(total)}"
    notes.say(text)
    notes.stand_out(74 if used >= 92 else PLAIN, text)
    if found.get("SwapTotal"):
        swap = 100.0 * (1 - found["SwapFree"] / float(found["SwapTotal"]))
        (notes.both if swap >= 60 else notes.line)(55, f"swap {swap:.0f} %")
    note_holders(notes, total)


def note_holders(notes: Notes, total: int) -> None:
    """Note who holds the most memory, and what was ended for want of it."""
    for line in read("/proc/vmstat").splitlines():
        if line.startswith("oom_kill ") and not line.endswith(" 0"):
            notes.both(48, "processes ended for memory since start: " + line)
    by_memory = sorted(processes().items(), key=lambda one: -one[1][4])
    most = [
        f"{one[0]}[{pid}] {size(one[4])}" for (pid, _), one in by_memory[:3]
    ]
    notes.stand_out(PLAIN, "most memory: " + ", ".join(most))
    for (pid, _), one in by_memory[:12]:
        text = (
            f"{one[0]}[{pid}]{mark(pid)} holds {size(one[4])}"
            f" ({100.0 * one[4] / total:.1f} %): {command(pid, one[0])}"
        )
        notes.say(text)
        if one[4] >= 0.4 * total:
            notes.stand_out(66, text)


def look_disk(notes: Notes) -> None:
    """Note how full each file system is; one that hangs hides no other."""
    begun = []
    for place, after in find_mounts(read("/proc/self/mountinfo"))[:64]:
        said = []
        thread = threading.Thread(target=fill, args=(place, said))
        thread.daemon = True
        thread.start()
        begun.append((thread, place, after, said))
    until = time.time() + STAT_SECONDS
    root = None
    for thread, place, after, said in begun:
        thread.join(max(0.0, until - time.time()))
        is_read = said and not isinstance(said[0], str)
        if is_read and place == "/" and after.startswith("overlay"):
            root = said[0]
        elif is_read and root is not None and is_same(root, said[0]):
            # What a container is given is of the disk of its root.
            continue
        if not said:
            notes.both(90, f"{place} ({after.split()[1]}) hangs")
        elif isinstance(said[0], str):
            notes.say(f"{place} not readable: {said[0]}")
        else:
            note_filled(notes, place, after, said[0])


def find_mounts(text: str) -> list:
    """Return where file systems are mounted and how, each disk once."""
    found = []
    seen = set()
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        device, place = before.split()[2], before.split()[4]
        kind, source = after.split()[:2]
        # Subvolumes have devices of their own, and the room of one disk.
        is_disk = source.startswith("/dev/") and not kind.startswith("fuse")
        disk = source if is_disk else device
        if seen & {device, disk} or (kind in UNREAL and place != "/"):
            continue
        seen |= {device, disk}
        found.append((place.replace("\\040", " "), after))
    return found


def is_same(one: object, other: object) -> bool:
    """Tell whether two are the same disk, by their figures."""
    total = one.f_blocks * one.f_frsize
    apart = abs(one.f_bavail * one.f_frsize - other.f_bavail * other.f_frsize)
    return total == other.f_blocks * other.f_frsize and apart <= total / 1e3


def fill(place: str, said: list) -> None:
    """Say how full a file system is; it may hang."""
    try:
        said.append(os.statvfs(place))
    except OSError as error:
        said.append(error.strerror)


def note_filled(notes: Notes, place: str, after: str, found: object) -> None:
    """Note how full one file system is."""
    used = found.f_blocks - found.f_bfree
    room = used + found.f_bavail
    if not room:
        return
    share = 100.0 * used / room
    files = 0.0
    if found.f_files:
        files = 100.0 * (1 - found.f_ffree / float(found.f_files))
    text = (
        f"{place} {share:.0f} % of {size(found.f_blocks * found.f_frsize)}"
        f" used, {size(found.f_bavail * found.f_frsize)} free,"
        f" {files:.0f} % of its files"
    )
    is_fixed = "ro" in after.split()[2].split(",")
    notes.say(text + (", read-only" if is_fixed else ""))
    if max(share, files) >= 90 and not is_fixed:
        notes.stand_out(94 if max(share, files) >= 97 else 70, text)


def counted() -> dict:
    """Return what each whole disk has done so far."""
    found = {}
    for line in read("/proc/diskstats").splitlines():
        words = line.split()
        if Path("/sys/block", words[2]).exists():
            found[words[2]] = [int(word) for word in words[3:14]]
    return found


def look_io(notes: Notes) -> None:
    """Note what each disk does, and who waits for one."""
    before = counted()
    time.sleep(WINDOW_SECONDS)
    for name, now in sorted(counted().items()):
        was = before.get(name, now)
        spent = [now[n] - was[n] for n in range(11)]
        if not any(now):
            continue
        calls = spent[0] + spent[4]
        wait = float(spent[3] + spent[7]) / calls if calls else 0.0
        busy = spent[9] / 10.0 / WINDOW_SECONDS
        text = (
            f"{name} busy {min(100.0, busy):.0f} %, {calls} calls, each"
            f" takes {wait:.1f} ms"
        )
        notes.say(text)
        if busy >= 90 or wait >= 100:
            notes.stand_out(62, text)
    note_pressure(notes)


def note_pressure(notes: Notes) -> None:
    """Note how long work waits for what there is too little of."""
    for kind in ("cpu", "memory", "io"):
        if Path("/proc/pressure", kind).exists():
            lines = read("/proc/pressure/" + kind).splitlines()
            notes.say(f"pressure of {kind}: {lines[0]}")


def look_processes(notes: Notes) -> None:
    """Note states, zombies, and what cannot be ended."""
    found = processes()
    states = {}
    parents = {}
    stuck = []
    for (pid, _), one in found.items():
        states[one[1]] = states.get(one[1], 0) + 1
        if one[1] == "Z":
            parents[one[2]] = parents.get(one[2], 0) + 1
        if one[1] == "D":
            stuck.append(f"{one[0]}[{pid}]")
    said = ", ".join(f"{one} {n}" for one, n in sorted(states.items()))
    notes.say(f"{len(found)} processes: {said}")
    for pid, count in sorted(parents.items(), key=lambda one: -one[1])[:5]:
        text = f"{count} zombies left by [{pid}] {command(pid, '?')}"
        notes.say(text)
        if count >= 5:
            notes.stand_out(51, text)
    if len(stuck) >= 3:
        text = f"{len(stuck)} processes cannot be ended (D): "
        notes.both(68, text + ", ".join(stuck[:5]))
    held, _, most = read("/proc/sys/fs/file-nr").split()
    notes.say(f"open files: {held} of {most}")
    if int(held) >= 0.8 * int(most):
        notes.stand_out(86, f"open files: {held} of {most}")


def sockets() -> list:
    """Return own address and port, the peer's, and the state, of each."""
    found = []
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(path).exists():
            continue
        for line in read(path, SOCKETS_BYTES).splitlines()[1:]:
            words = line.split()
            # A line that is cut is left out.
            if len(words) > 9:
                ends = endpoint(words[1]) + endpoint(words[2])
                found.append((*ends, TCP.get(words[3], words[3])))
    return found


def endpoint(text: str) -> tuple:
    """Return an address and a port as people write them."""
    address, _, port = text.partition(":")
    # The kernel writes each word of four bytes in the machine's own order.
    raw = b"".join(
        int(address[at : at + 8], 16).to_bytes(4, sys.byteorder)
        for at in range(0, len(address), 8)
    )
    family = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, raw), int(port, 16)


def listeners() -> list:
    """Return at which addresses and ports somebody listens, each once."""
    instead = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 it is read
    found = {
        (port, instead.get(address, address))
        for address, port, _, _, state in sockets()
        if state == "LISTEN"
    }
    return [(address, port) for port, address in sorted(found)]


def look_network(notes: Notes) -> None:
    """Note connections by state, and what was lost."""
    counts = {}
    for one in sockets():
        counts[one[4]] = counts.get(one[4], 0) + 1
    said = ", ".join(f"{one} {n}" for one, n in sorted(counts.items()))
    notes.say("TCP: " + (said or "no connections"))
    if counts.get("CLOSE_WAIT", 0) >= 200:
        notes.stand_out(56, f"{counts['CLOSE_WAIT']} in CLOSE_WAIT")
    if counts.get("SYN_SENT", 0) >= 20:
        notes.stand_out(60, f"{counts['SYN_SENT']} calls get no answer")
    for line in read("/proc/net/dev").splitlines()[2:]:
        name, _, rest = line.partition(":")
        words = rest.split()
        notes.say(
            f"{name.strip()}: in {size(float(words[0]))},"
            f" out {size(float(words[8]))}, errors {words[2]}/{words[10]},"
            f" drops {words[3]}/{words[11]} since start"
        )  # fmt: skip
    folder = "/proc/sys/net/netfilter/nf_conntrack_"
    if Path(folder + "count").exists():
        count, most = int(read(folder + "count")), int(read(folder + "max"))
        text = f"tracked connections: {count} of {most}"
        notes.say(text)
        if count >= 0.9 * most:
            notes.stand_out(88, text)


def look_listeners(notes: Notes) -> None:
    """Note how fast the listeners of this machine take a caller.

    Only a connection is made, and closed: nothing is sent.
    """
    places = [one for one in listeners() if may_call(*one)]
    if not places:
        notes.say("nothing listens here")
        return
    answers = call_all(places[:MOST_CALLS])
    # Who refuses has ended since it was looked at, or is behind a wall.
    is_refused = errno.ECONNREFUSED in answers.values()
    left = listeners() if is_refused else []
    for place in places[:MOST_CALLS]:
        note_call(notes, place, answers[place], is_there=place in left)
    if len(places) > MOST_CALLS:
        notes.say(f"({len(places) - MOST_CALLS} more were not called)")


def may_call(address: str, port: int) -> bool:
    """Tell whether calling a listener does it no harm."""
    is_loopback = address == "::1" or address.startswith("127.")
    return is_loopback or port not in COUNTING


def note_call(
    notes: Notes, place: tuple, said: object, *, is_there: bool
) -> None:
    """Note what came of one call, and what of it is not well."""
    text = spell(place)
    if said is None:
        notes.say(f"{text}: not connected in {CALL_SECONDS:.0f} s")
        notes.stand_out(69, f"{text} does not accept connections")
    elif said == errno.ECONNREFUSED:
        words = "it listens all the same" if is_there else "it has just ended"
        notes.say(f"{text}: refused: {words}")
        if is_there:
            notes.stand_out(61, f"{text} listens and refuses connections")
    elif isinstance(said, int):
        notes.say(f"{text}: not called: {os.strerror(said).lower()}")
    else:
        notes.say(f"{text}: connected in {said * 1000:.1f} ms")
        if said >= SLOW_SECONDS:
            notes.stand_out(44, f"{text} takes {said:.1f} s to connect")


def spell(place: tuple) -> str:
    """Return where somebody listens as people write it."""
    return f"{place[0]} port {place[1]}"


def call_all(places: list) -> dict:
    """Return the seconds each took to connect, an errno, or None: neither."""
    found = dict.fromkeys(places)
    waiting = selectors.DefaultSelector()
    begun = []
    try:
        for place in places:
            family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
            sock = socket.socket(family, socket.SOCK_STREAM)
            begun.append(sock)
            sock.settimeout(0)
            key = (place, time.monotonic())
            code = sock.connect_ex(place)
            if code in (0, errno.EINPROGRESS):
                waiting.register(sock, selectors.EVENT_WRITE, key)
            else:
                found[place] = code
        until = time.monotonic() + CALL_SECONDS
        while waiting.get_map() and time.monotonic() < until:
            for key, _ in waiting.select(max(0.0, until - time.monotonic())):
                waiting.unregister(key.fileobj)
                place, since = key.data
                passed = time.monotonic() - since
                code = key.fileobj.getsockopt(
                    socket.SOL_SOCKET, socket.SO_ERROR
                )
                found[place] = code or passed
    finally:
        waiting.close()
        for sock in begun:
            sock.close()
    return found


def look_connections(notes: Notes) -> None:
    """Note the connections to databases and queues; nobody logs in."""
    counts = {}
    for _, port, peer, peer_port, state in sockets():
        # A connection within this machine is counted on both sides.
        for key in ((port, "port"), (peer_port, peer)):
            if key[0] in SERVERS:
                side = counts.setdefault(key, {})
                side[state] = side.get(state, 0) + 1
    for (port, where), states in sorted(counts.items()):
        note_server(notes, f"{SERVERS[port]} ({where} {port})", states)
        count = states.get("ESTABLISHED", 0)
        if where == "port" and count >= MANY_CONNECTIONS:
            text = f"{SERVERS[port]} (port {port}) has {count} connections"
            notes.stand_out(42, text)
    if not counts:
        notes.say("none")


def note_server(notes: Notes, name: str, states: dict) -> None:
    """Note the connections of one server by state, and what is odd."""
    most = sorted(states.items(), key=lambda one: -one[1])
    notes.say(f"{name}: " + ", ".join(f"{n} {one}" for one, n in most))
    count = states.get("SYN_SENT", 0)
    if count >= MANY_UNANSWERED:
        text = f"{name} does not answer {count} callers of this machine"
        notes.stand_out(79, text)
    count = states.get("CLOSE_WAIT", 0)
    if count >= MANY_UNCLOSED:
        notes.stand_out(54, f"{name}: {count} connections are not closed")


def look_certificates(notes: Notes) -> None:
    """Note when certificates run out, in files and of TLS listeners."""
    if ssl is None:
        raise OSError("this Python has no ssl")
    found = []
    for path in find_certificates():
        try:
            add_file(path, found)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            notes.say(f"{path}: not readable: {why}")
    add_listeners(notes, found)
    for left, what in sorted(found):
        days = f"{abs(left) / DAY:.1f} days"
        text = f"{what} runs out in {days}"
        if left < 0:
            text = f"{what} ran out {days} ago"
        notes.say(text)
        if left < SOON_DAYS * DAY:
            soon = 76 if left < VERY_SOON_DAYS * DAY else 50
            notes.stand_out(85 if left < 0 else soon, f"certificate {text}")
    if not found:
        notes.say("none were found in the usual folders and ports")


def find_certificates() -> list:
    """Return files that are certificates by their names, within bounds."""
    found = []
    left = MOST_ENTRIES
    for top in FOLDERS:
        for place, inner, names in os.walk(top):
            left -= len(names) + len(inner)
            if left < 0 or place.count("/") - top.count("/") >= MOST_DEPTH:
                inner[:] = []
            if left < 0 or place == "/etc/ssl/certs":
                continue
            found += [
                f"{place}/{name}"
                for name in sorted(names)
                if name.lower().endswith((".crt", ".cer", ".pem", ".cert"))
                and not KEY.search(name.lower())
            ]
    return found[:MOST_FILES]


def add_file(path: str, found: list) -> None:
    """Add the first certificate of a file: that is the one it shows."""
    if not Path(path).is_file():
        return
    text = read(path, MOST_OUTPUT)
    if 1 <= text.count(BEGIN) <= MOST_IN_FILE:
        pem = BEGIN + text.partition(BEGIN)[2].partition(END)[0] + END
        found.append(certificate(ssl.PEM_cert_to_DER_cert(pem), path))


def add_listeners(notes: Notes, found: list) -> None:
    """Add the certificates that listeners of this machine show."""
    begun = []
    places = [one for one in listeners() if one[1] in TLS_PORTS]
    for place in places[:MOST_TLS]:
        said = []
        thread = threading.Thread(target=shake_hands, args=(place, said))
        thread.daemon = True
        thread.start()
        begun.append((place, said, thread))
    until = time.monotonic() + 2 * CALL_SECONDS
    for place, said, thread in begun:
        thread.join(max(0.0, until - time.monotonic()))
        if said and not isinstance(said[0], str):
            found.append(said[0])
        else:
            why = said[0] if said else "no handshake in time"
            notes.say(f"tls {spell(place)}: not readable: {why}")


def shake_hands(place: tuple, said: list) -> None:
    """Say what certificate a listener shows, or why there is none."""
    # It is looked at, not trusted: one that ran out must be shown, too.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        plain = socket.create_connection(place, CALL_SECONDS)
        with plain, context.wrap_socket(plain) as secure:
            raw = secure.getpeercert(binary_form=True) or b""
        said.append(certificate(raw, "tls " + spell(place)))
    except (OSError, ValueError) as error:
        said.append(str(getattr(error, "strerror", None) or error))


def certificate(raw: bytes, where: str) -> tuple:
    """Return how many seconds one has left, and which it is."""
    inner = unpack(unpack(unpack(raw)[0][1])[0][1])
    parts = [one for one in inner if one[0] != VERSION]
    if len(parts) < 5 or parts[3][0] != SEQUENCE:
        raise ValueError("that is no certificate")
    times = unpack(parts[3][1])
    if len(times) != 2:
        raise ValueError("that is no certificate")
    name = "without a name"
    _, is_named, rest = parts[4][1].partition(COMMON_NAME)
    if is_named:
        name = unpack(rest)[0][1].decode("utf-8", "replace")[:100]
    return moment(*times[1]) - time.time(), f"{where} ({name})"


def unpack(raw: bytes) -> list:
    """Return the parts of DER, each its kind and its content."""
    found = []
    while raw:
        at, count = 2, raw[1] if len(raw) > 1 else 0
        if count >= 0x80:
            at += count & 0x7F
            count = int.from_bytes(raw[2:at], "big")
        if len(raw) < at + count:
            raise ValueError("that is no certificate: it is cut")
        found.append((raw[0], raw[at : at + count]))
        raw = raw[at + count :]
    if not found:
        raise ValueError("that is no certificate: it is empty")
    return found


def moment(kind: int, raw: bytes) -> int:
    """Return a moment; two digits of a year are of 1950 to 2049."""
    text = raw.decode("ascii", "replace")
    if kind == UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    elif kind != GENERAL_TIME:
        raise ValueError("that is no time")
    return calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ"))


def look_containers(notes: Notes) -> None:
    """Note which containers are not well, why, and what they wrote."""
    until = time.monotonic() + PART_SECONDS - 1.0
    place = find_engine()
    listed = json.loads(ask_engine(place, "/containers/json?all=1", until))
    if not isinstance(listed, list):
        raise TypeError("that is no list of containers")
    rows = [
        (not is_ill(one), (one.get("Names") or [one["Id"][:12]])[0], one)
        for one in listed
    ]
    rows.sort(key=lambda row: row[:2])
    for _, name, one in rows[:MOST_LISTED]:
        image = one.get("Image", "")
        notes.say(f"{name.lstrip('/')} ({image}): {one.get('Status', '')}")
    if not rows:
        notes.say("there are none")
    for is_fine, name, one in rows[:MOST_ILL]:
        if not is_fine:
            note_ill(notes, place, name.lstrip("/"), one, until)


def is_ill(one: dict) -> bool:
    """Tell whether a container is not as it should be."""
    state, status = one.get("State", ""), one.get("Status", "")
    is_over = state == "exited" and "Exited (0)" not in status
    is_bad = state in ("restarting", "dead", "paused")
    return is_bad or is_over or "(unhealthy)" in status


def note_ill(
    notes: Notes, place: str, name: str, one: dict, until: float
) -> None:
    """Note why a container is not well, and the end of its log."""
    path = "/containers/" + re.sub("[^0-9A-Za-z]", "", one["Id"])
    reason = ""
    try:
        known = json.loads(ask_engine(place, path + "/json", until))
        state = known["State"]
        ended = ", ended for want of memory" if state.get("OOMKilled") else ""
        reason = (
            f": exit code {state.get('ExitCode')}{ended}, restarted"
            f" {known.get('RestartCount', 0)} times {state.get('Error', '')}"
        )
    except (OSError, ValueError, LookupError) as error:
        notes.say(f"{name}: not readable: {error}")
    weight = 45 if one.get("State") in ("exited", "paused") else 74
    text = f"container {name} is {one.get('Status', '')}{reason}"
    notes.both(weight, text)
    tail = f"/logs?stdout=1&stderr=1&tail={LOG_LINES}"
    try:
        said = ask_engine(place, path + tail, until)
    except OSError as error:
        notes.say(f"{name}: its log is not readable: {error}")
        return
    for line in without_heads(said)[-LOG_LINES:]:
        notes.say("  " + line)


def without_heads(body: bytes) -> list:
    """Return the lines of a log; the engine may have put heads in it."""
    text = b""
    while len(body) >= 8 and body[0] <= 2 and not any(body[1:4]):
        count = int.from_bytes(body[4:8], "big")
        text += body[8 : 8 + count]
        body = body[8 + count :]
    return (text + body).decode("utf-8", "replace").splitlines()


def find_engine() -> str:
    """Return the socket of the container engine, or raise OSError."""
    told = os.environ.get("DOCKER_HOST", "")
    own = f"/run/user/{os.getuid()}/"
    places = [*ENGINES, own + "docker.sock", own + "podman/podman.sock"]
    if told.startswith("unix://"):
        places.insert(0, told[len("unix://") :])
    for place in places:
        try:
            if stat.S_ISSOCK(os.stat(place).st_mode):  # noqa: PTH116
                return place
        except OSError:
            continue
    raise OSError("no container engine here")


def ask_engine(place: str, path: str, until: float) -> bytes:
    """Return what the engine answers to GET, or raise OSError."""
    until = min(until, time.monotonic() + ENGINE_SECONDS)
    said = b""
    # An answer of HTTP/1.0 comes in one piece, and ends where it hangs up.
    asked = f"GET {path} HTTP/1.0\r\nHost: engine\r\n\r\n".encode()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(max(0.01, until - time.monotonic()))
            sock.connect(place)
            sock.sendall(asked)
            while len(said) < MOST_ANSWER:
                sock.settimeout(max(0.01, until - time.monotonic()))
                more = sock.recv(65536)
                if not more:
                    break
                said += more
    except socket.timeout:  # noqa: UP041 the name of both since 3.10
        text = "the container engine did not answer in time"
        raise OSError(text) from None
    head, _, body = said.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    if len(words) < 2 or words[1] != b"200":
        code = words[1].decode("ascii", "replace") if words[1:] else "nothing"
        raise OSError(f"the container engine answers {code}")
    return body


def look_units(notes: Notes) -> None:
    """Note which daemons failed, with the end of their logs."""
    said = ask("systemctl", "list-units", "--state=failed", "--plain",
               "--no-legend", "--no-pager", "--full")  # fmt: skip
    if "not been booted with systemd" in said:
        raise OSError("systemd does not run this machine")
    rows = [line.split() for line in said.splitlines() if line.split()]
    notes.say(f"{len(rows)} units failed")
    for row in rows[:4]:
        unit = row[0]
        notes.both(75, f"{unit} has failed")
        for line in ask("journalctl", "--unit=" + unit, "--lines=12",
                        "--no-pager", "--quiet").splitlines():  # fmt: skip
            notes.say("  " + line)


def look_supervisor(notes: Notes) -> None:
    """Note the programs of supervisor that are not well, with their logs."""
    found = programs()
    ill = [one for one in found if one[1] in WEIGHTS]
    notes.say(f"{len(found)} programs, {len(ill)} not well")
    ill.sort(key=lambda one: -WEIGHTS[one[1]])
    for name, state, why in ill[:MOST_PROGRAMS]:
        notes.both(WEIGHTS[state], f"{name} (supervisor) is {state}: {why}")
        for line in program_log(name)[-LOG_LINES:]:
            notes.say("  " + line)


def programs() -> list:
    """Return name, state and reason of all that supervisor keeps."""
    said = supervisorctl("status")
    found = [PROGRAM.match(line) for line in said.splitlines()]
    if not any(found):
        # It says in words that it has none, or why nobody is asked.
        raise OSError(said.strip().split("\n")[0] or "it has no programs")
    return [one.groups() for one in found if one]


def supervisorctl(*words: str) -> str:
    """Return what supervisor says to words that change nothing."""
    return ask("supervisorctl", *words, places=MORE_PLACES)


def program_log(name: str) -> list:
    """Return the last lines of a program: what it says went wrong."""
    if not SERVICE.fullmatch(name):
        return []
    found = []
    for kind in ("stdout", "stderr"):
        said = supervisorctl("tail", f"-{TAIL_BYTES}", name, kind)
        if said.startswith(f"{name}: ERROR"):
            # It keeps no such log.
            continue
        found += [f"{kind}: {line}" for line in last_lines(said, TAIL_BYTES)]
    return found


def last_lines(said: str, most: int) -> list:
    """Return the lines of a tail; the first was cut when it is full."""
    if len(said.encode("utf-8", "replace")) >= most:
        said = said.partition("\n")[2]
    return [line for line in said.splitlines() if line.strip()]


def look_service(notes: Notes, name: str) -> None:
    """Note how a service is, however it is, and its log, errors first."""
    for look in (note_unit, note_log_files, note_program):
        try:
            look(notes, name)
        except (OSError, ValueError, LookupError) as error:
            why = getattr(error, "strerror", None) or error
            notes.say(f"not readable: {why}")


def note_program(notes: Notes, name: str) -> None:
    """Note a program of supervisor that is called so, or is of that group."""
    try:
        found = programs()
    except OSError:
        # Most hosts have none, and that stands in its own part.
        return
    for whole, state, why in found[:MOST_LISTED]:
        if name in (whole, *whole.split(":")):
            weight = PLAIN if state == "RUNNING" else WEIGHTS["inactive"]
            notes.both(weight, f"{whole} (supervisor) is {state}: {why}")
            note_log(notes, whole, program_log(whole)[-SERVICE_LINES:])


def note_unit(notes: Notes, name: str) -> None:
    """Note how a unit is, and its log."""
    unit = name + SUFFIX
    said = ask("systemctl", "show", "--property=" + SHOWN_OF_UNIT, "--", unit)
    found = dict(
        line.split("=", 1) for line in said.splitlines() if "=" in line
    )
    state = found.get("ActiveState", "")
    if not state:
        raise OSError("systemd does not run this machine")
    if found.get("LoadState") == "not-found":
        notes.say(f"systemd knows no {unit}")
        return
    text = f"{name} (systemd) is {state} ({found.get('SubState', '')})"
    restarts = found.get("NRestarts", "0")
    if restarts not in ("", "0"):
        text += f", restarted by systemd {restarts} times"
    if found.get("Result", "success") not in ("", "success"):
        text += f", last result {found['Result']}"
    notes.both(WEIGHTS.get(state, PLAIN), text)
    log = ask("journalctl", "--unit=" + unit, f"--lines={SERVICE_LINES}",
              "--no-pager", "--quiet", "--output=short-iso")  # fmt: skip
    note_burst(notes, name, log.splitlines())
    note_log(notes, name, log.splitlines())


def note_log_files(notes: Notes, name: str) -> None:
    """Note the logs that a service writes by itself, those of errors first.

    Who called for what is left out: it is no trouble, and tells of people.
    """
    name = name.partition("@")[0]
    paths = [f"{LOGS}/{name}.log"]
    folder = Path(LOGS, name)
    if folder.is_dir():
        paths += [
            str(one)
            for one in sorted(folder.iterdir())[:MOST_FILES]
            if one.name.endswith((".log", ".err", ".error"))
            and not re.search("access|audit|auth", one.name)
        ]
    found = []
    for path in paths:
        if os.path.lexists(path) and stat.S_ISREG(os.lstat(path).st_mode):
            age = time.time() - os.lstat(path).st_mtime
            found.append(("err" not in path.rpartition("/")[2], age, path))
    for _, age, path in sorted(found)[:LOG_FILES]:
        try:
            note_log(notes, path, read_end(path), age)
        except OSError as error:
            notes.say(f"{path}: not readable: {error.strerror}")


def read_end(path: str) -> list:
    """Return the last lines of a file that is no link and never waits."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        os.lseek(file, max(0, os.fstat(file).st_size - LOG_BYTES), os.SEEK_SET)
        said = os.read(file, LOG_BYTES).decode("utf-8", "replace")
    finally:
        os.close(file)
    return last_lines(said, LOG_BYTES)[-SERVICE_LINES:]


def note_log(notes: Notes, name: str, lines: list, age: float = 0.0) -> None:
    """Note the errors of a log, the newest first, then its end."""
    wrong = [
        line
        for line in lines
        if TROUBLE.search(line) and not FINE.search(line)
    ]
    many = f"errors in {len(wrong)} of its last {len(lines)} lines"
    if age >= NEWS_SECONDS:
        notes.say(f"log of {name}: not written for {age / DAY:.1f} days")
    elif wrong:
        text = f"log of {name}: {many}, the newest: {wrong[-1]}"
        notes.stand_out(ERRORS_WEIGHT, text)
    if wrong and len(lines) > FEW_LINES:
        notes.say(f"log of {name}: {many}, the newest first:")
        for line in wrong[: -MOST_ERRORS - 1 : -1]:
            notes.say("  " + line)
    notes.say(f"the end of the log of {name}:")
    for line in lines[-LAST_LINES:] or ["it wrote nothing"]:
        notes.say("  " + line)


def look_kernel(notes: Notes) -> None:
    """Note bad news of the kernel."""
    said = ask("dmesg", "--level=emerg,alert,crit,err,warn")
    for pattern, weight, means in NEWS:
        found = [
            line
            for line in said.splitlines()
            if re.search(pattern, line, re.IGNORECASE)
        ]
        if found:
            notes.stand_out(weight, f"{means}: {found[-1]}")
        for line in found[-5:]:
            notes.say(line)
    if not notes.lines:
        notes.say("no bad news" if "denied" not in said else said)


def look_clock(notes: Notes) -> None:
    """Note whether somebody keeps the clock right."""
    said = ask("timedatectl", "show")
    for line in said.splitlines()[:8]:
        notes.say(line)
    if "NTPSynchronized=no" in said:
        notes.stand_out(36, "nobody keeps the clock right")


ALWAYS = ("machine", "past", "kernel")
PARTS = {
    "machine": look_machine,
    "past": look_past,
    "cpu": look_cpu,
    "memory": look_memory,
    "disk": look_disk,
    "io": look_io,
    "processes": look_processes,
    "network": look_network,
    "listeners": look_listeners,
    "connections": look_connections,
    "certificates": look_certificates,
    "containers": look_containers,
    "units": look_units,
    "supervisor": look_supervisor,
    "kernel": look_kernel,
    "clock": look_clock,
}
# Which parts a topic has beside those of all; others get every part.
OF_TOPIC = {
    "cpu": ("cpu", "processes"),
    "memory": ("memory", "processes"),
    "disk": ("disk", "io"),
    "storage": ("disk", "io"),
    "backup": ("disk", "io", "units", "supervisor"),
    "logs": ("disk", "units", "supervisor"),
    "io": ("io", "disk", "processes"),
    "network": ("network", "listeners"),
    "http": ("listeners", "certificates", "connections", "network",
             "units", "supervisor", "cpu"),
    "process": ("processes", "cpu", "memory"),
    "service": ("units", "supervisor", "listeners", "containers",
                "connections", "processes", "cpu", "memory"),
    "container": ("containers", "processes", "cpu", "memory"),
    "pod": ("containers", "processes", "cpu", "memory"),
    "database": ("connections", "listeners", "units", "supervisor",
                 "processes", "cpu", "memory", "disk", "io", "network",
                 "clock"),
    "queue": ("connections", "listeners", "units", "supervisor", "network",
              "cpu", "memory", "disk", "io"),
    "security": ("certificates", "processes", "network", "clock"),
    "time": ("clock",),
    "certificate": ("certificates", "clock", "units", "supervisor"),
    "hardware": ("io",),
}  # fmt: skip


def main(topic: str, service: str = "") -> str:
    """Return the evidence of a topic, and of a service beside it."""
    chosen = ALWAYS + OF_TOPIC.get(topic, tuple(PARTS))
    names = [f"service {service}"] if service else []
    begun = []
    for name in names + [name for name in PARTS if name in chosen]:
        notes = Notes()
        told = (name, notes, service)
        thread = threading.Thread(target=attempt, args=told)
        thread.daemon = True
        thread.start()
        begun.append((name, notes, thread))
    until = time.time() + PART_SECONDS
    odd = []
    sections = []
    for name, notes, thread in begun:
        thread.join(max(0.0, until - time.time()))
        if thread.is_alive():
            notes.say("not readable: it did not answer in time")
        odd += notes.odd
        # Of the service that an alert is about several logs are shown.
        most = MOST_LINES if name in PARTS else 3 * MOST_LINES
        sections += ["", "## " + name, *notes.lines[:most]]
    texts = [text for _, text in sorted(odd, key=lambda one: -one[0])]
    if all(weight <= PLAIN for weight, _ in odd):
        texts.insert(0, "nothing stands out")
    first = texts[:MOST_ODD]
    first.append(say_past())
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    head = f"# evidence: {topic} on {socket.gethostname()} at {now}"
    lines = [head, "## what stands out"] + ["- " + one for one in first]
    return "\n".join(lines + sections)[:MOST_BYTES]


def say_past() -> str:
    """Return with which past it was compared, for whoever reads it."""
    up = float(read("/proc/uptime").split()[0])
    if up < LEAST_PAST_SECONDS:
        return (
            "no past yet to compare with: the machine was started"
            f" {up / 60:.0f} min ago"
        )
    return (
        "compared with what this host has counted itself since its start"
        f" {up / 3600:.1f} h ago: means, and no spread"
    )


def attempt(name: str, notes: Notes, service: str = "") -> None:
    """Look at one part, or the service; say why it cannot be read."""
    try:
        if name in PARTS:
            PARTS[name](notes)
        else:
            look_service(notes, service)
    except (OSError, ValueError, LookupError) as error:
        why = getattr(error, "strerror", None) or error
        notes.say(f"not readable: {why}")
    except (TypeError, AttributeError):
        # An answer of another make than the one that is known here.
        notes.say("not readable: it says what is not known here")


if __name__ == "__main__":
    word = sys.argv[1] if len(sys.argv) > 1 else "general"
    if not re.match(r"[a-z][a-z0-9-]{0,40}\Z", word):
        sys.exit("that is no topic")
    said = sys.argv[2] if len(sys.argv) > 2 else ""
    while said.endswith(SUFFIX):
        said = said[: -len(SUFFIX)]
    if said and (".." in said or not SERVICE.fullmatch(said)):
        sys.exit("that is no service")
    text = main(word, said).encode("utf-8", "replace")
    sys.stdout.buffer.write(text + b"\n")
    sys.stdout.flush()
    # A part that hangs is not waited for.
    os._exit(0)
