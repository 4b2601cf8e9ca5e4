"""Tariffs as they were known at a time, own and partners'."""
