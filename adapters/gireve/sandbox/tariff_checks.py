"""What the sandbox IOP checks of a tariff (OCPI 2.2.1, mod_tariffs; Gireve's guides, tariffs).

What Gireve adds is optional, and given back to EMSPs as it came: its guides describe hours and roundings of tariffs
that stand in a roaming agreement, and what comes in their form is taken. Whether it counts, a sandbox that prices
nothing cannot tell.
"""

import re
from typing import Any

from adapters.gireve.sandbox.checks import Wrong
from adapters.gireve.sandbox.shapes import (
    Rule,
    Shape,
    boolean,
    checked,
    ci_string,
    exactly,
    inner,
    many,
    may,
    needs,
    number,
    one_of,
    stamp,
    text,
    whole,
)

_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_RULES = ("ROUND_UP", "ROUND_DOWN", "ROUND_NEAR")
_TARGET = ("target_operator_country_code", "target_operator_party_id")


def _like(pattern: str, name: str) -> Rule:
    compiled = re.compile(pattern)

    def rule(value: Any, path: str) -> None:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise Wrong(f"{path} is not a {name}")

    return rule


_clock = _like(r"([0-1][0-9]|2[0-3]):[0-5][0-9]", "time of day")
_date = _like(r"[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", "date")
_PRICE: Shape = {"excl_vat": needs(number()), "incl_vat": may(number())}
_COMPONENT: Shape = {
    "type": needs(one_of("ENERGY", "FLAT", "PARKING_TIME", "TIME", "SESSION_TIME")),
    "price": needs(number()),
    "vat": may(number()),
    "step_size": needs(whole()),
    "price_round": may(
        inner(
            {
                # The guide's own spelling.
                "round_granularity": needs(one_of("UNIT", "TENTH", "HUNDRETH", "THOUSANDTH")),
                "round_rule": needs(one_of(*_RULES)),
            }
        )
    ),
    "step_round": may(inner({"round_granularity": needs(one_of("UNIT")), "round_rule": needs(one_of(*_RULES))})),
    "exact_price_component": may(boolean),
}
_ELEMENT: Shape = {
    "price_components": needs(many(inner(_COMPONENT), least=1)),
    "restrictions": may(
        inner(
            {
                **{name: may(_clock) for name in ("start_time", "end_time")},
                **{name: may(_date) for name in ("start_date", "end_date")},
                **{f"{side}_{of}": may(number()) for side in ("min", "max") for of in ("kwh", "current", "power")},
                **{name: may(whole()) for name in ("min_duration", "max_duration")},
                "day_of_week": may(many(one_of(*_DAYS))),
                "reservation": may(one_of("RESERVATION", "RESERVATION_EXPIRES")),
            }
        )
    ),
}
_TARIFF: Shape = {
    "country_code": needs(exactly(2)),
    "party_id": needs(exactly(3)),
    "id": needs(ci_string(36)),
    "currency": needs(exactly(3)),
    "type": may(one_of("AD_HOC_PAYMENT", "PROFILE_CHEAP", "PROFILE_FAST", "PROFILE_GREEN", "REGULAR")),
    "tariff_alt_text": may(many(inner({"language": needs(exactly(2)), "text": needs(text(512))}))),
    "tariff_alt_url": may(text(255)),
    "min_price": may(inner(_PRICE)),
    "max_price": may(inner(_PRICE)),
    "elements": needs(many(inner(_ELEMENT), least=1)),
    "start_date_time": may(stamp),
    "end_date_time": may(stamp),
    "last_updated": needs(stamp),
    _TARGET[0]: may(exactly(2)),
    _TARGET[1]: may(exactly(3)),
    "restriction": may(
        inner(
            {
                **{name: may(_clock) for name in ("start_time", "end_time", "start_time_2", "end_time_2")},
                "day_of_week": may(many(one_of(*_DAYS))),
            }
        )
    ),
}


def check_tariff(wire: Any) -> None:
    """Checks a tariff; both halves of a target go together, and so do both ends of a span of hours.

    Raises:
        Wrong: It is not as demanded.
    """
    checked(wire, _TARIFF)
    _together(wire, *_TARGET)
    for number_ in ("", "_2"):
        _together(wire.get("restriction") or {}, f"start_time{number_}", f"end_time{number_}")


def _together(wire: Any, one: str, other: str) -> None:
    if (wire.get(one) is None) != (wire.get(other) is None):
        raise Wrong(f"{one} and {other} go together")
