"""CDRs of the demo's charges, at a cost that follows from no tariff: tests of their way need none."""

from decimal import Decimal
from typing import Any, Final

from gateway.cli.demo.charges import Charge
from mappings.canonical.tariffs import Money, Tax

_PRICE: Final = Decimal("0.39")
_VAT: Final = Decimal(20)
_CENT: Final = Decimal("0.01")


def bill(charge: Charge) -> dict[str, Any]:
    """What the backend hands over of a charge."""
    net = (charge.energy * _PRICE).quantize(_CENT)
    tax = Tax(name="VAT", percentage=_VAT, amount=(net * _VAT / 100).quantize(_CENT))
    body = charge.cdr(Money(net=net, taxes=(tax,)))
    assert isinstance(body, dict)
    return body
