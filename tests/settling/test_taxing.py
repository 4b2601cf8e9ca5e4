"""What becomes of value added tax."""

from decimal import Decimal

import pytest

from gateway.settling.facts import Fact
from gateway.settling.lines import settle
from gateway.settling.taxing import Treatment, Undecided
from mappings.canonical.agreements import TaxRule
from mappings.canonical.ids import PartyId
from mappings.canonical.vat import EU_MEMBERS
from tests.settling.facts import CPO, FRENCH, GERMAN, PARTIES, SWISS, cost, fact, terms

NOBODY = PartyId("IT*XXX")
NO_ID = PARTIES | {GERMAN: PARTIES[GERMAN].model_copy(update={"vat_id": None})}


@pytest.mark.parametrize(
    ("rule", "given", "treatment", "why"),
    [
        (TaxRule.BY_COUNTRIES, fact(1, FRENCH), Treatment.CHARGED, None),
        (TaxRule.BY_COUNTRIES, fact(1, FRENCH, country=None), Treatment.CHARGED, None),
        (TaxRule.BY_COUNTRIES, fact(1, FRENCH, country="ESP"), Treatment.UNDECIDED, Undecided.STATION_ABROAD),
        (TaxRule.BY_COUNTRIES, fact(1, GERMAN), Treatment.REVERSE_CHARGE, None),
        (TaxRule.BY_COUNTRIES, fact(1, GERMAN, country="DEU"), Treatment.REVERSE_CHARGE, None),
        (TaxRule.BY_COUNTRIES, fact(1, SWISS), Treatment.UNDECIDED, Undecided.OUTSIDE_UNION),
        (TaxRule.BY_COUNTRIES, fact(1, NOBODY), Treatment.UNDECIDED, Undecided.NO_BILLING_PARTY),
        (TaxRule.BY_COUNTRIES, fact(1, None), Treatment.UNDECIDED, Undecided.UNKNOWN_EMSP),
        (TaxRule.BY_COUNTRIES, fact(1, FRENCH, cost("10")), Treatment.UNDECIDED, Undecided.NO_VAT_TOLD),
        (TaxRule.BY_COUNTRIES, fact(1, FRENCH, cost("10", (None, None))), Treatment.UNDECIDED, Undecided.NO_VAT_TOLD),
        (TaxRule.BY_COUNTRIES, fact(1, FRENCH, cost("0")), Treatment.CHARGED, None),
        (TaxRule.BY_COUNTRIES, fact(1, GERMAN, cost("10")), Treatment.REVERSE_CHARGE, None),
        (
            TaxRule.BY_COUNTRIES,
            fact(1, FRENCH, cost("10", ("20", "1"), ("10", "0.5"))),
            Treatment.UNDECIDED,
            Undecided.SEVERAL_TAXES,
        ),
        (TaxRule.BY_COUNTRIES, fact(1, FRENCH, None), Treatment.UNPRICED, None),
        (TaxRule.CHARGED, fact(1, SWISS), Treatment.CHARGED, None),
        (TaxRule.CHARGED, fact(1, None), Treatment.CHARGED, None),
        (TaxRule.CHARGED, fact(1, GERMAN, cost("10")), Treatment.UNDECIDED, Undecided.NO_VAT_TOLD),
        (TaxRule.REVERSE_CHARGE, fact(1, SWISS), Treatment.REVERSE_CHARGE, None),
        (TaxRule.REVERSE_CHARGE, fact(1, FRENCH), Treatment.REVERSE_CHARGE, None),
        (TaxRule.REVERSE_CHARGE, fact(1, NOBODY), Treatment.UNDECIDED, Undecided.NO_BILLING_PARTY),
        (TaxRule.NONE, fact(1, SWISS), Treatment.NONE, None),
        (TaxRule.NONE, fact(1, None, cost("10")), Treatment.NONE, None),
    ],
)
def test_the_tax_follows_the_agreement_and_the_countries(
    rule: TaxRule, given: Fact, treatment: Treatment, why: Undecided | None
) -> None:
    line = settle(_under(given, rule), PARTIES)
    assert (line.treatment, line.why) == (treatment, why)
    if treatment is Treatment.UNPRICED:
        assert (line.net, line.vat, line.gross) == (None, None, None)
    elif treatment is Treatment.UNDECIDED:
        assert (line.net, line.vat, line.gross) == (Decimal(10), None, None)
    elif treatment is not Treatment.CHARGED:
        assert (line.net, line.vat, line.gross) == (Decimal(10), Decimal(0), Decimal(10))


def test_reverse_charge_asks_for_both_vat_ids() -> None:
    line = settle(fact(1, GERMAN), NO_ID)
    assert (line.treatment, line.why) == (Treatment.UNDECIDED, Undecided.NO_VAT_ID)


def test_the_legal_ground_is_named_only_where_it_is_the_law_s() -> None:
    by_law, agreed = settle(fact(1, GERMAN), PARTIES), settle(_under(fact(1, SWISS), TaxRule.REVERSE_CHARGE), PARTIES)
    assert by_law.legal == "Reverse charge: Articles 38 and 195 of Directive 2006/112/EC"
    assert agreed.legal == "Reverse charge, as agreed"


@pytest.mark.parametrize(
    ("taxes", "rates", "rate", "vat"),
    [
        ([("20", "1.99")], (), Decimal(20), Decimal("1.99")),  # what is told counts, also beside a rate
        ([("20", None)], (), Decimal(20), Decimal("2.00")),
        ([(None, "2")], (), None, Decimal("2.00")),  # no rate is told, and none is guessed
        ([(None, "2")], ("20",), Decimal(20), Decimal("2.00")),
        ([(None, "2")], ("20", "5.5"), Decimal(20), Decimal("2.00")),
        ([(None, "2")], ("20", "20.05"), None, Decimal("2.00")),  # either would come to it
        ([(None, "2")], ("19",), None, Decimal("2.00")),
        ([(None, "0")], ("20",), Decimal(0), Decimal("0.00")),
        ([("20", "2"), ("5.5", "0")], (), Decimal(20), Decimal("2.00")),  # on a part that costs nothing
        ([("0", "0"), ("5.5", "0")], (), Decimal(0), Decimal("0.00")),
    ],
)
def test_the_rate_is_the_cdr_s_or_that_of_its_tariffs_where_one_alone_fits(
    taxes: list[tuple[str | None, str | None]], rates: tuple[str, ...], rate: Decimal | None, vat: Decimal
) -> None:
    given = fact(1, FRENCH, cost("10", *taxes), rates=frozenset(map(Decimal, rates)))
    line = settle(given, PARTIES)
    assert (line.rate, line.vat, line.gross) == (rate, vat, Decimal(10) + vat)


def test_the_union_has_27_members() -> None:
    assert len(EU_MEMBERS) == 27
    assert not {"GBR", "CHE", "NOR", "REU", "MCO"} & EU_MEMBERS


def _under(given: Fact, rule: TaxRule) -> Fact:
    return fact(given.no, given.emsp, given.cost, country=given.country, terms=terms(tax=rule), cpo=CPO)
