"""What a station offers and who runs it: parking, access, payment, reservation, names; and what is kept beside."""

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple, TypeVar

from pydantic import JsonValue

from mappings.canonical.locations import (
    Accessibility,
    Capability,
    ParkingRestriction,
    ParkingType,
    PaymentOption,
    ValueAddedService,
)
from mappings.canonical.texts import Business, LocalText
from mappings.irve.values import WordTable, flag
from mappings.irve.wire import AccessibilitePmr, ConditionAcces, Implantation, StaticRow
from mappings.report import Issue, IssueKind, Report

W = TypeVar("W", bound=StrEnum)
T = TypeVar("T")

PARKING_TYPE: WordTable[Implantation, ParkingType | None] = WordTable(
    Implantation,
    {
        Implantation.VOIRIE: ParkingType.ON_STREET,
        Implantation.PARKING_PUBLIC: None,  # in the open, fenced or in a building: the schema's text names all three
        Implantation.PARKING_PRIVE_USAGE_PUBLIC: ParkingType.PARKING_LOT,  # an open one, as a shop's
        Implantation.PARKING_PRIVE_CLIENTELE: None,  # says who, not what kind
        Implantation.STATION_DEDIEE: None,
    },
)
PARKING_CUSTOMERS: WordTable[Implantation, ParkingRestriction | None] = WordTable(
    Implantation,
    {
        Implantation.VOIRIE: None,
        Implantation.PARKING_PUBLIC: None,
        Implantation.PARKING_PRIVE_USAGE_PUBLIC: None,
        Implantation.PARKING_PRIVE_CLIENTELE: ParkingRestriction.CUSTOMERS,
        Implantation.STATION_DEDIEE: None,
    },
)
ACCESSIBILITY: WordTable[ConditionAcces, Accessibility] = WordTable(
    ConditionAcces,
    {ConditionAcces.LIBRE: Accessibility.FREE, ConditionAcces.RESERVE: Accessibility.RESTRICTED},
)
PARKING_DISABLED: WordTable[AccessibilitePmr, ParkingRestriction | None] = WordTable(
    AccessibilitePmr,
    {
        AccessibilitePmr.RESERVE: ParkingRestriction.DISABLED,
        # No canonical word for reachable or not by wheelchair; the text is kept beside.
        AccessibilitePmr.ACCESSIBLE: None,
        AccessibilitePmr.NON_ACCESSIBLE: None,
        AccessibilitePmr.INCONNUE: None,
    },
)

_BESIDE_STATION = (
    "nom_enseigne",
    "id_station_local",
    "code_insee_commune",
    "nbre_pdc",
    "raccordement",
    "num_pdl",
    "date_mise_en_service",
)
_BESIDE_POINT = (
    "id_pdc_local",
    "gratuit",
    "paiement_acte",
    "paiement_autre",
    "tarification",
    "accessibilite_pmr",
    "restriction_gabarit",
    "station_deux_roues",
)


def parking_type(row: StaticRow, report: Report) -> ParkingType | None:
    """Gives the kind of place from `implantation_station`."""
    return _word(PARKING_TYPE, row, "implantation_station", report)


class Offer(NamedTuple):
    """What a point offers, as its EVSE says it."""

    parking_restrictions: tuple[ParkingRestriction, ...]
    accessibility: Accessibility | None
    capabilities: tuple[Capability, ...]
    value_added_services: tuple[ValueAddedService, ...]
    payment_options: tuple[PaymentOption, ...]


_OFFER_COLUMNS = (
    "implantation_station",
    "gratuit",
    "paiement_acte",
    "paiement_cb",
    "condition_acces",
    "reservation",
    "accessibilite_pmr",
    "station_deux_roues",
)
_offer_columns = itemgetter(*map(StaticRow._fields.index, _OFFER_COLUMNS))


def offer(row: StaticRow) -> tuple[Offer, tuple[Issue, ...]]:
    """Gives what a point offers.

    A bank card's terminal takes credit and debit cards alike in France. Authentication modes and payment options are
    lists that are complete where they are given, and of roaming the schema says nothing: to write `Direct` from
    `paiement_acte` would deny contracts. So none follow, but for a point free of charge without condition.
    """
    return _offer(_offer_columns(row))


