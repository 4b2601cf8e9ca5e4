"""Measures a gateway on the machine at hand."""
