"""What a driver identifies with, and what an EMSP says of it (OCPI 2.2.1, mod_tokens; OICP 2.3, Identification)."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from mappings.canonical.base import Instant, Model, Unknown
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.tariffs import LocalDate

TokenUid = Annotated[str, StringConstraints(min_length=1, max_length=36)]
"""Any text: hex of a certain length is a rule for RFID at the hub that asks for it."""


class TokenType(StrEnum):
    """OCPI's types of token, then those that only OICP 2.3 distinguishes."""

    RFID = "RFID"
    APP_USER = "APP_USER"
    """From an EMSP's app or server; OICP's remote identification."""
    AD_HOC_USER = "AD_HOC_USER"
    OTHER = "OTHER"
    QR_CODE = "QR_CODE"
    """The driver's contract id and PIN, given at the charger."""
    PLUG_AND_CHARGE = "PLUG_AND_CHARGE"
    """The contract certificate in the car (ISO 15118)."""


class RfidKind(StrEnum):
    """The technology of a card (OICP 2.3, RFIDIdentification)."""

    MIFARE_CLASSIC = "MIFARE_CLASSIC"
    MIFARE_DESFIRE = "MIFARE_DESFIRE"
    MIFARE_FAMILY = "MIFARE_FAMILY"
    CALYPSO = "CALYPSO"
    NFC = "NFC"


class Identification(Model):
    """What a driver held up, or was named by. Holds no secret, but a uid never reaches a log or a metric.

    Attributes:
        type: What it is.
        uid: The card's number, or the EMSP's id of an app user; None where the contract alone identifies.
        contract_id: The driver's contract; None where only the card is known.
        party: The EMSP; None where it is not known.
        rfid_kind: Of a card, where it is known.
        printed_number: What is printed on the card.
        expires: Last day on which a card holds.
    """

    type: TokenType
    uid: TokenUid | None = None
    contract_id: ContractId | None = None
    party: PartyId | None = None
    rfid_kind: RfidKind | None = None
    printed_number: Annotated[str, StringConstraints(max_length=150)] | None = None
    expires: LocalDate | None = None


class PinHash(StrEnum):
    """How a PIN was hashed before it came to us (OICP 2.3, HashedPIN)."""

    BCRYPT = "BCRYPT"


class Pin(Model):
    """What a driver proves a QR code's contract by; passed on, never stored.

    Attributes:
        value: The PIN, or its hash.
        hashed: How it was hashed; None for the PIN itself.
    """

    value: SecretStr
    hashed: PinHash | None = None


class Whitelist(StrEnum):
    """Whether a token may be accepted without asking its EMSP (OCPI 2.2.1, WhitelistType)."""

    ALWAYS = "ALWAYS"
    ALLOWED = "ALLOWED"
    ALLOWED_OFFLINE = "ALLOWED_OFFLINE"
    NEVER = "NEVER"


class AllowedType(StrEnum):
    """What an EMSP says to a token that it is asked for (OCPI 2.2.1, AllowedType)."""

    ALLOWED = "ALLOWED"
    BLOCKED = "BLOCKED"
    EXPIRED = "EXPIRED"
    NO_CREDIT = "NO_CREDIT"
    NOT_ALLOWED = "NOT_ALLOWED"
    """Valid, but not here."""


class ProfileType(StrEnum):
    """What a driver prefers (OCPI 2.2.1, ProfileType)."""

    CHEAP = "CHEAP"
    FAST = "FAST"
    GREEN = "GREEN"
    REGULAR = "REGULAR"


class EnergyContract(Model):
    """A driver's own contract with a supplier of energy."""

    supplier_name: str
    contract_id: str | None = None


class Token(Model):
    """A token as its EMSP describes it; its key is (party, type, uid).

    Attributes:
        party: The EMSP.
        visual_number: What is printed on it.
        issuer: Who issued it, for people.
        group_id: Tokens of one group may stop each other's sessions.
        valid: Whether the EMSP stands for it.
        language: ISO 639-1, the driver's.
    """

    party: PartyId
    uid: TokenUid
    type: TokenType
    contract_id: ContractId
    visual_number: str | None = None
    issuer: str
    group_id: Annotated[str, Field(max_length=36)] | None = None
    valid: bool
    whitelist: Whitelist
    language: str | None = None
    default_profile: ProfileType | None = None
    energy_contract: EnergyContract | None = None
    last_updated: Instant
    unknown: Unknown = {}

    @property
    def identification(self) -> Identification:
        """What a driver who holds it identifies with."""
        return Identification(type=self.type, uid=self.uid, contract_id=self.contract_id, party=self.party)
