"""What is priced apart from everything else: a dimension, of a charge, of a reservation, or of one that expires."""

from typing import Final

from gateway.pricing.explaining.languages.speech import Phrase
from mappings.canonical.tariffs import ReservationRestriction, TariffDimension

Group = tuple[TariffDimension, ReservationRestriction | None]

UNITS: Final[dict[Group, Phrase]] = {
    (TariffDimension.ENERGY, None): Phrase.PER_KWH,
    (TariffDimension.TIME, None): Phrase.PER_HOUR_CHARGING,
    (TariffDimension.SESSION_TIME, None): Phrase.PER_HOUR_PLUGGED_IN,
    (TariffDimension.PARKING_TIME, None): Phrase.PER_HOUR_PARKING,
    (TariffDimension.FLAT, None): Phrase.FEE,
    (TariffDimension.TIME, ReservationRestriction.RESERVATION): Phrase.PER_HOUR_RESERVED,
    (TariffDimension.FLAT, ReservationRestriction.RESERVATION): Phrase.FEE_RESERVED,
    (TariffDimension.TIME, ReservationRestriction.RESERVATION_EXPIRES): Phrase.PER_HOUR_EXPIRED,
    (TariffDimension.FLAT, ReservationRestriction.RESERVATION_EXPIRES): Phrase.FEE_EXPIRED,
}
"""How a price of each is said, in the order in which they are told; of a reservation nothing else is priced."""

_TITLES: Final = {
    TariffDimension.ENERGY: Phrase.ENERGY,
    TariffDimension.TIME: Phrase.TIME,
    TariffDimension.SESSION_TIME: Phrase.SESSION_TIME,
    TariffDimension.PARKING_TIME: Phrase.PARKING_TIME,
    TariffDimension.FLAT: Phrase.FLAT,
}
_RESERVED: Final = {
    ReservationRestriction.RESERVATION: Phrase.RESERVATION,
    ReservationRestriction.RESERVATION_EXPIRES: Phrase.RESERVATION_EXPIRES,
}
for _table, _whole in (
    ({one for one, reserved in UNITS if reserved is None}, TariffDimension),
    (_TITLES, TariffDimension),
    (_RESERVED, ReservationRestriction),
):
    if set(_table) != set(_whole):
        raise TypeError(f"not told of each {_whole.__name__}")


def title_of(group: Group) -> Phrase:
    """Gives the title under which a group is told."""
    dimension, reserved = group
    return _TITLES[dimension] if reserved is None else _RESERVED[reserved]
