"""Hubject as an EMP sees it: stations to pull, commands to give, drivers to answer for, CDRs that come home."""
