"""Sparing: the processes that nobody may end from here, whatever they do.

What is built in cannot be taken off; settings add to it.
"""

import os
import pwd
from collections.abc import Iterable
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import Annotated

from pydantic import Field, field_validator

from app.act.local.hand import Unwilling
from app.act.local.restart.untouched import fits
from app.act.local.runaway.burden import DELETED
from app.act.local.runaway.identity import Identity
from app.act.local.runaway.java import (
    find_data,
    find_why_unknown,
    is_java,
)
from app.act.local.stateful import DATABASES
from app.core.configfile import Section
from app.core.look.details import (
    read_command,
    read_text,
    read_users,
    read_whole_command,
)
from app.core.look.ours import is_of_ours
from app.core.look.snapshot import read_proc, read_procs
from app.models.job import Bounds

Pattern = Annotated[str, Field(min_length=2, max_length=200)]
User = Annotated[int, Field(ge=0)] | Annotated[str, Field(min_length=1)]

# The system, whoever lets people in, and whoever keeps other processes.
SYSTEM = (
    "systemd*", "(sd-pam)", "init", "upstart", "runit*", "runsv*", "s6-*",
    "openrc*", "tini", "dumb-init", "supervisord", "monit", "sshd*", "ssh",
    "dropbear", "dbus*", "login", "*getty", "journald*", "*-journald",
    "udevd", "*-udevd", "*-logind", "rsyslogd", "syslog*", "auditd", "cron",
    "crond", "atd", "polkitd", "sssd*", "nscd", "nslcd", "NetworkManager",
    "dhclient", "dhcpcd", "wpa_supplicant", "chronyd", "ntpd", "firewalld",
    "multipathd", "iscsid", "lvm*", "dmeventd", "mdadm", "rpcbind", "rpc.*",
    "nfsd", "keepalived", "corosync", "pacemaker*", "containerd*",
    "dockerd", "docker-*", "conmon", "crio", "runc", "crun", "podman",
    "kubelet", "kube-*", "libvirtd", "virt*", "qemu*", "xen*",
    "smokejumper*",
)  # fmt: skip
CGROUPS = (
    "*/init.scope*", "*/ssh.service*", "*/sshd.service*", "*/sshd@*",
    "*/systemd-*", "*/dbus*", "*/getty@*", "*/docker.service*",
    "*/containerd.service*", "*/crio.service*", "*/kubelet.service*",
    "*/NetworkManager.service*", "*/postgresql*", "*/mysql*", "*/mariadb*",
    "*/mongod*", "*/redis*", "*/etcd*", "*/smokejumper*",
)  # fmt: skip


class SparingSettings(Section):
    """Whose processes may be ended, and which never.

    Attributes:
        protected: names of programs, such as ``payd*``, beside what is
            built in.
        protected_cgroups: patterns of control groups, the same.
        users: users whose processes may be ended, by name or number.
            Nobody is named: only our own user's, and none when we are root.
    """

    protected: tuple[Pattern, ...] = Field((), max_length=1_000)
    protected_cgroups: tuple[Pattern, ...] = Field((), max_length=1_000)
    users: tuple[User, ...] = Field((), max_length=1_000)

    @field_validator("users")
    @classmethod
    def _users_are_known(cls, users: tuple[User, ...]) -> tuple[User, ...]:
        """Refuse a user that this machine does not have."""
        for user in users:
            if isinstance(user, str) and _uid_of(user) is None:
                raise ValueError(f"there is no user {user!r} on this machine")
        return users


class Sparing:
    """Knows which processes are left alone."""

    def __init__(self, settings: SparingSettings) -> None:
        """Take what the settings add to what is built in."""
        self._names = (*SYSTEM, *DATABASES, *settings.protected)
        self._cgroups = (*CGROUPS, *settings.protected_cgroups)
        listed = {_uid_of(str(user)) for user in settings.users}
        self._uids = {uid for uid in listed if uid is not None}

    def refuse_name(self, name: str) -> None:
        """Raise Unwilling when a program is protected by its name."""
        found = _match(name, self._names)
        if found is not None:
            raise Unwilling(f"{name} is protected (as {found})")

    def refuse(self, who: Identity) -> None:
        """Raise Unwilling when a process is left alone, and say why."""
        self._refuse_kind(who)
        self.refuse_program(who)
        for path in groups_of(who):
            found = _match(path, self._cgroups)
            if found is not None:
                raise Unwilling(
                    f"{who.name}[{who.pid}] is in the protected cgroup"
                    f" {path} (as {found})"
                )
        self._refuse_user(who)

    def refuse_program(self, who: Identity) -> None:
        """Raise Unwilling when what a process runs is protected."""
        for name in sorted(names_of_who(who)):
            self.refuse_name(name)
        words, is_whole = read_whole_command(who.pid)
        found = find_data(words)
        if found:
            raise Unwilling(f"{found} holds data: it is protected")
        if is_java(names_of_who(who)):
            why = find_why_unknown(words, is_whole=is_whole)
            if why:
                raise Unwilling(f"{who.name}[{who.pid}] may hold data: {why}")

    def _refuse_kind(self, who: Identity) -> None:
        """Raise Unwilling for the system's processes and for our own."""
        proc = read_proc(who.pid)
        if who.pid <= 2 or proc is None or proc.is_kernel:
            raise Unwilling(f"{who.name}[{who.pid}] is a part of the system")
        if who.is_contained and who.inner_pid == 1:
            raise Unwilling(
                f"{who.name}[{who.pid}] is the first process of a container:"
                " all of it would end; restart the container instead"
            )
        if is_of_us(who.pid):
            raise Unwilling(
                f"{who.name}[{who.pid}] is our own process, or one that we"
                " descend from, or that descends from us"
            )
        service = own_service()
        if service and service in groups_of(who):
            raise Unwilling(
                f"{who.name}[{who.pid}] is of our own service {service}"
            )

    def _refuse_user(self, who: Identity) -> None:
        """Raise Unwilling for a process of a user that is not ours to end."""
        allowed = self._allowed()
        for uid in (who.uid, who.effective_uid):
            if uid in allowed:
                continue
            raise Unwilling(
                f"{who.name}[{who.pid}] is of {_user_of(uid)}: only processes"
                f" of {', '.join(map(_user_of, sorted(allowed))) or 'nobody'}"
                " may be ended here (setting 'users')"
            )

    def is_strangers(self, pid: int) -> bool:
        """Tell whether a process is of a user that is not ours to end."""
        return not self._allowed().issuperset(read_users(pid))

    def _allowed(self) -> set[int]:
        """Return whose processes may be ended."""
        own = os.geteuid()
        return self._uids or ({own} if own else set())


