"""OICP 2.3, both roles: stations, statuses, prices, drivers, charges, commands, and what comes of them.

Written is the form of Hubject's OpenAPI, with the lengths that its texts give; read is every form seen in the wild.
"""
