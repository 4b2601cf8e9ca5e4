"""Says what is wrong with an offer: what it names is not there, its hub could not take it, or it comes too late."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from gateway.outbox.projecting import Link
from gateway.services.ports.common import Invalid, NotFound
from gateway.store.pool import Store, Transaction
from gateway.store.queries import Queries
from mappings.canonical.agreements import Offer, OfferTerms
from mappings.canonical.ids import PartyId
from mappings.canonical.parties import Role
from mappings.report import Refused

SQL = Queries("gateway.services.offers", "checking.sql")

LATE: Final = timedelta(minutes=1)
"""By how much a moment that shall be now may be past: what is sent takes its time."""

_OF_TERMS: Final = frozenset(OfferTerms.model_fields)


class Fault(NamedTuple):
    """One thing that is wrong.

    Attributes:
        field: Path in the offer; below `terms` in what its version says.
        missing: What the offer stands on is not there at all.
    """

    field: str
    detail: str
    missing: bool = False


class Facts(NamedTuple):
    """What the store holds of that which an offer names.

    Attributes:
        roles: Of our own parties, by normal form.
        cpos: Whose network it is, by normal forms: one party, or the members of the network group.
        no_group: The network group is not there.
        document: Whose the document is; None where it is not there, or none is named.
        owners: Whose the EVSE groups are that there are.
        tariffs: The types of the tariffs that there are, by party and id, small letters; "" for none.
        targets: For whom their variants are, by normal forms; "" for all.
        shared: An EVSE that is in two of the groups, with both.
    """

    roles: Mapping[str, frozenset[str]]
    cpos: tuple[str, ...]
    no_group: bool
    document: str | None
    owners: Mapping[str, str]
    tariffs: Mapping[tuple[str, str], frozenset[str]]
    shared: tuple[str, str, str] | None
    targets: Mapping[tuple[str, str], frozenset[str]] = {}

    @property
    def ours(self) -> Sequence[str]:
        """Which of the CPOs are ours."""
        return [cpo for cpo in self.cpos if Role.CPO in self.roles.get(cpo, ())]


async def gather(on: "Store | Transaction", offer: Offer, terms: OfferTerms, now: datetime) -> Facts:
    """Reads what an offer names."""
    groups = [*terms.evse_groups, *(price.evse_group for price in terms.prices if price.evse_group is not None)]
    group = await on.fetchrow(SQL["network_group"], offer.network_group, now)
    cpos = (offer.cpo.normal,) if offer.cpo is not None else tuple(group["members"] if group is not None else ())
    named = [*cpos, *(emsp.normal for emsp in offer.audience or ())]
    roles = {row["id"]: frozenset(row["roles"]) for row in await on.fetch(SQL["roles"], named)}
    ids = sorted({id_.lower() for price in terms.prices for id_ in price.tariff_ids})
    types: dict[tuple[str, str], set[str]] = {}
    targets: dict[tuple[str, str], set[str]] = {}
    for row in await on.fetch(SQL["tariffs"], list(cpos), ids) if ids else ():
        types.setdefault((row["party"], row["id"]), set()).add(row["type"] or "")
        targets.setdefault((row["party"], row["id"]), set()).add(row["target"])
    shared = await on.fetchrow(SQL["shared_evses"], sorted(set(groups))) if len(set(groups)) > 1 else None
    document = await on.fetchrow(SQL["document"], offer.document) if offer.document is not None else None
    return Facts(
        roles,
        cpos,
        offer.network_group is not None and group is None,
        document["party"] if document is not None else None,
        {row["id"]: row["party"] for row in await on.fetch(SQL["evse_groups"], groups)} if groups else {},
        {key: frozenset(each) for key, each in types.items()},
        tuple(shared) if shared is not None else None,
        {key: frozenset(each) for key, each in targets.items()},
    )


def faults(link: Link, offer: Offer, terms: OfferTerms, facts: Facts, first: OfferTerms | None = None) -> list[Fault]:
    """Says what is wrong with an offer, whenever it starts. Pure.

    Args:
        first: What its first version says; None where `terms` are of that.
    """
    found = [*_names(link, offer, facts), *_of_terms(link, offer, terms, facts)]
    if facts.ours:
        found += _profile(link, offer, terms)
        try:
            link.adapter.check_offer(offer, terms, first)
        except Refused as error:
            found.append(Fault(path_of(error.reason.field), error.reason.detail))
    return found


def late(link: Link, offer: Offer, facts: Facts, now: datetime) -> list[Fault]:
    """Says what is wrong with an offer's dates if it were published now. Pure."""
    if offer.ends is not None and offer.ends <= now:
        return [Fault("ends", "is past")]
    if is_record(link, facts):
        return []
    profile = link.adapter.offers
    if offer.starts < now - LATE:
        return [Fault("starts", "is past")]
    announced = profile.announced_for(offer)
    if profile.told and offer.starts < now + announced:
        earliest = (now + announced).isoformat(timespec="seconds")
        return [Fault("starts", f"has to be announced {_span(announced)} before, so not before {earliest}")]
    return []


