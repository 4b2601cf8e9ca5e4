"""Gireve's OCPI 2.2.1: what it demands and forbids of tokens, sessions, CDRs and commands.

The source is Gireve's technical guide for OCPI 2.2.1 (tokens, sessions, CDRs, commands). A card's uid is held to
Gireve's form where we ask for it; in a session or CDR it is said as Gireve itself told it, whatever its form.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from mappings.canonical.base import Model
from mappings.canonical.cdrs import Cdr
from mappings.canonical.commands import ReserveNow, StartSession
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Session
from mappings.canonical.tariffs import Tariff
from mappings.canonical.tokens import Identification, TokenType
from mappings.ocpi import values
from mappings.ocpi.dialects import gireve_tariffs
from mappings.ocpi.v2_2_1 import cdrs_in, cdrs_out, commands, sessions, sessions_out, tokens, tokens_out
from mappings.ocpi.v2_2_1 import enums_charging as enums
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, IssueKind, Refused, Report

Source = bytes | str | Mapping[str, Any]

_RFID = re.compile(r"[0-9A-F]{8}|[0-9A-F]{14}")

# Guide, CDRs: what a remark begins with.
_PRICED_BY_GIREVE, _MEANINGLESS = "[*]", "[?]"
_PRICES = ("total_cost", *cdrs_in.COSTS)
_COSTS = ("total_cost", *cdrs_in.COSTS.values())


class AnonymousCard(Model):
    """The driver that stands in sessions and CDRs for Advenir, the French subsidy; Gireve confirms it at onboarding."""

    country_code: str = "$$"
    party_id: str = "ADV"
    uid: str = "12345671234567"
    type: str = "RFID"
    contract_id: str = "Gireve2Advenir"


ADVENIR = AnonymousCard()

_NOBODY: Mapping[str, Any] = {
    "identification": Identification(type=TokenType.RFID),
    "reference": None,
    # What a peer or backend said beyond the model may name the driver.
    "unknown": {},
}
"""What stands for the driver, and for whatever may name one."""

authorisation_to_canonical = tokens.authorisation_to_canonical
location_references = tokens.location_references
session_from_canonical = sessions.from_canonical


def uid_and_type(identification: Identification) -> tuple[str, str]:
    """Gives the uid and the TokenType by which Gireve is asked for a driver (mod_tokens, POST).

    Returns:
        The uid, a card's in hexadecimal capitals, and the type in OCPI's words.

    Raises:
        Refused: There is none, or it is a card's and not of 8 or 14 hexadecimal digits (guide, Tokens).
    """
    kind = enums.TOKEN_TYPES.from_canonical(identification.type).value
    text = identification.uid
    if text is None and identification.type in {TokenType.PLUG_AND_CHARGE, TokenType.QR_CODE}:
        text = None if identification.contract_id is None else identification.contract_id.text
    if text is None:
        raise Refused("identification.uid", "Gireve is asked by it, and there is none")
    if identification.type is TokenType.RFID:
        text = card_uid(text, "identification.uid")
    elif len(text) > values.LONGEST_ID:
        raise Refused("identification.contract_id", "longer than the 36 characters that OCPI allows")
    return text, kind


def card_uid(text: str, field: str) -> str:
    """Writes a card's uid as Gireve knows it (guide, RFID Tokens): hexadecimal capitals of a whole uid.

    Raises:
        Refused: It is not of 8 or 14 hexadecimal digits; the issue names `field`, and does not show it.
    """
    text = text.upper()
    if _RFID.fullmatch(text) is None:
        raise Refused(field, "Gireve knows cards by 8 or 14 hexadecimal digits only")
    return text


def nameless_session(session: Session) -> Session:
    """Gives a session that does not roam without anything that may name its driver, for Advenir."""
    return session.model_copy(update=_NOBODY)


def nameless_cdr(cdr: Cdr) -> Cdr:
    """Gives a CDR of a session that did not roam without anything that may name its driver, for Advenir."""
    # Signed readings hold the driver's card (OCMF: the identification's data); a remark may name anybody.
    told = {"signed_data": None, "remark": None, "invoice_id": None, "home_compensation": False}
    return cdr.model_copy(update={**_NOBODY, **told})


def anonymous_session_from_canonical(session: Session, card: AnonymousCard = ADVENIR) -> tuple[Wire, list[Issue]]:
    """Writes a session that does not roam, for Advenir, with nothing of its driver.

    Raises:
        Refused: The party has no country of two letters, or a tax cannot be said.
    """
    report = Report()
    wire = sessions_out.session(nameless_session(session), {"cdr_token": card.model_dump()}, report)
    return wire, report.issues


def cdr_from_canonical(cdr: Cdr, leg: Leg, *, zero_cost: bool = False) -> tuple[Wire, list[Issue]]:
    """Writes a CDR of a session that roamed over Gireve.

    Args:
        cdr: What to write.
        leg: How Gireve knows the charge.
        zero_cost: Says a cost of zero where the CPO tells none; Gireve's clearing computes its own.

    Raises:
        Refused: As in plain OCPI; or it is a credit, which Gireve does not heed.
    """
    report = Report()
    _no_credit(cdr, report)
    who = tokens_out.driver(cdr, leg, report)
    if cdr.home_compensation:
        detail = "Gireve does not pass it on; sent all the same"
        report.add(IssueKind.LOST, "home_compensation", detail)
    return cdrs_out.cdr(cdr, who, _tariff_out, report, zero_cost=zero_cost), report.issues


def anonymous_cdr_from_canonical(
    cdr: Cdr, card: AnonymousCard = ADVENIR, *, zero_cost: bool = False
) -> tuple[Wire, list[Issue]]:
    """Writes a CDR of a session that did not roam, for Advenir, with nothing of its driver.

    Raises:
        Refused: As `cdr_from_canonical`, but for the driver.
    """
    report = Report()
    _no_credit(cdr, report)
    who: Wire = {"cdr_token": card.model_dump()}
    return cdrs_out.cdr(nameless_cdr(cdr), who, _tariff_out, report, zero_cost=zero_cost), report.issues


def without_cost(cdr: Cdr) -> tuple[Cdr, list[Issue]]:
    """Gives a CDR without its cost and the parts of it, each with an issue: prices stand in the roaming agreement."""
    told = [field for field in _COSTS if getattr(cdr, field) is not None]
    issues = [Issue(IssueKind.LOST, field, "left out, as the settings want it") for field in told]
    return cdr.model_copy(update=dict.fromkeys(told)), issues


def _no_credit(cdr: Cdr, report: Report) -> None:
    if cdr.credit:
        # Guide, CreditCDR: one is dropped, while the CDR that is to stand in the first one's place is passed on too.
        raise report.refuse("credit", "Gireve does not heed one: the EMSP would pay for the first CDR and for the next")


def _tariff_in(wire: w.Tariff, report: Report, received: datetime) -> Tariff:
    tariff, issues = gireve_tariffs.to_canonical(wire, received)
    report.issues += issues
    return tariff


def _tariff_out(tariff: Tariff, report: Report) -> Wire:
    made, issues = gireve_tariffs.from_canonical(tariff)
    report.issues += issues
    return made


def cdr_to_canonical(source: Source, received: datetime | None = None) -> tuple[Cdr, list[Issue]]:
    """Reads a CDR with tariffs in Gireve's form, and what Gireve says of its price in the first signs of the remark.

    A price that Gireve worked out is `priced_by_hub`, and net: Gireve reckons no VAT. One that it calls meaningless is
    none; what stands in its place is kept beside the model, parts included. The remark stays as it was given.

    Raises:
        Refused: As in plain OCPI.
    """
    report = Report()
    read, meaningless = _without_meaningless(source)
    cdr = cdrs_in.cdr(cdrs_in.CDRS.read(read, report), _tariff_in, report, received)
    if meaningless is not None:
        for field, value in meaningless.items():
            report.add(IssueKind.UNKNOWN, field, "Gireve calls the price meaningless; kept beside the model", value)
        cdr = cdr.model_copy(update={"total_cost": None, "unknown": {**cdr.unknown, **meaningless}})
    elif _mark(cdr.remark) == _PRICED_BY_GIREVE:
        cdr = cdr.model_copy(update={"priced_by_hub": True})
    return cdr, report.issues


def _without_meaningless(source: Source) -> tuple[Source, dict[str, Any] | None]:
    """Takes the prices off a CDR that says itself that they mean nothing; these may not even be readable."""
    try:
        wire = source if isinstance(source, Mapping) else from_json(source)
    except ValueError:
        return source, None
    if not isinstance(wire, Mapping) or _mark(wire.get("remark")) != _MEANINGLESS:
        return source, None
    off = {field: wire[field] for field in _PRICES if wire.get(field) is not None}
    return {**wire, **dict.fromkeys(off), "total_cost": {"excl_vat": 0}}, off


def _mark(remark: object) -> str | None:
    return remark.lstrip()[: len(_MEANINGLESS)] if isinstance(remark, str) else None


def command_to_canonical(
    kind: str,
    source: Source,
    emsp: PartyId | None = None,
    received: datetime | None = None,
    cpo: PartyId | None = None,
) -> tuple[commands.Request, list[Issue]]:
    """Reads a command that came over Gireve.

    Args:
        kind: Which, as the last segment of the URL names it.
        source: JSON text, or an object that was parsed from JSON.
        emsp: Who asks, as the request's headers tell.
        received: When it arrived, for a token without `last_updated`.
        cpo: Who is addressed, as the request's headers tell.

    Raises:
        Refused: As in plain OCPI; or a start names no EVSE, or a reservation would be over when it arrives.
    """
    request, issues = commands.to_canonical(kind, source, emsp, received, cpo)
    command = request.command
    if isinstance(command, StartSession) and command.at.evse_uid is None:
        raise Refused("evse_uid", "is missing, and Gireve demands it", before=issues)
    if isinstance(command, ReserveNow) and received is not None and command.expires <= received:
        raise Refused("expiry_date", "is past", before=issues)
    return request, issues
