"""What scripts/setup_zabbix.py is made of."""
