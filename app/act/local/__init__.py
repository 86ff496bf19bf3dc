"""The local hands: what is done on this machine itself, and how it is kept.

It runs within the service, or as a small process of its own with a user of
its own, so it imports plumbing and nouns only.
"""
