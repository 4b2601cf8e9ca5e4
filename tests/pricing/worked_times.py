"""The specification's tariffs of time and of restrictions (OCPI 2.2.1, mod_tariffs), by hand.

Ours, without a file, are of sentences that no example is about.
"""

from tests.pricing.building import (
    ENERGY,
    FLAT,
    PARKING_TIME,
    TIME,
    WEEKEND,
    WORKDAYS,
    Row,
    Worked,
    between,
    charge,
    charging,
    element,
    energy,
    flat,
    hourly,
    local,
    parking,
    parking_fee,
    reserved,
    tariff,
)

_NOON = local("2026-06-01 12:00")  # a Monday

_COMPLEX = tariff(
    element(flat("2.50", "15")),
    element(hourly("1.00", "20", 900), max_current="32"),
    element(hourly("2.00", "20", 600), min_current="32", day_of_week=WORKDAYS),
    element(hourly("1.25", "20", 600), min_current="32", day_of_week=WEEKEND),
    element(parking_fee("5.00", "10", 300), start_time="09:00", end_time="18:00", day_of_week=WORKDAYS),
    element(parking_fee("6.00", "10", 300), start_time="10:00", end_time="17:00", day_of_week=("SATURDAY",)),
)
_BY_POWER = tariff(
    element(energy("0.20", "20"), max_power="16"),
    element(energy("0.35", "20"), max_power="32"),
    element(energy("0.50", "20")),
)
_BY_DURATION = tariff(
    element(energy("0.00", "20"), max_duration=1800),
    element(energy("0.25", "20"), max_duration=3600),
    element(energy("0.40", "20")),
)

