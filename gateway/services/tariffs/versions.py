"""Looks up what tariffs said at a time, many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from gateway.pricing.selecting import Candidate
from gateway.services.storing import columns
from gateway.store.pool import Store, Transaction
from gateway.store.queries import Queries
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Tariff

SQL: Final = Queries("gateway.services.tariffs", "versions.sql")

_KEPT: Final = 4096
"""Tariffs kept parsed: reading one from JSON takes longer than to price a charge by it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Tariffs that may hold for a charge.

    Attributes:
        connection_id: Over which the party is known; None for own tariffs.
        party: Whose tariffs.
        tariff_ids: In the order in which they are to be tried; case does not matter.
        at: When the charge began, aware.
        until: When it ended; None for then.
    """

    connection_id: int | None
    party: PartyId
    tariff_ids: Sequence[str]
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Version(Candidate):
    """A tariff as it was known from `known_from` to `known_until`.

    Attributes:
        no: Its number in `tariff_version`.
    """

    no: int = 0


async def known(on: "Store | Transaction", asked: Sequence[Asked]) -> list[list[Version]]:
    """Gives of all variants of the tariffs asked for, in one statement, what `selecting.select` chooses from.

    That is the versions known at the moments asked for, those that came until the charges' ends, and, where nothing was
    known in time, the first that ever was. Ids in the order asked, variants for one EMSP first, versions by age.
    """
    rows = [
        (n, one.connection_id or 0, one.party.normal, tariff_id, one.at, max(one.at, one.until or one.at))
        for n, one in enumerate(asked)
        for tariff_id in dict.fromkeys(one.tariff_ids)
    ]
    found: list[list[Version]] = [[] for _ in asked]
    if rows:
        for row in await on.fetch(SQL["known"], *columns(rows, 6)):
            found[row["n"]].append(read_version(row["no"], row["body"], row["known_from"], row["known_until"]))
    return found


def read_version(no: int, body: str, known_from: datetime, known_until: datetime | None) -> Version:
    """Makes a version of a row's columns, `known_until` null where there is no end."""
    return Version(read_tariff(body), known_from, known_until, no)


@lru_cache(_KEPT)
def read_tariff(body: str) -> Tariff:
    """Reads a stored tariff, the same text once only: by the text, since each database has numbers of its own."""
    return Tariff.model_validate_json(body)
