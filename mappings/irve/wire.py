"""The rows as they are published, and the words of their closed columns (schema IRVE statique and dynamique, 2.3).

A value arrives as text from CSV, or as text, number, boolean, list or null from JSON lines; every one becomes a trimmed
text or None here, so that the translations read one form.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, Self

# What exports of data frames and databases write for "nothing"; the schema itself has only the empty text.
_NOTHING = frozenset({"", "null", "NULL", "None", "nan", "NaN", "N/A"})


class Implantation(StrEnum):
    """Where a station stands (column `implantation_station`)."""

    VOIRIE = "Voirie"
    PARKING_PUBLIC = "Parking public"
    PARKING_PRIVE_USAGE_PUBLIC = "Parking privé à usage public"
    PARKING_PRIVE_CLIENTELE = "Parking privé réservé à la clientèle"
    STATION_DEDIEE = "Station dédiée à la recharge rapide"


class ConditionAcces(StrEnum):
    """Who gets to the station (column `condition_acces`)."""

    LIBRE = "Accès libre"
    RESERVE = "Accès réservé"


class AccessibilitePmr(StrEnum):
    """Access for people of reduced mobility (column `accessibilite_pmr`)."""

    RESERVE = "Réservé PMR"
    ACCESSIBLE = "Accessible mais non réservé PMR"
    NON_ACCESSIBLE = "Non accessible"
    INCONNUE = "Accessibilité inconnue"


class EtatPdc(StrEnum):
    """Whether the point works (column `etat_pdc`)."""

    EN_SERVICE = "en_service"
    HORS_SERVICE = "hors_service"
    INCONNU = "inconnu"


class OccupationPdc(StrEnum):
    """Whether the point is taken (column `occupation_pdc`)."""

    LIBRE = "libre"
    OCCUPE = "occupe"
    RESERVE = "reserve"
    INCONNU = "inconnu"


class EtatPrise(StrEnum):
    """Whether one plug works (columns `etat_prise_*`)."""

    FONCTIONNEL = "fonctionnel"
    HORS_SERVICE = "hors_service"
    INCONNU = "inconnu"


class StaticRow(NamedTuple):
    """One charge point, in the 40 columns of schema IRVE statique 2.3, in its order."""

    nom_amenageur: str | None = None
    siren_amenageur: str | None = None
    contact_amenageur: str | None = None
    nom_operateur: str | None = None
    contact_operateur: str | None = None
    telephone_operateur: str | None = None
    nom_enseigne: str | None = None
    id_station_itinerance: str | None = None
    id_station_local: str | None = None
    nom_station: str | None = None
    implantation_station: str | None = None
    adresse_station: str | None = None
    code_insee_commune: str | None = None
    coordonneesXY: str | None = None  # noqa: N815 - the column's name
    nbre_pdc: str | None = None
    id_pdc_itinerance: str | None = None
    id_pdc_local: str | None = None
    puissance_nominale: str | None = None
    prise_type_ef: str | None = None
    prise_type_2: str | None = None
    prise_type_combo_ccs: str | None = None
    prise_type_chademo: str | None = None
    prise_type_autre: str | None = None
    gratuit: str | None = None
    paiement_acte: str | None = None
    paiement_cb: str | None = None
    paiement_autre: str | None = None
    tarification: str | None = None
    condition_acces: str | None = None
    reservation: str | None = None
    horaires: str | None = None
    accessibilite_pmr: str | None = None
    restriction_gabarit: str | None = None
    station_deux_roues: str | None = None
    raccordement: str | None = None
    num_pdl: str | None = None
    date_mise_en_service: str | None = None
    observations: str | None = None
    date_maj: str | None = None
    cable_t2_attache: str | None = None
    others: tuple[tuple[str, str], ...] = ()
    """Columns outside the schema, by name, where they hold anything."""

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Takes a row as a CSV or JSON reader gives it; never raises."""
        get = raw.get
        others = () if raw.keys() <= _STATIC_SET else _others(raw, _STATIC_SET)
        return cls._make([*[None if (v := get(column)) is None else text(v) for column in STATIC_COLUMNS], others])


STATIC_COLUMNS: tuple[str, ...] = StaticRow._fields[:-1]
_STATIC_SET = frozenset(STATIC_COLUMNS)


class DynamicRow(NamedTuple):
    """One charge point's state, in the columns of schema IRVE dynamique 2.3."""

    id_pdc_itinerance: str | None = None
    etat_pdc: str | None = None
    occupation_pdc: str | None = None
    horodatage: str | None = None
    etat_prise_type_2: str | None = None
    etat_prise_type_combo_ccs: str | None = None
    etat_prise_type_chademo: str | None = None
    etat_prise_type_ef: str | None = None

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Takes a record as a CSV or JSON reader gives it; other columns have no bearing on a status. Never raises."""
        return cls(*[text(raw.get(column)) for column in DYNAMIC_COLUMNS])


DYNAMIC_COLUMNS: tuple[str, ...] = DynamicRow._fields


def text(value: object) -> str | None:
    """Gives a value as trimmed text that any store can hold; None where it says nothing."""
    if value is None:
        return None
    if isinstance(value, str):
        result = value.strip()
        if result in _NOTHING:
            return None
        return result if result.isascii() and "\0" not in result else _storable(result)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(Decimal(value))  # an int of thousands of digits has no str()
    result = str(value).strip()
    return None if result in _NOTHING else _storable(result)


def _storable(value: str) -> str | None:
    """Drops what UTF-8 or PostgreSQL cannot hold: lone surrogates and NUL."""
    return value.encode("utf-8", "ignore").decode().replace("\0", "").strip() or None


def _others(raw: Mapping[str, Any], known: frozenset[str]) -> tuple[tuple[str, str], ...]:
    named = ((_storable(str(key)), text(value)) for key, value in raw.items() if key not in known)
    return tuple((key, value) for key, value in named if key is not None and value is not None)
