"""What holds data, by the names of its programs, services and images.

Its end may lose some, and its start may take hours. One list for all that
ends or restarts something here.
"""

import re
from fnmatch import fnmatchcase

# Patterns of whole names, as programs have them.
DATABASES = (
    "postgres*", "postmaster", "pgbouncer*", "pgpool*", "patroni*", "pg_*",
    "timescale*", "mysql*", "mariadb*", "percona*", "galera*", "mongo*",
    "redis*", "valkey*", "keydb*", "dragonfly*", "kvrocks*", "tarantool*",
    "memcached*", "oracle*", "ora_*", "tnslsnr", "mssql*", "sqlservr",
    "db2*", "etcd*", "consul*", "vault*", "clickhouse*", "cassandra*",
    "scylla*", "elastic*", "opensearch*", "solr*", "influx*", "couch*",
    "beam.smp", "rabbitmq*", "kafka*", "zookeeper*", "activemq*",
    "artemis*", "nats", "nats-*", "nats_*", "pulsar*", "bookie*",
    "observer*", "cockroach*", "tikv*", "tidb*", "pd-server", "slapd*",
    "ldap*", "openldap*", "389*", "dirsrv*", "ns-slapd", "ceph*", "minio*",
    "gluster*", "drbd*", "neo4j*", "arango*", "asd", "aerospike*",
    "rethink*", "firebird*", "fbserver*", "prometheus", "prometheus-server",
    "victoria*", "vmstorage*", "questdb*", "taosd*", "qdrant*", "yb-*",
    "yugabyte*", "ndbd*", "ndbmtd*", "ndb_mgmd*", "fdbserver*",
    "foundationdb*", "gaussdb*", "opengauss*", "kingbase*", "dmserver*",
    "hdbindexserver*", "hdbnameserver*", "hadoop*", "hdfs*", "*namenode",
    "*datanode", "*journalnode", "hbase*", "samba", "samba-*", "smb",
    "smbd", "named", "named-*", "bind9*", "corosync*", "pacemaker*",
    "keepalived*", "kube-apiserver*", "bacula*", "borg*", "restic*",
    "*backup*",
)  # fmt: skip
# Signs that divide a name into its words.
BETWEEN = re.compile(r"[^a-z0-9]+")
# So long a word is no accident within another one.
TELLING = 5


def holds_data(name: str) -> bool:
    """Tell whether a service or an image is one of these, by its name.

    People put something before it and behind it: ``rh-postgresql12``,
    ``app-mysql``, ``mycassandra``. A short word, such as ``asd``, must be a
    word of the name.
    """
    text = name.casefold()
    starts = {0, *(found.end() for found in BETWEEN.finditer(text))}
    rests = [text[start:] for start in starts]
    words = BETWEEN.split(text)
    return any(
        any(fnmatchcase(one, pattern) for one in (*rests, *words))
        or _is_within(pattern.strip("*"), text)
        for pattern in DATABASES
    )


def _is_within(word: str, text: str) -> bool:
    """Tell whether a word that is no accident stands anywhere in a text."""
    return len(word) >= TELLING and word in text
