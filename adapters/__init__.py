"""One package a hub: its settings, client, server and sandbox, over the protocol that it speaks."""
