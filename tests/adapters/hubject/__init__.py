"""Tests of Hubject's adapter and sandbox."""
