"""What a quote needs of the store: the ways to an EVSE with their tariffs, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from pydantic_core import from_json

from gateway.pricing.notes import Note
from gateway.services.authorisation.admitting import uid_key
from gateway.services.catalogue.rows import watts
from gateway.services.ports import Parties
from gateway.services.ports.quotes import QuoteWish, Refusal
from gateway.services.ports.sent_commands import EvseNamed, TokenNamed
from gateway.services.tariffs.versions import Version, read_version
from gateway.store.pool import Record, Store
from gateway.store.queries import Queries
from mappings.canonical.agreements import AgreementRef
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Connector
from mappings.canonical.tokens import Token

SQL: Final = Queries("gateway.services.quoting", "quotes.sql")

BY_ID, BY_LOCATION, BY_OWN_LOCATION = (
    SQL[name] + SQL["at_ways"] for name in ("by_id", "by_location", "by_own_location")
)

_KEPT: Final = 4096
"""EVSEs kept as far as prices go; reading one takes as long as to price a charge at it."""


class Socket(NamedTuple):
    """A connector, as far as prices go.

    Attributes:
        power: kW that it gives at most; None where nobody told.
    """

    id: str
    tariff_ids: Sequence[str]
    power: Decimal | None


@dataclass(slots=True)
class Way:
    """A way to an EVSE.

    Attributes:
        connection, hub: None for an own EVSE.
        zone: IANA name, as it was told.
        prices: Ids of tariffs that hold at all its connectors, told apart from these; None where they are not.
        versions: What is known of its tariffs at the start.
        agreement: By which the charge would begin.
        refusal: Why it is not priced, whatever its tariffs are.
        note: What is to be said of it beside its price.
    """

    connection: str | None
    hub: str | None
    preferred: bool
    evse_key: str | None
    party: PartyId
    location_id: str
    evse_uid: str
    zone: str | None
    prices: Sequence[str] | None
    sockets: Sequence[Socket]
    versions: list[Version] = field(default_factory=list)
    agreement: AgreementRef | None = None
    refusal: Refusal | None = None
    note: Note | None = None


class Found(NamedTuple):
    """The ways to an EVSE, and the driver's token where one was named and is there."""

    ways: Sequence[Way]
    token: Token | None


async def find(store: Store, wish: QuoteWish, evse: EvseNamed, start: datetime, parties: Parties) -> Found:
    """Reads the ways to an EVSE, in one statement; none where it is not known to the caller."""
    statement, *named = _named(wish, evse)
    rows = await store.fetch(statement, start, *_token_key(wish.party, wish.token), *named)
    ways: dict[tuple[str | None, int], Way] = {}
    for row in rows:
        place = row["connection"], row["evse_no"]
        way = ways.get(place)
        if way is None:
            way = ways[place] = _way(row)
        if row["no"] is not None:
            way.versions.append(read_version(row["no"], row["body"], row["known_from"], row["known_until"]))
    seen = [way for way in ways.values() if _is_seen(way, wish.connection, parties)]
    return Found(seen, _token(rows[0]["token"] if rows else None))


def _named(wish: QuoteWish, evse: EvseNamed) -> tuple[str, *tuple[str | None, ...]]:
    """Gives the statement by which an EVSE is found, and what names it there."""
    if evse.evse_id is not None:
        return BY_ID, evse.evse_id.normal
    cpo = evse.cpo.normal if evse.cpo is not None else None
    if wish.connection is not None:
        return BY_LOCATION, wish.connection, cpo, evse.location_id, evse.evse_uid
    return BY_OWN_LOCATION, cpo, evse.location_id, evse.evse_uid


def _is_seen(way: Way, connection: str | None, parties: Parties) -> bool:
    """Tells whether a way is asked for, and the caller's to see: the own network is divided by party."""
    if connection is not None:
        return way.connection == connection
    return way.connection is not None or parties is None or way.party in parties


async def find_token(store: Store, wish: QuoteWish) -> Token | None:
    """Reads the driver's token; None where none is named, or it is not there."""
    return (
        None if wish.token is None else _token(await store.fetchval(SQL["token"], *_token_key(wish.party, wish.token)))
    )


def _token_key(party: PartyId | None, token: TokenNamed | None) -> tuple[str | None, str | None, str | None]:
    if party is None or token is None:
        return None, None, None
    return party.normal, token.type.value, uid_key(token.uid)


def _token(body: str | None) -> Token | None:
    return Token.model_validate_json(body) if body is not None else None


def _way(row: Record) -> Way:
    return Way(
        row["connection"],
        row["hub"],
        row["preferred"],
        row["evse_key"],
        PartyId(row["party"]),
        row["location_id"],
        row["uid"],
        row["zone"],
        row["prices"],
        _sockets(row["evse"]) if row["evse"] is not None else (),
    )


@lru_cache(_KEPT)
def _sockets(evse: str) -> Sequence[Socket]:
    """Reads an EVSE's connectors, the same text once only: statuses, which change, stand elsewhere."""
    read = [Connector.model_validate(each) for each in from_json(evse).get("connectors", ())]
    return tuple(Socket(each.id, each.tariff_ids, Decimal(watts(each)) / 1000 or None) for each in read)
