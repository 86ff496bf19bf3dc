#!/usr/bin/env python3
"""Look at this machine and print what was seen; change nothing.

One file without anything beside the standard library (Python 3.6 and
newer), so that an automation can run it on any host: look.py TOPIC. It
prints the same form of text as the service does of its own machine, but it
looks once: it knows no past, and says so.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

WINDOW_SECONDS = 2.0
PART_SECONDS = 8.0
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
SHOWN = "(SECRET)"
US = " (this is us)"
WORDS = (
    r"passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|credentials?"
)
ASKS = re.compile(rf"(?i)--?[\w-]*(?:{WORDS}|pass|auth)")
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
SHORT = {"sshpass": "-p", "redis-cli": "-a", "curl": "-u", "mysql": "-p"}
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


def ask(name: str, *arguments: str) -> str:
    """Return what a program of the system says; no shell, an end."""
    path = shutil.which(name, path=PLACES)
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
    short = SHORT.get(os.path.basename(words[0]))  # noqa: PTH119
    shown = [words[0]]
    is_asked = False
    for word in words[1:]:
        is_glued = short is not None and word.startswith(short)
        text = short + SHOWN if is_glued and word != short else word
        shown.append(SHOWN if is_asked else text)
        is_asked = not is_asked and bool(ASKS.fullmatch(word) or word == short)
    return clean(" ".join(shown))[:160]


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


def connections() -> dict:
    """Return how many connections there are, by state."""
    counts = {}
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(path).exists():
            continue
        for line in read(path, 16000000).splitlines()[1:]:
            words = line.split()
            state = TCP.get(words[3], words[3]) if len(words) > 4 else "?"
            counts[state] = counts.get(state, 0) + 1
    return counts


def look_network(notes: Notes) -> None:
    """Note connections by state, and what was lost."""
    counts = connections()
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


ALWAYS = ("machine", "kernel")
PARTS = {
    "machine": look_machine,
    "cpu": look_cpu,
    "memory": look_memory,
    "disk": look_disk,
    "io": look_io,
    "processes": look_processes,
    "network": look_network,
    "units": look_units,
    "kernel": look_kernel,
    "clock": look_clock,
}
# Which parts a topic has beside those of all; others get every part.
OF_TOPIC = {
    "cpu": ("cpu", "processes"),
    "memory": ("memory", "processes"),
    "disk": ("disk", "io"),
    "storage": ("disk", "io"),
    "backup": ("disk", "io", "units"),
    "logs": ("disk", "units"),
    "io": ("io", "disk", "processes"),
    "network": ("network",),
    "http": ("network", "units", "cpu"),
    "process": ("processes", "cpu", "memory"),
    "service": ("units", "processes", "cpu", "memory"),
    "time": ("clock",),
    "certificate": ("clock", "units"),
    "hardware": ("io",),
}


def main(topic: str) -> str:
    """Return the evidence of a topic."""
    chosen = ALWAYS + OF_TOPIC.get(topic, tuple(PARTS))
    begun = []
    for name in PARTS:
        if name in chosen:
            notes = Notes()
            thread = threading.Thread(target=attempt, args=(name, notes))
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
        sections += ["", "## " + name, *notes.lines[:MOST_LINES]]
    texts = [text for _, text in sorted(odd, key=lambda one: -one[0])]
    if all(weight <= PLAIN for weight, _ in odd):
        texts.insert(0, "nothing stands out")
    first = texts[:MOST_ODD]
    first.append("no past to compare with: this was one look")
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    head = f"# evidence: {topic} on {socket.gethostname()} at {now}"
    lines = [head, "## what stands out"] + ["- " + one for one in first]
    return "\n".join(lines + sections)[:MOST_BYTES]


def attempt(name: str, notes: Notes) -> None:
    """Look at one part, and say why it cannot be read."""
    try:
        PARTS[name](notes)
    except (OSError, ValueError, LookupError) as error:
        why = getattr(error, "strerror", None) or error
        notes.say(f"not readable: {why}")


if __name__ == "__main__":
    word = sys.argv[1] if len(sys.argv) > 1 else "general"
    if not re.match(r"[a-z][a-z0-9-]{0,40}\Z", word):
        sys.exit("that is no topic")
    text = main(word).encode("utf-8", "replace")
    sys.stdout.buffer.write(text + b"\n")
    sys.stdout.flush()
    # A part that hangs is not waited for.
    os._exit(0)
