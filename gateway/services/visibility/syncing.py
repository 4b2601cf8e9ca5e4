"""Keeps those who see by agreements in step with them: the catalogue's followers, and hubs that have one EMSP's prices.

What each EMSP has of a network is compared with what was told of it, which is kept in the store. Nothing is lost when a
process ends in the middle: what differs is found again, by any replica, whatever made it differ: an offer, a
subscription, a moment that came, the members of a group.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from gateway.agreements.book import Book, Network
from gateway.agreements.repository import Agreements
from gateway.agreements.sight import next_moment
from gateway.agreements.viewed import EVERYBODY, Digests, differing, named, views
from gateway.outbox.projecting import Link, project
from gateway.services.links import Links
from gateway.services.offers.announcing import Turned
from gateway.services.storing import read_tariffs
from gateway.services.visibility.audience import Audiences
from gateway.services.waiting import Sweeper
from gateway.store.pool import Store
from gateway.store.queries import Queries

_log = structlog.get_logger(__name__)

SQL: Final = Queries("gateway.services.visibility", "syncing.sql")

EVERY: Final = 1.0
"""Seconds between two looks."""

CLAIM: Final = timedelta(seconds=30)
"""For how long a network is one replica's, which says so again with each step."""

_LOCATIONS: Final = 150
"""Locations in a step, whose EVSEs are named in one row of the feed."""

PACE: Final = 2_500
"""EVSEs named in a second: whoever follows the feed reads several times as many, so that statuses do not wait."""

_TARIFFS: Final = 100
"""Tariffs in a transaction."""

_DOUBTED: Final = "?"
"""Stands for what an EMSP has while it is being told."""


class Syncing:
    """Tells what began or ended, in any number of replicas at once.

    Args:
        clock: Gives the present, aware.
        changed: Called after a commit by which entries may be seen otherwise.
        wake: Called after a commit that left something to tell to hubs.
        claim: For how long a replica that has ended keeps others from going on where it was.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        agreements: Agreements,
        audiences: Audiences,
        clock: Callable[[], datetime],
        changed: Callable[[], None],
        wake: Callable[[], None],
        claim: timedelta = CLAIM,
    ) -> None:
        self._store = store
        self._links = links
        self._agreements = agreements
        self._audiences = audiences
        self._clock = clock
        self._changed = changed
        self._wake = wake
        self._claim = claim
        self._digests = Digests()
        self._looking = asyncio.Lock()
        self._done: tuple[Book, frozenset[int], datetime, datetime] | None = None
        self._sweeper = Sweeper("telling what agreements begin or end", EVERY, self.look)

    def start(self) -> None:
        """Starts."""
        self._sweeper.start()

    async def stop(self) -> None:
        """Stops, in the middle of it too."""
        await self._sweeper.stop()

    async def on_turned(self, turned: Sequence[Turned]) -> None:
        """Is told that something changed; it is told to others by the next look, at any replica."""
        if turned:
            self._done = None

    async def look(self) -> int:
        """Tells what differs from what was told; gives how many networks it told of."""
        async with self._looking:
            return await self._look()

    async def _look(self) -> int:
        book, now, ways = await self._agreements.book(), self._clock(), self._ways()
        if self._done is not None:
            known, keepers, since, until = self._done
            if known is book and keepers == ways and since <= now < until:
                return 0
        differ = await self._differing(book, now)
        told = 0
        for network in differ:
            told += await self._tell(network)
        if not differ:
            self._done = book, ways, now, next_moment(book, now)
        return told

    def _ways(self) -> frozenset[int]:
        """Names the connections, with a minus where a hub is the authority on its contracts."""
        return frozenset(
            -link.connection.id if link.adapter.charging.has_contracts else link.connection.id
            for link in self._links.all()
        )

    async def _differing(self, book: Book, now: datetime) -> list[Network]:
        """Names the networks of which something else was told than is so."""
        rows = await self._store.fetch(SQL["views"])
        told = {(row["connection_id"], row["cpo"]): json.loads(row["views"]) for row in rows}
        links = {link.connection.id: link for link in self._links.all()}
        networks = [network for network in {**told, **book.restricted} if network[0] in links]

        def compare() -> list[Network]:
            emsps = named(book)
            return [
                network
                for network in networks
                if self._views(book, links[network[0]], network, emsps.get(network, ()), now) != told.get(network, {})
            ]

        # Beside the event loop: there may be ten thousand agreements, and a driver waits.
        return await asyncio.to_thread(compare)

    def _views(self, book: Book, link: Link, network: Network, emsps: Sequence[str], now: datetime) -> dict[str, str]:
        digests = None if link.adapter.charging.has_contracts else self._digests
        return views(book, network, emsps, digests, now)

    async def _tell(self, network: Network) -> bool:
        """Tells what differs of one network; False where nothing does any more, or another replica tells it."""
        before = await self._store.fetchval(SQL["claim"], *network, self._claim)
        if before is None:
            return False
        try:
            # Only now, when nobody else tells of it: else what is older might be told after what is newer.
            await self._links.refresh()
            book, link = await self._agreements.book(), self._links.get(network[0])
            if link is None:
                return False
            made = self._views(book, link, network, named(book).get(network, ()), self._clock())
            known = json.loads(before)
            emsps = differing(known, made)
            if emsps:
                await self._store.execute(SQL["doubt"], *network, known | dict.fromkeys(emsps, _DOUBTED))
                await self._tell_catalogue(link, network, emsps)
                await self._tell_hub(link, network, emsps)
            await self._store.execute(SQL["told"], *network, made)
        except BaseException:
            await asyncio.shield(self._store.execute(SQL["release"], *network))
            raise
        return bool(emsps)

    async def _tell_catalogue(self, link: Link, network: Network, emsps: Sequence[str]) -> None:
        """Names the entries that some EMSPs see otherwise; what hubs tell us is seen whatever the record here says."""
        if link.adapter.charging.has_contracts:
            return
        last, count = "", 0
        while True:
            row = await self._store.fetchrow(SQL["tell"], *network, last, emsps, _LOCATIONS, self._claim)
            if row is None or row["last"] is None:
                break
            last, count = row["last"], count + row["many"]
            self._changed()
            await asyncio.sleep(row["many"] / PACE)
        _log.info("told who sees a network", connection=link.connection.name, cpo=network[1], evses=count)

    async def _tell_hub(self, link: Link, network: Network, emsps: Sequence[str]) -> None:
        """Has a hub told of prices for EMSPs that may have them now, and has those withdrawn that are for others.

        Prices are told by the agreements as they are then: where these change on the way, all of it once more, so that
        nothing is left of what was so in between.
        """
        while True:
            book, at = await self._agreements.book(), self._clock()
            await self._tell_prices(link, network, emsps)
            await self._links.refresh()
            if await self._agreements.book() is book and self._clock() < next_moment(book, at):
                return

    async def _tell_prices(self, link: Link, network: Network, emsps: Sequence[str]) -> None:
        _, cpo = network
        whose = None if EVERYBODY in emsps else emsps
        await self._links.settle()
        last = 0
        while numbers := [row["no"] for row in await self._store.fetch(SQL["targeted"], cpo, whose, last, _TARIFFS)]:
            last = numbers[-1]
            async for attempt in self._store.attempts():
                with attempt:
                    async with self._audiences.publishing() as (tx, links, audience):
                        stored = await read_tariffs(tx, links, numbers, audience)
                        await project(tx, [link], stored, changed=False)
            await self._store.execute(SQL["keep"], *network, self._claim)
        self._wake()
