"""The problem simulator: it causes real trouble, and always ends it.

It is a program of its own: it imports nothing of app/ and speaks HTTP.
"""
