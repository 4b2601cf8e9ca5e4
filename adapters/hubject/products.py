"""Turns projections of tariffs into pushes of pricing products (OICP 2.3, eRoamingPushPricingProductData). Pure.

A product is a tariff for one EMP, or for all (`*`), for as long as the tariff is in force; its push names for whom.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from adapters.core.adapter import Item
from adapters.core.digest import digest
from adapters.core.pricing import Compare, Unsayable
from adapters.hubject.planning import Kind, Written
from adapters.hubject.settings import PRODUCTS, PricingSettings, Settings
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Tariff, TariffType
from mappings.oicp.v2_3 import products_out
from mappings.oicp.v2_3.products import FOR_ALL
from mappings.oicp.v2_3.vocabulary import ActionType
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, IssueKind, Refused

HUBJECTS: Final = frozenset({None, TariffType.REGULAR})
"""Types of tariffs for drivers who roam; the others are paid at the station, or chosen there."""

_SAME_PRICE: Final = frozenset({IssueKind.LOST, IssueKind.DEFAULTED})
"""Kinds of issues that leave prices as they are."""

_COMPARISONS: Final = 2_000
"""Most comparisons that are remembered."""

_LONGEST_ID: Final = 36
"""Of a ProductID that an EMP can take for a tariff's id; OICP allows 50."""

_HEAD: Final = ("ProviderID", "PricingDefaultPrice", "PricingDefaultPriceCurrency", "PricingDefaultReferenceUnit")

_RECORD: Final = "PricingProductDataRecord"


def remembering(compare: Compare) -> Compare:
    """Makes a comparison that is made once: a batch that is halved is planned anew, and a comparison takes its time."""
    known: dict[bytes, str] = {}

    def remembered(wanted: Tariff, said: Tariff) -> str:
        key = digest([wanted.model_dump_json(), said.model_dump_json()])
        # Plans are made in several threads, of which another may forget what this one has just learnt.
        if (found := known.get(key)) is None:
            found = compare(wanted, said)
            if len(known) >= _COMPARISONS:
                known.clear()
            known[key] = found
        return found

    return remembered


def product_id(settings: Settings, party: PartyId, tariff_id: str) -> str:
    """Gives a tariff's ProductID: its id, of a sub-operator's with the party, since ProductIDs are the OperatorID's."""
    return tariff_id if party == settings.operator_id else f"{party}:{tariff_id}"


def product_key(settings: Settings, party: PartyId, tariff_id: str, target: PartyId | None) -> str:
    """Gives the wire key of a tariff's product: operator, ProductID, and the EMP that it is for, `-` for all."""
    return f"{settings.operator_id}/{product_id(settings, party, tariff_id)}/{target or '-'}"


def kind(settings: Settings, pricing: PricingSettings, compare: Compare) -> Kind:
    """Says how tariffs are pushed.

    Args:
        compare: Says what an approximation does to prices.
    """

    def message(action: ActionType, records: list[Record]) -> Record:
        word = records[0]["ProviderID"]
        provider = None if word == FOR_ALL else PartyId(word)
        bare = [record[_RECORD] for record in records]
        return products_out.push(action, settings.operator_id, settings.operator_name, provider, pricing, bare)

    def whole(provider: PartyId | None, record: Record) -> Record:
        # What a push says of all its products is part of what Hubject holds of each.
        said = products_out.push(ActionType.INSERT, settings.operator_id, "", provider, pricing, [])
        return {name: said["PricingProductData"][name] for name in _HEAD} | {_RECORD: record}

    def write(items: Sequence[Item]) -> Iterator[Written]:
        for item in items:
            try:
                record, issues = _product(item, settings, pricing, compare)
                target = item.subject.target if isinstance(item.subject, Tariff) else None
                yield Written(item, whole(target, record), issues)
            except Refused as refusal:
                yield Written(item, refusal, ())

    def name(record: Record) -> str:
        return f"{record['ProviderID']} {record[_RECORD]['ProductID']}"

    def tombstone(name: str) -> Record:
        word, _, product = name.partition(" ")
        provider = None if word == FOR_ALL else PartyId(word)
        return whole(provider, products_out.tombstone(product, pricing))

    def known_as(item: Item) -> str | None:
        if item.sent_as is not None or not item.attempts:
            return item.sent_as
        # An insert that was tried may have been acted upon without an answer.
        product, _, target = item.key.partition("/")[2].rpartition("/")
        return f"{products_out.provider_word(None if target == '-' else PartyId(target))} {product}"

    return Kind(
        operation=PRODUCTS,
        path=settings.products_path,
        most=pricing.product_batch,
        write=write,
        message=message,
        name=name,
        tombstone=tombstone,
        known_as=known_as,
        common=lambda record: str(record["ProviderID"]),
        withdrawn=True,
    )


def out_of_force(item: Item, now: datetime) -> Sequence[Issue] | None:
    """Says why a tariff is no product now: it has not begun, or is over; None where it is one."""
    tariff = item.subject
    if isinstance(tariff, Tariff) and tariff.start is not None and now < tariff.start:
        return [Issue(IssueKind.LEFT_OUT, "start", "it is a product from its start on", str(tariff.start))]
    if isinstance(tariff, Tariff) and tariff.end is not None and now >= tariff.end:
        return [Issue(IssueKind.LEFT_OUT, "end", "it is over", str(tariff.end))]
    return None


def _product(
    item: Item, settings: Settings, pricing: PricingSettings, compare: Compare
) -> tuple[Record, Sequence[Issue]]:
    tariff = item.subject
    if not isinstance(tariff, Tariff):
        raise Refused("", "no tariff")
    if tariff.target is not None and tariff.target not in pricing.targets:
        raise Refused(
            "target", "not among the connection's pricing.targets, that get prices of their own", tariff.target
        )
    name = product_id(settings, tariff.party, tariff.id)
    if len(name) > _LONGEST_ID:
        raise Refused("id", f"with its party before it longer than {_LONGEST_ID} signs", name)
    approximate = pricing.unsayable is Unsayable.APPROXIMATE
    said = products_out.record(tariff, power=pricing.power, approximate=approximate)
    issues = [*said.issues]
    if approximate and any(issue.kind not in _SAME_PRICE for issue in issues):
        issues.append(Issue(IssueKind.NARROWED, "elements", compare(tariff, said.said)))
    return {**said.record, "ProductID": name}, issues
