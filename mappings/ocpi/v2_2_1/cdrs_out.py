"""CDRs to the wire (OCPI 2.2.1, mod_cdrs): no nulls, no empty optional lists."""

from collections.abc import Callable
from typing import Any

from mappings.canonical.cdrs import Cdr, CdrLocation, SignedData
from mappings.canonical.sessions import Metering
from mappings.canonical.tariffs import Tariff
from mappings.ocpi import times, values
from mappings.ocpi.reading import Path, show
from mappings.ocpi.v2_2_1 import enums, periods, prices, tokens_out
from mappings.ocpi.v2_2_1 import enums_charging as charging
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1.cdrs_in import CDR, COSTS, LONGEST_SIGNED, NOT_AVAILABLE
from mappings.report import IssueKind, Refused, Report

WriteTariff = Callable[[Tariff, Report], w.Wire]

_WHY = "OCPI 2.2.1 has no place for it"
_NOT_SAID = ("charging_start", "charging_end", "product")
_LOCATION_NOT_SAID = ("time_zone", "hub_operator")
_LOCATION_TEXTS = (
    ("name", 255, False),
    ("address", 45, True),
    ("city", 45, True),
    ("postal_code", 10, False),
    ("state", 20, False),
)
_PLAIN = {"session_id": "session_id", "meter_id": "meter_id", "invoice_reference_id": "invoice_id"}
_LONGEST_URL = 512


def cdr(source: Cdr, who: w.Wire, write_tariff: WriteTariff, report: Report, *, zero_cost: bool) -> w.Wire:
    """Writes a CDR.

    Args:
        source: What to write.
        who: `cdr_token`, and `authorization_reference` where there is one.
        write_tariff: Writes one of its tariffs.
        report: Takes the issues.
        zero_cost: Says a cost of zero where there is none; else such a CDR is refused.

    Raises:
        Refused: The place lacks what OCPI demands, energy is negative, it is a credit of no CDR, a cost is missing or
            cannot be said, or its id is too long.
    """
    if source.energy < 0:
        raise report.refuse("energy", "is negative", source.energy)
    made = values.given_back(source.unknown, CDR)
    made |= tokens_out.owner(source.party, report, ())
    made["id"] = _id(source, report)
    made["start_date_time"], made["end_date_time"] = times.write(source.start), times.write(source.end)
    made |= who
    made["auth_method"] = values.said(charging.AUTH_METHODS, source.auth_method, report, (), "auth_method")
    made["cdr_location"] = _location(source.location, report, ("location",))
    made["currency"] = source.currency
    if said := _tariffs(source, write_tariff, report):
        made["tariffs"] = said
    made["charging_periods"] = _periods(source, report)
    if source.signed_data is not None and (signed := _signed(source.signed_data, report, ("signed_data",))):
        made["signed_data"] = signed
    _amounts(source, made, report, zero_cost=zero_cost)
    _credit(source, made, report)
    made |= {name: value for name, field in _PLAIN.items() if (value := getattr(source, field)) is not None}
    if source.remark is not None:
        made["remark"] = values.fit(source.remark, 255, report, (), "remark")
    values.not_said(source, _NOT_SAID, report, (), _WHY)
    if source.metering != Metering():
        report.add(IssueKind.LOST, "metering", _WHY)
    if source.priced_by_hub:
        report.add(IssueKind.LOST, "priced_by_hub", _WHY)
    made["last_updated"] = times.write(source.last_updated)
    return made


def _id(source: Cdr, report: Report) -> str:
    if len(source.id) > values.LONGEST_ID and not source.credit:
        raise report.refuse("id", "longer than the 36 characters that OCPI allows for what is no credit", source.id)
    return source.id


def _credit(source: Cdr, made: w.Wire, report: Report) -> None:
    if source.credit:
        if source.credited_cdr is None:
            raise report.refuse("credited_cdr", "is missing, and this is a credit")
        made["credit"] = True
    if source.credited_cdr is not None:
        made["credit_reference_id"] = source.credited_cdr
    if source.home_compensation:
        made["home_charging_compensation"] = True


def _amounts(source: Cdr, made: w.Wire, report: Report, *, zero_cost: bool) -> None:
    if source.total_cost is not None:
        made["total_cost"] = prices.price_out(source.total_cost, report, ("total_cost",))
    elif zero_cost:
        made["total_cost"] = {"excl_vat": 0}
        report.add(IssueKind.DEFAULTED, "total_cost", "OCPI demands it; zero is said, as the settings want it")
    else:
        raise report.refuse("total_cost", "OCPI demands it, and the settings say nothing in its place")
    made["total_energy"] = prices.number_out(source.energy, report, ("energy",))
    made["total_time"] = prices.number_out(source.time, report, ("time",))
    if source.parking_time is not None:
        made["total_parking_time"] = prices.number_out(source.parking_time, report, ("parking_time",))
    for name, field in COSTS.items():
        money = getattr(source, field)
        if money is not None:
            made[name] = prices.price_out(money, report, (field,))


