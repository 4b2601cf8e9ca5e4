"""Tells hubs of offers: step by step, each by what the hub answered to the one before."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

import asyncpg
import structlog

from adapters.core.charging import Message
from adapters.core.connection import Mode
from adapters.core.offers import HubIds, OfferStep, OfferToTell
from gateway.outbox.delivery_store import End, Result
from gateway.outbox.messages import append
from gateway.outbox.projecting import Link
from gateway.services.hub_offers import sharing
from gateway.services.hub_offers.content import SQL, content, cpos_of, members
from gateway.services.hub_offers.sharing import PREFIX, ids_of, key_of
from gateway.services.hub_offers.steps import imagined, is_answered, merged, next_step
from gateway.services.links import SQL as CONNECTIONS
from gateway.services.links import Links
from gateway.services.offers.rows import SQL as OFFERS
from gateway.services.offers.rows import read_version
from gateway.services.ports import Conflict, NotFound
from gateway.services.ports.offers import HubSide
from gateway.store.pool import Record, Store, Transaction
from mappings.canonical.agreements import Offer, OfferState, OfferVersion

EVERY: Final = 60.0
"""Seconds between two looks for what hubs are still to be told: EVSEs that came to a group, what was discarded."""

_log = structlog.get_logger(__name__)


class Telling:
    """Tells of offers, and implements `outbox.delivery_store.Settlements`.

    At any time a hub is told at most one step of an offer; what it is told next is decided by what it has then. So a
    step that is refused stops the offer until its dead letter is replayed or discarded, and nothing is told twice.

    Args:
        wake: Called after a commit, when there is something to tell.
        clock: Gives the present, aware.
    """

    def __init__(self, store: Store, links: Links, wake: Callable[[], None], clock: Callable[[], datetime]) -> None:
        self._store = store
        self._links = links
        self._wake = wake
        self._clock = clock
        self._woken = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    # What others call

    async def tell(self, tx: Transaction, offer_id: str) -> None:
        """Has the hub of an offer told what it does not know of it, if that hub is told of offers at all.

        To be called in the transaction that publishes an offer or adds a version; the caller wakes the outbox once it
        has committed. Over a connection in shadow mode all that would be told is shown, with ids made up.
        """
        await self._advance(tx, offer_id, show=True)

    def members_changed(self) -> None:
        """Has hubs told soon of EVSEs that came to a group."""
        self._woken.set()

    async def take_back(self, tx: Transaction, offer_id: str, number: int) -> bool:
        """Takes back that a hub is told of a version; False where it was told, or may have been."""
        row = await tx.fetchrow(SQL["lock"], offer_id)
        if row is None or row["told"] >= number:
            return False
        named = [
            one["no"] for one in await tx.fetch(SQL["outstanding"], [key_of(offer_id)]) if one["version"] == number
        ]
        return len(await tx.fetch(SQL["take_back"], named)) == len(named)

    async def hub_sides(self, on: "Store | Transaction", offer_ids: Sequence[str]) -> Mapping[str, HubSide]:
        """Says how far hubs have been told of some offers, those whose hubs are told of any."""
        outstanding: dict[str, list[Record]] = defaultdict(list)
        for row in await on.fetch(SQL["outstanding"], [key_of(each) for each in offer_ids]):
            outstanding[row["key"]].append(row)
        rows = await on.fetch(SQL["sides"], list(offer_ids))
        told = [row for row in rows if self._is_told(row["connection_id"])]
        return {row["id"]: _side(row, outstanding[key_of(row["id"])]) for row in told}

    def wake(self) -> None:
        """Wakes the outbox, once a transaction is committed that called `tell` or `set_hub_ids`."""
        self._wake()

    def _is_told(self, connection_id: int) -> bool:
        link = self._links.get(connection_id)
        return link is not None and link.adapter.offers.told

    async def set_hub_ids(self, tx: Transaction, offer_id: str, ids: HubIds, who: str) -> None:
        """See `ports.offers.Offers.set_hub_ids`. What the hub refused for the lack of them is discarded."""
        await sharing.lock(tx, [offer_id])
        row = await tx.fetchrow(SQL["lock"], offer_id)
        if row is None:
            raise NotFound(f"there is no offer {offer_id}")
        if not self._is_told(row["connection_id"]):
            raise Conflict("the hub is told of no offers")
        refused = [
            each for each in await tx.fetch(SQL["outstanding"], [key_of(offer_id)]) if each["state"] == End.REFUSED
        ]
        told = row["told"]
        if ids.offer is not None and ids.offer != ids_of(row).offer:
            # It has what it was told last, whatever it said of that.
            told = max([told, 1, *(each["version"] for each in refused if each["step"] in _OFFERED)])
        await tx.execute(SQL["discard"], [each["no"] for each in refused])
        await tx.execute(SQL["set_ids"], offer_id, ids.model_dump_json(exclude_none=True), told, None)
        detail = ids.model_dump(mode="json", exclude_none=True)
        await tx.execute(CONNECTIONS["audit"], who, "set the hub's ids of", f"offer/{offer_id}", detail)
        siblings = await sharing.siblings_of(tx, offer_id)
        await sharing.hand_on(tx, ids_of(row), ids, siblings)
        for each in (offer_id, *(sibling["id"] for sibling in siblings.offers)):
            await self._advance(tx, each)

    # What follows from answers

    async def settled(self, tx: Transaction, ended: Sequence[Result]) -> Callable[[], None] | None:
        """Takes over what hubs answered, and tells them what comes next."""
        told = [one for one in ended if one.claimed.key.startswith(PREFIX) and one.claimed.destination > 0]
        delivered = [one for one in told if one.end is End.DELIVERED]
        if delivered:
            await sharing.lock(tx, [one.claimed.key.removeprefix(PREFIX) for one in delivered])
        for one in sorted(delivered, key=lambda one: one.claimed.key):
            await self._answered(tx, one)
        return self._wake if delivered else None

    async def _answered(self, tx: Transaction, result: Result) -> None:
        message = Message.model_validate_json(result.claimed.payload)
        row = await tx.fetchrow(SQL["lock"], result.claimed.key.removeprefix(PREFIX))
        if message.offer is None or row is None:
            return
        told, after = message.offer, merged(ids_of(row), result.answer)
        # By what it was told with: what it answers may have been read back from it by now.
        answered = is_answered(told.step, [group.id for group in told.groups], told.ids, after)
        number = max(row["told"], told.version.number) if told.step in _OFFERED else row["told"]
        unanswered = None if answered else told.step.value
        await tx.execute(SQL["set_ids"], row["id"], after.model_dump_json(exclude_none=True), number, unanswered)
        if told.step in {OfferStep.NETWORK, OfferStep.MEMBERS}:
            await self._note(tx, row["id"], told)
        await self._advance(tx, row["id"])
        if told.step is OfferStep.NETWORK:
            for sibling in (await sharing.siblings_of(tx, row["id"])).offers:
                await self._advance(tx, sibling["id"])

    @staticmethod
    async def _note(tx: Transaction, offer_id: str, told: OfferToTell) -> None:
        named = [(group.id, evse.normal) for group in told.groups for evse in group.evse_ids]
        await tx.execute(SQL["note_told"], offer_id, [group for group, _ in named], [evse for _, evse in named])

    async def _advance(self, tx: Transaction, offer_id: str, *, show: bool = False) -> bool:
        """Appends the next step, unless one is on its way or stuck; tells whether it did.

        Args:
            show: Shows all steps where the connection is in shadow mode, in which nothing is told otherwise.
        """
        row = await tx.fetchrow(SQL["lock"], offer_id)
        link = self._links.get(row["connection_id"]) if row is not None else None
        if row is None or link is None or not link.adapter.offers.told or row["state"] != OfferState.PUBLISHED:
            return False
        if row["external"] is not None:  # it was made there
            return False
        offer = Offer.model_validate_json(row["body"])
        versions = [read_version(each).version for each in await tx.fetch(OFFERS["versions"], [offer_id])]
        if row["mode"] == Mode.SHADOW:
            if show:
                await self._show(tx, link, offer, versions, row["told"], ids_of(row))
            return show
        if row["unanswered"] is not None or await tx.fetch(SQL["outstanding"], [key_of(offer_id)]):
            return False
        told = await self._next(tx, link, row, offer, versions)
        if told is not None:
            await append(tx, link, [_message(link, told)])
        return told is not None

    async def _next(
        self, tx: Transaction, link: Link, row: Record, offer: Offer, versions: Sequence[OfferVersion]
    ) -> OfferToTell | None:
        """Gives what the hub is to be told of an offer now; None where that is nothing."""
        cpos = await cpos_of(tx, offer, self._clock())
        if not cpos:  # of a network group without members; they come
            return None
        ids, siblings = ids_of(row), await sharing.siblings_of(tx, offer.id)
        step = next_step(offer, versions, row["told"], ids)
        if step is not None and step.step is OfferStep.NETWORK:
            if await sharing.awaits_network(tx, step.version.terms, ids, siblings):
                return None
            ids = await sharing.take_over(tx, row, step.version.terms, siblings)
            step = next_step(offer, versions, row["told"], ids)
        if step is not None:
            return await content(tx, link, offer, step, ids, cpos)
        if sharing.tells_members(ids, siblings):
            return None
        return await members(tx, link, offer, versions[-1], ids, cpos)

    async def _show(
        self,
        tx: Transaction,
        link: Link,
        offer: Offer,
        versions: Sequence[OfferVersion],
        told: int,
        ids: HubIds,
    ) -> None:
        """Appends all that would be told of the newest version; it is shown, and the rest was when it came."""
        cpos = await cpos_of(tx, offer, self._clock())
        told = max(told, versions[-1].number - 1)
        while cpos and (step := next_step(offer, versions, told, ids)) is not None:
            await append(tx, link, [_message(link, await content(tx, link, offer, step, ids, cpos))])
            ids = imagined(ids, step)
            if step.step in _OFFERED:
                told = step.version.number

    # What nobody called for

    def start(self) -> None:
        """Starts looking for what hubs are still to be told."""
        self._looking = asyncio.get_running_loop().create_task(self._look())

    async def stop(self) -> None:
        """Stops."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        self._looking = None

    async def catch_up(self) -> int:
        """Has hubs told whatever they do not know yet; gives of how many offers."""
        hubs = [link.connection.id for link in self._links.all() if link.adapter.offers.told]
        count = 0
        for row in await self._store.fetch(SQL["told"], hubs) if hubs else ():
            async for attempt in self._store.attempts():
                with attempt:
                    async with self._store.transaction() as tx:
                        count += await self._advance(tx, row["id"])
        if count:
            self._wake()
        return count

    async def _look(self) -> None:
        while True:
            try:
                await self.catch_up()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("no look at what hubs are to be told of offers", error=str(error))
            except Exception:  # noqa: BLE001 - whatever it was, the next look may succeed
                _log.exception("no look at what hubs are to be told of offers")
            try:
                async with asyncio.timeout(EVERY):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()


_OFFERED: Final[Collection[str]] = frozenset({OfferStep.OFFER, OfferStep.PRICES})


def _message(link: Link, told: OfferToTell) -> Message:
    # Whatever the adapter calls it, it is found by this.
    return link.adapter.of_offer(told).model_copy(update={"key": key_of(told.offer.id), "offer": told})


def _side(row: Record, outstanding: Sequence[Record]) -> HubSide:
    refused = next((each for each in outstanding if each["state"] == End.REFUSED), None)
    why = None
    if refused is not None:
        why = f"{refused['step']}: {refused['code'] or ''} {refused['error'] or ''}".replace("  ", " ").strip()
    elif row["unanswered"] is not None:
        why = f"{row['unanswered']}: the hub took it, and did not say what it calls it"
    pending = [each["step"] for each in outstanding if each["state"] != End.REFUSED]
    return HubSide(ids_of(row), pending, why, row["seen_at"])