WORKED = [
    Worked(
        "two and a half hours at 2.00, and parking is free",
        "tariff_1_simple_2hour",
        tariff(element(hourly("2.00", "10", 60))),
        charge(_NOON, charging(150, "20"), parking(30)),
        # 150 min are 150 steps of a minute: 2.5 h × 2.00 = 5.00; 10 % = 0.50. Parking has no component.
        (Row(TIME, "150", "5.00", "0.50"),),
        net="5.00",
        gross="5.50",
    ),
    Worked(
        "two hours and a minute in steps of five",
        "tariff_put_example",
        tariff(element(hourly("2.00", "10", 300))),
        charge(_NOON, charging(126, "20")),
        # 126 min are 25.2 steps of 5 min, so 26: 130 min = 2 1/6 h × 2.00 = 4.3333; 10 % = 0.4333. Not in the text.
        (Row(TIME, "130", "4.3333", "0.4333"),),
        net="4.3333",
        gross="4.7666",
    ),
    Worked(
        "42 minutes parked are 45",
        "tariff_13_simple_3hour_5parking",
        tariff(element(hourly("3.00", "10", 60), parking_fee("5.00", "20", 300))),
        charge(_NOON, charging(150, "20"), parking(42)),
        # 2.5 h × 3.00 = 7.50 (0.75); 42 min are 9 steps of 5 min = 45 min = 0.75 h × 5.00 = 3.75 (0.75).
        (Row(TIME, "150", "7.50", "0.75"), Row(PARKING_TIME, "45", "3.75", "0.75")),
        net="11.25",
        gross="12.75",
    ),
    Worked(
        "a Monday below 32 A",
        "tariff_4_complex",
        _COMPLEX,
        charge(local("2026-06-01 09:30"), charging(165, "10", current=between(None, "16")), parking(42)),
        # 2.50, 15 % = 0.375. Charging to 12:15, at most 16 A < 32: 2.75 h × 1.00 = 2.75, 20 % = 0.55; no step, as
        # parking follows. Parking 12:15 to 12:57, within 09:00 to 18:00: 45 min = 0.75 h × 5.00 = 3.75, 10 % = 0.375.
        # Net 9.00; tax 1.30.
        (
            Row(FLAT, "1", "2.50", "0.375"),
            Row(TIME, "165", "2.75", "0.55"),
            Row(PARKING_TIME, "45", "3.75", "0.375"),
        ),
        net="9.00",
        gross="10.30",
    ),
    Worked(
        "a Saturday above 32 A",
        "tariff_4_complex",
        _COMPLEX,
        charge(local("2026-06-06 13:30"), charging(114, "50", current=between("43", None)), parking(71)),
        # 2.50 (0.375). 114 min = 1.9 h × 1.25 = 2.375, 20 % = 0.475; no step, as parking follows. Parking 15:24 to
        # 16:35, within 10:00 to 17:00: 71 min are 15 steps of 5 = 75 min = 1.25 h × 6.00 = 7.50, 10 % = 0.75.
        # Net 12.375; tax 1.60. The specification has 2.28 for the time, 12.28 and 13.861 in all: that is 1.9 h × 1.20,
        # a price which the tariff does not have, so no rounding leads there. The rules count.
        (
            Row(FLAT, "1", "2.50", "0.375"),
            Row(TIME, "114", "2.375", "0.475"),
            Row(PARKING_TIME, "75", "7.50", "0.75"),
        ),
        net="12.375",
        gross="13.975",
    ),
    Worked(
        "the power decides, and changes",
        "tariffrestriction_example_max_power",
        _BY_POWER,
        charge(
            _NOON,
            charging(10, "1", power="6"),
            charging(50, "40", power="48"),
            charging(7.5, "0.5", power="4"),
        ),
        # 1 kWh × 0.20 = 0.20 (0.04); 40 kWh × 0.50 = 20.00 (4.00); 0.5 kWh × 0.20 = 0.10 (0.02). Net 20.30; tax 4.06.
        (Row(ENERGY, "1", "0.20", "0.04"), Row(ENERGY, "40", "20.00", "4.00"), Row(ENERGY, "0.5", "0.10", "0.02")),
        net="20.30",
        gross="24.36",
    ),
    Worked(
        "a maximum's own power is beyond it",
        "tariffrestriction_example_max_power",
        _BY_POWER,
        charge(_NOON, charging(60, "16", power="16"), charging(60, "32", power="32")),
        # "less than" 16 kW: 16 kW is not, but less than 32; 32 is not either.
        # 16 kWh × 0.35 = 5.60 (1.12); 32 kWh × 0.50 = 16.00 (3.20). Net 21.60; tax 4.32.
        (Row(ENERGY, "16", "5.60", "1.12"), Row(ENERGY, "32", "16.00", "3.20")),
        net="21.60",
        gross="25.92",
    ),
    Worked(
        "half an hour is free, and the rest of forty minutes is not",
        "tariffrestriction_example_max_duration",
        _BY_DURATION,
        charge(_NOON, charging(30, "5"), charging(10, "1.2")),
        # 5 kWh × 0.00 = 0.00; 1.2 kWh × 0.25 = 0.30, 20 % = 0.06.
        (Row(ENERGY, "5", "0"), Row(ENERGY, "1.2", "0.30", "0.06")),
        net="0.30",
        gross="0.36",
    ),
    Worked(
        "beyond an hour it is dearer again, within one period",
        "tariffrestriction_example_max_duration",
        _BY_DURATION,
        charge(_NOON, charging(70, "8.4")),
        # 8.4 kWh in 70 min flow at 0.12 kWh a minute: 3.6 in the first 30 min, free; 3.6 in the next, × 0.25 = 0.90
        # (0.18); 1.2 in the last 10, × 0.40 = 0.48 (0.096). Net 1.38; tax 0.276. Not in the text.
        (Row(ENERGY, "3.6", "0"), Row(ENERGY, "3.6", "0.90", "0.18"), Row(ENERGY, "1.2", "0.48", "0.096")),
        net="1.38",
        gross="1.656",
    ),
    Worked(
        "ten kWh cheap and the rest dear, within one period",
        None,
        tariff(element(energy("0.20", "20"), max_kwh="10"), element(energy("0.30", "20"), min_kwh="10")),
        charge(_NOON, reserved(10), charging(60, "25"), parking(5)),
        # Below 10 kWh: 10 × 0.20 = 2.00 (0.40); from 10 on: 15 × 0.30 = 4.50 (0.90).
        (Row(ENERGY, "10", "2.00", "0.40"), Row(ENERGY, "15", "4.50", "0.90")),
        net="6.50",
        gross="7.80",
    ),
    Worked(
        "a grace after charging counts from the session's start, and no reservation's",
        None,
        tariff(element(parking_fee("6.00", None), min_duration=3600)),
        charge(_NOON, reserved(30), charging(40), parking(50)),
        # The session begins at 12:30; its first hour ends at 13:30. Parking lasts from 13:10 to 14:00: 30 min of it are
        # beyond: 0.5 h × 6.00 = 3.00.
        (Row(PARKING_TIME, "30", "3.00"),),
        net="3.00",
        gross="3.00",
    ),
]
