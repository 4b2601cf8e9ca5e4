"""Turns projections of tariffs into pushes of products, and those of EVSEs into pushes of which products they have.

A product is a tariff for one EMP, or for all (`*`); its push names for whom. An EVSE's prices are a row for all EMPs,
and one for each target that has a product of its own there. All of an EVSE's rows are one item, told together. Pure.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Final

from adapters.core.adapter import Item, Plan, Rendered, Subject, WireKey
from adapters.core.pricing import Compare, Unsayable
from adapters.hubject import planning
from adapters.hubject.planning import Kind, Turn, Written
from adapters.hubject.settings import PRICES, PRODUCTS, PricingSettings, Settings
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import Evse, EvseStatus, Location
from mappings.canonical.tariffs import Tariff, TariffType
from mappings.oicp.v2_3 import prices_out, products_out
from mappings.oicp.v2_3.products import FOR_ALL
from mappings.oicp.v2_3.vocabulary import ActionType
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, IssueKind, Refused

_HUBJECTS: Final = frozenset({None, TariffType.REGULAR})
"""Types of tariffs for drivers who roam; the others are paid at the station, or chosen there."""

_SAME_PRICE: Final = frozenset({IssueKind.LOST, IssueKind.DEFAULTED})
"""Kinds of issues that leave prices as they are."""

_LONGEST_ID: Final = 36
"""Of a ProductID that an EMP can take for a tariff's id; OICP allows 50."""

_HEAD: Final = ("ProviderID", "PricingDefaultPrice", "PricingDefaultPriceCurrency", "PricingDefaultReferenceUnit")
_RECORD: Final = "PricingProductDataRecord"


def keys(subject: Subject, settings: Settings) -> Iterable[WireKey]:
    """Names a tariff as the product that it is, also one that will be refused; and an EVSE's prices by its EvseID.

    Pure on the subject alone: so an EVSE's prices have one key for all EMPs, whoever has some of its own.
    """
    if settings.pricing is None:
        return
    if isinstance(subject, Tariff):
        if subject.type in _HUBJECTS:
            yield WireKey(PRODUCTS, _product_key(settings, subject.party, subject.id, subject.target), "")
    elif isinstance(subject, Location):
        for evse in subject.evses:
            if evse.status is not EvseStatus.REMOVED and evse.evse_id is not None and _tariff_ids(evse):
                yield WireKey(PRICES, evse.evse_id.normal, "", evse.uid, shared=True)


def make_plan(
    operation: str, items: Sequence[Item], settings: Settings, compare: Compare, blocked: frozenset[str], now: datetime
) -> Plan:
    """Makes the plan for tariffs or for EVSEs' prices; see `planning.make_plan`.

    Args:
        blocked: Keys of products that are still to be told. An EVSE's prices wait for those that Hubject never had.
        now: A tariff is a product from its start to its end: OICP has no word for either.
    """
    pricing = settings.pricing
    if pricing is None:
        raise ValueError("the connection pushes no prices")
    if operation == PRODUCTS:
        return _planned(_products(settings, pricing, compare), items, lambda item: _out_of_force(item, now))

    def silent(item: Item) -> Sequence[Issue] | None:
        return None if any(_offered(item, settings, pricing)) else [*_left_out(item, settings, pricing)]

    waiting: list[Item] = []
    rest: list[Item] = []
    for item in items:
        (waiting if not item.gone and _waits(item, settings, pricing, blocked) else rest).append(item)
    return replace(_planned(_prices(settings, pricing), rest, silent), waiting=waiting)


def _planned(kind: Kind, items: Sequence[Item], silent: Callable[[Item], Sequence[Issue] | None]) -> Plan:
    """Plans items of which some say nothing: what Hubject has of those is deleted.

    Args:
        silent: Gives why an item says nothing now; None where it says something.
    """
    planned: list[Item] = []
    unchanged: list[Rendered] = []
    for item in items:
        if item.gone or (issues := silent(item)) is None:
            planned.append(item)
        elif kind.known_as(item) is not None:
            planned.append(replace(item, gone=True))
        else:
            unchanged.append(Rendered(item, b"", None, tuple(issues)))
    plan = planning.make_plan(kind, planned, full_load=False)
    return replace(plan, unchanged=plan.unchanged + unchanged)


# Products


def _product_id(settings: Settings, party: PartyId, tariff_id: str) -> str:
    """Gives a tariff's ProductID: its id, of a sub-operator's with the party, since ProductIDs are the OperatorID's."""
    return tariff_id if party == settings.operator_id else f"{party}:{tariff_id}"


def _product_key(settings: Settings, party: PartyId, tariff_id: str, target: PartyId | None) -> str:
    return f"{settings.operator_id}/{_product_id(settings, party, tariff_id)}/{target or '-'}"


def _products(settings: Settings, pricing: PricingSettings, compare: Compare) -> Kind:
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
        word, _, product_id = name.partition(" ")
        provider = None if word == FOR_ALL else PartyId(word)
        return whole(provider, products_out.tombstone(product_id, pricing))

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
    )