def _location(source: CdrLocation, report: Report, path: Path) -> w.Wire:
    made: w.Wire = {"id": source.id}
    for field, limit, demanded in _LOCATION_TEXTS:
        text = getattr(source, field)
        if text is not None:
            made[field] = values.fit(text, limit, report, path, field)
        elif demanded:
            raise _missing(field, report, path)
    if source.country is None:
        raise _missing("country", report, path)
    made["country"] = source.country
    if source.coordinates is None:
        raise _missing("coordinates", report, path)
    made["coordinates"] = values.point_out(source.coordinates, report, (*path, "coordinates"))
    made["evse_uid"] = source.evse_uid
    made["evse_id"] = _evse_id(source, report, path)
    made["connector_id"] = source.connector_id
    tables: tuple[tuple[str, Any], ...] = (
        ("connector_standard", enums.CONNECTOR_STANDARDS),
        ("connector_format", enums.CONNECTOR_FORMATS),
        ("connector_power_type", enums.POWER_TYPES),
    )
    for field, table in tables:
        word = getattr(source, field)
        if word is None:
            raise _missing(field, report, path)
        made[field] = values.said_or_refused(table, word, report, path, field)
    values.not_said(source, _LOCATION_NOT_SAID, report, path, _WHY)
    return made


def _evse_id(source: CdrLocation, report: Report, path: Path) -> str:
    if source.evse_id is not None:
        return values.ident(source.evse_id.text, 48, report, path, "evse_id")
    # A reservation that never found its EVSE has neither of its ids.
    if source.evse_uid == NOT_AVAILABLE:
        return NOT_AVAILABLE
    raise _missing("evse_id", report, path)


def _missing(field: str, report: Report, path: Path) -> Refused:
    return report.refuse(show((*path, field)), "OCPI demands it, and it is not known")


def _tariffs(source: Cdr, write: WriteTariff, report: Report) -> list[w.Wire]:
    """Writes the tariffs; one that cannot be said is left out, for the costs stand beside it."""
    made = []
    for index, tariff in enumerate(source.tariffs):
        place, inner = f"tariffs[{index}]", Report()
        try:
            made.append(write(tariff, inner))
        except Refused as refused:
            report.add(IssueKind.LEFT_OUT, place, f"left out: {refused}", refused.reason.value)
            continue
        report.issues += [issue._replace(field=f"{place}.{issue.field}") for issue in inner.issues]
    return made


def _periods(source: Cdr, report: Report) -> list[w.Wire]:
    made = periods.periods_out(source.periods, report, ("periods",), periods.SESSION_ONLY)
    if made:
        return made
    # OCPI demands one; of the whole charge that much is known.
    report.add(
        IssueKind.DEFAULTED, "periods", "none can be said, and OCPI demands one: the total energy is said as one"
    )
    energy = {"type": "ENERGY", "volume": prices.number_out(source.energy, report, ("energy",))}
    return [{"start_date_time": times.write(source.start), "dimensions": [energy]}]


def _signed(source: SignedData, report: Report, path: Path) -> w.Wire | None:
    values.not_said(source, ("certificate_id", "instruction"), report, path, _WHY)
    if not source.values:
        report.add(IssueKind.LOST, show(path), "no signed value, and OCPI demands one")
        return None
    made: w.Wire = {"encoding_method": _demanded(source.method, values.LONGEST_ID, report, (*path, "method"))}
    if source.method_version is not None:
        made["encoding_method_version"] = source.method_version
    for field in ("public_key", "url"):
        text = getattr(source, field)
        if text is None:
            continue
        if len(text) > _LONGEST_URL:  # a cut one verifies nothing, and leads nowhere
            report.add(IssueKind.LOST, show((*path, field)), "longer than the 512 characters that OCPI allows")
        else:
            made[field] = text
    made["signed_values"] = [
        {
            "nature": values.said(charging.SIGNED_NATURES, each.nature, report, (*path, "values", index), "nature"),
            "plain_data": _demanded(each.plain, LONGEST_SIGNED, report, (*path, "values", index, "plain")),
            "signed_data": each.signed,
        }
        for index, each in enumerate(source.values)
    ]
    return made


def _demanded(text: str | None, longest: int, report: Report, path: Path) -> str:
    if text is None:
        report.add(IssueKind.DEFAULTED, show(path), f"OCPI demands it, and it is not known: said as {NOT_AVAILABLE}")
    elif len(text) > longest:  # a cut one is another
        report.add(
            IssueKind.LOST,
            show(path),
            f"longer than the {longest} characters that OCPI allows: said as {NOT_AVAILABLE}",
        )
    else:
        return text
    return NOT_AVAILABLE
