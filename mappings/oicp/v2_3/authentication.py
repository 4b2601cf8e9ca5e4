"""Driver tokens as authentication data, by which Hubject admits drivers unasked (OICP 2.3, PushAuthenticationData).

Hubject asks the EMP for nobody of whom it has a record. So a token is pushed only while it is valid and its EMSP lets
others decide by it; any other is withdrawn. The records of one push stand or fall together: those that exist already
spoil an insert, those that do not an update, and an EvcoID of another EMP (019) either.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from mappings.canonical.ids import PartyId
from mappings.canonical.tokens import Pin, RfidKind, Token, Whitelist
from mappings.oicp.v2_3 import process, tokens
from mappings.oicp.v2_3 import wire_charging as wire
from mappings.oicp.v2_3.enums_charging import PIN_HASHES, RFID_KINDS
from mappings.oicp.v2_3.texts import cut
from mappings.oicp.v2_3.vocabulary import ActionType, IdentificationKind
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, IssueKind, Report

_PRINTED_LENGTH: Final = 150

DECIDED_OFFLINE: Final[Mapping[Whitelist, bool]] = MappingProxyType(
    {
        Whitelist.ALWAYS: True,
        Whitelist.ALLOWED: True,
        # Hubject would admit the driver by its record though the EMSP could be asked.
        Whitelist.ALLOWED_OFFLINE: False,
        Whitelist.NEVER: False,
    }
)
"""Whether a token may be known to Hubject, by what its EMSP says of whitelists."""


class Authentication(NamedTuple):
    """An AuthenticationDataRecord.

    Attributes:
        key: By which Hubject tells records apart. It holds a card's number or a contract: no log and no metric gets it.
        record: The record; a delete takes the same as an insert.
    """

    key: str
    record: Record


def pushed(token: Token) -> bool:
    """Tells whether Hubject shall know a token; else it is to be withdrawn."""
    return token.valid and DECIDED_OFFLINE[token.whitelist]


def from_canonical(
    token: Token, provider: PartyId, *, kind: RfidKind | None = None, pin: Pin | None = None
) -> tuple[Authentication, list[Issue]]:
    """Writes a token's record, whether or not it is to be withdrawn.

    A card of which the technology is known is an RFIDIdentification, with its contract and what is printed on it; any
    other an RFIDMifareFamilyIdentification of its number alone.

    Args:
        token: The token.
        provider: The party of the connection's certificate.
        kind: The card's technology, where it is known; canonical tokens do not tell.
        pin: A QR code's, hashed or not; it is nowhere kept, so whoever has it hands it over.

    Raises:
        Refused: OICP has no word for such a token, or it lacks what OICP demands: hexadecimal digits of a card, an
            EvcoID of anything else, the PIN of a QR code.
    """
    report = Report()
    record, issues = tokens.from_canonical(token.identification, "token")
    report.issues += issues
    name = next(iter(record))
    body = record[name]
    if name == IdentificationKind.MIFARE_FAMILY.value:
        # Hubject would not tell two records of one number apart, whatever the option they stand under.
        key = f"UID:{body['UID']}"
        if kind is not None:
            record = {IdentificationKind.RFID.value: body | _card(token, kind, report)}
        else:
            report.add(IssueKind.LOST, "contract_id", "OICP tells it of cards whose technology is known")
    else:
        key = f"{name}:{token.contract_id.normal}"
        if token.uid not in {token.contract_id.text, token.contract_id.normal}:
            report.add(IssueKind.LOST, "uid", "OICP knows this driver by the contract alone")
        if name == IdentificationKind.QR_CODE.value:
            record = {name: body | _pin(pin, report)}
    if token.contract_id.party not in {None, provider}:
        report.add(IssueKind.SUSPECT, "contract_id", f"of another EMP than {provider.normal}, which Hubject may refuse")
    return Authentication(key, {"Identification": record}), report.issues


def push(action: ActionType, provider: PartyId, records: Sequence[Record]) -> Record:
    """Makes an eRoamingPushAuthenticationData message.

    Args:
        action: What Hubject does with the records; FULL_LOAD replaces everything of the provider, also by nothing.
        provider: The party of the connection's certificate.
        records: Of `Authentication`, no key twice.

    Raises:
        Refused: The provider is no EMP.
    """
    return {
        "ActionType": action.value,
        "ProviderAuthenticationData": {
            "ProviderID": process.provider_id(provider),
            "AuthenticationDataRecord": [*records],
        },
    }


def _card(token: Token, kind: RfidKind, report: Report) -> Record:
    card: Record = {"RFID": RFID_KINDS.from_canonical(kind).value}
    written = tokens.evco_id(token.contract_id)
    if written is None:
        report.add(IssueKind.LEFT_OUT, "contract_id", "not an EvcoID, ISO or DIN")
    else:
        card["EvcoID"] = written
    if token.visual_number:
        card["PrintedNumber"] = cut(token.visual_number, _PRINTED_LENGTH, "visual_number", report)
    return card


def _pin(pin: Pin | None, report: Report) -> Record:
    if pin is None:
        raise report.refuse("pin", "missing, and OICP demands it with a QR code")
    secret = pin.value.get_secret_value()
    if pin.hashed is not None:
        return {"HashedPIN": {"Value": secret, "Function": PIN_HASHES.from_canonical(pin.hashed).value}}
    if len(secret) > wire.PIN_LENGTH:
        raise report.refuse("pin", f"longer than the {wire.PIN_LENGTH} characters that OICP allows")
    return {"PIN": secret}
