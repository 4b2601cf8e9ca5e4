"""The rows of objects, and what is to be projected of them; shared by those who write objects and connections."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic import TypeAdapter

from adapters.core.adapter import WireKey
from gateway.outbox.projecting import Link, Stored
from gateway.services.visibility.audience import Audience
from gateway.store.objects import SQL, read_location
from gateway.store.pool import Transaction
from mappings.canonical.locations import Location
from mappings.canonical.tariffs import Tariff
from mappings.canonical.tokens import Token
from mappings.report import Issue

_ISSUES = TypeAdapter(list[Issue])


def stored_tariff(links: Sequence[Link], no: int, tariff: Tariff, audience: Audience, *, existed: bool) -> Stored:
    """Gives a tariff with the keys that each connection has of it: none where its EMSP may not know of the CPO."""
    keys = {link.connection.id: link.keys(tariff) if audience.has(link.connection.id, tariff) else [] for link in links}
    return Stored(no, tariff, keys, {}, existed=existed)


def stored_driver_token(links: Sequence[Link], no: int, token: Token, *, existed: bool) -> Stored:
    """Gives a driver token with the keys that each connection has of it."""
    return Stored(no, token, {link.connection.id: link.keys(token) for link in links}, {}, existed=existed)


async def write_evses(
    tx: Transaction, links: Sequence[Link], locations: Sequence[tuple[int, Location, bool]]
) -> list[Stored]:
    """Writes the EVSEs of stored locations and gives what is to be projected.

    Args:
        locations: Number, location, and whether it existed before.
    """
    keyed = [(no, location, _keys(links, location), existed) for no, location, existed in locations]
    rows: list[tuple[int, str, str | None, str, str, datetime]] = []
    for no, location, keys, _ in keyed:
        claims = _claims(keys)
        rows += [
            (
                no,
                evse.uid,
                evse.evse_id.normal if evse.evse_id is not None else None,
                claims.get(evse.uid, ""),
                evse.status.value,
                evse.last_updated,
            )
            for evse in location.evses
        ]
    evses: dict[int, dict[str, int]] = {no: {} for no, *_ in keyed}
    if rows:
        for row in await tx.fetch(SQL["write_evses"], *columns(rows, 6)):
            evses[row["location_no"]][row["uid"]] = row["no"]
    return [Stored(no, location, keys, evses[no], existed=existed) for no, location, keys, existed in keyed]


async def read_locations(tx: Transaction, links: Sequence[Link], numbers: Sequence[int]) -> list[Stored]:
    """Locks and reads locations, brings their EVSEs' claims up to date, and gives what is to be projected."""
    await tx.execute(SQL["lock_location_nos"], numbers)
    stored: list[Stored] = []
    rows: list[tuple[int, str]] = []
    for row in await tx.fetch(SQL["locations_by_no"], numbers):
        location = read_location(row)
        keys = _keys(links, location)
        claims = _claims(keys)
        evses = {uid: no for uid, no in zip(row["uids"], row["evse_nos"], strict=True) if uid is not None}
        rows += [(no, claims.get(uid, "")) for uid, no in evses.items()]
        stored.append(Stored(row["no"], location, keys, evses, existed=True))
    if rows:
        await tx.execute(SQL["claim_evses"], *columns(rows, 2))
    return stored


async def read_tariffs(
    tx: Transaction, links: Sequence[Link], numbers: Sequence[int], audience: Audience
) -> list[Stored]:
    """Locks and reads tariffs that are not withdrawn, and gives what is to be projected."""
    await tx.execute(SQL["lock_tariff_nos"], numbers)
    return [
        stored_tariff(links, row["no"], Tariff.model_validate_json(row["body"]), audience, existed=True)
        for row in await tx.fetch(SQL["tariffs_by_no"], numbers)
        if row["withdrawn_at"] is None
    ]


async def read_driver_tokens(tx: Transaction, links: Sequence[Link], numbers: Sequence[int]) -> list[Stored]:
    """Locks and reads driver tokens that are not withdrawn, and gives what is to be projected."""
    await tx.execute(SQL["lock_driver_token_nos"], numbers)
    return [
        stored_driver_token(links, row["no"], Token.model_validate_json(row["body"]), existed=True)
        for row in await tx.fetch(SQL["driver_tokens_by_no"], numbers)
        if row["withdrawn_at"] is None
    ]


def _keys(links: Sequence[Link], location: Location) -> dict[int, list[WireKey]]:
    return {link.connection.id: link.keys(location) for link in links}


def _claims(keys: dict[int, list[WireKey]]) -> dict[str, str]:
    """Gives the connections at which each EVSE claims its EvseID: numbers with commas, by uid."""
    claims: dict[str, set[int]] = {}
    for connection_id, wires in keys.items():
        for wire in wires:
            if wire.shared and wire.evse_uid is not None:
                claims.setdefault(wire.evse_uid, set()).add(connection_id)
    return {uid: ",".join(map(str, sorted(numbers))) for uid, numbers in claims.items()}


def tariff_place(tariff: Tariff) -> tuple[str, str, str]:
    """Gives a tariff's key: party, id, target party or `""` for all."""
    return tariff.party.normal, tariff.id, tariff.target.normal if tariff.target else ""


def dump_issues(issues: Sequence[Issue]) -> str | None:
    """Gives issues as JSON for the store; None for none."""
    return json.dumps([tuple(issue) for issue in issues], separators=(",", ":")) if issues else None


def load_issues(stored: str | None) -> list[Issue]:
    """Reads issues as `dump_issues` wrote them."""
    return _ISSUES.validate_json(stored) if stored else []


def columns(rows: Iterable[Sequence[object]], width: int) -> list[list[object]]:
    """Turns rows into columns; `width` empty ones if there are no rows."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]
