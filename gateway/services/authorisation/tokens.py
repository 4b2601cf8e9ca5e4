"""Drivers' tokens, as hubs tell them: pushed by their EMSPs, or seen in answers to authorisations."""

from collections.abc import Iterable, Sequence
from typing import Final

from pydantic import JsonValue

from adapters.core.connection import Connection
from gateway.events.writing import Event, EventType, append
from gateway.services.authorisation.admitting import uid_key
from gateway.services.cursors import as_number, decode, encode
from gateway.services.links import Links
from gateway.services.ports import BadCursor, NotFound, Page
from gateway.services.ports.tokens import TokenView
from gateway.store.pool import Store, Transaction
from gateway.store.queries import Queries
from mappings.canonical.ids import PartyId
from mappings.canonical.tokens import Token, TokenType

SQL = Queries("gateway.services.authorisation", "tokens.sql")


_MOST_CONNECTIONS: Final = 2**31 - 1


class Tokens:
    """Implements `adapters.core.inbound.Tokens` and `ports.TokenList`."""

    def __init__(self, store: Store, links: Links) -> None:
        self._store = store
        self._links = links

    async def put(self, connection: Connection, token: Token) -> bool:
        """See `inbound.Tokens.put`."""
        async with self._store.transaction() as tx:
            row = await tx.fetchrow(SQL["put"], connection.id, *_row(token))
            if row is None:
                return False
            await append(tx, *await _events(tx, connection, token))
        return bool(row["is_new"])

    async def get(self, connection: Connection, party: PartyId, uid: str, type_: TokenType) -> Token | None:
        """See `inbound.Tokens.get`."""
        body = await self._store.fetchval(SQL["get"], connection.id, party.normal, type_.value, uid_key(uid))
        return Token.model_validate_json(body) if body is not None else None

    async def list(
        self, connection: str | None, party: PartyId | None, uid: str | None, after: str | None, limit: int
    ) -> Page[TokenView]:
        """See `ports.TokenList.list`."""
        if connection is not None and self._links.by_name(connection) is None:
            raise NotFound(f"there is no connection {connection}", "connection")
        start = decode(after, 4) if after is not None else ("0", "", "", "")
        connection_id = as_number(start[0], _MOST_CONNECTIONS) if start is not None else None
        if start is None or connection_id is None:
            raise BadCursor
        rows = await self._store.fetch(
            SQL["page"],
            connection,
            party.normal if party is not None else None,
            uid_key(uid) if uid is not None else None,
            connection_id,
            *start[1:],
            limit,
        )
        items = [
            TokenView(row["connection"], row["listed"], row["seen_at"], Token.model_validate_json(row["body"]))
            for row in rows
        ]
        if len(rows) < limit:
            return Page(items)
        last = rows[-1]
        return Page(items, encode(str(last["connection_id"]), last["party"], last["type"], last["uid_key"]))


async def see(tx: Transaction, seen: Iterable[tuple[int, Token]]) -> None:
    """Writes tokens that hubs told of in their answers, each with the number of its connection."""
    rows = [(connection_id, *_row(token)) for connection_id, token in seen]
    if rows:
        await tx.execute(SQL["see"], *(list(column) for column in zip(*rows, strict=True)))


def _row(token: Token) -> Sequence[object]:
    return (
        token.party.normal,
        token.type.value,
        token.uid,
        uid_key(token.uid),
        token.contract_id.normal,
        token.model_dump_json(exclude_none=True),
        token.last_updated,
    )


async def _events(tx: Transaction, connection: Connection, token: Token) -> list[Event]:
    """Tells every CPO at whose stations the token may be held up."""
    scope = sorted(party.normal for party in connection.scope.parties) or None
    data: JsonValue = {
        "connection": connection.name,
        "party": token.party.normal,
        "type": token.type.value,
        "uid": token.uid,
        "valid": token.valid,
        "whitelist": token.whitelist.value,
    }
    parties = [PartyId(row["id"]) for row in await tx.fetch(SQL["parties"], scope)]
    subject = f"tokens/{connection.name}/{token.party.normal}/{token.type}"
    return [Event(EventType.TOKEN_CHANGED, party, subject, data) for party in parties]
