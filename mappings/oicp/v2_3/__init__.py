"""OICP 2.3 for charge point operators: EVSE data, EVSE statuses, acknowledgements.

Written is the form of Hubject's OpenAPI, with the lengths that its texts give; read is every form seen in the wild.
"""
