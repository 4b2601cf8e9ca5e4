"""The specification's tariffs of energy, flat fees, taxes and limits (OCPI 2.2.1, mod_tariffs, Examples), by hand."""

from gateway.pricing.rounding import Rounding, Rules
from tests.pricing.building import (
    ENERGY,
    FLAT,
    MAXIMUM,
    MINIMUM,
    PARKING_TIME,
    TIME,
    Row,
    Worked,
    charge,
    charging,
    element,
    energy,
    flat,
    hourly,
    limit,
    local,
    parking,
    parking_fee,
    tariff,
)

CENTS = Rules(line=Rounding(2))
"""How the specification shows money; it leaves rounding itself to law and contract (mod_tariffs, Tariff)."""

_NOON = local("2019-06-03 12:00")  # a Monday, before the end of the example that has one

_PER_KWH = tariff(element(energy("0.25", "10")))
_MINIMUM = tariff(element(energy("0.25", "10")), min_price=limit("0.50", "0.55"))
_START_FEE = tariff(element(flat("0.50", "20"), energy("0.25", "10")))
_MAXIMUM = tariff(element(flat("0.50", "20"), energy("0.25", "10")), max_price=limit("10", "11"))
_BY_100_WH = tariff(element(flat("0.50", "20"), energy("0.25", "10", 100)))
_AD_HOC = tariff(element(flat("0.40", "25"), hourly("1.90", "5.2", 300)))

