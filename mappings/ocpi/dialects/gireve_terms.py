"""When a charge has to begin, and how prices are rounded, in Gireve's words (guide for OCPI 2.1.1, tariffs of EMSPs).

Both are read out of what plain OCPI keeps beside the model. A word that cannot be read refuses the tariff, since money
hangs on it; what is not Gireve's in these objects stays beside the model.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from mappings.canonical.tariffs import ClockSpan, PriceComponent, PriceRounding, RoundingRule, TariffHours
from mappings.ocpi import values
from mappings.ocpi.reading import Path, show
from mappings.ocpi.v2_2_1 import enums, tariffs_in
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import IssueKind, Report
from mappings.tables import EnumTable, TableError

RESTRICTION: Final = "restriction"
"""Of a tariff: when a charge has to begin."""

_PRICE, _STEP, _EXACT = "price_round", "step_round", "exact_price_component"
OF_COMPONENT: Final = frozenset({_PRICE, _STEP, _EXACT})
"""What Gireve adds to a price component."""

_DAYS = "day_of_week"
_SPANS = (("start_time", "end_time"), ("start_time_2", "end_time_2"))
_GRANULARITY, _RULE = "round_granularity", "round_rule"
_OF_RESTRICTION = frozenset({_DAYS, *(name for pair in _SPANS for name in pair)})
_OF_ROUNDING = frozenset({_GRANULARITY, _RULE})


class WireRoundRule(StrEnum):
    """The values of Gireve's `round_rule`."""

    ROUND_UP = "ROUND_UP"
    ROUND_DOWN = "ROUND_DOWN"
    ROUND_NEAR = "ROUND_NEAR"


class WireGranularity(StrEnum):
    """The values of Gireve's `round_granularity`, as the guide spells them."""

    UNIT = "UNIT"
    TENTH = "TENTH"
    HUNDRETH = "HUNDRETH"
    THOUSANDTH = "THOUSANDTH"


ROUND_RULES = EnumTable(RoundingRule, WireRoundRule, {member: WireRoundRule(member.value) for member in RoundingRule})
PLACES: Final = {
    WireGranularity.UNIT: 0,
    WireGranularity.TENTH: 1,
    WireGranularity.HUNDRETH: 2,
    WireGranularity.THOUSANDTH: 3,
}
"""How many places of the decimal each granularity leaves."""
if PLACES.keys() != set(WireGranularity) or sorted(PLACES.values()) != list(range(len(WireGranularity))):
    raise TableError("PLACES misses a granularity, or says two of them alike")
_GRANULARITIES: Final = {places: granularity for granularity, places in PLACES.items()}

# What has one right reading: the word as it ought to be spelt.
_MISSPELT: Final = {"HUNDREDTH": WireGranularity.HUNDRETH}


def _object(unknown: dict[str, Any], field: str, own: frozenset[str], report: Report, path: Path) -> dict[str, Any]:
    """Takes one of Gireve's objects out of what stands beside the model; what is not Gireve's in it stays there."""
    given = unknown.pop(field)
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise report.refuse(show((*path, field)), "not a JSON object", given)
    rest = values.kept(given, own, report, (*path, field))
    if rest:
        unknown[field] = rest
    return {name: value for name, value in given.items() if name in own and value is not None}


def hours_in(unknown: dict[str, Any], report: Report) -> TariffHours | None:
    """Takes a tariff's `restriction` out of what stands beside the model; None where it restricts nothing.

    Raises:
        Refused: A time or a day cannot be read.
    """
    given = _object(unknown, RESTRICTION, _OF_RESTRICTION, report, ())
    path: Path = (RESTRICTION,)
    spans = []
    for start, end in _SPANS:
        if start in given or end in given:
            first, last = (_clock(given, name, report, path) for name in (start, end))
            spans.append(ClockSpan(start=first, end=last))
    days = given.get(_DAYS) or []
    if not isinstance(days, list):
        raise report.refuse(show((*path, _DAYS)), "not a list", days)
    at = (*path, _DAYS)
    found = [
        values.decisive(enums.DAYS_OF_WEEK, _text(day, report, (*at, index)), report, at, str(index))
        for index, day in enumerate(days)
    ]
    hours = TariffHours(spans=tuple(spans), days=tuple(dict.fromkeys(found)))
    return None if hours == TariffHours() else hours


def _clock(given: Mapping[str, Any], field: str, report: Report, path: Path) -> str:
    if field not in given:
        # As in OCPI's own restrictions, from a time on is to the day's end, and to a time is from its beginning.
        report.add(IssueKind.MENDED, show((*path, field)), "is missing; read as 00:00")
        return "00:00"
    name = "end_time" if field.startswith("end_time") else field
    return tariffs_in.time_of_day(_text(given[field], report, (*path, field)), report, path, name)


