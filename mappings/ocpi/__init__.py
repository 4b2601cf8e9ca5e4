"""OCPI: what the versions share, a package for each version, and dialects over the plain wire models."""
