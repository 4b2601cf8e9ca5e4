"""Turns projections of tariffs and of EVSEs' prices into pushes (OICP 2.3, eRoamingDynamicPricing). Pure.

An EVSE's prices are a row for all EMPs (`*`), and one for each target that has a product of its own there. All of an
EVSE's rows are one item, told together. They name what Hubject has of the EVSE's tariffs, and nothing else.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain

from adapters.core.adapter import Item, Plan, Rendered, Subject, WireKey
from adapters.core.pricing import Compare
from adapters.hubject import planning, products
from adapters.hubject.planning import Kind, Turn, Written
from adapters.hubject.settings import PRICES, PRODUCTS, PricingSettings, Settings
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import Evse, EvseStatus, Location
from mappings.canonical.tariffs import Tariff
from mappings.oicp.v2_3 import prices_out, products_out
from mappings.oicp.v2_3.products import FOR_ALL
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, IssueKind, Refused


def keys(subject: Subject, settings: Settings) -> Iterable[WireKey]:
    """Names a tariff as the product that it is, also one that will be refused; and an EVSE's prices by its EvseID.

    Pure on the subject alone: so an EVSE's prices have one key for all EMPs, whoever has some of its own.
    """
    if settings.pricing is None:
        return
    if isinstance(subject, Tariff):
        if subject.type in products.HUBJECTS:
            yield WireKey(PRODUCTS, products.product_key(settings, subject.party, subject.id, subject.target), "")
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
        return _planned(products.kind(settings, pricing, compare), items, lambda item: products.out_of_force(item, now))

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
    named = (
        products.product_key(settings, party, each, target)
        for each in tariff_ids
        for target in (None, *pricing.targets)
    )
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
        return {each for each in tariff_ids if products.product_key(settings, party, each, target) in item.known}

    def ids(offered: Collection[str]) -> Sequence[str]:
        return [products.product_id(settings, party, each) for each in tariff_ids if each in offered]

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
        found = {products.product_key(settings, party, each, target) for target in (None, *pricing.targets)}
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
