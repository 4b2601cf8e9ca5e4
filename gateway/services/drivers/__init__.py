"""Our own drivers: their tokens, and whether they may charge when a hub asks."""
