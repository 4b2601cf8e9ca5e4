"""What holds of every settlement."""

import itertools
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gateway.settling.facts import Fact
from gateway.settling.report import Settling, balances
from gateway.settling.rounding import rounded
from gateway.settling.taxing import Treatment
from mappings.canonical.agreements import RoundedAt, RoundingMode, TaxRule
from tests.settling.facts import FRENCH, GERMAN, PARTIES, SWISS, cost, fact, terms

AMOUNTS = st.decimals(min_value=0, max_value=500, places=6)
ZERO = Decimal(0)


@st.composite
def facts(draw: st.DrawFn) -> list[Fact]:
    """Charges of three partners under agreements of every kind, priced or not."""
    made = []
    for no in range(1, draw(st.integers(1, 25)) + 1):
        net = draw(st.none() | AMOUNTS)
        money = None
        if net is not None:
            rate = draw(st.sampled_from(["20", "5.5", None]))
            told = draw(st.sampled_from([None, net / 5]))
            money = cost(net, (rate, told)) if rate is not None or told is not None else cost(net)
        parts = draw(st.lists(AMOUNTS, max_size=3)) if net is not None else []
        how = terms(
            draw(st.sampled_from(RoundedAt)), draw(st.sampled_from(RoundingMode)), draw(st.sampled_from(TaxRule))
        )
        made.append(
            fact(
                no,
                draw(st.sampled_from([FRENCH, GERMAN, SWISS, None])),
                money,
                currency=draw(st.sampled_from(["EUR", "CHF", "JPY"])),
                connection=draw(st.sampled_from(["one", "other"])),
                parts=tuple(parts),
                terms=how,
            )
        )
    return made


def settled(those: list[Fact]) -> Settling:
    settling = Settling(PARTIES)
    for one in those:
        settling.add(one)
    return settling


@given(facts())
def test_lines_come_to_their_totals_under_every_rounding(those: list[Fact]) -> None:
    settling = Settling(PARTIES)
    lines = [settling.add(one) for one in those]
    for row in settling.rows():
        mine = [
            line
            for line in lines
            if (
                line.fact.emsp,
                line.fact.connection,
                line.fact.currency,
                line.treatment,
                line.why,
                line.rate,
                line.legal,
            )
            == (row.emsp, row.connection, row.currency, row.treatment, row.why, row.vat_rate, row.legal)
            and line.fact.terms.rounding == row.rounding
        ]
        assert row.cdrs == len(mine)
        assert row.energy == sum(line.energy for line in mine)
        if row.treatment is Treatment.UNPRICED:
            assert row.net is None
            continue
        nets, taxes = sum((line.net or ZERO for line in mine), ZERO), sum((line.vat or ZERO for line in mine), ZERO)
        if row.rounding.at is RoundedAt.TOTAL:
            assert row.net == rounded(nets, row.currency, row.rounding.mode)
        else:
            assert row.net == nets
            for line in mine:  # each is a number of cents already
                assert line.net == rounded(line.net or ZERO, row.currency, RoundingMode.DOWN)
        if row.treatment is Treatment.UNDECIDED:
            assert (row.vat, row.gross) == (None, None)
        else:
            assert row.vat == (
                rounded(taxes, row.currency, row.rounding.mode) if row.rounding.at is RoundedAt.TOTAL else taxes
            )
            assert row.gross == (row.net or ZERO) + (row.vat or ZERO)


@given(facts())
def test_what_is_settled_twice_is_equal(those: list[Fact]) -> None:
    one, other = settled(those), settled(those)
    assert (one.digest, one.rows(), one.remarks()) == (other.digest, other.rows(), other.remarks())


@given(facts(), st.randoms(use_true_random=False))
def test_in_which_order_cdrs_come_changes_no_amount(those: list[Fact], chance: object) -> None:
    shuffled = list(those)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert settled(shuffled).rows() == settled(those).rows()


@given(facts())
def test_a_settlement_is_those_of_its_partners_together(those: list[Fact]) -> None:
    whole = settled(those)
    parts = [settled([one for one in those if one.emsp == emsp]) for emsp in {one.emsp for one in those}]
    rows = list(itertools.chain.from_iterable(part.rows() for part in parts))
    assert sorted(map(repr, rows)) == sorted(map(repr, whole.rows()))
    assert sorted(map(repr, balances(rows))) == sorted(map(repr, balances(whole.rows())))


@given(facts())
def test_what_is_taken_back_comes_to_nothing(those: list[Fact]) -> None:
    back = [replace(one, no=one.no + 100, sign=-1) for one in those]
    _assert_nothing(settled(those + back))


@given(facts())
def test_credits_cancel_to_zero(those: list[Fact]) -> None:
    taking = [
        replace(
            one,
            no=one.no + 100,
            credit=True,
            cost=cost(
                -one.cost.net,
                *(
                    (str(tax.percentage) if tax.percentage is not None else None, _negated(tax.amount))
                    for tax in one.cost.taxes
                ),
            ),
            parts=tuple(-part for part in one.parts),
        )
        for one in those
        if one.cost is not None
    ]
    _assert_nothing(settled([one for one in those if one.cost is not None] + taking))


def _negated(amount: Decimal | None) -> Decimal | None:
    return -amount if amount is not None else None


def _assert_nothing(settling: Settling) -> None:
    for row in settling.rows():
        assert not any((row.sessions, row.energy, row.minutes, row.net, row.vat, row.gross)), row
