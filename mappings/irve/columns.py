"""What becomes of every column of the French files, and the page of docs made of it."""

from mappings.columns import ColumnRule, ColumnTable, WordRows
from mappings.columns import page as column_page
from mappings.irve.dynamic import STATUS
from mappings.irve.plugs import PLUGS
from mappings.irve.services import ACCESSIBILITY, PARKING_CUSTOMERS, PARKING_DISABLED, PARKING_TYPE
from mappings.irve.wire import DYNAMIC_COLUMNS, STATIC_COLUMNS

_KEPT_STATION = "Location.unknown"
_KEPT_POINT = "Evse.unknown"

STATIC = ColumnTable(
    "Static (schema IRVE statique 2.3)",
    STATIC_COLUMNS,
    [
        ColumnRule("nom_amenageur", "Location.owner.name"),
        ColumnRule("siren_amenageur", "Location.owner.unknown", "kept beside"),
        ColumnRule("contact_amenageur", "Location.owner.unknown", "kept beside"),
        ColumnRule("nom_operateur", "Location.operator.name", "absent: `nom_enseigne` stands for it, with an issue"),
        ColumnRule("contact_operateur", "Location.operator.unknown", "kept beside"),
        ColumnRule(
            "telephone_operateur", "Location.hotline", "E.164; a national number gets +33 or its department's code"
        ),
        ColumnRule("nom_enseigne", _KEPT_STATION, "the network's name, kept beside"),
        ColumnRule(
            "id_station_itinerance",
            "Location.party, Location.id, Location.pool_id",
            "capitals without separators; its first five signs are the party; a pool id where of the form `FRABCP…`; "
            "absent or `Non concerné`: `id_station_local`, else the point's own id, with an issue",
        ),
        ColumnRule("id_station_local", _KEPT_STATION, "stands for an absent `id_station_itinerance`; kept beside"),
        ColumnRule("nom_station", "Location.name"),
        ColumnRule("implantation_station", "Location.parking_type, Evse.parking_restrictions", "the tables below"),
        ColumnRule(
            "adresse_station",
            "Location.address, Location.postal_code, Location.city",
            "split at its last postal code; without a city `Commune` and the INSEE code stand for it, with an issue",
        ),
        ColumnRule(
            "code_insee_commune",
            "Location.time_zone, Location.country",
            "the zone by department, overseas included; absent: by postal code, by coordinates, else the setting, with "
            "an issue; the country is FRA, but MCO for 99138; kept beside",
        ),
        ColumnRule(
            "coordonneesXY",
            "Location.coordinates, Evse.coordinates",
            "longitude first; swapped back where only so it lies in France; elsewhere suspect; unreadable refuses the "
            "row; on the EVSE where it differs from its station's",
        ),
        ColumnRule("nbre_pdc", _KEPT_STATION, "suspect where it is not the number of rows; kept beside"),
        ColumnRule(
            "id_pdc_itinerance",
            "Evse.uid, Evse.evse_id",
            "uid in capitals without separators, evse_id as given; absent or `Non concerné`: `id_pdc_local` is the uid "
            "and there is no evse_id; no id refuses the row",
        ),
        ColumnRule("id_pdc_local", _KEPT_POINT, "stands for an absent `id_pdc_itinerance`; kept beside"),
        ColumnRule(
            "puissance_nominale",
            "Connector.max_power",
            "kW to whole W, at most what the plug carries; above 4,000 read as W; above 1,000, or more than any plug "
            "of the point carries, suspect",
        ),
        *(ColumnRule(column, "Evse.connectors", f"{plug.standard}: {plug.rule}") for column, plug in PLUGS.items()),
        ColumnRule(
            "prise_type_autre", "", "a plug of no known standard, left out with an issue; the only one refuses the row"
        ),
        ColumnRule("gratuit", "Evse.payment_options", "true: No Payment; kept beside"),
        ColumnRule("paiement_acte", _KEPT_POINT, "kept beside: a payment option alone would deny contracts"),
        ColumnRule("paiement_cb", "Evse.capabilities", "true: credit and debit card"),
        ColumnRule("paiement_autre", _KEPT_POINT, "says nothing of what; kept beside"),
        ColumnRule("tarification", _KEPT_POINT, "free text, no tariff is made of it; kept beside"),
        ColumnRule("condition_acces", "Evse.accessibility", "the table below; a location is published either way"),
        ColumnRule("reservation", "Evse.capabilities, Evse.value_added_services", "true: RESERVABLE, Reservation"),
        ColumnRule(
            "horaires",
            "Location.opening_times",
            "opening hours of OpenStreetMap; not understood: none, with an issue, and kept beside",
        ),
        ColumnRule("accessibilite_pmr", "Evse.parking_restrictions", "the table below; kept beside"),
        ColumnRule("restriction_gabarit", _KEPT_POINT, "free text; kept beside"),
        ColumnRule("station_deux_roues", "Evse.parking_restrictions", "true: MOTORCYCLES; kept beside"),
        ColumnRule("raccordement", _KEPT_STATION, "kept beside"),
        ColumnRule("num_pdl", _KEPT_STATION, "kept beside"),
        ColumnRule("date_mise_en_service", _KEPT_STATION, "kept beside"),
        ColumnRule("observations", "Evse.additional_info", "as French"),
        ColumnRule(
            "date_maj",
            "Connector.last_updated, Evse.last_updated, Location.last_updated",
            "local midnight; the location has its newest EVSE's; absent: the time of reading, with an issue; "
            "unreadable refuses the row",
        ),
        ColumnRule("cable_t2_attache", "Connector.format", "of the type 2 connector; absent: none"),
    ],
)

