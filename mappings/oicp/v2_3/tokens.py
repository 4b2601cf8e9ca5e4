"""What a driver identifies with, from and to OICP 2.3 (CPO Data Types, IdentificationType).

An issue here never holds a value: it would be a card's number, a contract or a PIN.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.tokens import Identification, Pin, RfidKind
from mappings.oicp import times
from mappings.oicp.v2_3 import forms
from mappings.oicp.v2_3 import wire_charging as wire
from mappings.oicp.v2_3.enums_charging import PIN_HASHES, RFID_KINDS, TOKEN_TYPES
from mappings.oicp.v2_3.vocabulary import IdentificationKind
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, IssueKind, Report
from mappings.tables import NotRepresentable

_UID = re.compile(wire.UID_PATTERN)
_EVCO_ID = re.compile(wire.EVCO_ID_PATTERN, re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ORNAMENTS = str.maketrans("", "", " :-.")
_LONGEST_PRINTED = 150
_LONGEST_ID = 36
"""Signs of a card's number or a contract, whatever its form (OCPI 2.2.1, Token)."""

_MODELS: Mapping[IdentificationKind, type[wire.ChargingModel]] = {
    IdentificationKind.MIFARE_FAMILY: wire.MifareFamily,
    IdentificationKind.RFID: wire.Rfid,
    IdentificationKind.QR_CODE: wire.QrCode,
    IdentificationKind.PLUG_AND_CHARGE: wire.ByContract,
    IdentificationKind.REMOTE: wire.ByContract,
}


class Presented(NamedTuple):
    """A driver, and the PIN that came with a QR code."""

    identification: Identification
    pin: Pin | None


# Out


def from_canonical(identification: Identification, field: str = "identification") -> tuple[Record, list[Issue]]:
    """Writes an Identification, of a QR code without its PIN.

    A card is said by its UID alone. OICP 2.3, IdentificationType: RFIDIdentification must not be used in the process
    of eRoamingAuthorization, to which the CDR belongs; whoever issued the card knows the rest.

    Args:
        identification: The driver.
        field: Path of the identification in the source.

    Raises:
        Refused: OICP has no word for it, or it lacks what OICP demands.
    """
    report = Report()
    try:
        kind = TOKEN_TYPES.from_canonical(identification.type)
    except NotRepresentable as error:
        raise report.refuse(f"{field}.type", str(error), identification.type) from None
    if kind is IdentificationKind.MIFARE_FAMILY:
        body: Record = {"UID": _write_uid(identification.uid, field, report)}
    else:
        body = {"EvcoID": _write_evco_id(identification.contract_id, f"{field}.contract_id", report)}
    return {kind.value: body}, report.issues


def asking(identification: Identification, pin: Pin | None) -> tuple[Record, list[Issue]]:
    """Writes an Identification for an authorisation, in which a QR code needs its PIN in clear text.

    Raises:
        Refused: As `from_canonical`; or the PIN is missing, hashed or too long.
    """
    record, issues = from_canonical(identification)
    if IdentificationKind.QR_CODE.value in record:
        record[IdentificationKind.QR_CODE.value]["PIN"] = _write_pin(pin, Report(issues))
    return record, issues


def _write_uid(uid: str | None, field: str, report: Report) -> str:
    if uid is None:
        raise report.refuse(f"{field}.uid", "missing, and OICP knows a card by nothing else")
    bare = uid.translate(_ORNAMENTS).upper()
    if not _UID.fullmatch(bare):
        raise report.refuse(f"{field}.uid", "not 8, 14 or 20 hexadecimal digits, as OICP wants a card's number")
    if len(bare) != len(uid):
        report.add(IssueKind.MENDED, f"{field}.uid", "written with more than hexadecimal digits")
    return bare


def _write_evco_id(contract: ContractId | None, field: str, report: Report) -> str:
    if contract is None:
        raise report.refuse(field, "missing, and OICP knows this driver by nothing else")
    written = evco_id(contract)
    if written is None:
        raise report.refuse(field, "not an EvcoID, ISO or DIN, as OICP demands")
    return written


def evco_id(contract: ContractId) -> str | None:
    """Gives a contract as OICP's EvcoID, with its separators and check digit; None where it has neither form."""
    written = contract.separated().upper()
    return written if _EVCO_ID.fullmatch(written) else None


def _write_pin(pin: Pin | None, report: Report) -> str:
    if pin is None:
        raise report.refuse("pin", "missing, and OICP demands it with a QR code")
    if pin.hashed is not None:
        # OICP 2.3, Pin Security: Hubject would hash the hash, and say no.
        raise report.refuse("pin.hashed", "OICP wants the PIN itself in an authorisation")
    secret = pin.value.get_secret_value()
    if len(secret) > wire.PIN_LENGTH:
        raise report.refuse("pin", f"longer than the {wire.PIN_LENGTH} characters that OICP allows")
    return secret


# In


