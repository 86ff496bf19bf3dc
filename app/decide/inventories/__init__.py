"""Who knows which hosts, services and containers there are; one file each."""
