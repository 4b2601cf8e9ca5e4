"""Offers that share a network at a hub: an EVSE stands in one network there, of whichever offers."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from adapters.core.offers import HubIds, OfferStep
from gateway.outbox.delivery_store import End
from gateway.services.hub_offers.content import SQL
from gateway.services.hub_offers.steps import groups_of
from gateway.services.offers.rows import SQL as OFFERS
from gateway.services.offers.rows import read_version
from gateway.store.pool import Record, Transaction
from mappings.canonical.agreements import OfferState, OfferTerms

PREFIX: Final = "offers/"
"""Before an offer's id in the key of what a hub is told of it."""

_SHARED: Final = ("network", "network_name", "groups")


def key_of(offer_id: str) -> str:
    """Gives the key of what a hub is told of an offer."""
    return PREFIX + offer_id


def ids_of(row: Record) -> HubIds:
    """Gives what a hub calls the parts of an offer."""
    return HubIds.model_validate_json(row["hub_ids"]) if row["hub_ids"] is not None else HubIds()


class Siblings(NamedTuple):
    """The other offers of the same network by the same way.

    Attributes:
        offers: The oldest first.
        told: Which steps hubs are just being told, by offer.
    """

    offers: Sequence[Record]
    told: Mapping[str, Collection[str]]


async def lock(tx: Transaction, offer_ids: Sequence[str]) -> None:
    """Locks offers with all that may share their network, in one order: else two answers wait for each other."""
    await tx.execute(SQL["lock_all"], list(offer_ids))


async def siblings_of(tx: Transaction, offer_id: str) -> Siblings:
    """Reads the offers beside one."""
    told: dict[str, set[str]] = defaultdict(set)
    keys = {key_of(each["id"]): each["id"] for each in await tx.fetch(SQL["siblings"], offer_id)}
    for each in await tx.fetch(SQL["outstanding"], list(keys)) if keys else ():
        if each["state"] != End.REFUSED:
            told[keys[each["key"]]].add(each["step"])
    # Only then what the hub answered: what it has just answered is either still on its way or known.
    return Siblings(await tx.fetch(SQL["siblings"], offer_id) if keys else (), told)


async def awaits_network(tx: Transaction, terms: OfferTerms, ids: HubIds, siblings: Siblings) -> bool:
    """Tells whether the hub is just being told of the same EVSE groups by another offer, or took them namelessly."""
    busy = [
        each["id"]
        for each in siblings.offers
        if ids_of(each).network == ids.network
        and (OfferStep.NETWORK in siblings.told.get(each["id"], ()) or each["unanswered"] == OfferStep.NETWORK)
    ]
    versions = [read_version(each).version for each in await tx.fetch(OFFERS["versions"], busy)] if busy else []
    wanted = set(groups_of(terms)) - ids.groups.keys()
    if ids.network is None:
        return any(set(groups_of(each.terms)) == wanted for each in versions)
    return any(wanted & set(groups_of(each.terms)) for each in versions)


async def take_over(tx: Transaction, row: Record, terms: OfferTerms, siblings: Siblings) -> HubIds:
    """Gives an offer's ids with the network of another offer of the same EVSE groups, or its own as they are.

    One that shares a network already takes over the groups that another one brought into it.
    """
    ids, wanted = ids_of(row), set(groups_of(terms))
    for each in siblings.offers:
        theirs = ids_of(each)
        if theirs.network is None:
            continue
        if theirs.groups.keys() == wanted if ids.network is None else theirs.network == ids.network:
            came = {name: getattr(theirs, name) for name in _SHARED} | {"groups": {**theirs.groups, **ids.groups}}
            if (shared := ids.model_copy(update=came)) == ids:
                continue
            told = shared.model_dump_json(exclude_none=True)
            await tx.execute(SQL["set_ids"], row["id"], told, row["told"], row["unanswered"])
            await tx.execute(SQL["share_told"], row["id"], each["id"])
            return shared
    return ids


async def hand_on(tx: Transaction, before: HubIds, after: HubIds, siblings: Siblings) -> None:
    """Gives the offers that share a network its other name, where somebody said that the hub calls it otherwise."""
    if before.network is None:
        return
    now = {name: getattr(after, name) for name in _SHARED}
    for each in siblings.offers:
        theirs = ids_of(each)
        if theirs.network == before.network:
            told = theirs.model_copy(update=now | {"groups": {**theirs.groups, **after.groups}})
            await tx.execute(SQL["rename"], each["id"], told.model_dump_json(exclude_none=True))


def tells_members(ids: HubIds, siblings: Siblings) -> bool:
    """Tells whether EVSEs that come to a group are told by another offer: the oldest one that shares the network.

    So they are where another one is just telling them, whatever became of it since.
    """
    sharing = [each for each in siblings.offers if ids_of(each).network == ids.network]
    if any(each["older"] and each["state"] == OfferState.PUBLISHED and each["external"] is None for each in sharing):
        return True
    return any(OfferStep.MEMBERS in siblings.told.get(each["id"], ()) for each in sharing)
