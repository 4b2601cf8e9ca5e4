"""Telling each hub what it should know: projections, lanes, the retry decision and the dispatcher."""