DYNAMIC = ColumnTable(
    "Dynamic (schema IRVE dynamique 2.3)",
    DYNAMIC_COLUMNS,
    [
        ColumnRule("id_pdc_itinerance", "EvseStatusReport.evse_id", "as in the static file; no id refuses the record"),
        ColumnRule("etat_pdc", "EvseStatusReport.status", "the table below, with `occupation_pdc`"),
        ColumnRule("occupation_pdc", "EvseStatusReport.status", "the table below, with `etat_pdc`"),
        ColumnRule(
            "horodatage",
            "EvseStatusReport.at",
            "ISO 8601; without an offset local time of the zone that the caller gives; absent: on arrival; unreadable "
            "refuses the record",
        ),
        *(
            ColumnRule(column, "", "a status is the whole point's; an issue where one plug is out of order")
            for column in DYNAMIC_COLUMNS
            if column.startswith("etat_prise_")
        ),
    ],
)

_NOTES = """
Read only; nothing is sent in this form. The rows of one station become one location, each row one EVSE whose status is
UNKNOWN until a dynamic record tells it. A faulty row is refused with its number and column, and the others stay. Case,
accents and punctuation of words are mended, with an issue. Columns outside the schema are kept in `Evse.unknown`.
"""


def page() -> str:
    """Writes the page for `docs/mappings/`."""
    words = [
        WordRows(heading, [(word, value or "") for word, value in rows])
        for heading, rows in (
            ("implantation_station → parking type", PARKING_TYPE.rows.items()),
            ("implantation_station → parking restriction", PARKING_CUSTOMERS.rows.items()),
            ("condition_acces → accessibility", ACCESSIBILITY.rows.items()),
            ("accessibilite_pmr → parking restriction", PARKING_DISABLED.rows.items()),
        )
    ]
    statuses = [(f"{etat}, {occupation}", status.value) for (etat, occupation), status in STATUS.items()]
    words.append(WordRows("etat_pdc, occupation_pdc → status", statuses))
    return column_page("French IRVE", [STATIC, DYNAMIC], words, _NOTES)
