"""Quotes."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from gateway.agreements.repository import Agreements
from gateway.pricing.needs import Curve, Need, check
from gateway.pricing.notes import Unpriceable
from gateway.pricing.selecting import Candidate
from gateway.services.links import Links
from gateway.services.ports import Invalid, Parties
from gateway.services.ports.quotes import Offer, Quote, QuoteWish, TariffNamed
from gateway.services.ports.sent_commands import EvseNamed
from gateway.services.quoting.agreeing import AgreedWays
from gateway.services.quoting.offering import Wanted, need_of, offer_of, path_of, priced
from gateway.services.quoting.reading import Way, find, find_token
from gateway.services.tariffs.versions import Asked, Version, known
from gateway.services.visibility.sights import Sights
from gateway.store.pool import Store
from mappings.canonical.ids import PartyId
from mappings.canonical.tokens import Token

_ENGLISH: Final = "en"

_LIGHT_ELEMENTS: Final = 100
_LIGHT_HOURS: Final = 24
_LIGHT_POINTS: Final = 12
"""Of a curve."""
_LIGHT_ENERGY: Final = 200
"""kWh."""


class Quoting:
    """Implements `ports.quotes.Quotes`.

    Args:
        now: Gives the present, aware.
    """

    def __init__(
        self, store: Store, links: Links, agreements: Agreements, sights: Sights, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._links = links
        self._sights = sights
        self._agreeing = AgreedWays(store, links, agreements, sights)
        self._now = now
        self._turn = asyncio.Semaphore(1)

    async def quote(self, wish: QuoteWish, parties: Parties, accepted: str | None) -> Quote:
        """See `ports.quotes.Quotes.quote`."""
        need = need_of(wish.need)
        try:
            check(need)
        except Unpriceable as error:
            raise Invalid((path_of(error.field, need), error.detail)) from error
        self._demand_connections(wish)
        start = wish.start or _whole_second(self._now())
        if wish.evse is not None:
            found = await find(self._store, wish, wish.evse, start, parties)
            held = await self._agreeing.held(found.ways, wish, start, parties)
            ways = self._open(held, wish, wish.evse)
            wanted = Wanted(wish, need, start, _language(wish, found.token, accepted))
            versions = [version for way in ways for version in way.versions]
            offers = await self._worked_out(need, versions, lambda: [offer_of(way, wanted) for way in ways])
            return Quote(start, wanted.language, ways[0].evse_key, offers)
        candidates = await self._candidates(wish, start, parties)
        wanted = Wanted(wish, need, start, _language(wish, await find_token(self._store, wish), accepted))
        name = wish.tariff.connection if wish.tariff is not None else None
        link = self._links.by_name(name) if name is not None else None
        cpo = candidates[0].tariff.party
        where = {"connection": name, "hub": link.connection.hub if link is not None else None, "cpo": cpo}
        offers = await self._worked_out(need, candidates, lambda: [priced(where, candidates, wanted, wish.time_zone)])
        return Quote(start, wanted.language, None, offers)

    async def _worked_out(
        self, need: Need, candidates: Sequence[Candidate], work: Callable[[], list[Offer]]
    ) -> list[Offer]:
        """Prices here and now what takes a few milliseconds; what may take seconds, beside the event loop, by turns."""
        if _is_light(need, candidates):
            return work()
        async with self._turn:
            return await asyncio.to_thread(work)

    def _demand_connections(self, wish: QuoteWish) -> None:
        """Makes sure that there are the connections that a wish names.

        Raises:
            Invalid: There are not.
        """
        named = [("connection", wish.connection)]
        if wish.tariff is not None:
            named.append(("tariff.connection", wish.tariff.connection))
        faults = [
            (field, f"there is no connection {name}")
            for field, name in named
            if name is not None and self._links.by_name(name) is None
        ]
        if faults:
            raise Invalid(*faults)

    def _open(self, found: Sequence[Way], wish: QuoteWish, evse: EvseNamed) -> Sequence[Way]:
        """Gives the ways that are open to the driver.

        Raises:
            Invalid: There are none, or none has the connector.
        """
        if not found:
            raise _unknown(wish, evse)
        ways = [way for way in found if self._is_open(way, wish.party)]
        if not ways:
            raise Invalid(("party", f"no connection to this EVSE is for {wish.party}"))
        told = [way for way in ways if way.refusal is None]
        if wish.connector_id is not None and told and not any(_has(way, wish.connector_id) for way in told):
            raise Invalid(("connector_id", f"the EVSE has no connector {wish.connector_id}"))
        return ways

    def _is_open(self, way: Way, emsp: PartyId | None) -> bool:
        if way.connection is None or emsp is None:
            return True
        link = self._links.by_name(way.connection)
        return link is None or link.connection.scope.has_party(emsp)

    async def _candidates(self, wish: QuoteWish, start: datetime, parties: Parties) -> list[Candidate] | list[Version]:
        """Gives the tariff that is to be quoted, in all its variants.

        Raises:
            Invalid: It is not stored.
        """
        if wish.terms is not None:
            return [Candidate(wish.terms)]
        assert wish.tariff is not None  # noqa: S101 - the wish says so
        named: TariffNamed = wish.tariff
        link = self._links.by_name(named.connection) if named.connection is not None else None
        number = link.connection.id if link is not None else None
        [found] = await known(self._store, [Asked(number, named.party, [named.id], start)])
        sight = await self._sights.of(parties)
        if not found or (sight is not None and (number, named.party.normal) in sight.hidden):
            over = f" over {named.connection}" if named.connection is not None else ""
            raise Invalid(("tariff.id", f"{named.party} has no such tariff{over}"))
        return found


def _is_light(need: Need, candidates: Sequence[Candidate]) -> bool:
    """Tells whether few elements are looked at for a charge that is short."""
    planned = (need.duration or timedelta(0)) + need.parked + need.reserved
    wanted = need.energy or (need.battery.capacity if need.battery is not None else 0)
    if isinstance(need.power, Curve):
        powers = [power for _, power in need.power.points]
    else:
        powers = [need.power] if need.power is not None else []
    quick = len(powers) <= _LIGHT_POINTS and all(power * _LIGHT_HOURS >= wanted for power in powers)
    elements = sum(len(each.tariff.elements) for each in candidates)
    return (
        elements <= _LIGHT_ELEMENTS and planned <= timedelta(hours=_LIGHT_HOURS) and wanted <= _LIGHT_ENERGY and quick
    )


def _whole_second(at: datetime) -> datetime:
    """Gives the next whole second, by when all is known that is known by now."""
    return at.replace(microsecond=0) + timedelta(seconds=1 if at.microsecond else 0)


def _unknown(wish: QuoteWish, evse: EvseNamed) -> Invalid:
    field = "evse.evse_id" if evse.evse_id is not None else "evse.evse_uid"
    over = f" over {wish.connection}" if wish.connection is not None else ""
    return Invalid((field, f"there is no such EVSE{over}"))


def _has(way: Way, connector_id: str) -> bool:
    return any(socket.id == connector_id for socket in way.sockets)


def _language(wish: QuoteWish, token: Token | None, accepted: str | None) -> str:
    """Gives the language of the texts.

    Raises:
        Invalid: The driver is not known.
    """
    if wish.token is not None and token is None:
        raise Invalid(("token", f"is no driver token of {wish.party}"))
    return wish.language or accepted or (token.language if token is not None else None) or _ENGLISH
