"""Takes over which EVSEs are in the groups of an offer that a partner made at a hub."""

from collections.abc import Sequence

from adapters.core.connection import Connection
from adapters.core.roaming import FeedProfile, Record
from gateway.services.catalogue.ingesting import Ingested, Kept
from gateway.services.hub_offers.reading import key_of, prefix_of
from gateway.services.links import Links
from gateway.store.pool import Store
from gateway.store.queries import Queries
from mappings.report import Refused

SQL = Queries("gateway.services.hub_offers", "hearing.sql")


class GroupHearing:
    """Implements `pulling.one_pull.Sink` for the EVSEs of groups; the groups themselves come with their offers."""

    def __init__(self, store: Store, links: Links) -> None:
        self._store = store
        self._links = links

    async def ingest(self, connection: Connection, feed: FeedProfile, records: Sequence[Record]) -> Ingested:  # noqa: ARG002
        """Puts EVSEs into their groups; those of a group that nobody told of are counted as unknown."""
        done = Ingested()
        read: dict[tuple[str, str], None] = {}
        for record in records:
            try:
                evse, _ = record.read()
            except Refused as refused:
                done.refused.append((record.key, refused))
            else:
                read[key_of(connection.id, evse.group), evse.evse_key] = None
        groups, keys = [group for group, _ in read], [key for _, key in read]
        found = await self._store.fetch(SQL["members"], groups, keys)
        done.unknown = sum(not row["known"] for row in found)
        done.same = sum(row["no"] is not None for row in found)
        done.nos += [row["no"] for row in found if row["no"] is not None]
        new = [row["n"] - 1 for row in found if row["known"] and row["no"] is None]
        if new:
            # Whoever decides by groups reads them anew once this is committed.
            async with self._links.changing() as tx:
                of, evses = [groups[n] for n in new], [keys[n] for n in new]
                rows = await tx.fetch(SQL["add_members"], of, evses, evses)
                await tx.execute(SQL["count_members"], sorted({row["group_id"] for row in rows}))
            done.nos += [row["no"] for row in rows]
            done.new = len(rows)
        return done

    async def prune(self, connection: Connection, feed: FeedProfile, kept: Kept) -> int:  # noqa: ARG002
        """Takes EVSEs out of groups that a full pull did not name in them."""
        rows = await self._store.fetch(SQL["all_members"], prefix_of(connection.id))
        gone = kept.missing(row["no"] for row in rows)
        if not gone:
            return 0
        async with self._links.changing() as tx:
            removed = await tx.fetch(SQL["remove_members"], gone)
            await tx.execute(SQL["count_members"], sorted({row["group_id"] for row in removed}))
        return len(removed)
