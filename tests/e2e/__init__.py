"""The whole loop: real faults, real monitoring, the service, a score."""
