"""Pulling EVSE data and statuses: what an EMP asks, and what it is answered (OICP 2.3, EMP Services and Operations).

EVSE data come in pages; `page` from 0 and `size` are parameters of the address, not of the body. A location that is
read here has one EVSE, and both have the EvseID's normal form for an id, so that an EVSE has the same key in every
pull; `Location.pool_id` and `Evse.station_id` say what belongs together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import (
    Accessibility,
    AuthenticationMode,
    CalibrationLaw,
    EvseStatus,
    EvseStatusReport,
    GeoPoint,
    Location,
)
from mappings.oicp.v2_3 import coordinates, evse_status, process, reading
from mappings.oicp.v2_3.enums import ACCESSIBILITY, AUTHENTICATION_MODES, CALIBRATION_LAW, EVSE_STATUS
from mappings.oicp.v2_3.pages import Answer, Entry, field, gone, listed_under, names, page_of, successful, take_apart
from mappings.oicp.v2_3.vocabulary import GeoFormat
from mappings.oicp.v2_3.wire import Record
from mappings.report import Refused, Report

MOST_BY_ID: Final = 100
"""EvseIDs that one question by id may name (OICP 2.3, eRoamingPullEVSEStatusByID)."""

_LONGEST_KEY: Final = 36


# Out


@dataclass(frozen=True, slots=True)
class Only:
    """What a pull of EVSE data is restricted to; nothing is asked for that is left empty.

    Attributes:
        countries: ISO 3166-1 alpha-3. Neither this, nor `operators` nor `around` goes with a time of the last call.
        around: A point, and the radius in km.
    """

    countries: tuple[str, ...] = ()
    operators: tuple[PartyId, ...] = ()
    around: tuple[GeoPoint, float] | None = None
    authentication_modes: tuple[AuthenticationMode, ...] = ()
    accessibility: tuple[Accessibility, ...] = ()
    calibration_law: tuple[CalibrationLaw, ...] = ()
    renewable_energy: bool | None = None
    hubject_compatible: bool | None = None
    open_24_hours: bool | None = None


EVERYTHING: Final = Only()


def evse_data(provider: PartyId, last_call: datetime | None = None, only: Only = EVERYTHING) -> Record:
    """Writes an eRoamingPullEVSEData.

    Args:
        provider: The party of the connection's certificate.
        last_call: Only what changed since is asked for, with what became of it; None asks for everything.
        only: Restrictions.

    Raises:
        Refused: A time of the last call beside countries, operators or a point, which OICP excludes, since what leaves
            the selection would never be told; or the provider is no EMP.
    """
    record: Record = {
        "ProviderID": process.provider_id(provider),
        "GeoCoordinatesResponseFormat": GeoFormat.DECIMAL_DEGREE.value,
    }
    if last_call is not None:
        for name in ("countries", "operators", "around"):
            if getattr(only, name):
                raise Refused(f"only.{name}", "not to be combined with the time of the last call")
        record["LastCall"] = process.stamp(last_call)
    if only.around is not None:
        record["SearchCenter"] = _around(*only.around)
    lists = {
        "CountryCodes": [*only.countries],
        "OperatorIds": [operator.normal for operator in only.operators],
        "AuthenticationModes": [AUTHENTICATION_MODES.from_canonical(mode).value for mode in only.authentication_modes],
        "Accessibility": [ACCESSIBILITY.from_canonical(kind).value for kind in only.accessibility],
        "CalibrationLawDataAvailability": [CALIBRATION_LAW.from_canonical(kind).value for kind in only.calibration_law],
    }
    booleans = {
        "RenewableEnergy": only.renewable_energy,
        "IsHubjectCompatible": only.hubject_compatible,
        "IsOpen24Hours": only.open_24_hours,
    }
    record |= {name: values for name, values in lists.items() if values}
    return record | {name: value for name, value in booleans.items() if value is not None}


def statuses(
    provider: PartyId, status: EvseStatus | None = None, around: tuple[GeoPoint, float] | None = None
) -> Record:
    """Writes an eRoamingPullEVSEStatus, which asks for the statuses of all EVSEs.

    Args:
        provider: The party of the connection's certificate.
        status: Only EVSEs in this one.
        around: Only EVSEs around a point, with the radius in km.

    Raises:
        Refused: OICP has no word of its own for the status, so that others would be answered too.
    """
    record: Record = {"ProviderID": process.provider_id(provider)}
    if status is not None:
        if status is EvseStatus.REMOVED or EVSE_STATUS.lost(status):
            raise Refused("status", "OICP has no word for this status alone", status.value)
        record["EVSEStatus"] = EVSE_STATUS.from_canonical(status).value
    if around is not None:
        record["SearchCenter"] = _around(*around)
    return record


def statuses_by_id(provider: PartyId, evse_ids: Sequence[EvseId]) -> Record:
    """Writes an eRoamingPullEVSEStatusByID.

    Raises:
        Refused: More than 100 are named, or none, or one that OICP does not take.
    """
    if not 0 < len(evse_ids) <= MOST_BY_ID:
        raise Refused("evse_ids", f"not 1 to {MOST_BY_ID}, as OICP allows", len(evse_ids))
    named = [process.told_evse(evse_id, f"evse_ids[{n}]") for n, evse_id in enumerate(evse_ids)]
    return {"ProviderID": process.provider_id(provider), "EvseID": named}


def statuses_by_operator(provider: PartyId, operators: Sequence[PartyId]) -> Record:
    """Writes an eRoamingPullEVSEStatusByOperatorID.

    Raises:
        Refused: No operator is named.
    """
    if not operators:
        raise Refused("operators", "none, and OICP demands one")
    named = [operator.normal for operator in operators]
    return {"ProviderID": process.provider_id(provider), "OperatorID": named}


def _around(point: GeoPoint, radius: float) -> Record:
    return {"GeoCoordinates": coordinates.write(point, "around", Report()), "Radius": radius}


# In


def read_evse_data(body: Any, at: datetime) -> Answer[Location] | None:
    """Takes a page of EVSE data apart; keys are (party, location id).

    Args:
        body: The parsed JSON.
        at: When it arrived; stands for a missing `lastUpdate`.

    Returns:
        None where the body is no page, or says that something failed.
    """
    found = page_of(body)
    if found is None:
        return None
    records, page = found
    named = ((f"content[{n}]", record) for n, record in enumerate(records))
    return take_apart(named, partial(_evse_entry, at=at), page)


def read_statuses(body: Any) -> Answer[EvseStatusReport] | None:
    """Takes an answer of statuses apart, in either of its shapes; keys are (party, EvseID's normal form).

    Read are `{"EvseStatuses": {"OperatorEvseStatus": [{"OperatorID", "EvseStatusRecord": [...]}]}}`, and, to a question
    by id, `{"EVSEStatusRecords": {"EvseStatusRecord": [...]}}`.

    Returns:
        None where the body is none of these, or says that something failed.
    """
    fields = successful(body)
    if fields is None or not {"evsestatuses", "evsestatusrecords"} & names(body):
        return None
    return take_apart(_status_records(fields), _status_entry)


def key_of(evse_id: EvseId) -> str:
    """Gives the id under which an EVSE is known, whatever way its EvseID is spelt: the normal form.

    Raises:
        Refused: It is longer than 36 signs, as only DIN ids can be.
    """
    if not 0 < len(evse_id.normal) <= _LONGEST_KEY:
        raise Refused("EvseID", f"longer than {_LONGEST_KEY} signs without its separators", evse_id.text)
    return evse_id.normal


def identify(record: Any) -> tuple[PartyId, EvseId]:
    """Gives the operator and the EvseID of a record without reading the rest of it.

    Raises:
        Refused: It is no object or has no EvseID, or neither that nor an OperatorID names the operator.
    """
    if not isinstance(record, Mapping):
        raise Refused("", "not an object", record)
    text = field(record, "EvseID")
    if not isinstance(text, str) or not text.strip():
        raise Refused("EvseID", "missing" if text is None else "not a text", text)
    evse_id = EvseId(text)
    if evse_id.party is not None:
        return evse_id.party, evse_id
    operator = field(record, "OperatorID")
    try:
        return PartyId(operator.strip() if isinstance(operator, str) else ""), evse_id
    except ValueError:
        raise Refused("EvseID", "names no operator, and no OperatorID stands beside it", text) from None


def _evse_entry(record: Any, at: datetime) -> Entry[Location]:
    party, evse_id = identify(record)
    key = key_of(evse_id)
    return Entry(
        key=(party.normal, key),
        raw=record,
        read=partial(reading.to_canonical, record, at, key=key),
        gone=gone(record),
    )


def _status_records(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Walks the records of both shapes, with their operator, and their paths."""
    for operator, path, records in _status_blocks(fields):
        for n, record in enumerate(records):
            beside = operator is not None and isinstance(record, Mapping) and "OperatorID" not in record
            yield f"{path}.EvseStatusRecord[{n}]", {**record, "OperatorID": operator} if beside else record


def _status_blocks(fields: Mapping[str, Any]) -> Iterator[tuple[Any, str, list[Any]]]:
    direct = fields.get("evsestatusrecords")
    yield None, "EVSEStatusRecords", listed_under(direct, "EvseStatusRecord")
    blocks = listed_under(fields.get("evsestatuses"), "OperatorEvseStatus")
    for n, block in enumerate(blocks):
        if isinstance(block, Mapping):
            path = f"EvseStatuses.OperatorEvseStatus[{n}]"
            yield field(block, "OperatorID"), path, listed_under(block, "EvseStatusRecord")


def _status_entry(record: Any) -> Entry[EvseStatusReport]:
    party, evse_id = identify(record)
    return Entry(
        key=(party.normal, key_of(evse_id)),
        raw=record,
        read=partial(evse_status.to_canonical, record),
    )