# The columns are closed or boolean: a network has a handful of combinations.
@lru_cache(maxsize=4096)
def _offer(values: tuple[str | None, ...]) -> tuple[Offer, tuple[Issue, ...]]:
    row = StaticRow.read(dict(zip(_OFFER_COLUMNS, values, strict=True)))
    report = Report()
    direct, card = _true(row, "paiement_acte", report), _true(row, "paiement_cb", report)
    free, reservable = _true(row, "gratuit", report), _true(row, "reservation", report)
    if free and (direct or card):
        report.add(IssueKind.SUSPECT, "gratuit", "free of charge, yet payable at the point", row.gratuit)
    cards = (Capability.CREDIT_CARD_PAYABLE, Capability.DEBIT_CARD_PAYABLE) if card else ()
    found = Offer(
        parking_restrictions=_parking_restrictions(row, report),
        accessibility=_word(ACCESSIBILITY, row, "condition_acces", report),
        capabilities=(*cards, Capability.RESERVABLE) if reservable else cards,
        value_added_services=(ValueAddedService.RESERVATION,) if reservable else (),
        payment_options=(PaymentOption.NO_PAYMENT,) if free else (),
    )
    return found, tuple(report.issues)


def _parking_restrictions(row: StaticRow, report: Report) -> tuple[ParkingRestriction, ...]:
    # `implantation_station` describes the station, which reports what is wrong with it.
    customers = _word(PARKING_CUSTOMERS, row, "implantation_station", Report())
    disabled = _word(PARKING_DISABLED, row, "accessibilite_pmr", report)
    motorcycles = ParkingRestriction.MOTORCYCLES if _true(row, "station_deux_roues", report) else None
    return tuple(found for found in (disabled, customers, motorcycles) if found is not None)


def additional_info(row: StaticRow) -> tuple[LocalText, ...]:
    """Gives `observations`, which the schema means for drivers."""
    return (LocalText(language="fr", text=row.observations),) if row.observations else ()


def operator(row: StaticRow, report: Report) -> Business | None:
    """Gives who runs the station, by the company's name, or the network's where that is absent."""
    beside = _present(row, ("contact_operateur",))
    if row.nom_operateur:
        return Business(name=row.nom_operateur, unknown=beside)
    if row.nom_enseigne:
        report.add(IssueKind.DEFAULTED, "nom_operateur", "the network's name stands for it", row.nom_enseigne)
        return Business(name=row.nom_enseigne, unknown=beside)
    return None


def owner(row: StaticRow) -> Business | None:
    """Gives who owns the installation (`aménageur`)."""
    if not row.nom_amenageur:
        return None
    return Business(name=row.nom_amenageur, unknown=_present(row, ("siren_amenageur", "contact_amenageur")))


def beside_station(row: StaticRow, *, hours_read: bool, phone_read: bool, parking_read: bool) -> dict[str, JsonValue]:
    """Gives the station's columns that the model has no place for, or could not take."""
    columns = list(_BESIDE_STATION)
    if not hours_read:
        columns.append("horaires")
    if not phone_read:
        columns.append("telephone_operateur")
    if not parking_read:
        columns.append("implantation_station")
    if not row.nom_amenageur:
        columns += ["siren_amenageur", "contact_amenageur"]
    if not row.nom_operateur and not row.nom_enseigne:
        columns.append("contact_operateur")
    return _present(row, columns)


def beside_point(row: StaticRow, issues: Iterable[Issue]) -> dict[str, JsonValue]:
    """Gives the point's columns that the model has no place for or could not take, and columns outside the schema."""
    beside = _present(row, _BESIDE_POINT)
    unread = [issue.field for issue in issues if issue.kind in {IssueKind.UNKNOWN, IssueKind.LEFT_OUT}]
    if unread:
        beside |= _present(row, unread)
    return {**beside, **dict(row.others)} if row.others else beside


def _present(row: StaticRow, columns: Iterable[str]) -> dict[str, JsonValue]:
    return {column: value for column in columns if (value := getattr(row, column)) is not None}


def _word(table: WordTable[W, T], row: StaticRow, column: str, report: Report) -> T | None:
    text: str | None = getattr(row, column)
    if text is None:
        return None
    try:
        value, mended = table.read(text)
    except ValueError as error:
        report.add(IssueKind.UNKNOWN, column, str(error), text)
        return None
    if mended:
        report.add(IssueKind.MENDED, column, mended, text)
    return value


def _true(row: StaticRow, column: str, report: Report) -> bool:
    text: str | None = getattr(row, column)
    if text is None:
        return False
    try:
        return flag(text)
    except ValueError:
        report.add(IssueKind.UNKNOWN, column, "neither true nor false", text)
        return False
