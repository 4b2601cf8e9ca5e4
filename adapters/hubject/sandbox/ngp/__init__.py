"""Hubject's offers by Next Generation Pricing: its API for CPOs and EMPs, its portal, and who has which contract.

The API follows the NGP Automation APIs v1; what only people do, in Hubject's portal, is done on the page `/portal` or
by control requests.
"""
