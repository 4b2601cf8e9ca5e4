"""What a CDR says that it costs, beside what was calculated."""

from decimal import Decimal
from typing import Any

import pytest

from gateway.pricing.cdrs import charge_of
from gateway.pricing.comparing import Amount, Comparison, Likeness, Part, amount, compare
from gateway.pricing.engine import price
from gateway.pricing.notes import NoteKind, Unpriceable, Why
from mappings.canonical.cdrs import Cdr
from mappings.canonical.tariffs import Money, Tariff
from tests.pricing.building import SESSION_TIME, component, element, energy, flat, hourly, tariff
from tests.pricing.test_cdrs import cdr, period

MATCHES, DIFFERS, UNTOLD = Likeness.MATCHES, Likeness.DIFFERS, Likeness.UNTOLD


def terms(vat: str | None = "20") -> Tariff:
    """1.00 to start, and 0.30 a kWh: 10 kWh are 4.00, and with 20 per cent 4.80."""
    return tariff(element(flat("1", vat), energy("0.3", vat)))


def told(net: str | None, gross: str | None = None, **changes: Any) -> Cdr:
    """A CDR of 10 kWh."""
    cost = None if net is None else money(net, gross)
    return cdr(period(0, ENERGY=10, TIME=1), total_cost=cost, **changes)


def money(net: str, gross: str | None = None) -> Money:
    """As OCPI's prices are read."""
    taxes = [] if gross is None else [{"name": "VAT", "amount": str(Decimal(gross) - Decimal(net))}]
    return Money.model_validate({"net": net, "taxes": taxes})


def compared(given: Cdr, by: Tariff | None = None, tolerance: str = "0.01") -> Comparison:
    """Compares a CDR with its price by a tariff."""
    return compare(given, price(by or terms(), charge_of(given)), Decimal(tolerance))


@pytest.mark.parametrize(
    ("net", "gross", "likeness"),
    [
        ("4", None, MATCHES),
        ("4", "4.80", MATCHES),
        ("4.01", "4.81", MATCHES),
        ("3.99", "4.79", MATCHES),
        ("4.02", "4.80", DIFFERS),
        ("4", "4.82", DIFFERS),
        ("3.9", None, DIFFERS),
        ("0", "0", DIFFERS),
        (None, None, UNTOLD),
    ],
)
def test_totals_decide_without_tax_and_with_it(net: str | None, gross: str | None, likeness: Likeness) -> None:
    assert compared(told(net, gross)).outcome is likeness


def test_differences_are_what_is_told_more() -> None:
    total = compared(told("5", "6")).total
    assert (total.part, total.told, total.calculated) == (
        Part.TOTAL,
        Amount(Decimal(5), Decimal(6)),
        amount_of("4", "4.8"),
    )
    assert total.difference == amount_of("1", "1.2")


def amount_of(net: str, gross: str) -> Amount:
    """An amount."""
    return Amount(Decimal(net), Decimal(gross))


def test_the_tolerance_is_a_setting() -> None:
    assert compared(told("4.4"), tolerance="0.5").outcome is MATCHES
    assert compared(told("4.0001"), tolerance="0").outcome is DIFFERS


def test_an_untold_cost_has_its_calculation_beside_it() -> None:
    total = compared(told(None)).total
    assert (total.told, total.calculated.net, total.difference, total.differs) == (None, 4, None, False)


def test_parts_stand_side_by_side() -> None:
    given = told("4", fixed_cost=money("1"), energy_cost=money("2.5"), parking_cost=money("0.5"))
    comparison = compared(given)
    parts = {
        one.part: (one.told.net if one.told else None, one.calculated.net, one.differs) for one in comparison.parts
    }
    assert parts == {
        Part.FIXED: (1, 1, False),
        Part.ENERGY: (Decimal("2.5"), 3, True),
        Part.PARKING: (Decimal("0.5"), 0, True),
        Part.TOTAL: (4, 4, False),
    }
    assert comparison.outcome is MATCHES
    [note] = comparison.notes
    assert (note.kind, note.detail) == (
        NoteKind.PARTS_DIFFER,
        "the total is as calculated, and of its parts energy, parking not",
    )


def test_every_dimension_is_of_a_part_and_limits_are_of_the_total_alone() -> None:
    every = tariff(
        element(energy("0.3"), hourly("1"), component(SESSION_TIME, "2", None, 1)),
        min_price=Money(net=Decimal(20)),
    )
    parts = {one.part: one.calculated.net for one in compared(told("20"), every).parts}
    assert parts == {Part.ENERGY: 3, Part.TIME: 3, Part.TOTAL: 20}


def test_a_hubs_price_is_compared_without_tax() -> None:
    # Gireve marks what it worked out itself; of tax it knows nothing.
    assert compared(told("4", "4", priced_by_hub=True)).outcome is MATCHES
    assert compared(told("4.1", "4.8", priced_by_hub=True)).outcome is DIFFERS


def test_a_credit_is_the_negative_of_its_charge() -> None:
    credit = told("-4", "-4.8", credit=True, credited_cdr="c-0", energy_cost=money("3"))
    comparison = compared(credit)
    assert (comparison.outcome, [one.part for one in comparison.parts]) == (MATCHES, [Part.TOTAL])
    assert compared(told("4", "4.8", credit=True, credited_cdr="c-0")).total.difference == amount_of("8", "9.6")


# Tax


@pytest.mark.parametrize(
    ("vat", "gross", "kind"),
    [
        ("0.2", "4.80", NoteKind.TAX_AS_FRACTION),
        ("20", "4.008", NoteKind.TAX_AS_FRACTION),
    ],
)
def test_a_tax_that_looks_like_the_other_reading_is_said_to(vat: str, gross: str, kind: NoteKind) -> None:
    comparison = compared(told("4", gross), terms(vat))
    assert (comparison.outcome, [note.kind for note in comparison.notes]) == (DIFFERS, [kind])


def test_a_tax_that_the_tariff_does_not_name_is_left_out_and_said_to_be() -> None:
    comparison = compared(told("4", "4.80"), terms(None))
    assert (comparison.outcome, [note.kind for note in comparison.notes]) == (MATCHES, [NoteKind.TAX_UNTOLD])
    assert (comparison.total.calculated, comparison.total.difference) == (Amount(Decimal(4)), Amount(Decimal(0)))
    assert compared(told("5", "6"), terms(None)).outcome is DIFFERS
    assert compared(told("4", "4"), terms(None)).notes == []


def test_another_tax_is_only_another_one() -> None:
    assert compared(told("4", "4.76"), terms()).notes == []


def test_a_net_price_that_differs_has_no_word_on_tax() -> None:
    assert compared(told("5", "6"), terms("0.2")).notes == []


@pytest.mark.parametrize(
    ("taxes", "gross"),
    [
        ([], None),
        ([{"name": "VAT", "percentage": 20}], Decimal("4.8")),
        ([{"name": "VAT", "amount": 1}, {"name": "B", "amount": 2}], Decimal(7)),
        ([{"name": "VAT", "amount": 1}, {"name": "B"}], None),
    ],
)
def test_an_amount_with_tax_is_known_where_every_tax_is(taxes: list[dict[str, Any]], gross: Decimal | None) -> None:
    assert amount(Money.model_validate({"net": 4, "taxes": taxes})) == Amount(Decimal(4), gross)


def test_another_currency_is_not_converted() -> None:
    with pytest.raises(Unpriceable) as error:
        compared(told("4", currency="CHF"))
    assert error.value.why is Why.OTHER_CURRENCY