def to_canonical(
    value: Any, provider: PartyId | None = None, field: str = "Identification"
) -> tuple[Presented, list[Issue]]:
    """Reads an Identification in any spelling.

    Args:
        value: The parsed object.
        provider: The EMSP that the message names; else the contract's is taken.
        field: Path of the identification in the message.

    Raises:
        Refused: It holds none of the five kinds, or several, or one without what identifies.
    """
    report = Report()
    if not isinstance(value, Mapping):
        raise report.refuse(field, "missing" if value is None else "not an object")
    known, unknown = forms.fields(wire.Identification, value)
    for name in unknown:
        report.add(IssueKind.UNKNOWN, f"{field}.{name}", "no kind of identification of OICP 2.3")
    if len(known) != 1:
        raise report.refuse(field, "holds no kind of identification" if not known else "holds several kinds")
    kind = IdentificationKind(next(iter(known)))
    path = f"{field}.{kind.value}"
    if not isinstance(known[kind.value], Mapping):
        raise report.refuse(path, "not an object")
    body, _ = forms.fields(_MODELS[kind], known[kind.value])
    carded = kind in {IdentificationKind.MIFARE_FAMILY, IdentificationKind.RFID}
    contract = _read_contract(body.get("EvcoID"), f"{path}.EvcoID", report)
    if contract is None and not carded:
        raise report.refuse(f"{path}.EvcoID", "missing")
    rfid = kind is IdentificationKind.RFID
    identification = Identification(
        type=TOKEN_TYPES.to_canonical(kind.value),
        uid=_read_uid(body.get("UID"), f"{path}.UID", report) if carded else None,
        contract_id=contract,
        party=provider or (None if contract is None else contract.party),
        rfid_kind=_read_kind(body.get("RFID"), f"{path}.RFID", report) if rfid else None,
        printed_number=_read_printed(body.get("PrintedNumber"), f"{path}.PrintedNumber", report) if rfid else None,
        expires=_read_expiry(body.get("ExpiryDate"), f"{path}.ExpiryDate", report) if rfid else None,
    )
    pin = _read_pin(body, path, report) if kind is IdentificationKind.QR_CODE else None
    return Presented(identification, pin), report.issues


def _read_uid(given: Any, field: str, report: Report) -> str:
    text = given.strip() if isinstance(given, str) else str(given) if _whole(given) else ""
    if not text:
        raise report.refuse(field, "missing" if given is None else "not a text")
    bare = text.translate(_ORNAMENTS).upper()
    if not _UID.fullmatch(bare):
        # Passed on: the backend may know the card all the same.
        if len(text) > _LONGEST_ID:
            raise report.refuse(field, "longer than any card's number")
        report.add(IssueKind.SUSPECT, field, "not 8, 14 or 20 hexadecimal digits")
        return text
    if bare != given:
        report.add(IssueKind.MENDED, field, "not written as capital hexadecimal digits")
    return bare


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _read_contract(given: Any, field: str, report: Report) -> ContractId | None:
    if not isinstance(given, str) or not given.strip():
        if given is not None:
            report.add(IssueKind.UNKNOWN, field, "not a text")
        return None
    if len(given.strip()) > _LONGEST_ID:
        report.add(IssueKind.UNKNOWN, field, f"longer than {_LONGEST_ID} characters")
        return None
    contract = ContractId(given.strip())
    if not contract.well_formed:
        report.add(IssueKind.SUSPECT, field, "no EvcoID, or with a wrong check digit")
    return contract


def _read_kind(given: Any, field: str, report: Report) -> RfidKind | None:
    text = str(given) if given is not None else ""
    kind = RFID_KINDS.find(text) or RFID_KINDS.mend(text)
    if kind is None:
        report.add(IssueKind.UNKNOWN, field, "missing" if given is None else "not an RFIDType of OICP 2.3", given)
    return kind


def _read_printed(given: Any, field: str, report: Report) -> str | None:
    if given is None or given == "":
        return None
    text = str(given) if isinstance(given, str) or _whole(given) else ""
    if not text or len(text) > _LONGEST_PRINTED:
        report.add(IssueKind.UNKNOWN, field, "not a text of at most 150 characters")
        return None
    return text


def _read_expiry(given: Any, field: str, report: Report) -> str | None:
    if given is None:
        return None
    text = str(given).strip()
    try:
        times.read(text + "T00:00:00Z" if _DAY.fullmatch(text) else text)
    except ValueError:
        report.add(IssueKind.UNKNOWN, field, "not a time", given)
        return None
    # The day as the EMP wrote it: in which zone the card ends is not told.
    return text[:10]


def _read_pin(body: Record, path: str, report: Report) -> Pin | None:
    plain, hashed = body.get("PIN"), body.get("HashedPIN")
    if plain is not None and hashed is not None:
        raise report.refuse(path, "holds a PIN and its hash")
    if plain is not None:
        if not isinstance(plain, str) and not _whole(plain):
            raise report.refuse(f"{path}.PIN", "not a text")
        return Pin.model_validate({"value": str(plain)})
    if hashed is None:
        return None
    if not isinstance(hashed, Mapping):
        raise report.refuse(f"{path}.HashedPIN", "not an object")
    inner, _ = forms.fields(wire.HashedPin, hashed)
    value, function = inner.get("Value"), inner.get("Function")
    known = PIN_HASHES.find(str(function)) or PIN_HASHES.mend(str(function))
    if known is None:
        raise report.refuse(f"{path}.HashedPIN.Function", "no hash function of OICP 2.3")
    if not isinstance(value, str) or not value:
        raise report.refuse(f"{path}.HashedPIN.Value", "missing")
    return Pin.model_validate({"value": value, "hashed": known})
