"""A tariff in plain words: what is said, how each language writes it, and that no language lacks anything."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from gateway.pricing import defects
from gateway.pricing.explaining.languages import LANGUAGES, speech_of
from gateway.pricing.explaining.languages.figures import money, number, span
from gateway.pricing.explaining.languages.speech import Phrase
from gateway.pricing.explaining.words import explain, own_texts, summary
from gateway.pricing.notes import Note, NoteKind
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import (
    ClockSpan,
    DayOfWeek,
    PriceRounding,
    RoundingRule,
    Tariff,
    TariffHours,
    TariffType,
)
from mappings.canonical.texts import LocalText
from tests.pricing.building import (
    WEEKEND,
    WORKDAYS,
    element,
    energy,
    flat,
    hourly,
    limit,
    parking_fee,
    session_fee,
    tariff,
)
from tests.pricing.corpora import DUTCH, FRENCH, dutch, french, told_apart
from tests.shared import shared_path

EN, FR, DE, NL = (speech_of(tag) for tag in ("en", "fr", "de", "nl"))


def said(made: Tariff, language: str = "en", **more: object) -> dict[str, list[str]]:
    return {title: list(lines) for title, lines in explain(made, language, **more)}


# One sentence


def test_a_summary_says_every_price_once() -> None:
    made = tariff(element(energy("0.25"), parking_fee("2"), flat("0.5")), element(energy("9")))
    assert summary(made, "en") == "0.25 EUR per kWh, 2.00 EUR per hour of parking, 0.50 EUR per charge, without VAT."


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "0.30 EUR per kWh, 2.40 EUR per hour plugged in, at most 12.00 EUR, with VAT."),
        ("fr", "0,30 EUR par kWh, 2,40 EUR par heure de branchement, au plus 12,00 EUR, TVA comprise."),
        ("de-AT", "0,30 EUR je kWh, 2,40 EUR je Stunde am Stecker, höchstens 12,00 EUR, mit MwSt."),
        ("nl_BE", "0,30 EUR per kWh, 2,40 EUR per uur aan de stekker, hoogstens 12,00 EUR, met btw."),
        ("pt", "0.30 EUR per kWh, 2.40 EUR per hour plugged in, at most 12.00 EUR, with VAT."),
    ],
)
def test_a_summary_names_what_the_driver_pays_in_the_drivers_language(language: str, sentence: str) -> None:
    made = tariff(element(energy("0.25", "20"), session_fee("2", "20")), max_price=limit("10", "12"))
    assert summary(made, language) == sentence


def test_one_price_without_its_vat_leaves_all_without() -> None:
    made = tariff(element(energy("0.25", "20"), flat("1")))
    assert summary(made, "en") == "0.25 EUR per kWh, 1.00 EUR per charge, without VAT."


def test_prices_that_change_are_a_range_and_what_they_turn_on() -> None:
    made = tariff(
        element(energy("0.2"), start_time="22:00", end_time="06:00", start_date="2026-01-01"),
        element(energy("0.3"), day_of_week=WEEKEND, start_date="2026-01-01"),
        element(energy("0.45"), min_power=50, start_date="2026-01-01"),
        element(energy("0.4"), start_date="2026-01-01"),
    )
    expected = "0.20 to 0.45 EUR per kWh depending on the time of day, the weekday and the power, without VAT."
    assert summary(made, "en") == expected


def test_a_price_that_is_free_at_first_is_not_said_to_be_always_asked_for() -> None:
    made = tariff(element(parking_fee("0"), max_duration=3600), element(parking_fee("3")))
    assert summary(made, "en") == "0.00 to 3.00 EUR per hour of parking depending on the duration, without VAT."


def test_one_price_in_parts_that_leave_nothing_out_is_always_asked_for() -> None:
    day, night = {"start_time": "08:00", "end_time": "20:00"}, {"start_time": "20:00", "end_time": "08:00"}
    parts = [
        element(energy("0.3"), max_duration=3600, start_date="2026-01-01"),
        element(energy("0.3"), min_duration=3600, start_date="2026-01-01", **day),
        element(energy("0.3"), min_duration=3600, start_date="2026-01-01", **night),
    ]
    assert summary(tariff(*parts), "en") == "0.30 EUR per kWh, without VAT."
    # But it is not before 2026, nor at night where the last is missing.
    assert said(tariff(*parts))["Energy"][-1] == "otherwise nothing"
    expected = "0.30 EUR per kWh depending on the time of day and the duration, without VAT."
    assert summary(tariff(*parts[:2]), "en") == expected


def test_what_leaves_nothing_out_is_not_said_to_cost_nothing_else() -> None:
    made = tariff(
        element(energy("0.3"), max_power=22), element(energy("0.5"), min_power=22), element(flat("1"), min_kwh=1)
    )
    assert said(made)["Energy"][1:] == [
        "0.30 EUR per kWh (VAT not stated), at less than 22 kW",
        "0.50 EUR per kWh (VAT not stated), at 22 kW or more",
    ]
    assert said(made)["Per charge"][-1] == "otherwise nothing"


def test_a_single_price_tells_its_conditions() -> None:
    made = tariff(element(parking_fee("3"), day_of_week=WORKDAYS, start_time="09:00", end_time="18:00"))
    expected = "3.00 EUR per hour of parking Monday to Friday, from 09:00 to 18:00, without VAT."
    assert summary(made, "en") == expected


def test_what_costs_nothing_is_free() -> None:
    assert summary(tariff(element(flat("0"))), "de") == "Kostenlos."
    assert summary(tariff(element(flat("0")), min_price=limit("1")), "en") == "At least 1.00 EUR, without VAT."


def test_the_tariffs_own_words_come_first_and_only_in_the_drivers_language() -> None:
    texts = (
        LocalText(language="fr", text="Deux euros"),
        LocalText(language="fr-CH", text="Deux francs"),
        LocalText(language="xx", text="Duo"),
        LocalText(language="nl", text="  "),
    )
    made = tariff(element(flat("2")), texts=texts)
    assert summary(made, "fr") == "Deux euros"
    assert summary(made, "fr-CH") == "Deux francs"
    assert own_texts(made, "fr-CA") == ["Deux euros", "Deux francs"]
    assert summary(made, "xx") == "Duo"
    assert summary(made, "nl") == "2,00 EUR per laadsessie, zonder btw."
    assert said(made, "fr")["Tarif T de DE*ALL, en EUR"] == ["Deux euros", "Deux francs"]


# All of it


def test_an_explanation_says_for_whom_and_when_a_tariff_is() -> None:
    hours = TariffHours(
        spans=(ClockSpan(start="08:00", end="12:00"), ClockSpan(start="20:00", end="02:00")),
        days=(DayOfWeek.SATURDAY, DayOfWeek.SUNDAY),
    )
    made = tariff(
        element(energy("0.25")),
        type=TariffType.REGULAR,
        target=PartyId("FR-EMS"),
        start=datetime(2026, 1, 1, tzinfo=UTC),
        end=datetime(2026, 6, 30, 22, tzinfo=UTC),
        url="https://tariffs.example/T",
        hours=hours,
    )
    head = said(made, zone=ZoneInfo("Europe/Paris"))["Tariff T of DE*ALL, in EUR"]
    assert head == [
        "For charging with a card or app.",
        "Only for drivers of FR*EMS.",
        "Valid from 1 January 2026, 01:00 CET to 1 July 2026, 00:00 CEST.",
        "Holds for charges that begin Saturday and Sunday, from 08:00 to 12:00 and from 20:00 over midnight to 02:00.",
        "More at https://tariffs.example/T",
    ]
    until = made.model_copy(update={"start": None})
    assert "Gültig bis 30. Juni 2026, 22:00 UTC." in said(until, "de")["Tarif T von DE*ALL, in EUR"]
    since = made.model_copy(update={"end": None})
    assert "Valable à partir du 1er janvier 2026, 00:00 UTC." in said(since, "fr")["Tarif T de DE*ALL, en EUR"]


def test_each_price_says_its_tax_its_steps_and_its_roundings() -> None:
    up, near = (
        PriceRounding(places=places, rule=rule)
        for places, rule in ((2, RoundingRule.ROUND_UP), (0, RoundingRule.ROUND_NEAR))
    )
    made = tariff(
        element(
            energy("0.25", "20", 500, price_rounding=up),
            hourly("3", "0", 300, step_rounding=RoundingRule.ROUND_DOWN, price_rounding=near),
            session_fee("1.25", None, 5400),
            parking_fee("6", "5.5", 0),
            flat("1", "20", 7),
        )
    )
    found = said(made)
    assert found["Energy"] == [
        "0.25 EUR per kWh (0.30 EUR with 20% VAT), in steps of 0.5 kWh, rounded up, the cost rounded up to 0.01 EUR"
    ]
    [charging] = found["Time of charging"]
    assert charging.startswith("3.00 EUR per hour of charging (0.05 EUR per minute, 0% VAT), in steps of 5 min, ")
    assert charging.endswith("rounded down, the cost rounded to the nearest 1.00 EUR")
    assert found["Time plugged in"] == [
        "1.25 EUR per hour plugged in (VAT not stated), in steps of 1 h 30 min, rounded up"
    ]
    assert found["Parking"] == [
        "6.00 EUR per hour of parking (0.10 EUR per minute, 6.33 EUR with 5.5% VAT), as measured"
    ]
    assert found["Per charge"] == ["1.00 EUR per charge (1.20 EUR with 20% VAT)"]


def test_a_price_that_the_hub_could_not_say_exactly_is_told_so() -> None:
    made = tariff(element(energy("0.25", exact=False), hourly("1", exact=True)))
    assert said(made)["Energy"][0].endswith(", not exactly what the operator asks for")
    assert said(made)["Time of charging"] == ["1.00 EUR per hour of charging (VAT not stated)"]


def test_the_first_line_that_holds_counts_and_lines_that_never_can_are_not_told() -> None:
    made = tariff(
        element(energy("0.2"), max_kwh=10),
        element(energy("0.3")),
        element(energy("0.4"), day_of_week=WEEKEND),
    )
    assert said(made)["Energy"] == [
        "The first line whose conditions hold counts.",
        "0.20 EUR per kWh (VAT not stated), for the first 10 kWh",
        "otherwise 0.30 EUR per kWh (VAT not stated)",
    ]


@pytest.mark.parametrize(
    ("restrictions", "words"),
    [
        ({"start_time": "09:00", "end_time": "18:00"}, "from 09:00 to 18:00"),
        ({"start_time": "22:00", "end_time": "06:00"}, "from 22:00 over midnight to 06:00"),
        ({"start_time": "17:00"}, "from 17:00 to 24:00"),
        ({"start_time": "17:00", "end_time": "00:00"}, "from 17:00 to 24:00"),
        ({"end_time": "06:00"}, "from 00:00 to 06:00"),
        ({"day_of_week": ("SUNDAY", "MONDAY")}, "Monday and Sunday"),
        ({"day_of_week": ("MONDAY", "TUESDAY", "WEDNESDAY", "SATURDAY")}, "Monday to Wednesday and Saturday"),
        (
            {"day_of_week": ("FRIDAY",), "start_time": "22:00", "end_time": "06:00"},
            "Friday from 22:00 over midnight to 06:00 (the weekday is that of the moment, after midnight too)",
        ),
        ({"start_date": "2026-02-01"}, "from 1 February 2026 on"),
        ({"end_date": "2026-02-01"}, "before 1 February 2026"),
        ({"start_date": "2026-01-05", "end_date": "2026-02-01"}, "from 5 January 2026 on and before 1 February 2026"),
        ({"min_kwh": 10, "max_kwh": 20}, "from 10 kWh to 20 kWh of the charge"),
        ({"min_kwh": 10}, "after the first 10 kWh"),
        ({"min_power": 22}, "at 22 kW or more"),
        ({"max_power": "7.4"}, "at less than 7.4 kW"),
        ({"min_current": 16, "max_current": 32}, "at 16 A or more and less than 32 A"),
        ({"min_duration": 3600}, "after the first 1 h"),
        ({"max_duration": 1800}, "in the first 30 min"),
        ({"min_duration": 90, "max_duration": 7200}, "from 1 min 30 s to 2 h after the start"),
        ({"unknown": {"min_soc": 80}}, "under conditions that OCPI does not have (min_soc)"),
    ],
)
def test_every_restriction_is_said(restrictions: dict[str, object], words: str) -> None:
    made = tariff(element(energy("0.25"), **restrictions))
    assert said(made)["Energy"] == [f"0.25 EUR per kWh (VAT not stated), {words}", "otherwise nothing"]


@pytest.mark.parametrize(
    "restrictions", [{"start_time": "08:00", "end_time": "08:00"}, {"day_of_week": (*WORKDAYS, *WEEKEND)}]
)
def test_restrictions_that_restrict_nothing_are_not_said(restrictions: dict[str, object]) -> None:
    made = tariff(element(energy("0.25"), **restrictions))
    assert said(made)["Energy"] == ["0.25 EUR per kWh (VAT not stated)"]


def test_reservations_are_told_apart_from_charges() -> None:
    made = tariff(
        element(flat("4"), reservation="RESERVATION_EXPIRES"),
        element(hourly("5"), flat("2"), reservation="RESERVATION"),
        element(energy("0.25")),
    )
    found = said(made)
    assert list(found) == ["Tariff T of DE*ALL, in EUR", "Energy", "Reservation", "Reservation that is not used"]
    assert found["Reservation"] == [
        "5.00 EUR per hour of reservation (VAT not stated)",
        "2.00 EUR per reservation (VAT not stated)",
    ]
    assert found["Reservation that is not used"] == ["4.00 EUR per reservation that is not used (VAT not stated)"]


def test_limits_are_told_with_and_without_tax() -> None:
    made = tariff(element(energy("0.25")), min_price=limit("0.5", "0.55"), max_price=limit("10"))
    assert said(made)["Limits"] == [
        "At least 0.50 EUR without VAT, 0.55 EUR with it.",
        "At most 10.00 EUR (without VAT).",
    ]


def test_what_is_wrong_with_a_tariff_is_told_last() -> None:
    made = tariff(element(energy("0.25", None, 0)), element(energy("0.3")))
    notes = defects.find(made)
    assert NoteKind.STEP_ZERO in {note.kind for note in notes}
    for language, word in (("en", "Remarks"), ("fr", "Remarques"), ("de", "Hinweise"), ("nl", "Opmerkingen")):
        found = said(made, language, defects=notes)
        assert list(found)[-1] == word
        assert len(found[word]) == len(notes)
        assert all(line.startswith("elements[") for line in found[word])
    # What is no defect of a tariff is told as it is.
    assert said(made, "fr", defects=[Note(NoteKind.ASSUMED, "", "so it is")])["Remarques"] == ["so it is"]


# Figures


@pytest.mark.parametrize(
    ("language", "large", "small"),
    [
        ("en", "1,234.50 EUR", "0.125 EUR"),
        ("fr", "1\u202f234,50 EUR", "0,125 EUR"),
        ("de", "1.234,50 EUR", "0,125 EUR"),
        ("nl", "1.234,50 EUR", "0,125 EUR"),
    ],
)
def test_money_is_written_as_the_language_does(language: str, large: str, small: str) -> None:
    speech = speech_of(language)
    assert money(Decimal("1234.5"), "EUR", speech) == large
    assert money(Decimal("0.1250"), "EUR", speech) == small
    assert money(Decimal(1500), "JPY", EN) == "1,500 JPY"
    assert number(Decimal("1E+2"), EN) == "100"
    assert money(Decimal("-0.5"), "EUR", EN) == "-0.50 EUR"


def test_spans_of_time_are_written_in_the_units_that_fit() -> None:
    assert [span(seconds, EN) for seconds in (0, 1, 3600, 5430, 259_200)] == [
        "0 s",
        "1 s",
        "1 h",
        "1 h 30 min 30 s",
        "3 d",
    ]


# Languages


def test_a_language_that_lacks_a_phrase_cannot_be_built() -> None:
    phrases = dict(FR.phrases)
    del phrases[Phrase.PER_KWH]
    with pytest.raises(TypeError, match="fr: not said: PER_KWH"):
        replace(FR, phrases=phrases)
    with pytest.raises(TypeError, match="HIDDEN"):
        replace(NL, notes={kind: text for kind, text in NL.notes.items() if kind is not NoteKind.HIDDEN})
    with pytest.raises(TypeError, match="de: not said"):
        replace(DE, days=DE.days[:6])


def test_a_phrase_that_forgets_a_figure_cannot_be_built() -> None:
    with pytest.raises(TypeError, match="PER_KWH does not fill in"):
        replace(EN, phrases={**EN.phrases, Phrase.PER_KWH: "per kWh"})


def test_no_language_says_anything_in_another() -> None:
    """Words that two languages share are few, and each was looked at."""
    same = {
        (a.tag, b.tag, phrase)
        for a in LANGUAGES.values()
        for b in LANGUAGES.values()
        for phrase in Phrase
        if a.tag < b.tag and a.phrases[phrase] == b.phrases[phrase]
    }
    assert same == {("de", "nl", Phrase.ENERGY), ("de", "nl", Phrase.LIMITS), ("en", "nl", Phrase.PER_KWH)}


def test_every_real_tariff_can_be_said_in_every_language() -> None:
    tariffs = [*dutch(shared_path(DUTCH)).tariffs]
    for path in FRENCH:
        tariffs += french(shared_path(path)).tariffs
    for made, _ in told_apart(tariffs):
        notes = defects.find(made)
        for language in LANGUAGES:
            assert summary(made, language)
            assert all(title and lines for title, lines in explain(made, language, notes)[1:])
