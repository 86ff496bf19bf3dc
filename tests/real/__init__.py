"""With the real Prometheus, Alertmanager, Zabbix and PostgreSQL."""
