"""What is never restarted here, and what only when it is listed by name."""

import os
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import psutil

from app.act.local.hand import Unwilling
from app.act.local.stateful import holds_data
from app.core.warden import SUFFIX, Standing

# Without these nobody gets in, or nothing else runs: never.
NEVER = (
    "ssh", "sshd", "ssh@*", "sshd@*", "dropbear*",
    "dbus*", "systemd-*", "init", "user@*", "user-runtime-dir@*",
    "getty*", "serial-getty*", "console-getty*", "*-dm", "display-manager",
    "network", "networking", "network-*", "NetworkManager*", "ifup@*",
    "wpa_supplicant*", "dhcpcd*", "dhclient*", "resolvconf*", "wg-quick@*",
    "openvpn*", "strongswan*", "firewalld", "nftables", "iptables*",
    "ip6tables*", "ufw", "fail2ban",
    "polkit*", "udev*", "sssd*", "nslcd*", "winbind*", "krb5*", "auditd",
    "docker*", "containerd*", "crio", "cri-o", "podman*", "kubelet*",
    "k3s*", "rke2*", "libvirt*", "virt*d", "qemu-*", "pve-*", "pvedaemon",
    "xendomains", "xenconsoled", "xenstored",
    "lvm2*", "dm-event*", "multipath*", "iscsi*", "open-iscsi", "mdadm*",
    "mdmonitor*", "zfs*", "nfs-*", "nfsd", "rpcbind", "rpc-*d", "smartd",
    "cloud-init*",
    "supervisor", "supervisord", "smokejumper*",
)  # fmt: skip


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Tell whether a name fits any pattern, however it is written."""
    text = name.casefold()
    return any(fnmatchcase(text, one.casefold()) for one in patterns)


def is_listed(name: str, listed: Iterable[str]) -> bool:
    """Tell whether a list has a name; databases only by the whole name."""
    if holds_data(name):
        return name in tuple(listed)
    return any(fnmatchcase(name, one) for one in listed)


def refuse(
    standing: Standing, listed: Iterable[str], protected: Iterable[str] = ()
) -> None:
    """Raise Unwilling for what is not restarted, whoever wants it.

    Every name counts that it has, and every one that it takes along.

    Args:
        standing: how it is, as its warden says it.
        listed: what people wrote that may be restarted: a database must
            stand there by its whole name.
        protected: patterns of what is never restarted, beside what is
            built in.
    """
    exactly = set(listed)
    if standing.warden == "command":
        # It was declared with a command of its own by that very name.
        exactly.add(standing.name)
    own = exactly.copy()
    if standing.name in exactly:
        # supervisor has a group, and a program in it: both were written.
        own.update(standing.name.split(":"))
    never = (*NEVER, *protected)
    for name in dict.fromkeys((standing.name, *standing.names)):
        _spare(name, own, never, "")
    for name in standing.takes_along:
        why = f", and would be restarted with {standing.name}"
        _spare(name, exactly, never, why)
    if is_ours(standing):
        raise Unwilling(f"we run in {standing.name} ourselves")


def spare(name: str, protected: Iterable[str]) -> None:
    """Raise Unwilling for a name that is never restarted."""
    if fits(name, (*NEVER, *protected)):
        raise Unwilling(f"{name} is protected")


def _spare(
    name: str, listed: set[str], never: Sequence[str], why: str
) -> None:
    """Raise Unwilling for a name that is not restarted, or a part of one."""
    bare = name.removesuffix(SUFFIX)
    if any(fits(one, never) for one in (bare, *bare.split(":"))):
        raise Unwilling(f"{name} is protected{why}")
    if holds_data(bare) and bare not in listed:
        raise Unwilling(
            f"{name} holds data by its name{why}: it is not listed by its"
            " whole name on this machine"
        )


def is_ours(standing: Standing) -> bool:
    """Tell whether we run in a daemon ourselves."""
    own = {os.getpid(), *(one.pid for one in psutil.Process().parents())}
    if standing.pid in own:
        return True
    try:
        group = Path("/proc/self/cgroup").read_text(encoding="ascii")
    except (OSError, ValueError):
        return False
    parts = {part for line in group.splitlines() for part in line.split("/")}
    return f"{standing.name}{SUFFIX}" in parts
