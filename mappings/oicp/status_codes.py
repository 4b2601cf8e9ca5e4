"""Every status code of OICP 2.3 (CPO Data Types, CodeType), with the kind of outcome it stands for.

The table says what a code is about. What a sender does next (deliver, halve, try again, pause) is the hub adapter's to
decide; a code that is not listed says nothing about the outcome.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class CodeClass(StrEnum):
    """What a code says of a request's outcome."""

    SUCCESS = "success"
    """The operation was performed."""
    SYSTEM = "system"
    """The hub itself failed; the same request may succeed later."""
    ACCESS = "access"
    """The certificate and the ids in the request do not belong together; nothing will pass until that is mended."""
    DATA = "data"
    """The body is refused whole for something in it; it will be refused again."""
    DRIVER = "driver"
    """The driver could not be identified, or nobody answers for the driver."""
    CONTRACT = "contract"
    """There is no contract for the service between the two parties, or between a party and the hub."""
    PARTNER = "partner"
    """The other party is not there, does not answer, or does not offer the service."""
    SESSION = "session"
    """The session is unknown, closed or settled already."""
    EVSE = "evse"
    """The EVSE cannot do it now, or is not known."""


class Meaning(NamedTuple):
    """One line of the table.

    Attributes:
        code: Three digits.
        text: What the code stands for.
        area: Where OICP uses it: general, internal system, authentication, session, EVSE.
        kind: The kind of outcome.
    """

    code: str
    text: str
    area: str
    kind: CodeClass


_ROWS = (
    Meaning("000", "Success", "general", CodeClass.SUCCESS),
    Meaning("001", "Hubject system error", "internal system", CodeClass.SYSTEM),
    Meaning("002", "Hubject database error", "internal system", CodeClass.SYSTEM),
    Meaning("009", "Data transaction error", "internal system", CodeClass.SYSTEM),
    Meaning("017", "Unauthorized access", "internal system", CodeClass.ACCESS),
    # 018 and 019 name a record of the body that is not the sender's, not the sender's certificate.
    Meaning("018", "Inconsistent EvseID", "internal system", CodeClass.DATA),
    Meaning("019", "Inconsistent EvcoID", "internal system", CodeClass.DATA),
    Meaning("021", "System error", "general", CodeClass.SYSTEM),
    Meaning("022", "Data error", "general", CodeClass.DATA),
    Meaning("101", "QR code authentication failed: invalid credentials", "authentication", CodeClass.DRIVER),
    Meaning("102", "RFID authentication failed: invalid UID", "authentication", CodeClass.DRIVER),
    Meaning("103", "RFID authentication failed: card not readable", "authentication", CodeClass.DRIVER),
    Meaning("105", "PLC authentication failed: invalid EvcoID", "authentication", CodeClass.DRIVER),
    Meaning("106", "No positive authentication response", "authentication and internal system", CodeClass.DRIVER),
    Meaning("110", "QR code app authentication failed: time out", "authentication", CodeClass.DRIVER),
    Meaning("120", "PLC (ISO/IEC 15118) failed: invalid underlying EvcoID", "authentication", CodeClass.DRIVER),
    Meaning("121", "PLC (ISO/IEC 15118) failed: invalid certificate", "authentication", CodeClass.DRIVER),
    Meaning("122", "PLC (ISO/IEC 15118) failed: time out", "authentication", CodeClass.DRIVER),
    Meaning("200", "EvcoID locked", "authentication", CodeClass.DRIVER),
    Meaning("210", "No valid contract", "session", CodeClass.CONTRACT),
    Meaning("300", "Partner not found", "session", CodeClass.PARTNER),
    Meaning("310", "Partner did not respond", "session", CodeClass.PARTNER),
    Meaning("320", "Service not available", "session", CodeClass.PARTNER),
    Meaning("400", "Session is invalid", "session", CodeClass.SESSION),
    Meaning("501", "Communication to EVSE failed", "EVSE", CodeClass.EVSE),
    Meaning("510", "No EV connected to EVSE", "EVSE", CodeClass.EVSE),
    Meaning("601", "EVSE already reserved", "EVSE", CodeClass.EVSE),
    Meaning("602", "EVSE already in use, or wrong token", "EVSE", CodeClass.EVSE),
    Meaning("603", "Unknown EVSE ID", "EVSE", CodeClass.EVSE),
    Meaning("604", "EVSE ID is not Hubject compatible", "EVSE", CodeClass.EVSE),
    Meaning("700", "EVSE out of service", "EVSE", CodeClass.EVSE),
)

CODES: Mapping[str, Meaning] = MappingProxyType({row.code: row for row in _ROWS})
"""The whole table by code."""
