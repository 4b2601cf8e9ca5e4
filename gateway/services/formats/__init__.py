"""Files of known formats, cut into records while they arrive: bounded in memory whatever their size or their faults."""
