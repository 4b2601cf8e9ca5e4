"""Agreements taken over from files: what was signed in a portal that has no interface."""
