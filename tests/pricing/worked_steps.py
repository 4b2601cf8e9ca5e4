"""The specification's examples of step sizes (OCPI 2.2.1, mod_tariffs PriceComponent; mod_cdrs, step_size), by hand."""

from tests.pricing.building import (
    ENERGY,
    PARKING_TIME,
    TIME,
    Row,
    Worked,
    charge,
    charging,
    element,
    energy,
    hourly,
    local,
    parking,
    parking_fee,
    tariff,
)

_NOON = local("2026-06-01 12:00")  # a Monday

_BY_THE_CLOCK = tariff(
    element(hourly("1.20", None, 1800), parking_fee("1.00", None, 900), start_time="00:00", end_time="17:00"),
    element(hourly("2.40", None, 900), parking_fee("1.00", None, 900), start_time="17:00", end_time="20:00"),
    element(hourly("2.40", None, 900), start_time="20:00", end_time="00:00"),
)

_ENERGY_AFTER_FIVE = tariff(element(energy("0.20", None, 500), end_time="17:00"), element(energy("0.27", None, 500)))
_TIME_AFTER_FIVE = tariff(element(hourly("5.00", None, 600), end_time="17:00"), element(hourly("7.00", None, 600)))
_SHORT_AND_LONG = tariff(element(hourly("1.00", None, 600), parking_fee("2.00", None, 600)))

WORKED = [
    Worked(
        "parking ends a charge over five o'clock",
        "tariff_14_step_size",
        _BY_THE_CLOCK,
        charge(local("2026-06-01 16:55"), charging(10, "1"), parking(2)),
        # 16:55 to 17:00: 5 min × 1.20 an hour = 0.10. 17:00 to 17:05: 5 min × 2.40 = 0.20. Parking of 2 min is one step
        # of 15 min × 1.00 = 0.25; the time charging is not rounded, as parking follows. No VAT is named: none.
        (Row(TIME, "5", "0.10"), Row(TIME, "5", "0.20"), Row(PARKING_TIME, "15", "0.25")),
        net="0.55",
        gross="0.55",
    ),
    Worked(
        "the last step rounds what came before five, too",
        "tariff_14_step_size",
        _BY_THE_CLOCK,
        charge(local("2026-06-01 16:35"), charging(35, "1")),
        # 35 min in all, by the last component's 15 min: 45 (by the first one's 30 it were 60). 25 min × 1.20 an hour =
        # 0.50; the rest, 45 - 25 = 20 min × 2.40 = 0.80.
        (Row(TIME, "25", "0.50"), Row(TIME, "20", "0.80")),
        net="1.30",
        gross="1.30",
    ),
    Worked(
        "parking that becomes free leaves its last step behind",
        "tariff_14_step_size",
        _BY_THE_CLOCK,
        charge(local("2026-06-01 19:40"), charging(12, "1"), parking(20)),
        # 12 min × 2.40 an hour = 0.48. Parking 19:52 to 20:00 costs, 8 min; to 20:12 nothing does. 8 min are one step
        # of 15 min × 1.00 = 0.25.
        (Row(TIME, "12", "0.48"), Row(PARKING_TIME, "15", "0.25")),
        net="0.73",
        gross="0.73",
    ),
    Worked(
        "charging is not rounded where parking follows",
        None,
        tariff(element(hourly("3.00", None, 300), parking_fee("6.00", None, 300))),
        charge(_NOON, charging(21), parking(7)),
        # Steps of 5 min: 21 min stay 21 (not 25), 7 min are 10. 0.35 h × 3.00 = 1.05; 10 min × 6.00 an hour = 1.00.
        # The text names the minutes; the prices are ours.
        (Row(TIME, "21", "1.05"), Row(PARKING_TIME, "10", "1.00")),
        net="2.05",
        gross="2.05",
    ),
    Worked(
        "energy is rounded once, over both prices",
        None,
        _ENERGY_AFTER_FIVE,
        charge(local("2026-06-01 16:00"), charging(60, "4.3"), charging(60, "1.1")),
        # 4.3 + 1.1 = 5.4 kWh by 500 Wh = 5.5, so the last 1.1 are billed as 1.2 (not 1.5).
        # 4.3 × 0.20 = 0.86; 1.2 × 0.27 = 0.324.
        (Row(ENERGY, "4.3", "0.86"), Row(ENERGY, "1.2", "0.324")),
        net="1.184",
        gross="1.184",
    ),
    Worked(
        "time is rounded once, over both prices",
        None,
        _TIME_AFTER_FIVE,
        charge(local("2026-06-01 16:54"), charging(28)),
        # 6 min + 22 min = 28 by 10 min = 30, so 24 min after 17:00 (not 30, which made 36).
        # 0.1 h × 5.00 = 0.50; 0.4 h × 7.00 = 2.80.
        (Row(TIME, "6", "0.50"), Row(TIME, "24", "2.80")),
        net="3.30",
        gross="3.30",
    ),
    Worked(
        "only the parking is rounded where both cost",
        None,
        _SHORT_AND_LONG,
        charge(_NOON, charging(21), parking(16)),
        # 21 min stay 21: 0.35 h × 1.00 = 0.35. 16 min by 10 = 20: 1/3 h × 2.00 = 0.6667. 41 min in all.
        (Row(TIME, "21", "0.35"), Row(PARKING_TIME, "20", "0.6667")),
        net="1.0167",
        gross="1.0167",
    ),
    Worked(
        "charging is rounded where it comes last again",
        None,
        _SHORT_AND_LONG,
        charge(_NOON, parking(16), charging(21)),
        # The last time-based period charges: 21 min by 10 = 30: 0.5 h × 1.00 = 0.50. 16 min stay: 4/15 h × 2.00 =
        # 0.5333.
        (Row(PARKING_TIME, "16", "0.5333"), Row(TIME, "30", "0.50")),
        net="1.0333",
        gross="1.0333",
    ),
    Worked(
        "6 minutes are 10 by steps of 300 s",
        None,
        tariff(element(hourly("3.00", None, 300))),
        charge(_NOON, charging(6)),
        # Two blocks of 5 min: 1/6 h × 3.00 = 0.50.
        (Row(TIME, "10", "0.50"),),
        net="0.50",
        gross="0.50",
    ),
    Worked(
        "8 minutes parked are 10 by steps of 300 s",
        None,
        tariff(element(parking_fee("3.00", None, 300))),
        charge(_NOON, parking(8)),
        # Two blocks of 5 min: 1/6 h × 3.00 = 0.50.
        (Row(PARKING_TIME, "10", "0.50"),),
        net="0.50",
        gross="0.50",
    ),
    Worked(
        "40 minutes are 40 by steps of 10",
        None,
        tariff(element(hourly("3.00", None, 600))),
        charge(_NOON, charging(20), charging(20)),
        # A whole number of steps already, in two periods: 2/3 h × 3.00 = 2.00. As decimals they were more than that.
        (Row(TIME, "40", "2.00"),),
        net="2.00",
        gross="2.00",
    ),
    *(
        Worked(
            f"115.2 Wh by steps of {step} Wh",
            None,
            tariff(element(energy("0.25", None, step))),
            charge(_NOON, charging(10, "0.1152")),
            # 1: 116 Wh × 0.25 a kWh = 0.029. 25: 5 steps = 125 Wh, 0.03125, to four places 0.0313 (a half goes up; the
            # text shows 0.031). 500: one step, 0.125.
            (Row(ENERGY, billed, cost),),
            net=cost,
            gross=cost,
        )
        for step, billed, cost in ((1, "0.116", "0.029"), (25, "0.125", "0.0313"), (500, "0.5", "0.125"))
    ),
]