def _out_of_force(item: Item, now: datetime) -> Sequence[Issue] | None:
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
    product_id = _product_id(settings, tariff.party, tariff.id)
    if len(product_id) > _LONGEST_ID:
        raise Refused("id", f"with its party before it longer than {_LONGEST_ID} signs", product_id)
    approximate = pricing.unsayable is Unsayable.APPROXIMATE
    said = products_out.record(tariff, power=pricing.power, approximate=approximate)
    issues = [*said.issues]
    if approximate and any(issue.kind not in _SAME_PRICE for issue in issues):
        issues.append(Issue(IssueKind.NARROWED, "elements", compare(tariff, said.said)))
    return {**said.record, "ProductID": product_id}, issues


# EVSEs' prices; a record here is what an EVSE has for each EMP: rows by ProviderID


def _tariff_ids(evse: Evse) -> Sequence[str]:
    return [*dict.fromkeys(chain.from_iterable(connector.tariff_ids for connector in evse.connectors))]


def _at(item: Item) -> tuple[PartyId, EvseId, Sequence[str]] | None:
    """Gives whose EVSE an item speaks of, its id, and its tariffs' ids."""
    if isinstance(item.subject, Location):
        for evse in item.subject.evses:
            if evse.uid == item.evse_uid and evse.evse_id is not None:
                return item.subject.party, evse.evse_id, _tariff_ids(evse)
    return None


def _waits(item: Item, settings: Settings, pricing: PricingSettings, blocked: frozenset[str]) -> bool:
    """Tells whether a product that an EVSE may have is still to be told for the first time."""
    if not blocked or (at := _at(item)) is None:
        return False
    party, _, tariff_ids = at
    named = (_product_key(settings, party, each, target) for each in tariff_ids for target in (None, *pricing.targets))
    return any(key in blocked and key not in item.known for key in named)


def _offered(
    item: Item, settings: Settings, pricing: PricingSettings
) -> Iterator[tuple[PartyId | None, Sequence[str]]]:
    """Gives the products that Hubject has for an EVSE: for all, and for each target that has one of its own there.

    Such an EMP has at the EVSE what is its own, and what is everybody's.
    """
    if (at := _at(item)) is None:
        return
    party, _, tariff_ids = at

    def there(target: PartyId | None) -> Collection[str]:
        return {each for each in tariff_ids if _product_key(settings, party, each, target) in item.known}

    def ids(offered: Collection[str]) -> Sequence[str]:
        return [_product_id(settings, party, each) for each in tariff_ids if each in offered]

    for_all = there(None)
    if for_all:
        yield None, ids(for_all)
    for target in sorted(pricing.targets, key=str):
        if own := there(target):
            yield target, ids({*own, *for_all})


def _left_out(item: Item, settings: Settings, pricing: PricingSettings) -> Iterator[Issue]:
    if (at := _at(item)) is None:
        return
    party, _, tariff_ids = at
    for each in tariff_ids:
        found = {_product_key(settings, party, each, target) for target in (None, *pricing.targets)}
        if not found & item.known:
            told = "Hubject has no product of this tariff: it is missing, refused, or no regular one"
            yield Issue(IssueKind.LEFT_OUT, "connectors.tariff_ids", told, each)


def _prices(settings: Settings, pricing: PricingSettings) -> Kind:
    def write(items: Sequence[Item]) -> Iterator[Written]:
        for item in items:
            at = _at(item)
            if at is None:
                yield Written(item, Refused("", "no EVSE of a location"), ())
                continue
            try:
                rows = [
                    prices_out.evse_pricing(at[1], provider, ids) for provider, ids in _offered(item, settings, pricing)
                ]
            except Refused as refusal:
                yield Written(item, refusal, ())
                continue
            yield Written(item, _by_provider(rows), tuple(_left_out(item, settings, pricing)))

    def known_as(item: Item) -> str | None:
        if item.sent_as is not None or not item.attempts:
            return item.sent_as
        # An insert that was tried may have been acted upon without an answer, for whomever there may be prices.
        evse_id = EvseId(item.key)
        words = [FOR_ALL, *sorted(products_out.provider_word(target) for target in pricing.targets)]
        return f"{evse_id.separated()} {','.join(words)}" if evse_id.well_formed else None

    return Kind(
        operation=PRICES,
        path=settings.prices_path,
        most=settings.evses_of_a_push,
        write=write,
        message=lambda action, records: prices_out.push(action, [row for each in records for row in each.values()]),
        name=_price_name,
        tombstone=_price_tombstone,
        known_as=known_as,
        turn=_price_turn,
    )


def _by_provider(rows: Iterable[Record]) -> Record:
    return {row["ProviderID"]: row for row in rows}


def _price_name(record: Record) -> str:
    """Names an EVSE's prices by its EvseID and by whom they are for."""
    evse_id = next(iter(record.values()))["EvseID"]
    return f"{evse_id} {','.join(sorted(record))}"


def _price_tombstone(name: str) -> Record:
    evse_id, _, words = name.partition(" ")
    return _by_provider(
        prices_out.tombstone(evse_id, None if word == FOR_ALL else PartyId(word)) for word in words.split(",")
    )


def _price_turn(before: str, record: Record) -> Turn:
    """Changes only the rows that change: an EMP that has prices now shall not take everybody's away for a while."""
    stale = _price_tombstone(before)
    if next(iter(stale.values()))["EvseID"] != next(iter(record.values()))["EvseID"]:
        return Turn([stale], [], [record])
    parts = (
        {word: row for word, row in stale.items() if word not in record},
        {word: row for word, row in record.items() if word in stale},
        {word: row for word, row in record.items() if word not in stale},
    )
    return Turn(*([part] if part else [] for part in parts))
