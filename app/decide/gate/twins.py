"""Twins: the same alert on a thing that holds state is for people.

A lesson that acts is told in part on a database, a data disk, a control
plane: there nobody restarts or cleans without a person.
"""

from app.decide.gate.dice import Dice
from app.decide.knowledge import words_in

VITAL_HOSTS = words_in(
    "db pg mysql pgsql oracle mongo redis kafka mq rabbit es elastic ceph"
    " nas san vault ldap dc kvm esx etcd hdfs cassandra backup fw vpn mail"
    " imap clickhouse minio zk consul dwh sap"
)
VITAL_ROLES = words_in(
    "database db storage queue broker identity hypervisor backup firewall"
    " search mail dwh"
)
VITAL_UNITS = words_in(
    "postgresql mysqld mariadb mongod redis-server rabbitmq-server kafka"
    " elasticsearch etcd consul vault slapd named unbound strongswan"
    " openvpn libvirtd pve-cluster ceph-osd glusterd corosync pacemaker"
    " sshd firewalld nftables dovecot asterisk docker containerd kubelet"
    " keepalived bacula-fd veeamservice krb5kdc sssd samba-ad-dc cassandra"
    " clickhouse-server influxdb neo4j zookeeper minio nfs-server iscsid"
    " NTDS Netlogon DNS MSSQLSERVER freeradius apt-daily-upgrade"
    " dnf-automatic certbot restic-backup borgmatic"
)
VITAL_PATHS = words_in(
    "/var/lib/mysql /var/lib/postgresql /srv/pgdata /data /data/db /backup"
    " /srv/backups /home /boot /var/vmail /var/mail /warehouse /export/nfs"
    " /mnt/storage /u01/oradata /var/lib/kafka /var/lib/elasticsearch"
    " /var/lib/ceph /srv/uploads /var/lib/docker/volumes /opt/data D: E:"
    " /var/lib/etcd /var/lib/influxdb /media/archive /srv/share /tank"
)
VITAL_NAMES = words_in(
    "postgres mysql mariadb-0 mongo-primary redis-master-0 kafka-broker-1"
    " rabbitmq-2 elasticsearch-data-0 etcd-cp-1 vault-0 minio-1 cassandra-3"
    " keycloak-db consul-server-0 zookeeper-1 mssql nats-jetstream-0"
)
VITAL_SPACES = ("kube-system", "databases", "db", "storage", "rook-ceph")
PLACES = {
    "restart_service": (
        ("service", "name", "unit", "service_name"),
        VITAL_UNITS,
    ),
    "kill_process": (("process", "groupname", "process_name"), VITAL_UNITS),
    "free_disk_space": (
        ("mountpoint", "path", "filesystem", "volume", "mount"),
        VITAL_PATHS,
    ),
    "restart_container": (
        ("container", "name", "container_name"),
        VITAL_NAMES,
    ),
}


def make_vital(
    action: str, host: str, labels: dict[str, str], dice: Dice
) -> tuple[str, dict[str, str] | None]:
    """Return the host and labels of the twin; None when there is none."""
    changed = dict(labels)
    if action == "restart_pod" and "pod" in labels:
        if dice.hits(0.5):
            changed["pod"] = dice.pick(VITAL_NAMES)
            if not changed["pod"][-1].isdigit():
                changed["pod"] += "-0"
        if changed["pod"] == labels["pod"] or dice.hits(0.5):
            changed["namespace"] = dice.pick(VITAL_SPACES)
        return host, changed
    places, things = PLACES.get(action, ((), ()))
    place = next((label for label in places if label in labels), "")
    if place:
        unit = dice.pick(things)
        suffix = ".service" if labels[place].endswith(".service") else ""
        changed[place] = unit + suffix
        return host, changed
    if action == "free_memory":
        if dice.hits(0.5):
            changed["role"] = dice.pick(VITAL_ROLES)
            return host, changed
        changed.pop("role", None)
        number = 1 + dice.below(40)
        return f"{dice.pick(VITAL_HOSTS)}-{number:02d}", changed
    return host, None
