"""A running service is killed, cut off, filled up, locked and slowed.

Clients keep a ledger of everything that was acknowledged; afterwards the
database is compared with it: nothing lost, nothing twice. CHAOS_SCALE in the
environment multiplies the kills and the cuts for a soak.
"""
