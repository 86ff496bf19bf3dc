"""What is never restarted here, and what only when it is listed by name."""

import os
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import psutil

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
# These hold what others cannot make again: only by their whole name.
STATEFUL = (
    "postgres*", "pgbouncer*", "patroni*", "mysql*", "mariadb*", "percona*",
    "galera*", "mongo*", "redis*", "valkey*", "keydb*", "etcd*",
    "cassandra*", "scylla*", "elastic*", "opensearch*", "solr*", "influx*",
    "clickhouse*", "couch*", "neo4j*", "oracle*", "mssql*", "db2*",
    "cockroach*", "tidb*", "rethink*", "firebird*", "timescale*",
    "victoria*", "rabbitmq*", "kafka*", "zookeeper*", "activemq*",
    "artemis*", "nats*", "pulsar*", "consul*", "vault*", "slapd*",
    "ldap*", "389*", "dirsrv*", "samba*", "smb*", "minio*", "ceph*",
    "gluster*", "drbd*", "corosync*", "pacemaker*", "keepalived*", "named*",
    "bind9*", "kube-apiserver*", "bacula*", "borg*", "restic*", "*backup*",
)  # fmt: skip


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Tell whether a name fits any pattern, however it is written."""
    text = name.casefold()
    return any(fnmatchcase(text, one.casefold()) for one in patterns)


def is_listed(name: str, listed: Iterable[str]) -> bool:
    """Tell whether a list has a name; databases only by the whole name."""
    if fits(name, STATEFUL):
        return name in tuple(listed)
    return any(fnmatchcase(name, one) for one in listed)


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