def refuse_told(
    names: Iterable[str], groups: Iterable[str], bounds: Bounds
) -> None:
    """Raise Unwilling for what the policy protects, as the order says.

    Args:
        names: all that a process is called.
        groups: the paths of the control groups that it is in.
        bounds: what came with the order.
    """
    for name in sorted(names):
        found = _fit(name, bounds.processes)
        if found is not None:
            raise Unwilling(f"{name} is protected by the policy, as {found}")
    for part in (one for path in groups for one in path.split("/")):
        found = _fit(part.removesuffix(".service"), bounds.services)
        if found is not None:
            raise Unwilling(
                f"it is of a service that is protected by the policy: {part},"
                f" as {found}"
            )


def _fit(name: str, patterns: tuple[str, ...]) -> str | None:
    """Return the pattern that a name fits as the policy compares them."""
    bare = name.casefold()
    spellings = {bare, bare.partition(".")[0]} - {""}
    fit = (p for p in patterns if any(fits(one, (p,)) for one in spellings))
    return next(fit, None)


def is_of_us(pid: int) -> bool:
    """Tell whether a process is of our tree, or of another one of ours."""
    if pid in own_tree():
        return True
    parents = {proc.pid: proc.parent for proc in read_procs().values()}
    return is_of_ours(pid, parents)


def own_tree() -> set[int]:
    """Return ourselves, whoever we descend from, and who descends from us."""
    parents = {proc.pid: proc.parent for proc in read_procs().values()}
    tree = set()
    pid = os.getpid()
    while pid > 0 and pid not in tree:
        tree.add(pid)
        pid = parents.get(pid, 0)
    children: dict[int, list[int]] = {}
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    left = list(children.get(os.getpid(), ()))
    while left:
        one = left.pop()
        if one not in tree:
            tree.add(one)
            left += children.get(one, ())
    return tree


def own_service() -> str:
    """Return our own cgroup when it is a service's, so all in it is ours.

    A session, or the root of a container, is shared with strangers.
    """
    for line in read_text(os.getpid(), "cgroup").splitlines():
        path = line.split(":", 2)[-1]
        if path.endswith(".service"):
            return path
    return ""


def groups_of(who: Identity) -> list[str]:
    """Return the paths of all groups that a process is in."""
    return [line.split(":", 2)[-1] for line in who.cgroups.splitlines()]


def names_of_who(who: Identity) -> set[str]:
    """Return every name that a process goes by, its script's too."""
    command = read_command(who.pid)
    paths = [who.exe.removesuffix(DELETED), *command[:1]]
    # An interpreter is called by its own name: look at what it runs, too.
    paths += [word for word in command[1:4] if not word.startswith("-")][:1]
    names = {who.name}
    for path in paths:
        # A name may be followed by what it does: "postgres: writer".
        first = path.split(maxsplit=1)[:1]
        names |= {PurePath(word).name.rstrip(":") for word in first}
    return names - {""}


def _match(text: str, patterns: tuple[str, ...]) -> str | None:
    """Return the pattern that a text fits, None for none."""
    return next((p for p in patterns if fnmatchcase(text, p)), None)


def _uid_of(user: str) -> int | None:
    """Return the number of a user, None when there is none."""
    if user.isdecimal():
        return int(user)
    with suppress(KeyError):
        return pwd.getpwnam(user).pw_uid
    return None


def _user_of(uid: int) -> str:
    """Return a user's name with its number."""
    with suppress(KeyError):
        return f"{pwd.getpwuid(uid).pw_name} ({uid})"
    return f"user {uid}"
