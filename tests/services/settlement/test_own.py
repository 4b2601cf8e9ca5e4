"""What EMSPs owe for charges at own stations."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.services.ports import Invalid, NotFound
from gateway.services.ports.repricing import Direction
from gateway.settling.lines import Remark
from gateway.settling.taxing import Treatment, Undecided
from gateway.store.pool import Store
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Money, Tax
from tests.harness import PARTY, WHO, later
from tests.services.roaming import Roaming, agreed, cdr, ended, leg, session
from tests.services.settlement.settling import DAY, Office, opened

EMSP = PartyId("FR*XYZ")


@pytest.fixture
async def office(store: Store, hubs: Roaming) -> AsyncIterator[Office]:
    async for made in opened(store, PARTY, Direction.OUT):
        await made.bills(PARTY, "NLD", "NL004495445B01")
        await made.bills(EMSP, "NLD", "NL001234567B01")
        yield made


def credits_are_taken(hubs: Roaming) -> None:
    hubs.hubs["hub"].charging = replace(hubs.hubs["hub"].charging, takes_credit=True)


async def pinned(store: Store, terms: dict[str, object]) -> None:
    """Has every charge begun under version 2 of an offer with these terms."""
    await store.execute(
        "INSERT INTO offer (id, connection_id, cpo, title, body, state, starts_at)"
        " SELECT 'to-xyz', id, $1, 'to-xyz', '{}', 'PUBLISHED', now() FROM connection",
        PARTY.normal,
    )
    await store.execute(
        "INSERT INTO offer_version (offer_id, number, starts_at, terms, created_by)"
        " VALUES ('to-xyz', 2, now(), $1, 'x')",
        terms,
    )
    await store.execute("UPDATE authorisation SET agreement = $1", {"offer": "to-xyz", "version": 2})


async def test_a_charge_is_owed_with_its_tax(hubs: Roaming, office: Office) -> None:
    await hubs.charged()
    await hubs.accept()
    report = await office.report()
    [row] = report.rows
    assert (row.cpo, row.emsp, row.connection, row.country, row.currency) == (PARTY, EMSP, "hub", "NLD", "EUR")
    assert (row.treatment, row.sessions, row.energy, row.minutes) == (Treatment.CHARGED, 1, Decimal(12), Decimal(50))
    assert (row.net, row.vat, row.gross) == (Decimal("6.00"), Decimal("1.20"), Decimal("7.20"))
    [balance] = report.balances
    assert (balance.owed_by, balance.cpo, balance.gross) == (EMSP, PARTY, Decimal("7.20"))
    assert [one.party for one in report.parties] == [EMSP, PARTY]
    [line] = await office.lines()
    assert (line.cdr, line.gross, line.offer) == ("c-1", Decimal("7.20"), None)
    assert line.remarks == [Remark.NO_AGREEMENT]


async def test_the_agreement_that_let_the_driver_charge_says_how_it_is_rounded_and_taxed(
    hubs: Roaming, office: Office, store: Store
) -> None:
    await hubs.charged()
    await pinned(store, {"services": ["cdr"], "tax": "NONE", "rounding": {"at": "TOTAL", "mode": "UP"}})
    await hubs.accept(cdr(total_cost=Money(net=Decimal("6.001"))))
    [row] = (await office.report()).rows
    assert (row.treatment, row.net, row.gross, row.no_agreement) == (
        Treatment.NONE,
        Decimal("6.01"),
        Decimal("6.01"),
        0,
    )
    [line] = await office.lines()
    assert (line.offer, line.version, line.rounded_at, line.net) == ("to-xyz", 2, "TOTAL", Decimal("6.001"))


async def test_a_credit_takes_the_charge_out_and_its_replacement_comes_in(hubs: Roaming, office: Office) -> None:
    credits_are_taken(hubs)
    await hubs.charged()
    await hubs.accept()
    before = await office.report()
    await hubs.cdrs.correct(PARTY, "c-1", agreed(energy=10, total_cost={"net": 5, "taxes": [VAT]}), WHO)
    after = await office.report()
    [row] = after.rows
    assert (row.sessions, row.energy, row.net, row.gross) == (1, Decimal(10), Decimal("5.00"), Decimal("6.00"))
    assert [(line.cdr, line.sessions, line.net) for line in await office.lines()] == [
        ("c-1", 1, Decimal("6.00")),
        ("c-1", -1, Decimal("-6.00")),
        ("c-1-R1", 1, Decimal("5.00")),
    ]
    assert await office.report(as_of=before.as_of) == before


VAT = {"name": "VAT", "amount": 1}


async def test_a_later_correction_counts_in_the_next_report_and_leaves_the_first_as_it_was(
    hubs: Roaming, office: Office
) -> None:
    credits_are_taken(hubs)
    await hubs.charged()
    await hubs.accept()
    january = await office.report()
    await hubs.cdrs.correct(PARTY, "c-1", agreed(energy=10, total_cost={"net": 5, "taxes": [VAT]}), WHO)
    assert await office.report(as_of=january.as_of) == january
    next_ = {"start": office.wanted.end, "end": office.wanted.end + DAY}
    assert (await office.report(**next_)).rows == []
    february = await office.report(**next_, late_since=january.as_of)
    [row] = february.rows
    assert (row.sessions, row.late, row.taken_back, row.energy) == (0, 2, 1, Decimal(-2))
    assert (row.net, row.vat, row.gross) == (Decimal("-1.00"), Decimal("-0.20"), Decimal("-1.20"))
    assert february.balances[0].owed_by == PARTY
    assert {line.cdr for line in await office.lines(Remark.LATE, **next_, late_since=january.as_of)} == {
        "c-1",
        "c-1-R1",
    }
    together = await office.report(end=next_["end"])
    assert (january.rows[0].gross, together.rows[0].gross) == (Decimal("7.20"), Decimal("6.00"))


async def test_what_a_hub_refused_goes_out_when_another_stands_for_it(hubs: Roaming, office: Office) -> None:
    await hubs.charged()
    await hubs.accept()
    await hubs.settle("refused")
    await hubs.cdrs.correct(PARTY, "c-1", agreed(energy=10), WHO)
    [row] = (await office.report()).rows
    assert (row.sessions, row.energy, row.taken_back, row.gross) == (1, Decimal(10), 1, Decimal("7.20"))


async def test_what_a_hub_refused_counts_and_is_named(hubs: Roaming, office: Office) -> None:
    await hubs.charged()
    await hubs.accept()
    assert (await office.report()).rows[0].refused_by_hub == 0
    await hubs.settle("refused")
    report = await office.report()
    assert (report.rows[0].sessions, report.rows[0].refused_by_hub) == (1, 1)
    assert [line.cdr for line in await office.lines(Remark.REFUSED_BY_HUB)] == ["c-1"]
    await hubs.cdrs.correct(PARTY, "c-1", agreed(energy=10), WHO)
    assert await office.lines(Remark.REFUSED_BY_HUB) == []


async def test_parts_that_were_told_are_not_of_a_cost_that_was_agreed_on(
    hubs: Roaming, office: Office, store: Store
) -> None:
    await hubs.charged()
    await pinned(store, {"services": ["cdr"], "tax": "NONE", "rounding": {"at": "LINE", "mode": "HALF_UP"}})
    parts = {"energy_cost": Money(net=Decimal("4.125")), "time_cost": Money(net=Decimal("1.875"))}
    await hubs.accept(cdr(total_cost=Money(net=Decimal(6)), **parts))
    assert (await office.report()).rows[0].net == Decimal("6.01")  # 4.13 and 1.88
    await hubs.settle("delivered")
    await hubs.cdrs.correct(PARTY, "c-1", agreed(total_cost={"net": 3}), WHO)
    assert (await office.report()).rows[0].net == Decimal("3.00")


async def test_what_ended_as_the_period_begins_is_in_it(hubs: Roaming, office: Office) -> None:
    await hubs.charged()
    await hubs.accept()
    [line] = await office.lines()
    assert len(await office.lines(start=line.end)) == 1
    assert await office.lines(end=line.end) == []


async def test_what_was_agreed_on_is_owed_where_a_hub_takes_no_credit(hubs: Roaming, office: Office) -> None:
    await hubs.charged()
    await hubs.accept()
    await hubs.settle("delivered")
    first = await office.report()
    await hubs.cdrs.correct(PARTY, "c-1", agreed(total_cost={"net": 4, "taxes": [VAT]}), WHO)
    await hubs.cdrs.correct(PARTY, "c-1", agreed(total_cost={"net": 3}, energy=9), WHO)
    rows = (await office.report()).rows
    assert sum(row.sessions for row in rows) == 1
    [charged] = [row for row in rows if row.treatment is Treatment.CHARGED]
    assert (charged.net, charged.gross) == (Decimal("0.00"), Decimal("0.00"))
    [untaxed] = [row for row in rows if row.treatment is Treatment.UNDECIDED]
    assert (untaxed.why, untaxed.net, untaxed.energy, untaxed.agreed) == (
        Undecided.NO_VAT_TOLD,
        Decimal("3.00"),
        Decimal(9),
        1,
    )
    assert await office.report(as_of=first.as_of) == first


async def test_a_cdr_in_review_is_missing_until_it_is_assigned(hubs: Roaming, office: Office) -> None:
    await hubs.charged()
    await hubs.accept(cdr(session_id=None))
    report = await office.report()
    assert (report.rows, report.missing.cdrs_in_review, report.missing.sessions_without_cdr) == ([], 1, 1)
    assert {(one.session, one.cdr) for one in report.missing.first} == {("s-1", None), (None, "c-1")}
    await hubs.cdrs.assign(PARTY, "c-1", "s-1", WHO)
    after = await office.report()
    assert ([row.gross for row in after.rows], after.missing.first) == ([Decimal("7.20")], [])
    assert (await office.report(as_of=report.as_of)).rows == []


async def test_a_session_without_cdr_is_missing(hubs: Roaming, office: Office) -> None:
    await hubs.charged()
    missing = (await office.report()).missing
    assert (missing.sessions_without_cdr, missing.first[0].session, missing.first[0].emsp) == (1, "s-1", EMSP)
    assert (await office.report(partner=PartyId("DE*ABC"))).missing.sessions_without_cdr == 0
    assert (await office.report(end=later(0))).missing.sessions_without_cdr == 0


async def test_a_charge_of_nobody_s_driver_is_not_settled(hubs: Roaming, office: Office) -> None:
    await hubs.admit(connection=None)
    await hubs.put()
    await hubs.put(ended())
    await hubs.accept()
    report = await office.report()
    assert (report.rows, report.missing.sessions_without_cdr) == ([], 0)


async def test_a_connection_that_is_removed_keeps_its_name_in_settlements(
    hubs: Roaming, office: Office, store: Store
) -> None:
    await hubs.charged()
    await hubs.accept()
    before = await office.report()
    await store.execute("DELETE FROM connection")
    assert await office.report(as_of=before.as_of) == before
    assert len((await office.report(connection="hub")).rows) == 1


async def test_a_report_is_that_of_its_partners_and_connections_together(hubs: Roaming, office: Office) -> None:
    await hubs.connect("other")
    for number, (connection, emsp) in enumerate([("hub", "FR*XYZ"), ("other", "FR*XYZ"), ("hub", "DE*ABC")]):
        at = 10 * number
        name = leg(f"r-{number}", hub_session=f"h-{number}", emsp=PartyId(emsp))
        await hubs.admit(f"a-{number}", connection, leg=name, at=later(300 + at))
        await hubs.put(session(f"s-{number}", reference=f"a-{number}", start=later(600 + at)))
        await hubs.put(ended(f"s-{number}", reference=f"a-{number}", start=later(600 + at)))
        await hubs.accept(cdr(f"c-{number}", f"s-{number}", start=later(600 + at), periods=()))
    whole = await office.report()
    assert len(whole.rows) == 3
    by_partner = [await office.report(partner=PartyId(name)) for name in ("FR*XYZ", "DE*ABC", "NL*ZZZ")]
    by_connection = [await office.report(connection=name) for name in ("hub", "other")]
    for parts in (by_partner, by_connection):
        rows = [row for part in parts for row in part.rows]
        assert sorted(map(repr, rows)) == sorted(map(repr, whole.rows))
    assert by_partner[2].rows == []


async def test_how_somebody_is_billed_later_changes_no_report_of_before(hubs: Roaming, office: Office) -> None:
    await hubs.charged()
    await hubs.accept()
    before = await office.report()
    await office.bills(EMSP, "DEU", "DE136695976")
    assert (await office.report()).rows[0].treatment is Treatment.REVERSE_CHARGE
    assert await office.report(as_of=before.as_of) == before


async def test_currencies_are_never_summed_up(hubs: Roaming, office: Office) -> None:
    for number, currency in enumerate(["EUR", "CHF"]):
        await hubs.admit(f"a-{number}", at=later(300 + number), leg=leg(f"r-{number}"))
        await hubs.put(session(f"s-{number}", reference=f"a-{number}", currency=currency))
        await hubs.put(ended(f"s-{number}", reference=f"a-{number}", currency=currency))
        tax = Tax(name="VAT", amount=Decimal(1))
        await hubs.accept(
            cdr(f"c-{number}", f"s-{number}", currency=currency, total_cost=Money(net=Decimal(5), taxes=(tax,)))
        )
    report = await office.report()
    assert [(one.currency, one.gross) for one in report.balances] == [
        ("CHF", Decimal("6.00")),
        ("EUR", Decimal("6.00")),
    ]


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"end": later(-3600)}, Invalid, "to: is not after the beginning of the period"),
        ({"as_of": later(0) + timedelta(days=3650)}, Invalid, "as_of: lies ahead"),
        ({"late_since": later(0) + timedelta(days=3650)}, Invalid, "late_since: is after the moment of the report"),
        ({"party": PartyId("DE*NON")}, NotFound, "There is no party DE\\*NON"),
        ({"connection": "nowhere"}, NotFound, "There is no connection nowhere"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    office: Office, changes: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        await office.report(**changes)
    with pytest.raises(error, match=said):
        await office.lines(**changes)


async def test_a_report_tells_nothing_of_a_time_of_which_something_is_still_to_come(
    hubs: Roaming, office: Office, store: Store
) -> None:
    await hubs.charged()
    await hubs.accept()
    async with store.transaction() as slow:
        began = await slow.fetchval("SELECT now()")
        report = await office.report()
        assert report.as_of < began
        await slow.execute(
            "INSERT INTO settlement_entry (subject, sign, ended_at, cpo, connection)"
            " SELECT subject, sign, ended_at, cpo, connection FROM settlement_entry"
        )
        assert await office.report(as_of=await office.now()) == report
    assert await office.report(as_of=report.as_of) == report
    assert (await office.report()).cdrs == 2


async def test_more_cdrs_than_a_page_holds_are_all_settled_once(hubs: Roaming, office: Office, store: Store) -> None:
    await hubs.charged()
    await hubs.accept()
    await store.execute(
        "INSERT INTO settlement_entry (subject, sign, ended_at, cpo, connection)"
        " SELECT subject, sign, ended_at + i % 7 * interval '1 second', cpo, connection"
        " FROM settlement_entry, generate_series(1, 2499) AS i"
    )
    report = await office.report()
    assert (report.cdrs, sum(row.sessions for row in report.rows)) == (2500, 2500)
    lines = await office.lines()
    assert len({line.no for line in lines}) == len(lines) == 2500
    assert lines == sorted(lines, key=lambda line: (line.end, line.no))
