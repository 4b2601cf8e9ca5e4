"""The specification's tariffs of reservations (OCPI 2.2.1, mod_tariffs), by hand."""

from tests.pricing.building import (
    ENERGY,
    FLAT,
    TIME,
    Row,
    Worked,
    charge,
    charging,
    element,
    energy,
    expired,
    flat,
    hourly,
    local,
    reserved,
    tariff,
)

_NOON = local("2026-06-01 12:00")  # a Monday

_SESSION = element(flat("0.50", "20"), energy("0.25", "10"))
_EXPIRY_FEE = tariff(
    element(flat("4.00", "20"), reservation="RESERVATION_EXPIRES"),
    element(hourly("2.00", "20", 600), reservation="RESERVATION"),
    _SESSION,
)
_EXPIRY_TIME = tariff(
    element(hourly("6.00", "20", 600), reservation="RESERVATION_EXPIRES"),
    element(hourly("3.00", "20", 600), reservation="RESERVATION"),
    _SESSION,
)
_CHARGED = (Row(FLAT, "1", "0.50", "0.10"), Row(ENERGY, "20", "5.00", "0.50"))  # 20 kWh by `_SESSION`: 5.50 and 0.60

WORKED = [
    Worked(
        "a quarter of an hour reserved",
        "tariff_15_reservation_5_euro_per_hour",
        tariff(element(hourly("5.00", "20", 60), reservation="RESERVATION"), _SESSION),
        charge(_NOON, reserved(15), charging(120, "20")),
        # 15 min = 0.25 h × 5.00 = 1.25 (0.25), beside 5.50 (0.60). Net 6.75; tax 0.85.
        (Row(TIME, "15", "1.25", "0.25", reserved=True), *_CHARGED),
        net="6.75",
        gross="7.60",
    ),
    Worked(
        "13 minutes reserved, with a fee",
        "tariff_16_reservation_2_euro_fee_5_euro_per_hour",
        tariff(element(flat("2.00", "20"), hourly("5.00", "20", 300), reservation="RESERVATION"), _SESSION),
        charge(_NOON, reserved(13), charging(120, "20")),
        # 2.00 (0.40); 13 min are 3 steps of 5 = 15 min × 5.00 an hour = 1.25 (0.25); beside 5.50 (0.60). Net 8.75; tax
        # 1.25. The specification's table calls the second line parking time, which the tariff has no price for.
        (Row(FLAT, "1", "2.00", "0.40", reserved=True), Row(TIME, "15", "1.25", "0.25", reserved=True), *_CHARGED),
        net="8.75",
        gross="10.00",
    ),
    Worked(
        "22 minutes reserved are 30",
        "tariff_17_reservation_with_expire_fee",
        _EXPIRY_FEE,
        charge(_NOON, reserved(22), charging(120, "20")),
        # 22 min are 3 steps of 10 = 30 min × 2.00 an hour = 1.00 (0.20); beside 5.50 (0.60). Nothing expired.
        (Row(TIME, "30", "1.00", "0.20", reserved=True), *_CHARGED),
        net="6.50",
        gross="7.30",
    ),
    Worked(
        "an hour that expired costs its time and a fee",
        "tariff_17_reservation_with_expire_fee",
        _EXPIRY_FEE,
        charge(_NOON, expired(60)),
        # The fee from the first element: 4.00 (0.80). No RESERVATION_EXPIRES element has TIME, so the second's counts:
        # 1 h × 2.00 = 2.00 (0.40). The start fee is for charging sessions, and there was none.
        (Row(FLAT, "1", "4.00", "0.80", reserved=True), Row(TIME, "60", "2.00", "0.40", reserved=True)),
        net="6.00",
        gross="7.20",
    ),
    Worked(
        "reserved time that was used has its own price",
        "tariff_18_reservation_with_expire_time",
        _EXPIRY_TIME,
        charge(_NOON, reserved(22), charging(120, "20")),
        # 30 min × 3.00 an hour = 1.50 (0.30); beside 5.50 (0.60).
        (Row(TIME, "30", "1.50", "0.30", reserved=True), *_CHARGED),
        net="7.00",
        gross="7.90",
    ),
    Worked(
        "reserved time that expired has another",
        "tariff_18_reservation_with_expire_time",
        _EXPIRY_TIME,
        charge(_NOON, expired(90)),
        # Both elements have TIME, so RESERVATION_EXPIRES counts, alone: 1.5 h × 6.00 = 9.00 (1.80).
        (Row(TIME, "90", "9.00", "1.80", reserved=True),),
        net="9.00",
        gross="10.80",
    ),
    Worked(
        "what is for expiry counts, wherever it stands",
        None,
        tariff(
            _SESSION,
            element(flat("1.00", "20"), hourly("3.00", "20", 600), reservation="RESERVATION"),
            element(hourly("6.00", "20", 600), reservation="RESERVATION_EXPIRES"),
        ),
        charge(_NOON, expired(85)),
        # "The time based cost of an expired reservation will be calculated based on the RESERVATION_EXPIRES Tariff
        # Element" (ReservationRestrictionType, note), though the other comes first: 85 min are 90 by 10, 1.5 h × 6.00 =
        # 9.00 (1.80). For the flat fee there is none but the reservation's: 1.00 (0.20).
        (Row(FLAT, "1", "1.00", "0.20", reserved=True), Row(TIME, "90", "9.00", "1.80", reserved=True)),
        net="10.00",
        gross="12.00",
    ),
]
