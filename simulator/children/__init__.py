"""The programs that cause trouble: small, standard library only.

Each is a process of its own, started by simulator/nursery.py, and holds to
leash.py: it ends with its parent, with its input, and at its own deadline.
"""