def _text(value: object, report: Report, path: Path) -> str:
    if not isinstance(value, str):
        raise report.refuse(show(path), "not a text", value)
    return value


def component_in(component: PriceComponent, report: Report, path: Path) -> PriceComponent:
    """Reads roundings out of what stands beside a component; the same one where there are none.

    Raises:
        Refused: A rounding is half, or cannot be read.
    """
    if component.unknown.keys().isdisjoint(OF_COMPONENT):
        return component
    unknown, update = dict(component.unknown), dict[str, Any]()
    if _PRICE in unknown:
        given, at = _object(unknown, _PRICE, _OF_ROUNDING, report, path), (*path, _PRICE)
        if given:
            rule = _rule(given, report, at)
            update["price_rounding"] = PriceRounding(places=PLACES[_granularity(given, report, at)], rule=rule)
    if _STEP in unknown:
        given, at = _object(unknown, _STEP, _OF_ROUNDING, report, path), (*path, _STEP)
        if given:
            if _granularity(given, report, at) is not WireGranularity.UNIT:
                raise report.refuse(show((*at, _GRANULARITY)), "steps are counted in units", given[_GRANULARITY])
            update["step_rounding"] = _rule(given, report, at)
    if _EXACT in unknown:
        update |= _exact_in(unknown, report, (*path, _EXACT))
    return component.model_copy(update={**update, "unknown": unknown})


def _exact_in(unknown: dict[str, Any], report: Report, path: Path) -> dict[str, Any]:
    said = unknown.pop(_EXACT)
    if said is None:
        return {}
    read = {"true": True, "false": False}.get(said.strip().casefold()) if isinstance(said, str) else said
    if not isinstance(read, bool):
        unknown[_EXACT] = said
        report.add(IssueKind.UNKNOWN, show(path), "neither true nor false; kept as unknown", said)
        return {}
    if read is not said:
        report.add(IssueKind.MENDED, show(path), f"read as {read}", said)
    if not read:
        report.add(IssueKind.SUSPECT, show(path), "Gireve says that it only comes near to what the CPO declared")
    return {"exact": read}


def _granularity(given: Mapping[str, Any], report: Report, path: Path) -> WireGranularity:
    at = (*path, _GRANULARITY)
    if _GRANULARITY not in given:
        raise report.refuse(show(at), "is missing")
    said = _text(given[_GRANULARITY], report, at)
    word = said.strip().upper()
    found = WireGranularity(word) if word in WireGranularity.__members__ else _MISSPELT.get(word)
    if found is None:
        raise report.refuse(show(at), "not a round_granularity", said)
    if found.value != said:
        report.add(IssueKind.MENDED, show(at), f"read as {found.value!r}", said)
    return found


def _rule(given: Mapping[str, Any], report: Report, path: Path) -> RoundingRule:
    at = (*path, _RULE)
    if _RULE not in given:
        raise report.refuse(show(at), "is missing")
    return values.decisive(ROUND_RULES, _text(given[_RULE], report, at), report, path, _RULE)


def hours_out(hours: TariffHours, made: Wire, report: Report) -> None:
    """Adds hours to a tariff that is being written.

    Raises:
        Refused: There are more than two spans.
    """
    if len(hours.spans) > len(_SPANS):
        raise report.refuse("hours.spans", "Gireve has two at most", len(hours.spans))
    said = _begun(made, RESTRICTION)
    for span, (start, end) in zip(hours.spans, _SPANS, strict=False):
        said[start], said[end] = span.start, span.end
    if hours.days:
        said[_DAYS] = [enums.DAYS_OF_WEEK.from_canonical(day).value for day in hours.days]


def component_out(component: PriceComponent, made: Wire) -> None:
    """Adds roundings to a component that is being written."""
    if (price := component.price_rounding) is not None:
        _begun(made, _PRICE).update(_rounding(_GRANULARITIES[price.places], price.rule))
    if component.step_rounding is not None:
        _begun(made, _STEP).update(_rounding(WireGranularity.UNIT, component.step_rounding))
    if component.exact is not None:
        made[_EXACT] = component.exact


def _begun(made: Wire, field: str) -> Wire:
    """Gives one of Gireve's objects, with what stood in it that is not Gireve's, if anything."""
    beside = made.get(field)
    made[field] = dict(beside) if isinstance(beside, Mapping) else {}
    return made[field]  # type: ignore[no-any-return]  # as made just now


def _rounding(granularity: WireGranularity, rule: RoundingRule) -> Wire:
    return {_GRANULARITY: granularity.value, _RULE: ROUND_RULES.from_canonical(rule).value}
