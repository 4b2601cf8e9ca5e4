"""Groups that offers speak of: CPOs that offer together, EVSEs that are offered together, and documents of terms."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from pydantic import JsonValue

from gateway.events.writing import EventType
from gateway.services.cursors import decode, encode
from gateway.services.links import Links
from gateway.services.offers.announcing import OnTurned, Turned, announce_group, audit, pass_on
from gateway.services.offers.clock import Judge
from gateway.services.offers.documents import put_document, read_document
from gateway.services.offers.networks import demand_kept, due, members_at
from gateway.services.ports.common import BadCursor, Conflict, Invalid, NotFound, Page, Parties
from gateway.services.ports.offers import DocumentView, EvseGroupView, MembersChanged
from gateway.store.pool import Record, Store, Transaction
from gateway.store.queries import Queries
from mappings.canonical.agreements import EvseGroup, Member, NetworkGroup
from mappings.canonical.ids import EvseId, PartyId

SQL = Queries("gateway.services.offers", "groups.sql")


class Groups:
    """Implements `ports.offers.Groups`.

    Args:
        judge: The clock by which all replicas go.
        turned: Is told of changes that offers in force or to come speak of, after the commit.
    """

    def __init__(self, store: Store, links: Links, judge: Judge, turned: OnTurned) -> None:
        self._store = store
        self._links = links
        self._judge = judge
        self._turned = turned

    # Network groups

    async def networks(self, after: str | None, limit: int) -> Page[NetworkGroup]:
        """See `ports.offers.Groups.networks`."""
        rows = await self._store.fetch(SQL["networks"], _start(after), limit)
        members = await _members(self._store, [row["id"] for row in rows])
        groups = [NetworkGroup(id=row["id"], name=row["name"], members=members[row["id"]]) for row in rows]
        return Page(groups, _next(rows, "id", limit))

    async def network(self, group_id: str) -> NetworkGroup:
        """See `ports.offers.Groups.network`."""
        row = await self._store.fetchrow(SQL["network"], group_id)
        if row is None:
            raise _no_network(group_id)
        return NetworkGroup(id=group_id, name=row["name"], members=(await _members(self._store, [group_id]))[group_id])

    async def put_network(self, group: NetworkGroup, who: str) -> bool:
        """See `ports.offers.Groups.put_network`."""
        async with self._links.changing() as tx:
            now = await self._judge(tx)
            created: bool = await tx.fetchval(SQL["write_network"], group.id, group.name)
            before = (await _members(tx, [group.id]))[group.id]
            demand_kept(before, group.members, now)
            columns = (
                [member.party.normal for member in group.members],
                [member.since for member in group.members],
                [member.until for member in group.members],
                [due(member, now) for member in group.members],
            )
            await tx.execute(SQL["drop_members"], group.id, *columns[:2])
            await tx.execute(SQL["write_members"], group.id, *columns)
            detail = group.model_dump(mode="json", exclude_none=True)
            await audit(tx, who, "wrote", f"network-group/{group.id}", detail)
            turned: list[Turned] = []
            if members_at(before, now) != members_at(group.members, now):
                turned = await network_changed(tx, group.id, [*before, *group.members], now)
        await pass_on(self._turned, turned)
        return created

    async def remove_network(self, group_id: str, who: str) -> None:
        """See `ports.offers.Groups.remove_network`."""
        async with self._links.changing() as tx:
            if await tx.fetchrow(SQL["network"], group_id) is None:
                raise _no_network(group_id)
            if offers := await tx.fetch(SQL["offers_of_network"], group_id):
                raise Conflict(f"offer {offers[0]['id']} is of network group {group_id}")
            await tx.execute(SQL["remove_network"], group_id)
            await audit(tx, who, "removed", f"network-group/{group_id}", None)

    # EVSE groups

    async def evse_groups(self, parties: Parties, after: str | None, limit: int) -> Page[EvseGroupView]:
        """See `ports.offers.Groups.evse_groups`."""
        names = None if parties is None else [party.normal for party in parties]
        rows = await self._store.fetch(SQL["groups"], names, _start(after), limit)
        return Page([_view(row) for row in rows], _next(rows, "id", limit))

    async def evse_group(self, group_id: str) -> EvseGroupView:
        """See `ports.offers.Groups.evse_group`."""
        row = await self._store.fetchrow(SQL["group"], group_id)
        if row is None:
            raise _no_group(group_id)
        return _view(row)

    async def members(self, group_id: str, after: str | None, limit: int) -> Page[EvseId]:
        """See `ports.offers.Groups.members`."""
        await self.evse_group(group_id)
        rows = await self._store.fetch(SQL["members"], group_id, _start(after), limit)
        return Page([EvseId(row["evse_id"]) for row in rows], _next(rows, "evse_key", limit))

    async def put_evse_group(self, group: EvseGroup, who: str) -> bool:
        """See `ports.offers.Groups.put_evse_group`."""
        turned: list[Turned] = []
        async with self._bulk() as tx:
            # Without waiting for objects being written: this may be long.
            row = await tx.fetchrow(SQL["lock_group"], group.id)
            if row is not None and row["party"] != group.party.normal:
                raise Conflict(f"EVSE group {group.id} is of {row['party']}", "party")
            await _demand_own(tx, group.party, "evse_ids", group.evse_ids)
            await tx.execute(SQL["write_group"], group.id, group.party.normal, group.name, group.description)
            keys, ids = [evse.normal for evse in group.evse_ids], [evse.text for evse in group.evse_ids]
            left = _count(await tx.execute(SQL["keep_evses"], group.id, keys))
            came = _count(await tx.execute(SQL["add_evses"], group.id, keys, ids))
            await audit(tx, who, "wrote", f"evse-group/{group.id}", _detail(group, came, left))
            if came or left or row is None:
                turned = await self._members_changed(tx, group.id, group.party, came, left)
        await pass_on(self._turned, turned)
        return row is None

    async def change_members(self, group_id: str, changed: MembersChanged, who: str) -> EvseGroupView:
        """See `ports.offers.Groups.change_members`."""
        turned: list[Turned] = []
        async with self._bulk() as tx:
            row = await tx.fetchrow(SQL["lock_group"], group_id)
            if row is None:
                raise _no_group(group_id)
            party = PartyId(row["party"])
            await _demand_own(tx, party, "add", changed.add)
            gone = [evse.normal for evse in changed.remove]
            left = _count(await tx.execute(SQL["remove_evses"], group_id, gone)) if gone else 0
            keys, ids = [evse.normal for evse in changed.add], [evse.text for evse in changed.add]
            came = _count(await tx.execute(SQL["add_evses"], group_id, keys, ids)) if keys else 0
            await audit(tx, who, "changed", f"evse-group/{group_id}", {"came": came, "left": left})
            if came or left:
                turned = await self._members_changed(tx, group_id, party, came, left)
        await pass_on(self._turned, turned)
        return await self.evse_group(group_id)

    async def remove_evse_group(self, group_id: str, who: str) -> None:
        """See `ports.offers.Groups.remove_evse_group`."""
        async with self._bulk() as tx:
            if await tx.fetchrow(SQL["lock_group"], group_id) is None:
                raise _no_group(group_id)
            await self._links.change_in(tx)
            if offers := await tx.fetch(SQL["offers_of_group"], group_id, await self._judge(tx)):
                raise Conflict(f"offer {offers[0]['id']} speaks of EVSE group {group_id}")
            await tx.execute(SQL["remove_group"], group_id)
            await audit(tx, who, "removed", f"evse-group/{group_id}", None)

    # Documents

    async def put_document(
        self, document_id: str, party: PartyId, name: str, media_type: str, content: bytes, who: str
    ) -> DocumentView:
        """See `ports.offers.Groups.put_document`."""
        now = await self._judge(self._store)
        return await put_document(self._store, document_id, party, name, media_type, content, who, now)

    async def document(self, document_id: str) -> tuple[DocumentView, bytes]:
        """See `ports.offers.Groups.document`."""
        return await read_document(self._store, document_id)

    @asynccontextmanager
    async def _bulk(self) -> AsyncIterator[Transaction]:
        """Opens a transaction that locks a group first, and what all others wait for at its end."""
        async with self._store.transaction() as tx:
            yield tx
        await self._links.refresh()

    async def _members_changed(
        self, tx: Transaction, group_id: str, party: PartyId, came: int, left: int
    ) -> list[Turned]:
        """Has everybody take note that EVSEs came or left.

        Raises:
            Conflict: One is in another group of an offer, at a hub that takes it in one alone.
        """
        await tx.execute(SQL["members_changed"], group_id)
        await self._links.change_in(tx)
        offers = [
            row
            for row in await tx.fetch(SQL["offers_of_group"], group_id, await self._judge(tx))
            if row["state"] != "DRAFT"
        ]
        await self._demand_one_group(tx, group_id, offers)
        data: dict[str, JsonValue] = {"evse_group": group_id, "party": party.normal, "came": came, "left": left}
        await announce_group(tx, f"evse-groups/{group_id}", data, [party])
        return [
            Turned(
                EventType.GROUP_CHANGED,
                row["connection_id"],
                row["id"],
                PartyId(row["cpo"]) if row["cpo"] is not None else None,
                row["network_group"],
                evse_group=group_id,
            )
            for row in offers
        ]

    async def _demand_one_group(self, tx: Transaction, group_id: str, offers: Sequence[Record]) -> None:
        for row in offers:
            link = self._links.get(row["connection_id"])
            if link is None or not link.adapter.offers.one_group:
                continue
            doubled = await tx.fetchrow(SQL["doubled_evse"], group_id, [row["id"]])
            if doubled is not None:
                evse, other = doubled["evse_id"], doubled["other"]
                raise Conflict(f"{evse} is in {other}, too; {link.connection.name} takes it in one group of an offer")


async def network_changed(tx: Transaction, group_id: str, members: Sequence[Member], now: datetime) -> list[Turned]:
    """Tells that members came to a network group or left it, and gives what that changed of published offers."""
    there = members_at(members, now)
    data: dict[str, JsonValue] = {"network_group": group_id, "members": [*sorted(there)]}
    await announce_group(tx, f"network-groups/{group_id}", data, [member.party for member in members])
    return [
        Turned(EventType.GROUP_CHANGED, row["connection_id"], row["id"], network_group=group_id)
        for row in await tx.fetch(SQL["offers_of_network"], group_id)
        if row["state"] not in {"DRAFT", "ENDED"}
    ]


async def _members(on: "Store | Transaction", ids: Sequence[str]) -> Mapping[str, tuple[Member, ...]]:
    found: dict[str, tuple[Member, ...]] = defaultdict(tuple)
    for row in await on.fetch(SQL["network_members"], list(ids)):
        member = Member(party=PartyId(row["party"]), since=row["since"], until=row["until"])
        found[row["group_id"]] += (member,)
    return found


async def _demand_own(tx: Transaction, party: PartyId, field: str, evses: Sequence[EvseId]) -> None:
    """Makes sure that EVSEs are a party's: their ids say so, or it has told of them."""
    others = {evse.normal: number for number, evse in enumerate(evses) if evse.party != party}
    if not others:
        return
    foreign = await tx.fetchval(SQL["foreign_evses"], party.normal, list(others))
    if foreign is not None:
        number = others[foreign]
        raise Invalid((f"{field}[{number}]", f"{evses[number].text} is no EVSE of {party}"))


def _detail(group: EvseGroup, came: int, left: int) -> dict[str, JsonValue]:
    told: dict[str, JsonValue] = group.model_dump(mode="json", exclude={"evse_ids"})
    return {**told, "evses": len(group.evse_ids), "came": came, "left": left}


def _view(row: Record) -> EvseGroupView:
    return EvseGroupView(row["id"], PartyId(row["party"]), row["name"], row["description"], row["evses"])


def _count(tag: str) -> int:
    return int(tag.rsplit(" ", 1)[-1])


def _start(after: str | None) -> str:
    start = decode(after, 1) if after is not None else ("",)
    if start is None:
        raise BadCursor
    return start[0]


def _next(rows: Sequence[Record], key: str, limit: int) -> str | None:
    return encode(rows[-1][key]) if len(rows) == limit else None


def _no_network(group_id: str) -> NotFound:
    return NotFound(f"there is no network group {group_id}")


def _no_group(group_id: str) -> NotFound:
    return NotFound(f"there is no EVSE group {group_id}")
