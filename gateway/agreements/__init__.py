"""Who may have what of whose network, by which way and under which version of which offer."""
