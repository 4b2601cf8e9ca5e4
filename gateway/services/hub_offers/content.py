"""Reads what a hub needs to be told one step of an offer."""

from base64 import b64encode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.core.connection import Scope
from adapters.core.offers import Document, HubIds, OfferStep, OfferToTell
from gateway.outbox.projecting import Link
from gateway.services.hub_offers.steps import WHOLE, Step, groups_of, tariffs_of
from gateway.store.pool import Transaction
from gateway.store.queries import Queries
from mappings.canonical.agreements import EvseGroup, Offer, OfferTerms, OfferVersion, PriceSource
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.tariffs import Tariff, TariffType

SQL = Queries("gateway.services.hub_offers", "telling.sql")


async def cpos_of(tx: Transaction, offer: Offer, now: datetime) -> list[PartyId]:
    """Gives the CPOs whose network an offer is of, at a moment."""
    if offer.cpo is not None:
        return [offer.cpo]
    return [PartyId(row["party"]) for row in await tx.fetch(SQL["members_of"], offer.network_group, now)]


async def content(
    tx: Transaction, link: Link, offer: Offer, step: Step, ids: HubIds, cpos: Sequence[PartyId]
) -> OfferToTell:
    """Gives one step with all that is told in it.

    Args:
        cpos: Whose network it is, at least one.
    """
    terms = step.version.terms
    told = OfferToTell(step=step.step, offer=offer, version=step.version, ids=ids, partners=_partners(link, offer))
    match step.step:
        case OfferStep.NETWORK:
            groups = await evse_groups(tx, link, cpos, groups_of(terms), None)
            return told.model_copy(update={"groups": groups})
        case OfferStep.DOCUMENT:
            [row] = await tx.fetch(SQL["document"], offer.document)
            document = Document(name=row["name"], media_type=row["media_type"], content=b64encode(row["content"]))
            return told.model_copy(update={"document": document})
        case OfferStep.OFFER | OfferStep.PRICES:
            groups = await _named(tx, cpos, groups_of(terms), {})
            tariffs = {group.id: await _tariffs(tx, offer, terms, group.id, cpos) for group in groups}
            return told.model_copy(update={"groups": groups, "tariffs": tariffs})
        case OfferStep.MEMBERS:
            return told


async def members(
    tx: Transaction, link: Link, offer: Offer, version: OfferVersion, ids: HubIds, cpos: Sequence[PartyId]
) -> OfferToTell | None:
    """Gives the EVSEs that came to the groups that a hub knows, as the step that tells it; None where none did."""
    groups = await evse_groups(tx, link, cpos, tuple(ids.groups), offer.id)
    came = tuple(group for group in groups if group.evse_ids)
    if not came:
        return None
    return OfferToTell(step=OfferStep.MEMBERS, offer=offer, version=version, groups=came, ids=ids)


async def evse_groups(
    tx: Transaction, link: Link, cpos: Sequence[PartyId], names: Sequence[str], untold_by: str | None
) -> tuple[EvseGroup, ...]:
    """Reads EVSE groups with their EVSEs, as far as these are in a connection's scope.

    Args:
        names: Of the groups; `WHOLE` for the EVSEs in none of the others.
        untold_by: An offer by which the hub was told of some already, which are left out.
    """
    scope = link.connection.scope
    evses: dict[str, list[EvseId]] = defaultdict(list)
    keys = [each.normal for each in scope.evses] or None
    named = [name for name in names if name != WHOLE]
    for row in await tx.fetch(SQL["in_groups"], untold_by, named, keys):
        evses[row["group_id"]].append(EvseId(row["evse_id"]))
    if WHOLE in names:
        others = (untold_by, [cpo.normal for cpo in cpos], named, *_places(scope))
        if untold_by is None or await tx.fetchval(SQL["some_in_no_group"], *others):
            evses[WHOLE] = [EvseId(row["evse_id"]) for row in await tx.fetch(SQL["in_no_group"], *others)]
    return await _named(tx, cpos, names, evses)


async def _named(
    tx: Transaction, cpos: Sequence[PartyId], names: Sequence[str], evses: Mapping[str, Sequence[EvseId]]
) -> tuple[EvseGroup, ...]:
    found = {row["id"]: row for row in await tx.fetch(SQL["groups"], list(names))}
    groups: list[EvseGroup] = []
    for name in names:
        ids = tuple(evses.get(name, ()))
        if name == WHOLE:
            groups.append(EvseGroup(id=WHOLE, party=cpos[0], name=_whole(names), evse_ids=ids))
        elif (row := found.get(name)) is not None:
            party = PartyId(row["party"])
            groups.append(
                EvseGroup(id=name, party=party, name=row["name"], description=row["description"], evse_ids=ids)
            )
    return tuple(groups)


async def _tariffs(
    tx: Transaction, offer: Offer, terms: OfferTerms, group: str, cpos: Sequence[PartyId]
) -> tuple[Tariff, ...]:
    """Reads the tariffs that hold at a group's EVSEs under a version, in the order in which they are tried."""
    if terms.price_source is PriceSource.HUB:
        return ()
    parties = [cpo.normal for cpo in cpos]
    ids: Sequence[str] = tariffs_of(terms, group)
    if terms.price_source is PriceSource.EVSE_TARIFFS:
        others = [name for name in groups_of(terms) if name != WHOLE]
        rows = await tx.fetch(SQL["tariffs_of_group"], parties, None if group == WHOLE else group, others)
        ids = [row["id"] for row in rows]
    # What is for one EMSP alone may have a variant for it.
    target = offer.audience[0].normal if offer.audience is not None and len(offer.audience) == 1 else ""
    rows = await tx.fetch(SQL["tariffs"], parties, list(ids), target)
    found = {row["tariff_id"]: Tariff.model_validate_json(row["body"]) for row in rows}
    tariffs = [found[id_] for id_ in ids if id_ in found]
    return tuple(one for one in tariffs if one.type in {None, TariffType.REGULAR})


async def group_names(tx: Transaction, names: Sequence[str]) -> Mapping[str, str]:
    """Gives what hubs are told that groups are called, by their ids here."""
    found = {row["id"]: row["name"] for row in await tx.fetch(SQL["groups"], list(names))}
    return {name: _whole(names) if name == WHOLE else found.get(name, name) for name in names}


async def tariffs_by_group(
    tx: Transaction, offer: Offer, terms: OfferTerms, cpos: Sequence[PartyId]
) -> Mapping[str, tuple[Tariff, ...]]:
    """Reads the tariffs that hold under a version, by group."""
    return {name: await _tariffs(tx, offer, terms, name, cpos) for name in groups_of(terms)} if cpos else {}


def partners_of(link: Link) -> Mapping[str, str]:
    """Gives the hub's own ids of EMSPs by our ids of them, as far as the connection's settings name them."""
    offers = link.connection.settings.get("offers")
    named = offers.get("partners") if isinstance(offers, Mapping) else None
    return {_normal(party): str(id_) for party, id_ in named.items()} if isinstance(named, Mapping) else {}


def _partners(link: Link, offer: Offer) -> Mapping[str, str]:
    known = partners_of(link)
    return {party.normal: known[party.normal] for party in offer.audience or () if party.normal in known}


def _whole(names: Sequence[str]) -> str:
    return "All EVSEs" if len(names) == 1 else "All other EVSEs"


def _normal(party: str) -> str:
    try:
        return PartyId(party).normal
    except ValueError:
        return party


def _places(scope: Scope) -> tuple[list[str] | None, list[str] | None]:
    return sorted(scope.locations) or None, [each.normal for each in scope.evses] or None
