"""Agreements of a file become offers and subscriptions: once, changed where the file changed, bad rows refused."""

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.agreements.policy import Reason, Request, decide
from gateway.agreements.repository import Agreements
from gateway.services.agreement_files.importing import AgreementImporting
from gateway.services.ports import Invalid, NotFound
from gateway.services.ports.offers import AgreementImport
from mappings.canonical.agreements import Service
from mappings.canonical.ids import PartyId
from tests.harness import PARTY, WHO, tariff
from tests.offers.hubs import EMSP, NAME, Told, told

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HEADER = "cpo;network_group;members;emsp;services;starts;ends;state;title;prices;rank;terms_from\n"


def row(**cells: str) -> str:
    names = HEADER.strip().split(";")
    given = {"cpo": "" if "network_group" in cells else "NL*ABC", "emsp": "FR*XYZ", "starts": "2026-01-01"} | cells
    return ";".join(given.get(name, "") for name in names) + "\n"


@dataclass
class Desk:
    told: Told
    imports: AgreementImporting
    now: datetime = NOW
    turned: list[Any] = field(default_factory=list)

    async def take(self, *rows: str, **options: Any) -> AgreementImport:
        return await self.imports.take(NAME, (HEADER + "".join(rows)).encode(), WHO, **options)

    async def may(self, emsp: PartyId = EMSP, cpo: PartyId = PARTY, service: Service = Service.AUTHORISE) -> Reason:
        agreements = Agreements(self.told.store, self.told.links, lambda: self.now)
        await self.told.links.refresh()
        return decide(await agreements.book(), self.told.number, Request(service, cpo, emsp), self.now).reason

    async def count(self, table: str) -> int:
        return await self.told.store.fetchval(f"SELECT count(*) FROM {table}")

    async def one(self) -> Any:
        [found] = await self.told.store.fetch("SELECT * FROM subscription")
        return found


def counts(report: AgreementImport) -> tuple[int, int, int]:
    return report.added, report.changed, report.unchanged


@asynccontextmanager
async def importing(url: str):
    # An EMSP's connection is one whose hub is told of no offers.
    async with told(url, role="EMSP") as hub:
        for party, role in (("NL*ABC", "CPO"), ("NL*XYZ", "CPO")):
            await hub.store.execute(
                "INSERT INTO party (id, body) VALUES ($1, $2)", party, f'{{"id": "{party}", "roles": ["{role}"]}}'
            )
        await hub.publishing.put_tariffs([(tariff("T1"), ())], WHO)
        turned: list[Any] = []

        async def heard(changes):
            turned.extend(changes)

        async def judge(_on):
            return made.now

        made = Desk(hub, None, turned=turned)  # type: ignore[arg-type]
        made.imports = AgreementImporting(hub.store, hub.links, heard, judge)
        yield made


@pytest.fixture
async def desk(database_url):
    async with importing(database_url) as made:
        yield made


