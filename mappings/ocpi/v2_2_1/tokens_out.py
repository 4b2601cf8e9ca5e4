"""Tokens, CdrTokens and questions for an authorisation to the wire (OCPI 2.2.1, mod_tokens; mod_cdrs, CdrToken)."""

from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Session
from mappings.canonical.tokens import Identification, Token, TokenType
from mappings.ocpi import times, values
from mappings.ocpi.reading import Path, show
from mappings.ocpi.v2_2_1 import enums_charging as enums
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1.tokens_in import TOKEN
from mappings.report import Report

_BY_CONTRACT = frozenset({TokenType.PLUG_AND_CHARGE, TokenType.QR_CODE})
_NOT_SAID = ("rfid_kind", "printed_number", "expires")


def owner(party: PartyId, report: Report, path: Path, field: str = "party") -> w.Wire:
    """Writes whose an object is.

    Raises:
        Refused: The party has no country of two letters.
    """
    if party.country.startswith("+"):
        raise report.refuse(show((*path, field)), "OCPI has only country codes of two letters", party)
    return {"country_code": party.country, "party_id": party.code}


def token(source: Token, report: Report, path: Path) -> w.Wire:
    """Writes a token.

    Raises:
        Refused: The party has no country of two letters, or the contract does not fit.
    """
    made = values.given_back(source.unknown, TOKEN)
    made |= owner(source.party, report, path)
    made["uid"] = source.uid
    made["type"] = values.said(enums.TOKEN_TYPES, source.type, report, path, "type")
    made["contract_id"] = _contract(source.contract_id, report, path)
    if source.visual_number is not None:
        made["visual_number"] = values.fit(source.visual_number, 64, report, path, "visual_number")
    made["issuer"] = values.fit(source.issuer, 64, report, path, "issuer")
    if source.group_id is not None:
        made["group_id"] = source.group_id
    made["valid"] = source.valid
    made["whitelist"] = values.said(enums.WHITELISTS, source.whitelist, report, path, "whitelist")
    if source.language is not None:
        made["language"] = values.fit(source.language, 2, report, path, "language")
    if source.default_profile is not None:
        made["default_profile_type"] = values.said(
            enums.PROFILES, source.default_profile, report, path, "default_profile"
        )
    if (energy := source.energy_contract) is not None:
        at = (*path, "energy_contract")
        made["energy_contract"] = {"supplier_name": values.fit(energy.supplier_name, 64, report, at, "supplier_name")}
        if energy.contract_id is not None:
            made["energy_contract"]["contract_id"] = values.fit(energy.contract_id, 64, report, at, "contract_id")
    made["last_updated"] = times.write(source.last_updated)
    return made


def cdr_token(source: Identification, emsp: PartyId | None, report: Report, path: Path) -> w.Wire:
    """Writes the driver of a session or CDR.

    Args:
        source: The driver.
        emsp: Who answers for the driver, where the driver's identity does not tell.
        report: Takes the issues.
        path: Of the driver in the source.

    Raises:
        Refused: The EMSP, the contract, or a uid where the contract is none, is not known.
    """
    party = source.party or emsp
    if party is None:
        raise report.refuse(show((*path, "party")), "OCPI demands the driver's EMSP, and it is not known")
    if source.contract_id is None:
        raise report.refuse(show((*path, "contract_id")), "OCPI demands the driver's contract, and it is not known")
    made = owner(party, report, path)
    contract = _contract(source.contract_id, report, path)
    uid = source.uid
    if uid is None:
        if source.type not in _BY_CONTRACT:
            raise report.refuse(show((*path, "uid")), f"OCPI demands it, and a {source.type} has none")
        uid = contract
    made["uid"] = uid
    made["type"] = values.said(enums.TOKEN_TYPES, source.type, report, path, "type")
    made["contract_id"] = contract
    values.not_said(source, _NOT_SAID, report, path, "a CdrToken has no place for it")
    return made


def driver(source: Session | Cdr, leg: Leg | None, report: Report) -> w.Wire:
    """Writes whose a session or CDR is, as the leg knows them, and its reference.

    Args:
        source: The session or CDR.
        leg: How the peer knows the charge; None for one that no EMSP's authorisation is behind.
        report: Takes the issues.

    Raises:
        Refused: As `cdr_token`.
    """
    if leg is None:
        return {"cdr_token": cdr_token(source.identification, None, report, ("identification",))}
    made = {"cdr_token": cdr_token(leg.identification, leg.emsp, report, ("leg", "identification"))}
    return made if leg.reference is None else {**made, "authorization_reference": leg.reference}


def _contract(contract: ContractId, report: Report, path: Path) -> str:
    if len(contract.text) > values.LONGEST_ID:
        raise report.refuse(show((*path, "contract_id")), "longer than the 36 characters that OCPI allows")
    return contract.text


def location_references(location_id: str, evse_uid: str) -> w.Wire:
    """Writes where a driver stands, with exactly one EVSE."""
    return {"location_id": location_id, "evse_uids": [evse_uid]}
