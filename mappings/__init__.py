"""Translation between the canonical model and each protocol: pure functions and tables, no I/O."""
