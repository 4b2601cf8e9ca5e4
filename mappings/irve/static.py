"""Static records (schema IRVE statique 2.3) to canonical locations, in only.

The rows of one station (`station_key`) become one location, each row one EVSE with one connector per plug. The
station's columns are taken from its first row that says who and where it is; another row that says otherwise gets an
issue.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import Evse, EvseStatus, GeoPoint, Hours, Location
from mappings.irve import services
from mappings.irve.hours import opening_hours
from mappings.irve.ids import evse_id, local_id, party_of, pool_id, roaming_id, station_id
from mappings.irve.places import Address, Zone, coordinates, split_address, territory_at, zone_of
from mappings.irve.plugs import connectors
from mappings.irve.values import day, midnight, phone
from mappings.irve.wire import StaticRow
from mappings.report import Issue, IssueKind, Refused, Report

STATION_COLUMNS = (
    "nom_amenageur",
    "siren_amenageur",
    "contact_amenageur",
    "nom_operateur",
    "contact_operateur",
    "telephone_operateur",
    "nom_enseigne",
    "nom_station",
    "implantation_station",
    "adresse_station",
    "code_insee_commune",
    "nbre_pdc",
    "horaires",
    "raccordement",
    "num_pdl",
    "date_mise_en_service",
)
"""Columns that describe the station and so should be equal in all its rows."""
_station_columns = itemgetter(*map(StaticRow._fields.index, STATION_COLUMNS))


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the operator says for what a file leaves out; each use gives an issue.

    Attributes:
        party: Owner of stations whose ids name no operator; None refuses them.
        time_zone: IANA zone of points that cannot be placed.
        city: City where the address has none and there is no INSEE code to stand for it.
    """

    party: PartyId | None = None
    time_zone: str = "Europe/Paris"
    city: str = "Commune inconnue"


class StationTranslation(NamedTuple):
    """What became of one station's rows.

    Attributes:
        location: None where no row could be used.
        issues: Their fields are `rows[<number>].<column>`.
        refused: Rows left out: the caller's row number, and the error whose reason names the column.
    """

    location: Location | None
    issues: list[Issue]
    refused: list[tuple[int, Refused]]


class _Place(NamedTuple):
    """What the station's first usable row says for all its rows."""

    party: PartyId
    id: str
    point: GeoPoint
    address: Address
    zone: Zone
    row_number: int
    row: StaticRow


def to_canonical(
    rows: Sequence[tuple[int, StaticRow]],
    read_at: datetime,
    defaults: Defaults = Defaults(),
) -> StationTranslation:
    """Translates the rows of one station, each with its number in the file.

    Args:
        rows: All rows with the same `station_key`.
        read_at: When the file was read, aware; stands in for an absent `date_maj`.
        defaults: For what the file leaves out.
    """
    issues: list[Issue] = []
    refused: list[tuple[int, Refused]] = []
    evses: list[Evse] = []
    uids: set[str] = set()
    place: _Place | None = None
    for number, row in rows:
        report = Report()
        try:
            point = _point(row, report)
            if place is None:
                place = _place(number, row, point, report, defaults)
            evse = _evse(row, point, place, report, read_at)
            if evse.uid in uids:
                raise report.refuse("id_pdc_itinerance", "the point stands twice in its station", evse.uid)
        except Refused as error:
            refused.append((number, error))
            continue
        uids.add(evse.uid)
        evses.append(evse)
        _compare(place, number, row, report)
        issues += _numbered(number, report)
    if place is None or not evses:
        return StationTranslation(None, issues, refused)
    report = Report()
    location = _location(place, evses, len(rows), report, defaults)
    return StationTranslation(location, [*_numbered(place.row_number, report), *issues], refused)


def _numbered(number: int, report: Report) -> Iterable[Issue]:
    return (issue._replace(field=f"rows[{number}].{issue.field}") for issue in report.issues)


