"""Pulls: what is due, page by page, with marks that move only after success."""
