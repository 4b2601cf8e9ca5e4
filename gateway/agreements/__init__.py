"""Who is served where, by which connection, for which service."""
