"""The printed page of a settlement, as its reader sees it."""

import re
from datetime import timedelta
from decimal import Decimal

from gateway.http.v1 import settlement_page
from gateway.services.ports.repricing import Direction
from gateway.services.ports.settlement import Missing, SettlementReport
from gateway.settling.facts import Fact
from gateway.settling.report import Settling, balances
from tests.http.fakes import NOW
from tests.settling.facts import CPO, GERMAN, PARTIES, SWISS, cost, fact


def page(*facts: Fact) -> str:
    """The page of some CDRs."""
    settling = Settling(PARTIES)
    for one in facts:
        settling.add(one)
    rows = settling.rows()
    period = (NOW - timedelta(days=30), NOW, None, None, NOW, None)
    what = (settling.digest, settling.count, balances(rows), rows, settling.remarks(), Missing(0, 0, 0, ()), ())
    return settlement_page.of_report(SettlementReport(CPO, Direction.OUT, *period, *what))


def balance(text: str) -> list[str]:
    """The cells of the one balance."""
    section = text.split("<h2>Who owes whom</h2>")[1].split("<h2>", maxsplit=1)[0]
    return re.findall(r"<td[^>]*>(.*?)</td>", section)


def test_every_amount_has_the_places_of_its_currency() -> None:
    assert balance(page(fact(1, GERMAN, "1234.5")))[4:7] == ["1,234.50", "0.00", "1,234.50"]
    assert balance(page(fact(1, GERMAN, "10", currency="JPY")))[4:7] == ["10", "0", "10"]
    assert balance(page(fact(1, GERMAN, "1.5", currency="KWD")))[4:7] == ["1.500", "0.000", "1.500"]


def test_what_a_cpo_owes_is_told_in_positive_amounts_and_what_goes_the_other_way_is_not() -> None:
    back = balance(page(fact(1, GERMAN, "10", sign=-1)))
    assert (back[:2], back[4:8]) == (["FR*CPO", "DE*EMS"], ["10.00", "0.00", "10.00", ""])
    untaxed = cost(Decimal(3))
    both = balance(page(fact(1, SWISS, "10", sign=-1), fact(2, SWISS, untaxed)))
    assert (both[:2], both[7]) == (["FR*CPO", "CH*EMS"], "7.00")
