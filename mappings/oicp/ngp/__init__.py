"""Hubject's NGP API, v1: EVSE networks, offers with prices by the week, and contracts; of both roles, beside OICP.

Texts: Hubject's NGP Automation APIs (`hubject/NGP-Automation-APIs`), the asciidoc and the OpenAPI (Swagger 2.0). Where
they disagree, `adapters/hubject/HUB.md` says what is done.
"""