def is_record(link: Link, facts: Facts) -> bool:
    """Tells whether an offer is but a record of what others keep: a partner's, or of a hub that nobody tells."""
    adapter = link.adapter
    return not facts.ours or (adapter.charging.has_contracts and not adapter.offers.told)


def demand(found: Sequence[Fault]) -> None:
    """Makes sure that nothing is wrong.

    Raises:
        NotFound: What the offer stands on is not there.
        Invalid: Something else is.
    """
    for fault in found:
        if fault.missing:
            raise NotFound(fault.detail, fault.field)
    if found:
        raise Invalid(*((fault.field, fault.detail) for fault in found))


def path_of(field: str) -> str:
    """Gives the path of a field of an offer or its terms, in an offer with its terms beneath it."""
    first = field.split(".", 1)[0].split("[", 1)[0]
    return f"terms.{field}" if first in _OF_TERMS else field


def _names(link: Link, offer: Offer, facts: Facts) -> Iterator[Fault]:
    if facts.no_group:
        yield Fault("network_group", f"there is no network group {offer.network_group}", missing=True)
    if offer.document is not None and facts.document is None:
        yield Fault("document", f"there is no document {offer.document}", missing=True)
    elif facts.document is not None and facts.document not in facts.cpos:
        # Whom it is for may read it.
        yield Fault("document", f"the document {offer.document} is of {facts.document}")
    if offer.cpo is not None:
        yield from _cpo(link, offer.cpo, facts)
    for number, emsp in enumerate(offer.audience or ()):
        if why := stranger(link, emsp, facts.roles.get(emsp.normal)):
            yield Fault(f"audience[{number}]", why)


def _cpo(link: Link, cpo: PartyId, facts: Facts) -> Iterator[Fault]:
    roles = facts.roles.get(cpo.normal)
    if roles is not None and Role.CPO not in roles:
        yield Fault("cpo", f"{cpo} is no CPO")
    elif roles is not None and not link.connection.scope.has_party(cpo):
        yield Fault("cpo", f"the connection {link.connection.name} does not carry {cpo}")
    elif roles is None and not (link.adapter.charging.has_contracts and Role.EMSP in link.adapter.roles):
        # Only where our drivers come to partners' stations are there offers of others.
        yield Fault("cpo", f"{cpo} is no CPO of this gateway")


def stranger(link: Link, emsp: PartyId, roles: Collection[str] | None) -> str | None:
    """Says why a party cannot be an EMSP by a connection; None where it can. A hub's EMSPs the hub alone knows.

    Args:
        roles: Of the party if it is ours.
    """
    if roles is not None:
        return None if Role.EMSP in roles else f"{emsp} is no EMSP"
    if link.adapter.charging.has_contracts or link.adapter.answers_for(emsp):
        return None
    return f"{emsp} is no EMSP that {link.connection.name} knows"