def _point(row: StaticRow, report: Report) -> GeoPoint:
    if row.coordonneesXY is None:
        raise report.refuse("coordonneesXY", "there are no coordinates")
    try:
        point, mended = coordinates(row.coordonneesXY)
    except ValueError as error:
        raise report.refuse("coordonneesXY", str(error), row.coordonneesXY) from None
    if mended:
        report.add(IssueKind.MENDED, "coordonneesXY", mended, row.coordonneesXY)
    return point


def _place(number: int, row: StaticRow, point: GeoPoint, report: Report, defaults: Defaults) -> _Place:
    name = station_id(row)
    if not name.id:
        raise report.refuse("id_pdc_itinerance", "no id of a station or a point can be used", row.id_pdc_itinerance)
    party = party_of(roaming_id(row.id_station_itinerance)) or party_of(roaming_id(row.id_pdc_itinerance))
    if party is None:
        party = defaults.party
        if party is None:
            raise report.refuse("id_pdc_itinerance", "no operator can be read from its ids", row.id_pdc_itinerance)
        report.add(IssueKind.DEFAULTED, "id_station_itinerance", "its ids name no operator", row.id_station_itinerance)
    if name.column != "id_station_itinerance":
        report.add(
            IssueKind.DEFAULTED,
            "id_station_itinerance",
            f"the station goes by {name.column}",
            row.id_station_itinerance,
        )
    address = split_address(row.adresse_station or "")
    insee = row.code_insee_commune.upper() if row.code_insee_commune else None
    zone = zone_of(insee, address.postal_code, point, defaults.time_zone)
    if zone.column == "":
        report.add(IssueKind.DEFAULTED, "code_insee_commune", "time zone from the settings", row.code_insee_commune)
    elif zone.column != "code_insee_commune" and insee is not None:
        report.add(IssueKind.UNKNOWN, "code_insee_commune", f"no INSEE code; time zone by {zone.column}", insee)
    where = territory_at(point.latitude, point.longitude)
    if where is None:
        report.add(IssueKind.SUSPECT, "coordonneesXY", "in no part of France: at sea or abroad", row.coordonneesXY)
    elif zone.territory is not None and where is not zone.territory:
        detail = f"in {where.name}, while {zone.column} says {zone.territory.name}"
        report.add(IssueKind.SUSPECT, "coordonneesXY", detail, row.coordonneesXY)
    return _Place(party, name.id, point, address, zone, number, row)


def _evse(row: StaticRow, point: GeoPoint, place: _Place, report: Report, read_at: datetime) -> Evse:
    uid, public = _point_ids(row, report)
    if public is not None and (owner := party_of(roaming_id(row.id_pdc_itinerance))) not in {None, place.party}:
        detail = f"the point's id names {owner}, its station's {place.party}"
        report.add(IssueKind.SUSPECT, "id_pdc_itinerance", detail, row.id_pdc_itinerance)
    at = _updated(row, place.zone.time_zone, report, read_at)
    plugs = connectors(row, at, report)
    offer, issues = services.offer(row)
    report.issues += issues
    return Evse(
        uid=uid,
        evse_id=public,
        # A static record says nothing of the moment; the dynamic ones do.
        status=EvseStatus.UNKNOWN,
        capabilities=offer.capabilities,
        connectors=plugs,
        coordinates=None if point == place.point else point,
        parking_restrictions=offer.parking_restrictions,
        payment_options=offer.payment_options,
        value_added_services=offer.value_added_services,
        accessibility=offer.accessibility,
        additional_info=services.additional_info(row),
        last_updated=at,
        unknown=services.beside_point(row, report.issues),
    )


