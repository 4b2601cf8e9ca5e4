"""What the demo's CPOs ask for a charge, and how a backend reckons it: in a line, and not by the gateway's engine."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from mappings.canonical.base import json_number
from mappings.canonical.tariffs import Money, Tax

_VAT: Final = Decimal(20)
_CENT: Final = Decimal("0.01")
_VALID_FROM: Final = "2026-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Price:
    """A tariff without conditions, net.

    Attributes:
        energy: A kWh.
        hour: An hour of charging.
        start: Once.
        most: At most.
    """

    energy: Decimal
    hour: Decimal = Decimal(0)
    start: Decimal = Decimal(0)
    most: Decimal | None = None

    def bill(self, energy: Decimal, hours: Decimal) -> Money:
        """Reckons a charge, to the cent."""
        net = self.start + self.energy * energy + self.hour * hours
        if self.most is not None:
            net = min(net, self.most)
        tax = (net * _VAT / 100).quantize(_CENT)
        return Money(net=net.quantize(_CENT), taxes=(Tax(name="VAT", percentage=_VAT, amount=tax),))

    def record(self, party: tuple[str, str, str], tariff_id: str) -> dict[str, Any]:
        """Writes it as an OCPI tariff."""
        priced = {"FLAT": self.start, "ENERGY": self.energy, "TIME": self.hour}
        country, code, _ = party
        limit = (
            {"excl_vat": json_number(self.most), "incl_vat": json_number(self.most * (100 + _VAT) / 100)}
            if self.most
            else None
        )
        return {
            "country_code": country,
            "party_id": code,
            "id": tariff_id,
            "currency": "EUR",
            "type": "REGULAR",
            **({"max_price": limit} if limit else {}),
            "elements": [
                {
                    "price_components": [
                        {"type": kind, "price": json_number(price), "vat": json_number(_VAT), "step_size": 1}
                        for kind, price in priced.items()
                        if price
                    ]
                }
            ],
            "start_date_time": _VALID_FROM,
            "last_updated": _VALID_FROM,
        }


OWN: Final = {
    "T0": Price(Decimal("0.29")),
    "T1": Price(Decimal("0.34"), start=Decimal("0.50")),
    "T2": Price(Decimal("0.39")),
    "T3": Price(Decimal("0.25"), hour=Decimal("1.20")),
    "T4": Price(Decimal("0.49"), most=Decimal(2)),
    "T5": Price(Decimal("0.54")),
}
"""What our own CPO asks. OICP has no product of energy and time at once, so that Hubject is not told of T3."""

PARTNER: Final = {"STROOM": Price(Decimal("0.50"))}
"""What the partner asks, at both hubs."""
