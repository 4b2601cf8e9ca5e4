"""What we owe for charges of our drivers at partners' stations."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from gateway.services.ports.received import Verdict
from gateway.services.ports.repricing import Direction
from gateway.settling.lines import Remark
from gateway.settling.taxing import Treatment, Undecided
from gateway.store.pool import Store
from mappings.canonical.cdrs import Cdr
from mappings.canonical.tariffs import Money
from tests.harness import WHO
from tests.services.homecoming import CPO, EMSP, session, token
from tests.services.pricing import Desk, bill, desk, priced
from tests.services.settlement.settling import DAY, Office, opened

TEN = Decimal(10)


@pytest.fixture
async def at(store: Store) -> AsyncIterator[Desk]:
    async with desk(store) as made:
        await made.home.station()
        await made.home.put(token())
        await made.home.permit()
        yield made


@pytest.fixture
async def office(store: Store, at: Desk) -> AsyncIterator[Office]:
    async for made in opened(store, EMSP, Direction.IN):
        await made.bills(CPO, "NLD", "NL004495445B01")
        await made.bills(EMSP, "FRA", "FR83404833048")
        yield made


def referred(id_: str = "c-1", **changes: object) -> Cdr:
    """A CDR that names its permit."""
    return bill(id_, **({"reference": "p-1"} | changes))


async def test_a_partner_s_cdr_is_owed_under_reverse_charge(at: Desk, office: Office) -> None:
    await at.home.bill(referred())
    report = await office.report()
    [row] = report.rows
    assert (row.cpo, row.emsp, row.connection, row.treatment) == (CPO, EMSP, "hub", Treatment.REVERSE_CHARGE)
    assert (row.sessions, row.energy, row.vat, row.gross) == (1, TEN, Decimal(0), Decimal("4.00"))
    assert [one.vat_id for one in report.parties] == ["FR83404833048", "NL004495445B01"]
    assert report.balances[0].owed_by == EMSP


async def test_the_station_s_country_is_the_catalogue_s_where_a_cdr_tells_none(at: Desk, office: Office) -> None:
    await at.home.bill(referred())
    assert (await office.report()).rows[0].country == "NLD"


async def test_a_price_of_the_hub_is_its_own_and_a_meaningless_one_is_missing(at: Desk, office: Office) -> None:
    await at.home.permit("p-2", evse_key=None)
    await at.home.bill(referred(priced_by_hub=True))
    [row] = (await office.report()).rows
    assert (row.hub_priced, row.net) == (1, Decimal("4.00"))
    await at.home.bill(referred("c-2", reference="p-2", total_cost=None, start=later_start(2), end=later_start(3)))
    [one] = [one for one in await at.home.cdrs() if one.cdr.id == "c-2"]
    if one.review:
        await at.home.desk.decide(None, one.id, Verdict.ACCEPTED, "it is ours", WHO)
    report = await office.report()
    [unpriced] = [row for row in report.rows if row.treatment is Treatment.UNPRICED]
    assert (unpriced.sessions, unpriced.energy, unpriced.net) == (1, TEN, None)
    assert [line.cdr for line in await office.lines(Remark.UNPRICED)] == ["c-2"]


def later_start(hours: int) -> object:
    """Some hours after the first charge."""
    return bill().start + hours * DAY / 24


async def test_what_waits_for_a_person_is_missing_until_it_is_accepted_and_goes_when_it_is_rejected(
    at: Desk, office: Office
) -> None:
    await at.home.bill(referred(energy=9))
    await at.home.bill(referred(energy=10))  # another content under the same id
    first, second = await at.home.cdrs()
    before = await office.report()
    assert (before.rows[0].energy, before.missing.cdrs_in_review) == (Decimal(9), 1)
    await at.home.desk.decide(None, second.id, Verdict.ACCEPTED, "the partner corrected it", WHO)
    after = await office.report()
    [row] = after.rows
    assert (row.sessions, row.energy, row.taken_back, row.gross) == (1, TEN, 1, Decimal("4.00"))
    assert after.missing.cdrs_in_review == 0
    assert (await office.report(as_of=before.as_of)).rows == before.rows
    assert first.version == 1


async def test_a_credit_cancels_what_it_takes_back(at: Desk, office: Office) -> None:
    await at.home.bill(referred())
    before = await office.report()
    minus = Money(net=Decimal(-4))
    await at.home.bill(referred("c-1-C", credit=True, credited_cdr="c-1", total_cost=minus))
    report = await office.report()
    [row] = report.rows
    assert not any((row.sessions, row.energy, row.minutes, row.net, row.gross))
    assert row.cdrs == 2
    assert await office.report(as_of=before.as_of) == before


async def test_what_differs_and_what_is_disputed_is_listed(at: Desk, office: Office) -> None:
    await at.publish(priced("0.3"))
    shown = await at.one(referred(periods=bill("c", "T1").periods))
    report = await office.report()
    [row] = report.rows
    assert (row.differs, row.difference_net, row.disputed) == (1, Decimal(1), 0)
    assert report.remarks[0].first[0].difference_net == Decimal(1)
    await at.desk.dispute(None, shown.repricing.id, "too much", Money(net=Decimal(3)), WHO)
    after = await office.report()
    assert (after.rows[0].disputed, after.rows[0].disputed_net) == (1, Decimal("4.00"))
    assert after.remarks[0].first[0].agreed_net == Decimal(3)
    assert after.digest == report.digest
    await at.desk.accept(None, shown.repricing.id, "it is right", WHO)
    assert (await office.report()).rows[0].differs == 0


async def test_a_session_without_cdr_is_missing(at: Desk, office: Office) -> None:
    await at.home.tell(session(status="COMPLETED", reference="p-1"))
    missing = (await office.report()).missing
    assert (missing.sessions_without_cdr, missing.first[0].session, missing.first[0].cpo) == (1, "s-1", CPO)
    assert (await office.report(partner=EMSP)).missing.sessions_without_cdr == 0


async def test_cdrs_of_nobody_s_drivers_are_in_no_settlement_and_are_counted(
    at: Desk, office: Office, store: Store
) -> None:
    await at.home.bill(referred())
    before = await office.report()
    assert before.missing.cdrs_without_emsp == 0
    await store.execute("UPDATE received_cdr SET party = NULL")
    report = await office.report()
    assert (report.rows, report.missing.cdrs_without_emsp) == ([], 1)
    for other in ({"partner": EMSP}, {"start": later_start(2)}):
        assert (await office.report(**other)).missing.cdrs_without_emsp == 0
    await store.execute("UPDATE received_cdr SET decision = 'rejected'")
    assert (await office.report()).missing.cdrs_without_emsp == 0


async def test_without_a_vat_id_the_tax_is_not_decided(at: Desk, office: Office) -> None:
    await office.bills(CPO, "NLD")
    await at.home.bill(referred())
    [row] = (await office.report()).rows
    assert (row.treatment, row.why, row.net, row.gross) == (
        Treatment.UNDECIDED,
        Undecided.NO_VAT_ID,
        Decimal("4.00"),
        None,
    )
