"""What is read alike of a CPO's offers and an EMP's contracts. Nothing that Hubject tells of people is kept."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from mappings.canonical.agreements import Service
from mappings.canonical.held_offers import HubGroup
from mappings.canonical.ids import PartyId
from mappings.oicp.ngp import prices_in, stamps, wire_in
from mappings.oicp.ngp.enums import CANCELLED, SERVED, SERVICES
from mappings.oicp.ngp.vocabulary import ServiceType
from mappings.oicp.ngp.wire import CamelModel
from mappings.report import IssueKind, Refused, Report

M = TypeVar("M", bound=CamelModel)


def parsed(model: type[M], body: Any) -> M:
    """Reads a body, or a part of one.

    Raises:
        Refused: It is none, with the field.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        raise Refused(".".join(map(str, wrong["loc"])), wrong["msg"]) from None


def groups(
    said: Iterable[wire_in.GroupPricing],
    field: str,
    party: PartyId,
    at: datetime,
    report: Report,
) -> Iterable[HubGroup]:
    """Reads EVSE groups; one whose prices cannot be said has none, with an issue.

    Args:
        field: In which they stand.
        at: When the prices last changed.
    """
    for number, group in enumerate(said):
        try:
            tariff = prices_in.read(group.days or (), group.currency, group.group_id, party, at)
        except Refused as refused:
            tariff, reason = None, refused.reason
            path = f"{field}[{number}].{reason.field}"
            report.add(IssueKind.LEFT_OUT, path, f"the prices are not known: {reason.detail}", reason.value)
        yield HubGroup(id=group.group_id, name=group.group_name or "", tariff=tariff)


def services(kind: ServiceType | None, report: Report) -> frozenset[Service]:
    """Gives what an offer of a type grants."""
    if kind is None:
        report.add(IssueKind.UNKNOWN, "serviceTypeVersion", "not a known type of service; it grants nothing")
        return frozenset()
    return SERVICES[kind]


def served(state: str, cancelled_at: datetime | None) -> bool:
    """Tells whether Hubject serves a subscription; a cancelled one until the moment that it names."""
    return state in SERVED or (state in CANCELLED and cancelled_at is not None)


def party(text: str | None, field: str, report: Report) -> PartyId | None:
    """Reads a party; None where there is none, with an issue where it is not one."""
    if text is None or not text.strip():
        return None
    try:
        return PartyId(text.strip())
    except ValueError:
        report.add(IssueKind.UNKNOWN, field, "no id of a party", text)
        return None


def start(text: str, field: str) -> datetime:
    """Reads when something starts.

    Raises:
        Refused: It does not.
    """
    moment = stamps.read(text, field)
    if moment is None:
        raise Refused(field, "missing, or said to be never", text)
    return moment


def first(*moments: datetime | None) -> datetime | None:
    """Gives the first of some moments; None where there is none."""
    return min((moment for moment in moments if moment is not None), default=None)
