"""Topics: what an alert is about, by the words of its name.

They are words of everybody's trade, none of one site.
"""

import re

# The first of which a whole word is said: what is said of a resource comes
# before what has too little of it. One line of words means one thing.
WORDS: dict[str, str] = {
    "certificate": r"cert\w*|tls|ssl|x509|acme|letsencrypt",
    "hardware": r"""raid|mdadm|smart|ecc|edac|ipmi|hardware
        |temperature|thermal|overheat\w*|fans?|psu|power\ supply""",
    "backup": r"backups?|restic|borg\w*|velero|barman|pgbackrest|bacula",
    "security": r"""security|intrusion|malware|fail2ban|brute\ ?force
        |logins?|ssh|sudo|auth\w*""",
    # memcached is no memory.
    "memory": r"mem(?!cache)\w*|oom\w*|swap\w*",
    "storage": r"""storage|volumes?|lvm|zfs|zpool|pvc?s?|multipath
        |ceph|osds?|gluster\w*|nfs|iscsi|san|nas|minio""",
    "io": r"io|i\ o|iowait|iops|write|read",
    "disk": r"disks?|inodes?|filesystem|space|mount|fs",
    "cpu": r"cpus?|load(?!\ balanc)|throttl\w*|steal",
    "config": r"config\w*|misconfig\w*|reload\w*|puppet|ansible|terraform",
    # The time that an answer takes is none of the clock.
    "time": r"""clocks?|ntp\w*|chronyd?|timesyncd?|skew|drift
        |(?:system|host)\ time|time\ (?:is|sync\w*|offset|out\ of\ sync)""",
    "queue": r"""queues?|brokers?|consumers?|dead\ letters?|backlog
        |rabbit\ ?mq\w*|kafka\w*|active\ ?mq|nats|pulsar|celery|sidekiq""",
    "pod": r"""pods?|crash\ ?loop\w*|image\ ?pull\w*|deployments?
        |(?:replica|stateful|daemon)\ ?sets?""",
    "database": r"""databases?|db|connections|replicas?|replication
        |dead\ ?locks?|quer(?:y|ies)|postgres\w*|pg\w*|mysql\w*|maria\ ?db
        |mssql|sql\w*|oracle|mongo\w*|redis\w*|memcached?|cockroach\w*
        |cassandra|clickhouse|elasticsearch|opensearch|etcd\w*|zookeeper""",
    "network": r"""network|net|interface|link|bandwidth|bgp|dns
        |packets?|ping|icmp|tcp|retrans\w*|conntrack|unreachable""",
    "container": r"containers?|docker\w*|podman|containerd",
    "logs": r"""logs?|log\ ?files?|logging|logrotate|journald?|r?syslog
        |logstash|fluent\w*|filebeat|promtail|loki""",
    "http": r"""http\w*|[45]xx|50[0-4]|errors?|requests?|responses?
        |latency|slow\w*|time\ ?outs?|probe|endpoints?|upstreams?|ingress
        |nginx|apache|haproxy|traefik|load\ balanc\w*""",
    "process": r"""process\w*|zombies?|threads?|pids?
        |fds?|files|file\ descriptors?""",
    "service": r"""services?|units?|systemd|supervisor\w*|daemon|instance
        |target|exporters?|agents?|down|stopped|restart\w*|crash\w*|hung""",
}
PATTERNS = {
    topic: re.compile(rf"\b(?:{words})\b", re.VERBOSE)
    for topic, words in WORDS.items()
}
# CamelCase and snake_case are words, too.
BOUNDARY = re.compile(
    r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\W]+"
)


def find_topic(said: str) -> str:
    """Return what a text is about, or nothing."""
    words = BOUNDARY.sub(" ", said).lower()
    for topic, pattern in PATTERNS.items():
        if pattern.search(words):
            return topic
    return ""
