"""Rows of a network that does not exist, right in every column; tests change what they are about."""

from datetime import UTC, datetime
from typing import Any

from mappings.irve.ids import station_key
from mappings.irve.static import Defaults, StationTranslation, to_canonical
from mappings.irve.wire import StaticRow

READ_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

DEFAULTS = Defaults()

RIGHT: dict[str, Any] = {
    "nom_amenageur": "Ville d'Exemple",
    "siren_amenageur": "123456789",
    "contact_amenageur": "voirie@ville.example",
    "nom_operateur": "Bornes du Midi",
    "contact_operateur": "aide@bornes.example",
    "telephone_operateur": "tel:+33-1-23-45-67-89",
    "nom_enseigne": "Réseau Midi",
    "id_station_itinerance": "FRXYZP0001",
    "id_station_local": None,
    "nom_station": "Place du Marché",
    "implantation_station": "Voirie",
    "adresse_station": "3 place du Marché 34000 Montpellier",
    "code_insee_commune": "34172",
    "coordonneesXY": "[3.8767, 43.6108]",
    "nbre_pdc": "1",
    "id_pdc_itinerance": "FRXYZE00011",
    "id_pdc_local": None,
    "puissance_nominale": "22.0",
    "prise_type_ef": "False",
    "prise_type_2": "True",
    "prise_type_combo_ccs": "False",
    "prise_type_chademo": "False",
    "prise_type_autre": "False",
    "gratuit": "False",
    "paiement_acte": "True",
    "paiement_cb": "False",
    "paiement_autre": "True",
    "tarification": None,
    "condition_acces": "Accès libre",
    "reservation": "False",
    "horaires": "24/7",
    "accessibilite_pmr": "Accessibilité inconnue",
    "restriction_gabarit": "Aucune",
    "station_deux_roues": "False",
    "raccordement": "Direct",
    "num_pdl": "50012345678901",
    "date_mise_en_service": "2024-01-15",
    "observations": None,
    "date_maj": "2026-02-10",
    "cable_t2_attache": "False",
}


def raw(**changes: Any) -> dict[str, Any]:
    return {**RIGHT, **changes}


def read(**changes: Any) -> StaticRow:
    return StaticRow.read(raw(**changes))


def station(*rows: StaticRow, defaults: Defaults = DEFAULTS) -> StationTranslation:
    assert len({station_key(row) for row in rows}) == 1
    return to_canonical(list(enumerate(rows, 1)), READ_AT, defaults)


def one(**changes: Any):
    """Translates a station of one row and gives (location, evse, issues as kind and field)."""
    location, issues, refused = station(read(**changes))
    assert refused == []
    assert location is not None
    return location, location.evses[0], [(str(issue.kind), issue.field.partition(".")[2]) for issue in issues]


def refusal(**changes: Any) -> tuple[str, str]:
    """Translates a row that must be refused and gives the reason's field and detail."""
    location, _, refused = station(read(**changes))
    assert location is None
    ((number, error),) = refused
    assert number == 1
    return error.reason.field, error.reason.detail
