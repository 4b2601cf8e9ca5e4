"""Sessions and charging preferences to the wire (OCPI 2.2.1, mod_sessions): no nulls, no empty optional lists."""

from mappings.canonical.sessions import ChargingPreferences, Metering, Session
from mappings.ocpi import times, values
from mappings.ocpi.v2_2_1 import enums_charging as enums
from mappings.ocpi.v2_2_1 import periods, prices, tokens_out
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1.sessions_in import SESSION
from mappings.report import IssueKind, Report

_NOT_SAID = ("charging_start", "charging_end", "penalty_start", "error")
_WHY = "OCPI 2.2.1 has no place for it"


def session(source: Session, who: w.Wire, report: Report) -> w.Wire:
    """Writes a session.

    Args:
        source: What to write.
        who: `cdr_token`, and `authorization_reference` where there is one.
        report: Takes the issues.

    Raises:
        Refused: Its party has no country of two letters, or a tax cannot be said.
    """
    made = values.given_back(source.unknown, SESSION)
    made |= tokens_out.owner(source.party, report, ())
    made["id"] = source.id
    made["start_date_time"] = times.write(source.start)
    if source.end is not None:
        made["end_date_time"] = times.write(source.end)
    made["kwh"] = prices.number_out(source.energy, report, ("energy",))
    made |= who
    made["auth_method"] = values.said(enums.AUTH_METHODS, source.auth_method, report, (), "auth_method")
    made["location_id"], made["evse_uid"] = source.location_id, source.evse_uid
    made["connector_id"] = source.connector_id
    if source.meter_id is not None:
        made["meter_id"] = source.meter_id
    made["currency"] = source.currency
    if said := periods.periods_out(source.periods, report, ("periods",)):
        made["charging_periods"] = said
    if source.total_cost is not None:
        made["total_cost"] = prices.price_out(source.total_cost, report, ("total_cost",))
    made["status"] = values.said(enums.SESSION_STATUSES, source.status, report, (), "status")
    values.not_said(source, _NOT_SAID, report, (), _WHY)
    if source.metering != Metering():
        report.add(IssueKind.LOST, "metering", _WHY)
    made["last_updated"] = times.write(source.last_updated)
    return made


def preferences(source: ChargingPreferences, report: Report) -> w.Wire:
    """Writes charging preferences."""
    made: w.Wire = {"profile_type": values.said(enums.PROFILES, source.profile, report, (), "profile")}
    if source.departure is not None:
        made["departure_time"] = times.write(source.departure)
    if source.energy_need is not None:
        made["energy_need"] = prices.number_out(source.energy_need, report, ("energy_need",))
    if source.discharge_allowed is not None:
        made["discharge_allowed"] = source.discharge_allowed
    return made
