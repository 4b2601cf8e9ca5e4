"""Turns projections of tariffs into OCPI requests; pure."""

from collections.abc import Sequence
from urllib.parse import urlencode

from adapters.core import ocpi
from adapters.core.adapter import Call, Item, Plan, Rendered
from adapters.gireve import fingerprints
from adapters.gireve.fingerprints import GONE
from adapters.gireve.rendering import Rendering
from adapters.gireve.settings import TARIFFS
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Tariff
from mappings.report import Issue, IssueKind, Refused

_MUTATED = Issue(
    IssueKind.SUSPECT,
    "elements",
    "another price than Gireve has of a tariff in force: Gireve recommends a new tariff that starts with the change,"
    " an end of this one, and both at the connectors",
)
"""Guide, tariffs, "Locations tariff update" and "Tariff shall be immutable"."""


def plan_tariffs(rendering: Rendering, items: Sequence[Item]) -> Plan:
    """Plans the tariffs of a lane: PUT, or DELETE of what is gone."""
    plan = Plan()
    for item in items:
        party, rest = item.key.split("/", 1)
        tariff_id, target = rest.rsplit("/", 1)
        owner = PartyId(party)
        path = ocpi.path(owner.country, owner.code, tariff_id)
        if item.gone or not isinstance(item.subject, Tariff):
            gone = Rendered(item, GONE, None)
            if item.sent_as is None and not item.attempts:
                plan.unchanged.append(gone)
            else:
                plan.calls.append(Call(TARIFFS, "DELETE", path + _target_query(target), None, (gone,)))
            continue
        try:
            wire, issues = rendering.tariff(item.subject)
        except Refused as refused:
            plan.refused.append((item, refused))
            continue
        fingerprint = fingerprints.of_tariff(wire)
        if fingerprints.prices_changed(item.accepted, fingerprint) and _in_force(item.subject):
            issues.append(_MUTATED)
        rendered = Rendered(item, fingerprint, path, tuple(issues))
        if rendered.fingerprint == item.accepted:
            plan.unchanged.append(rendered)
        else:
            plan.calls.append(Call(TARIFFS, "PUT", path, wire, (rendered,)))
    return plan


def _in_force(tariff: Tariff) -> bool:
    """Tells whether charges may have begun under it when it was changed."""
    changed = tariff.last_updated
    return (tariff.start is None or tariff.start <= changed) and (tariff.end is None or changed < tariff.end)


def _target_query(target: str) -> str:
    """Names the variant to delete as the body of a PUT would: the guide does not say how, and the path cannot."""
    if target == "-":
        return ""
    party = PartyId(target)
    query = {"target_operator_country_code": party.country, "target_operator_party_id": party.code}
    return "?" + urlencode(query)
