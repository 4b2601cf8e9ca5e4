"""A CDR of OICP priced by a product of OICP: both read as they came, and worked out by hand."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.pricing.cdrs import charge_of
from gateway.pricing.engine import price
from gateway.pricing.notes import Unpriceable, Why
from gateway.pricing.result import Calculation, Extra
from mappings.canonical.cdrs import Cdr
from mappings.canonical.tariffs import Tariff, TariffDimension
from mappings.oicp.v2_3 import cdrs, products
from tests.mappings.oicp.charges import SESSION_ID
from tests.mappings.oicp.test_pricing import answer, fee, product, times

AT = datetime(2026, 6, 2, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def _tariff(**changes: Any) -> Tariff:
    said = products.read(answer(product(**changes)), AT)
    assert said is not None
    return said.entries[0].read()[0]


def _cdr(**changes: Any) -> Cdr:
    """A Monday afternoon: plugged in at 16:00, charging from 16:05 to 18:00, gone at 19:00."""
    body = {
        "SessionID": SESSION_ID,
        "EvseID": "DE*ABC*E123*4",
        "PartnerProductID": "AC 1",
        "Identification": {"RFIDMifareFamilyIdentification": {"UID": "04E8A1B2C3D480"}},
        "SessionStart": "2026-06-01T16:00:00+02:00",
        "ChargingStart": "2026-06-01T16:05:00+02:00",
        "ChargingEnd": "2026-06-01T18:00:00+02:00",
        "SessionEnd": "2026-06-01T19:00:00+02:00",
        "ConsumedEnergy": 20.5,
    }
    return cdrs.to_canonical(body | changes, currency="EUR", at=AT)[0].cdr


def _priced(tariff: Tariff, cdr: Cdr, zone: str | None = BERLIN) -> Calculation:
    return price(tariff, charge_of(cdr, zone))


def test_energy_a_start_and_parking_before_and_after_charging() -> None:
    result = _priced(_tariff(AdditionalReferences=[fee("START FEE", 1), fee("PARKING FEE", 0.1, "MINUTE")]), _cdr())
    # 20.5 kWh x 0.39 = 7.995; 5 min and 60 min x 0.10 = 6.50; the start 1.
    assert result.part(TariffDimension.ENERGY).net == Decimal("7.995")
    assert result.part(TariffDimension.PARKING_TIME).net == Decimal("6.5")
    assert (result.net, result.tax) == (Decimal("15.495"), 0)


def test_time_by_the_minute_and_parking_by_the_hour() -> None:
    tariff = _tariff(
        ReferenceUnit="MINUTE", PricePerReferenceUnit=0.05, AdditionalReferences=[fee("PARKING FEE", 2, "HOUR")]
    )
    result = _priced(tariff, _cdr())
    # 115 min x 0.05 = 5.75; 5 min x 2/60 = 0.1667; 60 min x 2/60 = 2.
    assert result.part(TariffDimension.TIME).net == Decimal("5.75")
    assert result.part(TariffDimension.PARKING_TIME).net == Decimal("2.1667")


def test_a_fixed_fee_is_all_there_is() -> None:
    assert _priced(_tariff(PricePerReferenceUnit=0, AdditionalReferences=[fee("FIXED FEE", 5)]), _cdr()).net == 5


@pytest.mark.parametrize(
    ("fees", "net", "extra", "amount"),
    [
        # 7.995 alone; 2.005 lack to 10, and 0.995 go beyond 7.
        ([fee("MINIMUM FEE", 10), fee("MAXIMUM FEE", 20)], "10", Extra.MINIMUM, "2.005"),
        ([fee("MINIMUM FEE", 1), fee("MAXIMUM FEE", 7)], "7", Extra.MAXIMUM, "-0.995"),
    ],
)
def test_a_minimum_and_a_maximum_fee(fees: list[Any], net: str, extra: Extra, amount: str) -> None:
    result = _priced(_tariff(AdditionalReferences=fees), _cdr())
    assert (result.net, result.part(extra).net) == (Decimal(net), Decimal(amount))


def test_a_product_that_ends_at_five_prices_the_energy_until_then() -> None:
    tariff = _tariff(IsValid24hours=False, ProductAvailabilityTimes=[times(("09:00", "17:00"), on="Workdays")])
    # 55 of 115 minutes: 20.5 x 55 / 115 = 9.804348 kWh, in whole Wh 9.805 x 0.39 = 3.82395, to four places 3.8240.
    assert _priced(tariff, _cdr()).net == Decimal("3.824")


def test_a_product_with_hours_needs_the_places_zone() -> None:
    tariff = _tariff(IsValid24hours=False, ProductAvailabilityTimes=[times(("09:00", "17:00"))])
    with pytest.raises(Unpriceable) as refusal:
        _priced(tariff, _cdr(), zone=None)
    assert refusal.value.why is Why.NO_ZONE


@pytest.mark.parametrize("power", [11, 10.7, 5])
def test_a_charge_at_the_power_of_its_product_or_above_is_priced_all_the_same(power: float) -> None:
    # 20.5 kWh in 115 minutes are 10.7 kW on average.
    assert _priced(_tariff(MaximumProductChargingPower=power), _cdr()).net == Decimal("7.995")
