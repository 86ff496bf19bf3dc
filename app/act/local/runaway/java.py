"""Java is called java, whatever it runs: its command line tells what."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePath

from app.act.local.stateful import DATABASES

MACHINES = ("java", "java*[0-9]", "javaw", "jsvc*", "jre", "openj9*")
# The main classes of what holds data, a module before it or not.
CLASSES = (
    "org.apache.cassandra.", "org.elasticsearch.", "org.opensearch.",
    "kafka.Kafka", "kafka.server.", "org.apache.kafka.", "io.confluent.",
    "org.apache.zookeeper.", "org.apache.hadoop.", "org.apache.hbase.",
    "org.apache.accumulo.", "org.neo4j.", "org.apache.solr.",
    "org.apache.activemq.", "org.apache.pulsar.", "org.apache.bookkeeper.",
    "org.apache.rocketmq.", "org.apache.qpid.", "org.apache.ignite.",
    "org.apache.geode.", "org.apache.druid.", "org.apache.iotdb.",
    "org.apache.doris.", "com.starrocks.", "org.apache.derby.",
    "org.infinispan.", "com.hazelcast.", "com.orientechnologies.",
    "org.h2.tools.", "org.hsqldb.", "com.couchbase.",
)  # fmt: skip
# What only those are told; they are started by a jar without a name.
OPTIONS = (
    "-Dsolr.solr.home=", "-Dsolr.install.dir=", "-Djetty.home=/opt/solr",
    "-Dactivemq.base=", "-Dactivemq.home=", "-Dartemis.instance=",
    "-Dkafka.logs.dir=", "-Des.path.", "-Dopensearch.path.",
    "-Dcassandra.storagedir=", "-Dcassandra.logdir=", "-Dhadoop.log.dir=",
    "-Dhbase.log.dir=", "-Dzookeeper.log.dir=",
)  # fmt: skip
JAR = ".jar"


def is_java(names: set[str]) -> bool:
    """Tell whether a process is a Java machine, by the names it goes by."""
    return any(fnmatchcase(n, one) for n in names for one in MACHINES)


def find_data(words: Sequence[str]) -> str:
    """Return the word that says that a process holds data, "" for none."""
    for word in words:
        if word.startswith(OPTIONS) or _runs(word):
            return word
    return ""


def find_why_unknown(words: Sequence[str], *, is_whole: bool) -> str:
    """Return why nobody knows what a Java machine runs, "" if that is known.

    Args:
        words: its command line.
        is_whole: whether that is all of it.
    """
    if not is_whole:
        return "its command line is not shown as a whole"
    told = next((word for word in words[1:] if word.startswith("@")), "")
    return f"what it runs stands in the file {told[1:]}" if told else ""


def _runs(word: str) -> bool:
    """Tell whether a word is what a program with data is started by."""
    name = word.rpartition("/")[2] if word.count("/") == 1 else word
    if word.startswith(CLASSES) or name.startswith(CLASSES):
        return True
    if not word.endswith(JAR) or ":" in word:
        return False
    # Its name tells, or the folder that it was installed in.
    parts = [part.casefold() for part in PurePath(word).parts]
    return any(fnmatchcase(p, one) for p in parts for one in DATABASES)
