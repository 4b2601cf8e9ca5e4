"""What Hubject demands of an offer's prices: tariffs, and for each group of the network when which of them holds."""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from datetime import time

from adapters.hubject.sandbox.ngp.model import Network
from adapters.hubject.sandbox.ngp.shapes import DAYS, NewProduct, NewTariff, Slot
from adapters.hubject.sandbox.rules import Wrong

_UNITS = {
    "CHARGING_ENERGY": {"KILOWATT_HOUR"},
    "CHARGING_TIME": {"MINUTE", "HOUR"},
    "PARKING": {"MINUTE", "HOUR"},
    "BLOCKING_FEE": {"MINUTE", "HOUR"},
    "SESSION": {"NONE"},
}
_LAST_SECOND = 24 * 3600 - 1


def wrong_prices(
    tariffs: Sequence[NewTariff],
    products: Sequence[NewProduct],
    network: Network,
    taken: Container[str],
    field: str,
) -> list[Wrong]:
    """Says what is wrong with well-shaped prices.

    Args:
        taken: Names of tariffs that the CPO has already.
        field: What the products are called: `products` of a new offer, `pricingDetails` of an update.
    """
    return [*_tariffs(tariffs, taken), *_groups(products, network, field), *_products(tariffs, products, field)]


def _tariffs(tariffs: Sequence[NewTariff], taken: Container[str]) -> Iterator[Wrong]:
    named = Counter(tariff.name for tariff in tariffs)
    for index, tariff in enumerate(tariffs):
        if named[tariff.name] > 1 or tariff.name in taken:
            # As of a network's name, the text says no more than that it must be unique: so among all of the CPO's.
            yield Wrong(f"tariffs[{index}].name", f"{tariff.name!r} is there already: a tariff's name must be unique")
        if tariff.currency != tariffs[0].currency:
            yield Wrong(f"tariffs[{index}].currency", f"{tariff.currency}, and that of the first is another")
        for number, component in enumerate(tariff.pricing_components):
            if component.reference_unit not in _UNITS[component.type]:
                path = f"tariffs[{index}].pricingComponents[{number}].referenceUnit"
                yield Wrong(path, f"{component.type} is not priced by {component.reference_unit}")


def _groups(products: Sequence[NewProduct], network: Network, field: str) -> Iterator[Wrong]:
    groups = {group.id: group.name for group in network.groups}
    priced = Counter(product.group_id for product in products)
    for index, product in enumerate(products):
        if product.group_id not in groups:
            yield Wrong(f"{field}[{index}].groupId", f"{product.group_id} is no group of network {network.name!r}")
        elif priced[product.group_id] > 1:
            yield Wrong(f"{field}[{index}].groupId", "the group is priced twice")
    for identity, name in groups.items():
        if identity not in priced:
            yield Wrong(field, f"group {name!r} of the network has no price")


def _products(tariffs: Sequence[NewTariff], products: Sequence[NewProduct], field: str) -> Iterator[Wrong]:
    currencies = {tariff.name: tariff.currency for tariff in tariffs}
    for index, each in enumerate(products):
        path, product = f"{field}[{index}].product", each.product
        if product.currency != tariffs[0].currency:
            yield Wrong(f"{path}.currency", f"{product.currency}, and the tariffs are in {tariffs[0].currency}")
        days = Counter(day for plan in product.time_plans for day in plan.days_of_the_week)
        if missing := [day for day in DAYS if day not in days]:
            yield Wrong(f"{path}.timePlans", f"{', '.join(missing)}: no time slots")
        if twice := [day for day, number in days.items() if number > 1]:
            yield Wrong(f"{path}.timePlans", f"{', '.join(twice)}: planned twice")
        for number, plan in enumerate(product.time_plans):
            for which, slot in enumerate(plan.time_slots):
                if slot.tariff_name not in currencies:
                    named = f"{path}.timePlans[{number}].timeSlots[{which}].tariffName"
                    yield Wrong(named, f"no tariff is named {slot.tariff_name!r}")
            if (gap := _uncovered(plan.time_slots)) is not None:
                yield Wrong(f"{path}.timePlans[{number}].timeSlots", gap)


def _uncovered(slots: Sequence[Slot]) -> str | None:
    """Says where slots do not cover a day: each ends in the second before the next begins, as 21:59:59 and 22:00:00."""
    due = 0
    for begin, end in sorted((_second(slot.start_time), _second(slot.end_time)) for slot in slots):
        if begin != due:
            return f"{_clock(due)} is {'in no slot' if begin > due else 'in two slots'}"
        if end < begin:
            return f"a slot from {_clock(begin)} ends before it begins"
        due = end + 1
    return None if due == _LAST_SECOND + 1 else f"{_clock(due)} is in no slot"


def _second(text: str) -> int:
    at = time.fromisoformat(text)
    return at.hour * 3600 + at.minute * 60 + at.second


def _clock(second: int) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
