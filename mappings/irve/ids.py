"""Identifiers of French stations and points: which station a row belongs to, and which EVSE a record means.

The schema wants `FR` + operator + `P…` or `E…` without separators. Published ids also have separators, lower case, or
no `E`; static and dynamic records go through the same functions here, so that they meet whatever their spelling.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from mappings.canonical.ids import EvseId, PartyId
from mappings.irve.values import fold
from mappings.irve.wire import StaticRow

_SEPARATORS = re.compile(r"[\s*.\-_]+")
_PARTY = re.compile(r"([A-Z]{2})([A-Z0-9]{3})[A-Z0-9]+")
_ID = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,46}[\x21-\x7e])?")
_POOL = re.compile(r"[A-Z]{2}[A-Z0-9]{3}P[A-Z0-9]+")
_NOT_CONCERNED = "non concerne"


class StationId(NamedTuple):
    """The id of a station and the column that gave it; empty where no column has a usable one."""

    id: str
    column: str


def compact(text: str) -> str:
    """Writes an id as the schema has it: capitals, no separators."""
    return _SEPARATORS.sub("", text).upper()


@lru_cache(maxsize=4096)
def roaming_id(text: str | None) -> str | None:
    """Gives the compact form of an id for roaming; None where there is none (`Non concerné`) or it is not printable."""
    if text is None:
        return None
    # A digit settles it at once: the words for "none" have no digit, the ids have one.
    if not any(map(str.isdigit, text)) and fold(text) == _NOT_CONCERNED:
        return None
    bare = compact(text)
    return bare if _ID.fullmatch(bare) else None


def local_id(text: str | None) -> str | None:
    """Gives a local id; None where there is none (`Non concerné`) or it cannot be an id of up to 48 printable signs."""
    if text is None or not _ID.fullmatch(text) or fold(text) == _NOT_CONCERNED:
        return None
    return text


def evse_id(text: str) -> EvseId:
    """Gives the public id of a point: as given where that is an EVSE id, else its compact form.

    `FR-ABC-E12` becomes `FRABCE12`, which equals `FR*ABC*E12`; `FR-C2P-0052011`, malformed for want of an `E`, becomes
    `FRC2P0052011`, so that it meets the same id written otherwise.
    """
    given = EvseId(text)
    return given if given.well_formed else EvseId(compact(text))


def party_of(bare: str | None) -> PartyId | None:
    """Gives the operator that a compact id begins with; None where it does not."""
    if bare is None or (match := _PARTY.fullmatch(bare)) is None:
        return None
    return PartyId.of(match[1], match[2])


def pool_id(bare: str) -> str | None:
    """Gives the id where it has the form of a charging pool's (`FRABCP…`)."""
    return bare if _POOL.fullmatch(bare) else None


def station_id(row: StaticRow) -> StationId:
    """Names the station of a row.

    In order: `id_station_itinerance`; `id_station_local`, which the schema demands of a station outside roaming; else
    the point stands alone, under its own id. Nearness of coordinates or equality of names joins no rows: two stations
    merged are worse than one shown twice.
    """
    if bare := roaming_id(row.id_station_itinerance):
        return StationId(bare, "id_station_itinerance")
    if local := local_id(row.id_station_local):
        return StationId(local, "id_station_local")
    if bare := roaming_id(row.id_pdc_itinerance):
        return StationId(bare, "id_pdc_itinerance")
    return StationId(local_id(row.id_pdc_local) or "", "id_pdc_local")


def station_key(row: StaticRow) -> str:
    """Gives the key by which rows of one station are brought together; never raises.

    A local id is the operator's own, so the operator named by the point's id stands before it.
    """
    name = station_id(row)
    if name.column != "id_station_local":
        return name.id
    party = party_of(roaming_id(row.id_pdc_itinerance))
    return f"{party or ''}/{name.id}"