def _point_ids(row: StaticRow, report: Report) -> tuple[str, EvseId | None]:
    """Gives uid and public id; a point outside roaming goes by its local id and has no public one."""
    text = row.id_pdc_itinerance
    bare = roaming_id(text)
    if bare is None or text is None:
        local = local_id(row.id_pdc_local)
        if local is None:
            raise report.refuse("id_pdc_itinerance", "the point has no usable id", text)
        report.add(IssueKind.DEFAULTED, "id_pdc_itinerance", "the point goes by id_pdc_local", text)
        return local, None
    public = evse_id(text)
    if not public.well_formed:
        report.add(IssueKind.SUSPECT, "id_pdc_itinerance", "not an EVSE id, compared as it is written", text)
    elif public.text != text:
        report.add(IssueKind.MENDED, "id_pdc_itinerance", f"read as {public.text}", text)
    return bare, public


def _updated(row: StaticRow, time_zone: str, report: Report, read_at: datetime) -> datetime:
    if row.date_maj is None:
        report.add(IssueKind.DEFAULTED, "date_maj", "taken as updated when the file was read")
        return read_at
    try:
        when, mended = day(row.date_maj)
        start = midnight(when, time_zone)
    except ValueError as error:
        raise report.refuse("date_maj", str(error), row.date_maj) from None
    if mended:
        report.add(IssueKind.MENDED, "date_maj", mended, row.date_maj)
    return start


def _compare(place: _Place, number: int, row: StaticRow, report: Report) -> None:
    if number == place.row_number or _station_columns(row) == _station_columns(place.row):
        return
    for column in STATION_COLUMNS:
        theirs = getattr(row, column)
        if theirs != getattr(place.row, column):
            detail = f"row {place.row_number} says otherwise of the same station, and is taken"
            report.add(IssueKind.SUSPECT, column, detail, theirs)


def _location(place: _Place, evses: list[Evse], rows: int, report: Report, defaults: Defaults) -> Location:
    row = place.row
    hours = _hours(row, report)
    parking_type = services.parking_type(row, report)
    hotline = _hotline(row, report)
    if row.nbre_pdc is not None and row.nbre_pdc.removesuffix(".0") != str(rows):
        report.add(IssueKind.SUSPECT, "nbre_pdc", f"the station has {rows} rows", row.nbre_pdc)
    return Location(
        party=place.party,
        id=place.id,
        publish=True,
        name=row.nom_station,
        address=_street(place, report),
        city=_city(place, report, defaults),
        postal_code=place.address.postal_code,
        country="MCO" if place.zone.time_zone == "Europe/Monaco" else "FRA",
        coordinates=place.point,
        parking_type=parking_type,
        evses=tuple(evses),
        operator=services.operator(row, report),
        owner=services.owner(row),
        time_zone=place.zone.time_zone,
        opening_times=hours,
        pool_id=pool_id(place.id),
        hotline=hotline,
        last_updated=max(evse.last_updated for evse in evses),
        unknown=services.beside_station(
            row, hours_read=hours is not None, phone_read=hotline is not None, parking_read=parking_type is not None
        ),
    )


def _hours(row: StaticRow, report: Report) -> Hours | None:
    if row.horaires is None:
        return None
    read = opening_hours(row.horaires)
    if read.kind is not None:
        report.add(read.kind, "horaires", read.detail, row.horaires)
    return read.hours


def _hotline(row: StaticRow, report: Report) -> str | None:
    if row.telephone_operateur is None:
        return None
    try:
        number, mended = phone(row.telephone_operateur)
    except ValueError as error:
        report.add(IssueKind.UNKNOWN, "telephone_operateur", str(error), row.telephone_operateur)
        return None
    if mended:
        report.add(IssueKind.MENDED, "telephone_operateur", mended, row.telephone_operateur)
    return number


def _street(place: _Place, report: Report) -> str:
    if place.address.street:
        return place.address.street
    name = place.row.nom_station or place.id
    report.add(IssueKind.DEFAULTED, "adresse_station", "no address; the station's name stands for it", name)
    return name


def _city(place: _Place, report: Report, defaults: Defaults) -> str:
    if place.address.city:
        return place.address.city
    insee = place.row.code_insee_commune
    city = f"Commune {insee}" if insee else defaults.city
    report.add(IssueKind.DEFAULTED, "adresse_station", f"no city after a postal code; {city!r} stands for it")
    return city
