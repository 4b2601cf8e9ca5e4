"""Offers and subscriptions: who may have what of whose network, who wants it, and what happens to both by time."""
