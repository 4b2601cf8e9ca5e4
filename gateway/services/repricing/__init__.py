"""CDRs out and in, recomputed from the tariff in force at their start."""
