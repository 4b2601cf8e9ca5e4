"""What a charge costs by a tariff (OCPI 2.2.1, mod_tariffs, and "step_size" of mod_cdrs)."""

from collections.abc import Mapping

from gateway.pricing.charge import Charge
from gateway.pricing.result import Calculation
from gateway.pricing.rounding import PLAIN, Rules
from mappings.canonical.tariffs import Tariff


def price(tariff: Tariff, charge: Charge, rules: Rules = PLAIN) -> Calculation:
    """Prices a charge by one tariff, whatever tariffs its periods name.

    Raises:
        Unpriceable: The tariff asks for what is not known of the charge.
    """
    raise NotImplementedError


def price_by(tariffs: Mapping[str, Tariff], tariff: Tariff, charge: Charge, rules: Rules = PLAIN) -> Calculation:
    """Prices a charge whose periods may name tariffs of their own, as where the driver's wishes changed.

    Args:
        tariffs: By the ids that periods name.
        tariff: For periods that name none.

    Raises:
        Unpriceable: As `price`, or a period names a tariff that is not among them, or one of another currency.
    """
    raise NotImplementedError
