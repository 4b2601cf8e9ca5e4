"""The demo: a network, both sandbox hubs, a gateway, statuses while a hub fails, and the proof that all are equal."""
