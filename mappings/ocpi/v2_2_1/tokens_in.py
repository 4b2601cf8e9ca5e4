"""Tokens, CdrTokens and answers to authorisations from the wire (OCPI 2.2.1, mod_tokens; mod_cdrs, CdrToken).

Whose a token is, whether it is valid and who decides on it are never guessed. No issue shows a uid or a contract.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from mappings.canonical.ids import ContractId
from mappings.canonical.legs import LONGEST_REFERENCE
from mappings.canonical.tokens import AllowedType, EnergyContract, Identification, Token
from mappings.ocpi import values
from mappings.ocpi.reading import UNREAD, Instead, Path, Reader, Rule, Rules, show
from mappings.ocpi.v2_2_1 import enums_charging as enums
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1 import wire_charging as wc
from mappings.ocpi.v2_2_1.locations_in import last_updated, party
from mappings.report import IssueKind, Refused, Report

SECRET = frozenset({"uid", "token", "cdr_token", "contract_id", "visual_number"})
"""What holds, or may hold, a uid."""

RULES: Rules = {
    **dict.fromkeys(
        ("visual_number", "group_id", "language", "default_profile_type", "energy_contract"), Rule.SET_ASIDE
    ),
    "issuer": Instead(""),
}
INFO_RULES: Rules = {
    **dict.fromkeys(("token", "location", "info"), Rule.SET_ASIDE),
    **{f"token.{field}": rule for field, rule in RULES.items()},
}
TOKENS: Reader[wc.Token] = Reader(wc.Token, RULES, SECRET)
INFOS: Reader[wc.AuthorizationInfo] = Reader(wc.AuthorizationInfo, INFO_RULES, SECRET)

TOKEN, CDR_TOKEN = w.names(wc.Token), w.names(wc.CdrToken)
_CONTRACT, _INFO = w.names(wc.EnergyContract), w.names(wc.AuthorizationInfo)


class LocationReferences(NamedTuple):
    """Where a token may be used, in the CPO's own ids."""

    location_id: str
    evse_uids: tuple[str, ...]


class Authorisation(NamedTuple):
    """What an EMSP answers to a token (AuthorizationInfo).

    Attributes:
        token: None where the answer has none, or none that can be read.
        location: Where it may be used; None where the EMSP does not say.
        reference: What session and CDR shall carry.
        info: For the driver.
    """

    allowed: AllowedType
    token: Token | None
    location: LocationReferences | None
    reference: str | None
    info: str | None


def token(wire: wc.Token, report: Report, path: Path, received: datetime | None) -> Token:
    """Builds a token; `received` stands in where it has no `last_updated`.

    Raises:
        Refused: Its EMSP, uid, type, contract or whitelist cannot be read.
    """
    owner = party(wire["country_code"], wire["party_id"], report, path)
    fields = token_fields(wire, report, path)
    fields["last_updated"] = last_updated(wire.get("last_updated"), report, path, received)
    return Token(**{**fields, "party": owner})


def token_fields(wire: Mapping[str, Any], report: Report, path: Path) -> dict[str, Any]:
    """Reads the fields that are there, but for the EMSP: of a whole token, or of a PATCH of one."""
    unknown = values.kept(wire, TOKEN, report, path)
    given = {field: value for field, value in wire.items() if value is not None}
    fields: dict[str, Any] = {
        field: given[field] for field in ("visual_number", "issuer", "group_id", "valid", "language") if field in given
    }
    if len(fields.get("group_id", "")) > values.LONGEST_ID:
        unknown["group_id"] = fields.pop("group_id")
        report.add(IssueKind.UNKNOWN, show((*path, "group_id")), "longer than 36 characters; taken as unknown")
    if "uid" in given:
        fields["uid"] = values.own_id(given["uid"], values.LONGEST_ID, report, path, "uid", secret=True)
    if "type" in given:
        fields["type"] = values.decisive(enums.TOKEN_TYPES, given["type"], report, path, "type")
    if "contract_id" in given:
        fields["contract_id"] = _contract(given["contract_id"], report, path)
    if "whitelist" in given:
        fields["whitelist"] = values.decisive(enums.WHITELISTS, given["whitelist"], report, path, "whitelist")
    if "default_profile_type" in given:
        fields["default_profile"] = values.informational(
            enums.PROFILES, given["default_profile_type"], report, path, "default_profile_type", unknown
        )
    if (energy := given.get("energy_contract")) is not None:
        values.dropped(energy, _CONTRACT, report, (*path, "energy_contract"))
        fields["energy_contract"] = EnergyContract(
            supplier_name=energy["supplier_name"], contract_id=energy.get("contract_id")
        )
    if "last_updated" in given:
        fields["last_updated"] = values.moment(given["last_updated"], report, path, "last_updated")
    if unknown:
        fields["unknown"] = unknown
    return fields


def _contract(text: str, report: Report, path: Path) -> ContractId:
    if not text.strip():
        # Drivers are told apart by their contracts: blank ones would all be the same.
        raise report.refuse(show((*path, "contract_id")), "is blank")
    return ContractId(text)


def cdr_token(wire: wc.CdrToken, report: Report, path: Path) -> Identification:
    """Reads the driver of a session or CDR.

    Raises:
        Refused: The EMSP, the uid, the type or the contract cannot be read.
    """
    _note_others(wire, CDR_TOKEN, report, path)
    return Identification(
        type=values.decisive(enums.TOKEN_TYPES, wire["type"], report, path, "type"),
        uid=values.own_id(wire["uid"], values.LONGEST_ID, report, path, "uid", secret=True),
        contract_id=_contract(wire["contract_id"], report, path),
        party=party(wire["country_code"], wire["party_id"], report, path),
    )


def authorisation(wire: wc.AuthorizationInfo, report: Report, received: datetime | None) -> Authorisation:
    """Reads an answer; it stands by `allowed` alone, whatever is wrong with the rest.

    Raises:
        Refused: `allowed` cannot be read.
    """
    _note_others(wire, _INFO, report, ())
    place, info = wire.get("location"), wire.get("info")
    return Authorisation(
        allowed=values.decisive(enums.ALLOWED_TYPES, wire["allowed"], report, (), "allowed"),
        token=_told(wire.get("token"), report, received),
        location=None
        if place is None
        else LocationReferences(place["location_id"], tuple(place.get("evse_uids") or ())),
        reference=_reference(wire.get("authorization_reference"), report),
        info=None if info is None else info["text"],
    )


def _reference(text: str | None, report: Report) -> str | None:
    # Longer ones than OCPI allows are given back as they are: whoever gave one will look for it.
    if text is not None and len(text) > LONGEST_REFERENCE:
        report.add(IssueKind.UNKNOWN, "authorization_reference", "longer than any reference; taken as unknown", text)
        return None
    return text or None


def _note_others(wire: Mapping[str, Any], known: frozenset[str], report: Report, path: Path) -> None:
    """Notes the peer's own fields without their values, which may name the driver."""
    for field in wire.keys() - known:
        if not field.startswith(UNREAD):
            report.add(IssueKind.LEFT_OUT, show((*path, field)), "not a field of this version; left out")


def _told(wire: wc.Token | None, report: Report, received: datetime | None) -> Token | None:
    if wire is None:
        report.add(IssueKind.SUSPECT, "token", "is missing, and OCPI demands it")
        return None
    inner = Report()
    try:
        return token(wire, inner, ("token",), received)
    except Refused as refused:
        reason = refused.reason
        report.add(IssueKind.UNKNOWN, reason.field, f"{reason.detail}; the token is taken as unknown")
        return None
    finally:
        report.issues += inner.issues