async def test_a_row_is_an_offer_for_its_emsp_and_a_subscription_to_it(desk):
    assert counts(await desk.take(row(services="authorise remote", rank="7"))) == (1, 0, 0)
    stored = await desk.one()
    assert (stored["source"], stored["state"], stored["starts_at"]) == (
        "import",
        "ACTIVE",
        datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert stored["offer_id"] == "hub.NLABC.FRXYZ"
    assert await desk.may() is Reason.AGREED
    assert await desk.may(service=Service.RESERVATION) is Reason.OTHER_SERVICE
    assert await desk.may(PartyId("DE*DCB")) is Reason.NO_AGREEMENT
    assert desk.turned


async def test_the_same_file_again_changes_nothing(desk):
    rows = row(), row(emsp="DE*DCB", ends="2027-01-01"), row(emsp="DE*AAA", state="under review")
    assert counts(await desk.take(*rows)) == (3, 0, 0)
    events, audits = await desk.count("event"), await desk.count("audit")
    desk.now += timedelta(days=1)
    assert counts(await desk.take(*rows)) == (0, 0, 3)
    assert (await desk.count("event"), await desk.count("audit")) == (events, audits)


async def test_a_bad_row_is_refused_by_row_and_field_and_the_rest_is_taken(desk):
    report = await desk.take(
        row(), row(emsp="nobody"), row(cpo="FR*ABC", emsp="DE*DCB"), row(emsp="DE*AAA", prices="T9"), row(emsp="DE*BBB")
    )
    # A partner's network is none of a file's that a CPO's own colleagues made: FR*ABC has an EMSP's connection here.
    assert [(each.row, each.field) for each in report.refused] == [(2, "emsp"), (4, "prices")]
    assert report.added == 3


async def test_an_end_is_set_and_moved(desk):
    await desk.take(row())
    assert counts(await desk.take(row(ends="2026-12-31"))) == (0, 1, 0)
    assert (await desk.one())["ends_at"] == datetime(2027, 1, 1, tzinfo=UTC)
    assert counts(await desk.take(row(ends="2026-09-30", state="cancelled"))) == (0, 1, 0)
    stored = await desk.one()
    assert (stored["state"], stored["ends_at"]) == ("CANCELLED", datetime(2026, 10, 1, tzinfo=UTC))
    assert counts(await desk.take(row(ends="2026-09-30", state="cancelled"))) == (0, 0, 1)


async def test_an_end_that_is_past_ends_it_and_a_later_start_begins_another(desk):
    await desk.take(row())
    assert counts(await desk.take(row(ends="2026-05-01"))) == (0, 1, 0)
    assert (await desk.one())["state"] == "ENDED"
    assert await desk.may() is not Reason.AGREED
    assert counts(await desk.take(row(ends="2026-05-01"))) == (0, 0, 1)
    refused = (await desk.take(row())).refused
    assert [(each.row, each.field) for each in refused] == [(1, "state")]
    assert counts(await desk.take(row(starts="2026-06-01"))) == (0, 1, 0)
    rows = await desk.told.store.fetch("SELECT id, state FROM subscription ORDER BY no")
    assert [tuple(each) for each in rows] == [("hub.NLABC.FRXYZ", "ENDED"), ("hub.NLABC.FRXYZ.2", "ACTIVE")]
    assert await desk.may() is Reason.AGREED


async def test_a_state_does_not_go_back(desk):
    await desk.take(row())
    [refusal] = (await desk.take(row(state="under review"))).refused
    assert refusal.field == "state"


async def test_a_request_that_is_approved_later_holds_then(desk):
    await desk.take(row(state="requested"))
    assert await desk.may() is Reason.NOT_APPROVED
    assert counts(await desk.take(row())) == (0, 1, 0)
    assert await desk.may() is Reason.AGREED


async def test_other_terms_are_another_version_and_those_that_held_stay(desk):
    await desk.take(row())
    assert counts(await desk.take(row(prices="T1"))) == (0, 1, 0)
    assert counts(await desk.take(row(prices="T1"))) == (0, 0, 1)
    assert counts(await desk.take(row(prices="T1", services="authorise", terms_from="2026-07-01"))) == (0, 1, 0)
    versions = await desk.told.store.fetch("SELECT number, starts_at FROM offer_version ORDER BY number")
    assert [each["starts_at"] for each in versions] == [
        datetime(2026, 1, 1, tzinfo=UTC),
        NOW,
        datetime(2026, 7, 1, tzinfo=UTC),
    ]
    [refusal] = (await desk.take(row(prices="T1", services="remote", terms_from="2026-03-01"))).refused
    assert refusal.field == "terms_from"


async def test_a_start_cannot_be_moved_once_it_has_begun(desk):
    await desk.take(row())
    [refusal] = (await desk.take(row(starts="2026-02-01"))).refused
    assert refusal.field == "starts"
    await desk.take(row(emsp="DE*DCB", starts="2027-01-01"))
    assert counts(await desk.take(row(emsp="DE*DCB", starts="2027-02-01"))) == (0, 1, 0)
    [refusal] = (await desk.take(row(emsp="DE*DCB", starts="2026-12-01"))).refused
    assert refusal.field == "starts"


async def test_what_a_later_file_does_not_name_is_listed_and_stays(desk):
    await desk.take(row(), row(emsp="DE*DCB"))
    report = await desk.take(row())
    assert report.missing == ["NL*ABC/DE*DCB"]
    assert await desk.may(PartyId("DE*DCB")) is Reason.AGREED


async def test_a_group_with_its_members_has_the_agreement_at_once_and_for_later_members(desk):
    assert counts(await desk.take(row(network_group="NG", members="NL*ABC"))) == (1, 0, 0)
    assert await desk.may() is Reason.AGREED
    other = PartyId("NL*XYZ")
    assert await desk.may(cpo=other) is Reason.UNRESTRICTED
    member = row(network_group="NG", cpo="NL*XYZ", emsp="", starts="2026-05-01")
    assert counts(await desk.take(row(network_group="NG", members="NL*ABC|NL*XYZ"), member)) == (1, 0, 1)
    assert await desk.may(cpo=other) is Reason.AGREED
    leaves = row(network_group="NG", cpo="NL*XYZ", emsp="", starts="2026-05-01", ends="2026-06-30")
    assert counts(await desk.take(row(network_group="NG"), leaves)) == (0, 1, 1)
    desk.now = datetime(2026, 7, 1, tzinfo=UTC)
    assert await desk.may(cpo=other) is not Reason.AGREED


async def test_a_member_that_a_list_leaves_out_is_listed_and_stays(desk):
    await desk.take(row(network_group="NG", members="NL*ABC|NL*XYZ"))
    report = await desk.take(row(network_group="NG", members="NL*ABC"))
    assert report.missing == ["network-group/NG/NL*XYZ"]
    assert await desk.may(cpo=PartyId("NL*XYZ")) is Reason.AGREED


async def test_a_group_that_nobody_knows_is_refused(desk):
    [refusal] = (await desk.take(row(network_group="NG"))).refused
    assert refusal.field == "network_group"


async def test_a_try_says_what_would_come_of_it_and_writes_nothing(desk):
    tables = ("offer", "subscription", "network_group", "event", "audit")
    await desk.take(row(emsp="DE*DCB"))
    before, revision = [await desk.count(table) for table in tables], desk.told.links.revision
    report = await desk.take(row(), row(network_group="NG", members="NL*ABC"), row(emsp="x"), dry_run=True)
    assert counts(report) == (2, 0, 0)
    assert ([each.row for each in report.refused], report.missing) == ([3], ["NL*ABC/DE*DCB"])
    assert [await desk.count(table) for table in tables] == before
    await desk.told.links.refresh()
    assert desk.told.links.revision == revision


async def test_what_was_over_already_is_not_written(desk):
    assert counts(await desk.take(row(ends="2026-02-01"), row(emsp="DE*DCB", state="refused"))) == (0, 0, 2)
    assert await desk.count("offer") == 0


async def test_an_unknown_connection_and_one_that_is_told_of_offers_are_refused(database_url):
    async with told(database_url) as hub:

        async def heard(_changes):
            pass

        async def judge(_on):
            return NOW

        imports = AgreementImporting(hub.store, hub.links, heard, judge)
        with pytest.raises(NotFound):
            await imports.take("nobody", b"cpo;emsp\n", WHO)
        with pytest.raises(Invalid):
            await imports.take(NAME, b"cpo;emsp\n", WHO)


async def test_many_rows_are_taken_by_and_by(desk):
    letters = [f"{a}{b}{c}" for a in "ABCDEFG" for b in "ABCDEFG" for c in "ABCDE"]
    rows = [row(emsp=f"DE*{code}") for code in letters]
    assert counts(await desk.take(*rows)) == (len(letters), 0, 0)
    assert counts(await desk.take(*rows)) == (0, 0, len(letters))