WORKED = [
    Worked(
        "20 kWh at 0.25",
        "tariff_8_simple_025kwh",
        _PER_KWH,
        charge(_NOON, charging(120, "20")),
        # 20 kWh × 0.25 = 5.00; of that 10 % = 0.50; together 5.50.
        (Row(ENERGY, "20", "5.00", "0.50"),),
        net="5.00",
        gross="5.50",
    ),
    Worked(
        "20 kWh and a start fee of another tax",
        "tariff_9_025kwh_start",
        _START_FEE,
        charge(_NOON, charging(120, "20")),
        # 0.50 and 20 % = 0.10; 20 kWh × 0.25 = 5.00 and 10 % = 0.50. Net 5.50; tax 0.60; together 6.10.
        (Row(FLAT, "1", "0.50", "0.10"), Row(ENERGY, "20", "5.00", "0.50")),
        net="5.50",
        gross="6.10",
    ),
    Worked(
        "20 kWh are beyond the minimum",
        "tariff_12_025kwh_min_price",
        _MINIMUM,
        charge(_NOON, charging(120, "20")),
        # 5.00 ≥ 0.50 and 5.50 ≥ 0.55: the minimum adds nothing.
        (Row(ENERGY, "20", "5.00", "0.50"),),
        net="5.00",
        gross="5.50",
    ),
    Worked(
        "1 kWh is lifted to the minimum",
        "tariff_12_025kwh_min_price",
        _MINIMUM,
        charge(_NOON, charging(6, "1")),
        # 1 kWh × 0.25 = 0.25, 10 % = 0.025, gross 0.275. Net lacks 0.50 - 0.25 = 0.25; gross lacks
        # 0.55 - 0.275 = 0.275, of which the net's 0.25, so 0.025 are tax.
        (Row(ENERGY, "1", "0.25", "0.025"), Row(MINIMUM, "", "0.25", "0.025")),
        net="0.50",
        gross="0.55",
    ),
    Worked(
        "2 kWh are the minimum itself",
        "tariff_12_025kwh_min_price",
        _MINIMUM,
        charge(_NOON, charging(12, "2")),
        # 2 kWh × 0.25 = 0.50, 10 % = 0.05: exactly the minimum, and "less than 2 kWh" is not.
        (Row(ENERGY, "2", "0.50", "0.05"),),
        net="0.50",
        gross="0.55",
    ),
    Worked(
        "40 minutes parked are three quarters of an hour",
        "tariff_10_025kwh_parking_start",
        tariff(element(flat("0.50", "20"), energy("0.25", "10"), parking_fee("2.00", "20", 900))),
        charge(_NOON, charging(120, "20"), parking(40)),
        # 0.50 (tax 0.10); 5.00 (0.50); 40 min are three steps of 15 min = 45 min = 0.75 h × 2.00 = 1.50 (0.30).
        # Net 7.00; tax 0.90.
        (Row(FLAT, "1", "0.50", "0.10"), Row(ENERGY, "20", "5.00", "0.50"), Row(PARKING_TIME, "45", "1.50", "0.30")),
        net="7.00",
        gross="7.90",
    ),
    Worked(
        "50 kWh are cut to the maximum",
        "tariff_6_025kwh_start_max_price",
        _MAXIMUM,
        charge(_NOON, charging(60, "50")),
        # 0.50 (0.10) + 50 kWh × 0.25 = 12.50 (1.25): net 13.00, gross 14.35. Off the net 13.00 - 10.00 = 3.00;
        # off the gross 14.35 - 11.00 = 3.35, so 0.35 of tax.
        (Row(FLAT, "1", "0.50", "0.10"), Row(ENERGY, "50", "12.50", "1.25"), Row(MAXIMUM, "", "-3.00", "-0.35")),
        net="10.00",
        gross="11.00",
    ),
    Worked(
        "30 kWh stay below the maximum",
        "tariff_6_025kwh_start_max_price",
        _MAXIMUM,
        charge(_NOON, charging(60, "30")),
        # 0.50 (0.10) + 30 kWh × 0.25 = 7.50 (0.75): net 8.00, gross 8.85.
        (Row(FLAT, "1", "0.50", "0.10"), Row(ENERGY, "30", "7.50", "0.75")),
        net="8.00",
        gross="8.85",
    ),
    Worked(
        "at 38 kWh only the maximum with tax is reached",
        "tariff_6_025kwh_start_max_price",
        _MAXIMUM,
        charge(_NOON, charging(60, "38")),
        # 0.50 (0.10) + 9.50 (0.95): net 10.00, not above 10.00; gross 11.05, above 11.00 by 0.05. "They both apply".
        (Row(FLAT, "1", "0.50", "0.10"), Row(ENERGY, "38", "9.50", "0.95"), Row(MAXIMUM, "", "0", "-0.05")),
        net="10.00",
        gross="11.00",
    ),
    Worked(
        "a text's euro for an hour is a rounded one",
        "tariff_2_alt_text",
        tariff(element(hourly("1.90", "5.2", 300))),
        charge(_NOON, charging(150)),
        # 150 min are 30 steps of 5 min: 2.5 h × 1.90 = 4.75; 5.2 % = 0.247; together 4.997. The specification's 5.00
        # is 4.997 as shown.
        (Row(TIME, "150", "4.75", "0.247"),),
        net="4.75",
        gross="4.997",
    ),
    Worked(
        "with taxes rounded to cents it is the text's figure",
        "tariff_2_alt_text",
        tariff(element(hourly("1.90", "5.2", 300))),
        charge(_NOON, charging(150)),
        # 0.247 is 0.25 in cents; 4.75 + 0.25 = 5.00.
        (Row(TIME, "150", "4.75", "0.25"),),
        net="4.75",
        gross="5.00",
        rules=CENTS,
    ),
    Worked(
        "what OCPI cannot say is billed as it does say",
        "tariff_11_not_possible_alt_text",
        _AD_HOC,
        charge(_NOON, charging(58)),
        # The debit card's discount is only text. 0.40, 25 % = 0.10. 58 min are 60 by steps of 5: 1.90, 5.2 % = 0.0988.
        # Net 2.30; gross 2.4988, which the text shows as 0.50 + 2.00. No session is worked out there.
        (Row(FLAT, "1", "0.40", "0.10"), Row(TIME, "60", "1.90", "0.0988")),
        net="2.30",
        gross="2.4988",
    ),
    Worked(
        "20.45 kWh are 20.5 by steps of 100 Wh",
        "tariff_3_alt_url",
        _BY_100_WH,
        charge(_NOON, charging(120, "20.45")),
        # 0.50 (0.10). 20450 Wh are 204.5 steps of 100, so 205: 20.5 kWh × 0.25 = 5.125; 10 % = 0.5125.
        # Net 5.625; gross 6.2375. The specification shows 5.63 and 6.24, and in its table the 20.45 kWh that were
        # charged, at the cost of those billed.
        (Row(FLAT, "1", "0.50", "0.10"), Row(ENERGY, "20.5", "5.125", "0.5125")),
        net="5.625",
        gross="6.2375",
    ),
    Worked(
        "with lines rounded to cents they are the table's figures",
        "tariff_3_alt_url",
        _BY_100_WH,
        charge(_NOON, charging(120, "20.45")),
        # 5.125 is 5.13 in cents, a half going up; 10 % of it 0.51 (of 5.125 as of 5.13). 0.50 + 5.13 = 5.63;
        # 0.60 + 5.64 = 6.24.
        (Row(FLAT, "1", "0.50", "0.10"), Row(ENERGY, "20.5", "5.13", "0.51")),
        net="5.63",
        gross="6.24",
        rules=CENTS,
    ),
    Worked(
        "with the price of the page behind the link",
        None,
        tariff(element(flat("0.50", "20"), energy("0.22", "10", 100))),
        charge(_NOON, charging(120, "20.45")),
        # 20.5 kWh × 0.22 = 4.51; 10 % = 0.451 (shown as 4.96). Net 5.01; gross 0.60 + 4.961 = 5.561 (shown as 5.56).
        (Row(FLAT, "1", "0.50", "0.10"), Row(ENERGY, "20.5", "4.51", "0.451")),
        net="5.01",
        gross="5.561",
    ),
    Worked(
        "free of charge is one flat fee of nothing",
        "tariff_5_free_of_charge",
        tariff(element(flat("0.00", None, 0))),
        charge(_NOON, charging(120, "20"), parking(300)),
        # No ENERGY, TIME or PARKING_TIME in it: "there will be no costs for that Tariff Dimension". No VAT named: none.
        (Row(FLAT, "1", "0"),),
        net="0",
        gross="0",
    ),
]
