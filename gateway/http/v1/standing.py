"""Who sees which offer, and on which of its sides a key stands.

An offer has two sides. One is the network's: its CPO, or every member of its network group. The other is that of each
EMSP that it is for. A key stands where it speaks for the party; one for all parties stands on both.

What is on record of a partner's network is kept by keys for all parties: the first published offer there closes the
network to everybody whom no offer names, which is no matter of one EMSP alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from gateway.complaints import FieldError
from gateway.http.problems import Problem
from gateway.services.keys import Identity
from gateway.services.ports import NotFound
from gateway.services.ports.offers import Groups, OfferFilter, Offers, OfferView, SubscriptionView
from mappings.canonical.agreements import OfferState
from mappings.canonical.ids import PartyId

_AT_ONCE: Final = 100
"""Offers that are looked through at once."""


class Side(StrEnum):
    """On which side of an offer somebody stands."""

    CPO = "cpo"
    EMSP = "emsp"


class Standing:
    """Tells keys' sides."""

    def __init__(self, offers: Offers, groups: Groups, now: Callable[[], datetime]) -> None:
        self._offers = offers
        self._groups = groups
        self._now = now

    async def is_owner(self, identity: Identity, cpo: PartyId | None, network_group: str | None) -> bool:
        """Tells whether a key speaks for a whole network.

        Raises:
            NotFound: There is no such group.
        """
        if identity.parties is None:
            return True
        now = self._now()
        members = await self._network(cpo, network_group)
        present = {party for party, until in members if until is None or until > now}
        return bool(present) and present <= identity.parties

    async def is_member(self, identity: Identity, cpo: PartyId | None, network_group: str | None) -> bool:
        """Tells whether a key speaks for some of a network, or for who was of it once. Raises as `is_owner`."""
        if identity.parties is None:
            return True
        return any(party in identity.parties for party, _ in await self._network(cpo, network_group))

    async def demand_owner(
        self, identity: Identity, cpo: PartyId | None, network_group: str | None, where: str = ""
    ) -> None:
        """Raises the problem 403 unless a key speaks for a whole network.

        Args:
            where: Path of the object that names the network, with a dot at its end.

        Raises:
            NotFound: There is no such group.
        """
        field = where + ("network_group" if cpo is None else "cpo")
        try:
            if await self.is_owner(identity, cpo, network_group):
                return
        except NotFound as error:
            raise NotFound(str(error.args[0]), field) from error
        who = "every member of this group" if cpo is None else str(cpo)
        raise _not_allowed(f"The API key does not speak for {who}", field)

    async def seen(self, identity: Identity, offer_id: str) -> OfferView:
        """Gives an offer as a key may see it.

        Raises:
            NotFound: There is none, or it is none of the key's business, which is not told apart.
        """
        view = await self.shown(identity, await self._offers.get(offer_id))
        if view is None:
            raise NotFound(f"there is no offer {offer_id}")
        return view

    async def owned(self, identity: Identity, offer_id: str) -> OfferView:
        """Gives an offer of a network that a key speaks for. Raises as `seen`, and the problem 403."""
        view = await self.seen(identity, offer_id)
        await self.demand_owner(identity, view.offer.cpo, view.offer.network_group)
        return view

    async def shown(self, identity: Identity, view: OfferView) -> OfferView | None:
        """Gives what a key may see of an offer: who else has it is its network's business; None for nothing at all."""
        offer = view.offer
        if await self.is_member(identity, offer.cpo, offer.network_group):
            return view
        mine = tuple(emsp for emsp in offer.audience or () if identity.speaks_for(emsp))
        if view.state is OfferState.DRAFT or not (mine or offer.is_public):
            return None
        versions = [replace(version, created_by="") for version in view.versions]
        told = offer if offer.is_public else offer.model_copy(update={"audience": mine})
        return replace(view, offer=told, versions=versions, subscriptions={}, hub=None)

    async def is_named(self, identity: Identity, naming: OfferFilter) -> bool:
        """Tells whether an offer that a key may see names something of its CPO, a group or a document.

        Offers of others that name it do not count: whoever writes one could read everything by its id.

        Args:
            naming: The offers of the CPO that name it.
        """
        after: str | None = None
        while True:
            page = await self._offers.list(replace(naming, parties=identity.parties), after, _AT_ONCE)
            for view in page.items:
                if await self.shown(identity, view) is not None:
                    return True
            after = page.next
            if after is None:
                return False

    async def sides(self, identity: Identity, view: SubscriptionView) -> frozenset[Side]:
        """Tells on which sides of a subscription a key stands; a member of a network group alone stands on none."""
        sides = {Side.EMSP} if identity.speaks_for(view.subscription.emsp) else set()
        if await self.is_owner(identity, view.cpo, view.network_group):
            sides.add(Side.CPO)
        return frozenset(sides)

    async def demand_side(
        self, identity: Identity, view: SubscriptionView, allowed: frozenset[Side], said: Side | None = None
    ) -> Side:
        """Gives the side on which a key acts.

        Args:
            said: What the caller says, who has to where the key stands on both.

        Raises:
            Problem: 403 where the key does not stand there, 422 where it stands on both and nothing is said.
        """
        sides = allowed & await self.sides(identity, view)
        if said is not None and said in sides:
            return said
        if said is None and len(sides) == 1:
            return next(iter(sides))
        if said is None and sides:
            detail = "is required, since the API key speaks for both sides"
            raise Problem("invalid", "Say for whom it is done", [FieldError(field="as", detail=detail)])
        parties = {Side.CPO: view.cpo or f"every member of {view.network_group}", Side.EMSP: view.subscription.emsp}
        wanted = " or ".join(str(parties[side]) for side in sorted(allowed if said is None else {said}))
        raise _not_allowed(f"The API key does not speak for {wanted}", "" if said is None else "as")

    async def _network(
        self, cpo: PartyId | None, network_group: str | None
    ) -> Sequence[tuple[PartyId, datetime | None]]:
        """Gives the CPOs of a network, and until when each is one."""
        if network_group is None:
            return () if cpo is None else ((cpo, None),)
        return [(member.party, member.until) for member in (await self._groups.network(network_group)).members]


def _not_allowed(detail: str, field: str) -> Problem:
    return Problem("not-allowed", detail, [FieldError(field=field, detail=detail)] if field else [])
