"""Pulling prices: what an EMP asks, and which products hold at an EVSE (OICP 2.3, eRoamingDynamicPricing).

Neither answer comes in pages. Neither says by itself what an operator took back since the last call, so that only a
pull of everything tells it. `products` reads the products themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.tariffs import (
    EvsePrices,
)
from mappings.oicp.v2_3 import process
from mappings.oicp.v2_3.pages import Answer, Entry, field, gone, listed_under, names, successful, take_apart
from mappings.oicp.v2_3.products import FOR_ALL, parties, product_id
from mappings.oicp.v2_3.pulls import key_of
from mappings.oicp.v2_3.values import listed
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, IssueKind, Refused, Report

# Out


def product_data(operators: Sequence[PartyId], last_call: datetime | None = None) -> Record:
    """Writes an eRoamingPullPricingProductData.

    Args:
        operators: Whose products.
        last_call: Only what changed since is asked for; None asks for everything.

    Raises:
        Refused: No operator is named.
    """
    return _asking(operators, last_call)


def evse_prices(provider: PartyId, operators: Sequence[PartyId], last_call: datetime | None = None) -> Record:
    """Writes an eRoamingPullEVSEPricing; arguments as for `product_data`, and the EMP that asks.

    Raises:
        Refused: No operator is named, or the provider is no EMP.
    """
    return {"ProviderID": process.provider_id(provider)} | _asking(operators, last_call)


def _asking(operators: Sequence[PartyId], last_call: datetime | None) -> Record:
    if not operators:
        raise Refused("operators", "none, and OICP demands one")
    record: Record = {"OperatorIDs": [operator.normal for operator in operators]}
    return record if last_call is None else record | {"LastCall": process.stamp(last_call)}


# In


def read_evse_prices(body: Any) -> Answer[EvsePrices] | None:
    """Takes an eRoamingEVSEPricing apart; keys are (party, EvseID's normal form).

    The party is the operator of the answer, whose products they are: an EVSE of a sub-operator has the hub operator's.
    Where an EVSE has prices for one EMP and for all, those for the one go before the others.

    Returns:
        None where the body is no such answer, or says that something failed.
    """
    fields = successful(body)
    if fields is None or not {"evsepricing", "operatorevsepricing"} & names(body):
        return None
    answer = take_apart(_evses(fields), _entry)
    first: dict[tuple[str, ...], Entry[EvsePrices]] = {}
    for entry in answer.entries:
        if entry.key not in first or field(first[entry.key].raw, "ProviderID") == FOR_ALL:
            first[entry.key] = entry
    return Answer([*first.values()], answer.unreadable, answer.page)


def _evses(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    # The OpenAPI and the text of OICP name the list differently.
    name = "EVSEPricing" if "evsepricing" in fields else "OperatorEVSEPricing"
    for n, block in enumerate(listed(fields.get(name.casefold()))):
        path = f"{name}[{n}]"
        if not isinstance(block, Mapping):
            yield path, block
            continue
        operator = field(block, "OperatorID")
        for m, record in enumerate(listed_under(block, "EVSEPricing")):
            whole = {**record, "OperatorID": operator} if isinstance(record, Mapping) else record
            yield f"{path}.EVSEPricing[{m}]", whole


def _entry(record: Any) -> Entry[EvsePrices]:
    if not isinstance(record, Mapping):
        raise Refused("", "not an object", record)
    party, target = parties(record)
    given = field(record, "EvseID")
    if not isinstance(given, str) or not given.strip():
        raise Refused("EvseID", "missing" if given is None else "not a text", given)
    evse_id = EvseId(given)
    return Entry(
        key=(party.normal, key_of(evse_id)),
        raw=record,
        read=partial(_evse_prices, record, party, target, evse_id),
        gone=gone(record),
    )


def _evse_prices(
    record: Mapping[str, Any], party: PartyId, target: PartyId | None, evse_id: EvseId
) -> tuple[EvsePrices, list[Issue]]:
    report = Report()
    if not evse_id.well_formed:
        report.add(IssueKind.SUSPECT, "EvseID", "neither an ISO nor a DIN EvseID", evse_id.text)
    ids: dict[str, None] = {}
    for n, item in enumerate(listed(field(record, "EvseIDProductList"))):
        # The text of OICP puts each id into an object of its own.
        given = field(item, "ProductID") if isinstance(item, Mapping) else item
        try:
            ids[product_id(given, f"EvseIDProductList[{n}]")] = None
        except Refused as refusal:
            raise report.refuse(refusal.reason.field, refusal.reason.detail, given) from None
    return EvsePrices(party=party, evse_id=evse_id, tariff_ids=tuple(ids), target=target), report.issues
