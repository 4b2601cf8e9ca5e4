"""How every canonical field stands at Gireve: plain OCPI 2.2.1 with the rows that differ."""

from collections.abc import Iterable
from typing import Any

from mappings.ocpi.dialects.gireve import CONNECTOR_CAPABILITIES
from mappings.ocpi.dialects.gireve_tariffs import DIMENSIONS
from mappings.ocpi.dialects.gireve_terms import PLACES, ROUND_RULES
from mappings.ocpi.v2_2_1 import tables as plain
from mappings.ocpi.v2_2_1 import tables_charging as charging
from mappings.tables import EnumTable, FieldRule, FieldTable

_UNSUPPORTED = "sent, with an issue: Gireve does not support it"
_PLACES = ", ".join(f"{places} is {word}" for word, places in PLACES.items())
_RULES = (
    FieldRule("Location.publish_allowed_to", "publish_allowed_to", _UNSUPPORTED),
    FieldRule("Location.charging_when_closed", "charging_when_closed", _UNSUPPORTED),
    FieldRule("Location.images", "images", _UNSUPPORTED),
    FieldRule("Location.energy_mix", "energy_mix", _UNSUPPORTED),
    FieldRule("Location.operator", "operator", "its name is demanded: the operator's settings, else refused"),
    FieldRule("Location.owner", "owner", "its name is demanded: the operator's settings, else refused"),
    FieldRule("Hours.exceptional_openings", "exceptional_openings", _UNSUPPORTED),
    FieldRule("Evse.evse_id", "evse_id", "an issue where missing, or not of the operator", "more than 48 characters"),
    FieldRule("Evse.capabilities", "capabilities", "an issue where empty; Plug & Charge is read to the connectors"),
    FieldRule("Evse.images", "images", _UNSUPPORTED),
    FieldRule(
        "Connector.tariff_ids",
        "tariff_ids",
        "an issue where empty, or other than the first connector's, which Gireve applies to the EVSE",
        "ids of more than 36 characters",
    ),
    FieldRule("Connector.capabilities", "capabilities", "read from the EVSE too, and without its first letter"),
    FieldRule("Tariff.target", "target_operator_country_code, target_operator_party_id", "refused where half is given"),
    FieldRule("Tariff.hours", "restriction", "refused where it cannot be read; `restrictions` is mended"),
    FieldRule(
        "TariffHours.spans",
        "start_time, end_time, start_time_2, end_time_2",
        "an open side is mended; out, two at most",
    ),
    FieldRule("TariffHours.days", "day_of_week", "refused where one is unknown"),
    FieldRule("ClockSpan.start", "start_time, start_time_2", "as TariffRestrictions.start_time; 00:00 where missing"),
    FieldRule("ClockSpan.end", "end_time, end_time_2", "as TariffRestrictions.end_time; 00:00 where missing"),
    FieldRule("PriceComponent.price_rounding", "price_round", "refused where half of it is missing"),
    FieldRule("PriceComponent.step_rounding", "step_round", "its rule; refused where round_granularity is not UNIT"),
    FieldRule(
        "PriceComponent.exact", "exact_price_component", "kept as unknown where no boolean; an issue where false"
    ),
    FieldRule("PriceRounding.places", "round_granularity", f"{_PLACES}; refused where unknown, HUNDREDTH is mended"),
    FieldRule("PriceRounding.rule", "round_rule", "refused where unknown"),
    FieldRule("Tariff.type", "type", "refused where unknown; an issue where not REGULAR, which is not forwarded"),
    FieldRule(
        "Token.uid",
        "uid",
        "put, or in a command, a card's is of 8 or 14 hexadecimal digits, else refused",
        "a card's small letters",
    ),
    FieldRule(
        "Identification.uid",
        "uid in the URL; cdr_token.uid",
        "asked for, a card's is of 8 or 14 hexadecimal digits, in capitals, else refused; told, as Gireve told it",
        "that there is none",
    ),
    FieldRule(
        "Session.identification", "cdr_token", "the leg's; a fixed one for what goes to Advenir and does not roam"
    ),
    FieldRule("Cdr.identification", "cdr_token", "the leg's; a fixed one for what goes to Advenir and does not roam"),
    FieldRule("Cdr.signed_data", "signed_data", "not said to Advenir", "data without a signed value"),
    FieldRule(
        "Cdr.total_cost",
        "total_cost",
        "in, none where a remark that begins with `[?]` calls it meaningless; out, zero where there is none and the"
        " settings want it, else refused",
    ),
    FieldRule("Cdr.priced_by_hub", "remark", "in, where it begins with `[*]`", "out, it is not said"),
    FieldRule("Cdr.remark", "remark", "not said to Advenir", "what is beyond 255 characters"),
    FieldRule("Cdr.invoice_id", "invoice_reference_id", "not said to Advenir"),
    FieldRule("Cdr.credit", "", "a credit is refused: Gireve does not heed one"),
    FieldRule("Cdr.home_compensation", "home_charging_compensation", "sent, with an issue: Gireve does not pass it on"),
    FieldRule("EvseRef.evse_uid", "evse_uid", "refused where missing from a start"),
    FieldRule("Tariff.start", "start_date_time", "an issue where missing", "what is below a millisecond"),
)


def _with(table: FieldTable, models: Iterable[Any]) -> FieldTable:
    own = {rule.field: rule for rule in _RULES}
    return FieldTable(table.protocol, models, [own.get(rule.field, rule) for rule in table.rules])


FIELDS: list[FieldTable] = [
    _with(plain.LOCATIONS, plain.LOCATION_MODELS),
    _with(plain.TARIFFS, plain.TARIFF_MODELS),
    plain.PARTIES,
    plain.CLIENTS,
    _with(charging.TOKENS, charging.TOKEN_MODELS),
    _with(charging.SESSIONS, charging.SESSION_MODELS),
    _with(charging.CDRS, charging.CDR_MODELS),
    _with(charging.COMMANDS, charging.COMMAND_MODELS),
]

ENUMS: list[tuple[str, EnumTable[Any, Any]]] = [
    *((name, table) for name, table in plain.ENUMS if name != "TariffDimensionType"),
    ("TariffDimensionType", DIMENSIONS),
    ("round_rule", ROUND_RULES),
    ("ConnectorCapability", CONNECTOR_CAPABILITIES),
]

NOTES = f"""{plain.NOTES.strip()}

`gireve_id` on locations, EVSEs, connectors and tariffs stays beside the model and is given back. A session's id and
reference, and a CDR's `session_id`, are Gireve's own on their way to an EMSP; all other ids are the CPO's.

Hours and roundings of a tariff are Gireve's own on their way to an EMSP. What of them counts that a CPO sends is not
said in its guide; [the connection's settings](../operations.md) say whether they are sent.
"""
