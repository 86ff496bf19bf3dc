"""Which labels of an alert may fill which argument, in every spelling.

The best one first. Labels, tags and host fields are set by who configured
the monitoring; annotations are free text and are never here.
"""

HOST_LABELS = (
    "host",
    "hostname",
    "host_name",
    "nodename",
    "node_name",
    "instance",
    "node",
    "server",
    "machine",
    "InstanceId",
)
SERVICE_LABELS = (
    "unit",
    "service",
    "service_name",
    "name",
    "systemd_unit",
    "daemon",
    "display_name",
)
PROCESS_LABELS = (
    "process",
    "process_name",
    "groupname",
    "proc",
    "program",
    "comm",
)
PATH_LABELS = (
    "mountpoint",
    "mount",
    "path",
    "filesystem",
    "fsname",
    "volume",
    "drive",
    "disk",
    "directory",
    "family",
)
# Zabbix names what it measures by the first argument of an item's key.
PATH_KEYS = ("vfs.fs.", "vfs.dir.", "vfs.file.")
SERVICE_KEYS = ("service.info", "service_state", "systemd.unit.")
PROCESS_KEYS = ("proc.num", "proc.cpu.", "proc.mem")
CONTAINER_LABELS = ("container", "container_name", "name")
NAMESPACE_LABELS = ("namespace", "kubernetes_namespace")
POD_LABELS = ("pod", "pod_name", "kubernetes_pod_name")
TOPICS = (
    "cpu",
    "memory",
    "disk",
    "io",
    "network",
    "service",
    "process",
    "container",
    "pod",
    "database",
    "queue",
    "http",
    "logs",
    "time",
    "hardware",
    "security",
    "certificate",
    "backup",
    "storage",
    "config",
    "general",
)
