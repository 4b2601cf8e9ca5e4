"""A settlement worked out by hand."""

from dataclasses import replace
from decimal import Decimal

from gateway.settling.facts import Difference
from gateway.settling.lines import Remark
from gateway.settling.report import Settling, balances
from gateway.settling.taxing import Treatment, Undecided
from mappings.canonical.agreements import RoundedAt, RoundingMode
from tests.settling.facts import CPO, FRENCH, GERMAN, PARTIES, SWISS, amounts, cost, fact, terms

LINE, CDR, TOTAL = RoundedAt.LINE, RoundedAt.CDR, RoundedAt.TOTAL


def test_a_month_of_three_partners_comes_to_what_the_hand_says() -> None:
    settling = Settling(PARTIES)
    for one in (
        # To a French EMSP: within one country, so that the tax of the CDRs is charged; each CDR is rounded.
        #   4.125 -> 4.13 (a half goes up), tax 0.825 -> 0.83;  7.334 -> 7.33, tax 1.4668 -> 1.47
        #   net 4.13 + 7.33 = 11.46; tax 0.83 + 1.47 = 2.30; gross 13.76
        fact(1, FRENCH, "4.125"),
        fact(2, FRENCH, "7.334"),
        # A CDR at 5.5 per cent is a line of its own: 2.00 and 0.11.
        fact(3, FRENCH, cost("2", ("5.5", "0.11"))),
        # One without a price counts as a session of 20 kWh, and as missing.
        fact(4, FRENCH, None),
        # To a German EMSP: reverse charge, rounded in the total: 3.333 + 3.333 + 3.333 = 9.999 -> 10.00.
        *(fact(no, GERMAN, "3.333", terms=terms(TOTAL)) for no in (5, 6, 7)),
        # To a Swiss one: not between two members of the Union, and nobody agreed on it: net alone is known.
        fact(8, SWISS, "1.005", terms=terms(LINE, RoundingMode.HALF_EVEN), parts=(Decimal("0.335"), Decimal("0.67"))),
    ):
        settling.add(one)
    rows = settling.rows()
    assert amounts(rows) == [
        # 0.335 -> 0.34 (to the even digit), 0.67 as it is: 1.01, though 1.005 would come to 1.00.
        ("CH*EMS", Treatment.UNDECIDED, None, 1, Decimal("1.01"), None, None),
        ("DE*EMS", Treatment.REVERSE_CHARGE, None, 3, Decimal("10.00"), Decimal("0.00"), Decimal("10.00")),
        ("FR*EMS", Treatment.CHARGED, Decimal("5.5"), 1, Decimal("2.00"), Decimal("0.11"), Decimal("2.11")),
        ("FR*EMS", Treatment.CHARGED, Decimal(20), 2, Decimal("11.46"), Decimal("2.30"), Decimal("13.76")),
        ("FR*EMS", Treatment.UNPRICED, None, 1, None, None, None),
    ]
    assert [row.why for row in rows] == [Undecided.OUTSIDE_UNION, None, None, None, None]
    assert rows[1].legal == "Reverse charge: Articles 38 and 195 of Directive 2006/112/EC"
    assert {row.energy for row in rows if row.sessions == 1} == {Decimal(20)}
    swiss, german, french = balances(rows)
    assert (swiss.owed_by, swiss.gross, swiss.undecided_net) == (SWISS, Decimal(0), Decimal("1.01"))
    assert (german.owed_by, german.cpo, german.gross) == (GERMAN, CPO, Decimal("10.00"))
    assert (french.sessions, french.energy, french.minutes, french.unpriced) == (4, Decimal(80), Decimal(120), 1)
    assert (french.net, french.vat, french.gross) == (Decimal("13.46"), Decimal("2.41"), Decimal("15.87"))


def test_yen_have_no_cents_and_dinars_have_thousandths() -> None:
    settling = Settling(PARTIES)
    settling.add(fact(1, FRENCH, "100.5", currency="JPY"))
    settling.add(fact(2, FRENCH, "1.2345", currency="KWD"))
    yen, dinar = sorted(settling.rows(), key=lambda row: row.currency)
    assert (yen.net, yen.vat, yen.gross) == (Decimal(101), Decimal(20), Decimal(121))
    assert (dinar.net, dinar.vat, dinar.gross) == (Decimal("1.235"), Decimal("0.247"), Decimal("1.482"))
    assert [one.currency for one in balances(settling.rows())] == ["JPY", "KWD"]


def test_a_hub_s_price_and_what_is_disputed_differs_or_came_late_is_named() -> None:
    settling = Settling(PARTIES)
    settling.add(fact(1, by_hub=True))
    settling.add(fact(2, difference=Difference(Decimal(4), disputed=True, differs=True)))
    settling.add(fact(3, late=True, agreement=None))
    settling.add(fact(4, refused=True))
    [row] = settling.rows()
    assert (row.sessions, row.refused_by_hub) == (4, 1)
    assert (row.hub_priced, row.late, row.no_agreement) == (1, 1, 1)
    assert (row.disputed, row.disputed_net, row.differs, row.difference_net) == (1, Decimal(10), 1, Decimal(4))
    said = {one.remark: one for one in settling.remarks()}
    assert said[Remark.DISPUTED].first[0].cdr == "c-2"
    assert said[Remark.DIFFERS].first[0].difference_net == Decimal(4)
    assert [one.cdr for one in said[Remark.REFUSED_BY_HUB].first] == ["c-4"]
    assert (said[Remark.HUB_PRICED].count, said[Remark.HUB_PRICED].first) == (1, ())


def test_more_taken_back_than_billed_is_owed_the_other_way() -> None:
    settling = Settling(PARTIES)
    settling.add(fact(1, sign=-1, late=True))
    [row] = settling.rows()
    assert (row.sessions, row.energy, row.gross, row.taken_back) == (-1, Decimal(-20), Decimal(-12), 1)
    [balance] = balances([row])
    assert (balance.owed_by, balance.gross) == (CPO, Decimal(-12))


def test_as_many_cdrs_as_a_person_can_read_are_named_and_all_are_counted() -> None:
    settling = Settling(PARTIES)
    for no in range(1, 251):
        settling.add(fact(no, net=None))
    [unpriced] = settling.remarks()
    assert (unpriced.remark, unpriced.count, len(unpriced.first)) == (Remark.UNPRICED, 250, 100)


def test_one_rate_written_in_two_ways_is_one_row_whichever_comes_first() -> None:
    those = [fact(1, net=cost("10", ("20.0", "2"))), fact(2, net=cost("10", ("20", "2")))]
    for order in (those, those[::-1]):
        settling = Settling(PARTIES)
        for one in order:
            settling.add(one)
        [row] = settling.rows()
        assert str(row.vat_rate) == "20"


def test_the_digest_tells_one_cent_apart() -> None:
    def digest(net: str) -> str:
        settling = Settling(PARTIES)
        settling.add(fact(1, net=net))
        return settling.digest

    assert digest("10") == digest("10.00")
    assert digest("10") != digest("10.01")


def test_the_digest_knows_nothing_of_what_people_say_later() -> None:
    one, other = Settling(PARTIES), Settling(PARTIES)
    one.add(fact(1))
    other.add(replace(fact(1), difference=Difference(Decimal(1), disputed=True)))
    assert one.digest == other.digest
