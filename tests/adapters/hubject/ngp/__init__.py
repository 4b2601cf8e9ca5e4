"""Offers at the sandbox Hubject."""