def _of_terms(link: Link, offer: Offer, terms: OfferTerms, facts: Facts) -> Iterator[Fault]:
    for number, group in enumerate(terms.evse_groups):
        yield from _group(f"terms.evse_groups[{number}]", group, facts)
    types = link.adapter.offers.tariff_types
    for number, price in enumerate(terms.prices):
        path = f"terms.prices[{number}]"
        if price.evse_group is not None and price.evse_group not in terms.evse_groups:
            yield from _group(f"{path}.evse_group", price.evse_group, facts)
        for place, id_ in enumerate(price.tariff_ids if facts.ours else ()):
            known = [kind for cpo in facts.ours for kind in facts.tariffs.get((cpo, id_.lower()), ())]
            if not known:
                # Without it the price has no amount and no currency.
                yield Fault(f"{path}.tariff_ids[{place}]", f"{' and '.join(facts.ours)} has no tariff {id_}")
            elif types is not None and not any(kind == "" or kind in types for kind in known):
                wanted = " or ".join(sorted(types))
                yield Fault(f"{path}.tariff_ids[{place}]", f"tariff {id_} is not of the type {wanted}, or of none")
            elif why := _not_for(offer, id_, facts):
                yield Fault(f"{path}.tariff_ids[{place}]", why)
    if facts.shared is not None and link.adapter.offers.one_group:
        evse, one, other = facts.shared
        yield Fault("terms.evse_groups", f"{evse} is in {one} and in {other}; the hub takes an EVSE in one group alone")


def _not_for(offer: Offer, id_: str, facts: Facts) -> str | None:
    """Says whom of an offer's audience a tariff is not for; None where it is for all of it."""
    targets = {target for cpo in facts.ours for target in facts.targets.get((cpo, id_.lower()), ())}
    if not targets or "" in targets:
        return None
    if offer.audience is None:
        return f"tariff {id_} is for {' and '.join(sorted(targets))} alone, and the offer for all"
    left = sorted({emsp.normal for emsp in offer.audience} - targets)
    return f"tariff {id_} is not for {' and '.join(left)}" if left else None


def _group(field: str, group: str, facts: Facts) -> Iterator[Fault]:
    owner = facts.owners.get(group)
    if owner is None:
        yield Fault(field, f"there is no EVSE group {group}")
    elif owner not in facts.cpos:
        yield Fault(field, f"the EVSE group {group} is of {owner}")


def _profile(link: Link, offer: Offer, terms: OfferTerms) -> Iterator[Fault]:
    profile, name = link.adapter.offers, link.connection.name
    if offer.joining not in profile.joinings:
        known = ", ".join(sorted(profile.joinings))
        yield Fault("joining", f"{name} knows {known} alone")
    if other := sorted(terms.services - profile.services):
        yield Fault("terms.services", f"{name} has no offers for {', '.join(other)}")
    if offer.ends is None:
        if offer.lead_time_days < profile.least_lead_time_days:
            yield Fault("lead_time_days", f"{name} takes no less than {profile.least_lead_time_days} of them")
        return
    lasts = offer.ends - offer.starts
    bounds: Sequence[tuple[timedelta | None, Callable[[timedelta, timedelta], bool], str]] = (
        (profile.shortest, timedelta.__lt__, "shorter"),
        (profile.longest, timedelta.__gt__, "longer"),
    )
    for bound, beyond, word in bounds:
        if bound is not None and beyond(lasts, bound):
            yield Fault("ends", f"{name} takes no offer that lasts {word} than {_span(bound)}")


def _span(span: timedelta) -> str:
    if span % timedelta(days=1):
        return f"{span / timedelta(hours=1):g} hours"
    return f"{span.days} days" if span.days != 1 else "a day"
