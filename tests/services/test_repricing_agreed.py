"""A CDR is priced by what was agreed on when its charge began, whatever it names and whatever holds since.

All charges here are of 10 kWh within an hour, for which CDRs want 4.00. `T1`, which connectors and CDRs name, costs
0.40 per kWh: 4.00. `A1`, which the agreement names, costs 0.30 per kWh: 3.00.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from adapters.core.connection import Connection
from gateway.pricing.notes import NoteKind
from gateway.services.ports.repricing import Outcome, RepricingFilter, RepricingState, TariffSource
from gateway.services.repricing.desk import RepricingDesk
from gateway.services.repricing.reading import Terms
from gateway.services.repricing.worker import Repricer
from gateway.store.pool import Store
from mappings.canonical.agreements import AgreementRef, GroupPrice, Offer, OfferTerms, PriceSource, Service
from mappings.canonical.ids import PartyId
from tests.harness import PARTY, tariff
from tests.services.homecoming import CPO, END, EVSE_KEY, START
from tests.services.pricing import LONG_BEFORE, TOLERANCE, Desk, bill, desk, priced
from tests.services.roaming import Roaming, cdr, roaming
from tests.services.test_repricing import kinds

REF = AgreementRef(offer="o-1", version=2, subscription="s-1")
EVERYTHING = frozenset(Service)


def agreed(*ids: str, group: str | None = None, more: Sequence[GroupPrice] = ()) -> OfferTerms:
    """Terms that name tariffs for an EVSE group, or for all EVSEs."""
    lines = (GroupPrice(evse_group=group, tariff_ids=ids), *more)
    return OfferTerms(services=EVERYTHING, price_source=PriceSource.AGREED, prices=lines)


async def offer(store: Store, over: Connection, cpo: PartyId, *versions: OfferTerms) -> None:
    """Makes `o-1`, whose first version says nothing of prices and whose second one says what is given."""
    body = Offer(id="o-1", connection=over.name, cpo=cpo, title="o-1", starts=LONG_BEFORE)
    await store.execute(
        "INSERT INTO offer (id, connection_id, cpo, title, body, state, starts_at)"
        " VALUES ('o-1', $1, $2, 'o-1', $3, 'PUBLISHED', $4)",
        *(over.id, cpo.normal, body.model_dump_json(), LONG_BEFORE),
    )
    for number, terms in enumerate((OfferTerms(services=EVERYTHING), *versions), 1):
        await store.execute(
            "INSERT INTO offer_version (offer_id, number, starts_at, terms, created_by)"
            " VALUES ('o-1', $1, $2, $3, 'me')",
            *(number, LONG_BEFORE + timedelta(number), terms.model_dump_json(exclude_defaults=True)),
        )


async def group(store: Store, id_: str, *keys: str, cpo: PartyId = CPO) -> None:
    """Makes an EVSE group."""
    await store.execute("INSERT INTO evse_group (id, party, name) VALUES ($1, $2, $1)", id_, cpo.normal)
    for key in keys:
        await store.execute("INSERT INTO evse_group_member (group_id, evse_key, evse_id) VALUES ($1, $2, $2)", id_, key)


@pytest.fixture
async def at(store: Store) -> AsyncIterator[Desk]:
    """A home with a desk for prices; T1 and A1 are published, and the card was let charge under version 2 of `o-1`."""
    async with desk(store) as made:
        await made.publish(priced("0.4", "T1"))
        await made.publish(priced("0.3", "A1"))
        await permitted(made, REF)
        yield made


async def permitted(at: Desk, ref: AgreementRef | None) -> None:
    """Has the card let charge under an agreement."""
    await at.home.permit()
    stored = ref.model_dump_json(exclude_none=True) if ref is not None else None
    await at.store.execute("UPDATE permit SET agreement = $1", stored)


async def test_what_was_agreed_on_goes_before_what_the_connector_names(at: Desk) -> None:
    await offer(at.store, at.home.connection(), CPO, agreed("A1"))
    await at.store.execute("UPDATE catalogue_evse SET prices = ARRAY['T1']")
    shown = await at.one(bill())
    one = shown.repricing
    # 10 kWh at 0.30 are 3.00, and the CDR wants 4.00.
    assert (one.tariff, one.told_net, one.net, one.difference_net) == ("A1", 4, 3, 1)
    assert (one.outcome, one.state, one.source) == (Outcome.DIFFERS, RepricingState.OPEN, TariffSource.PUBLISHED)
    assert (one.agreement, kinds(shown)) == (REF, set())


async def test_a_cdr_that_names_another_tariff_than_was_agreed_on_is_said_to(at: Desk) -> None:
    await offer(at.store, at.home.connection(), CPO, agreed("A1"))
    shown = await at.one(bill("c-1", "T1"))
    assert (shown.repricing.net, shown.repricing.state) == (3, RepricingState.OPEN)
    [note] = shown.result.notes
    assert (note.kind, note.field) == (NoteKind.NOT_AGREED, "periods")
    assert note.detail == "the CDR names T1; A1 was agreed on, and counts"
    copied = await at.one(bill("c-2", tariffs=[priced("0.4", "T1")], total_cost={"net": 3}))
    # What it names is wrong, what it costs is right: nobody has to decide.
    assert (copied.repricing.outcome, copied.repricing.state) == (Outcome.MATCHES, RepricingState.CLEAR)
    assert kinds(copied) == {NoteKind.NOT_AGREED}


async def test_a_cdr_that_names_what_was_agreed_on_among_others_is_not(at: Desk) -> None:
    await offer(at.store, at.home.connection(), CPO, agreed("A1"))
    copies = [priced("0.4", "T1"), priced("0.3", "a1")]
    shown = await at.one(bill("c-1", tariffs=copies, total_cost={"net": 3}))
    assert (shown.repricing.outcome, shown.repricing.tariff, kinds(shown)) == (Outcome.MATCHES, "A1", set())


async def test_the_line_of_the_evses_group_goes_before_the_one_for_all_others(at: Desk) -> None:
    await group(at.store, "fast", EVSE_KEY)
    await group(at.store, "slow", "NLCPOE2")
    rest = [GroupPrice(tariff_ids=("T1",)), GroupPrice(evse_group="fast", tariff_ids=("A1",))]
    await offer(at.store, at.home.connection(), CPO, agreed("S1", group="slow", more=rest))
    assert (await at.one(bill())).repricing.tariff == "A1"
    await at.store.execute("DELETE FROM evse_group_member WHERE group_id = 'fast'")
    assert (await at.desk.recompute(None, 1, "me")).repricing.tariff == "T1"


async def test_where_no_line_is_for_the_evse_its_own_tariffs_count_and_that_is_said(at: Desk) -> None:
    await group(at.store, "slow", "NLCPOE2")
    await offer(at.store, at.home.connection(), CPO, agreed("A1", group="slow"))
    shown = await at.one(bill("c-1", "T1"))
    assert (shown.repricing.tariff, shown.repricing.outcome) == ("T1", Outcome.MATCHES)
    assert kinds(shown) == {NoteKind.ASSUMED}


async def test_of_several_the_first_in_force_when_the_charge_began_counts(at: Desk) -> None:
    await offer(at.store, at.home.connection(), CPO, agreed("A0", "A1", "T1"))
    await at.publish(priced("0.1", "A0", end=START))
    shown = await at.one(bill("c-1", "T1", total_cost={"net": 3}))
    # A0 ended as the charge began; A1 comes before T1, though the CDR names T1.
    assert (shown.repricing.tariff, shown.repricing.outcome) == ("A1", Outcome.MATCHES)
    assert NoteKind.NOT_AGREED in kinds(shown)


async def test_the_agreed_tariff_counts_as_it_was_at_the_start(at: Desk) -> None:
    await offer(at.store, at.home.connection(), CPO, agreed("A2"))
    first = await at.publish(priced("0.35", "A2"), until=START + timedelta(minutes=1))
    await at.publish(priced("0.5", "A2"), START + timedelta(minutes=1), first=False)
    shown = await at.one(bill())
    assert (shown.repricing.version, shown.repricing.net) == (first, 3.5)


async def test_a_later_version_of_the_offer_changes_no_charge_that_began_before(at: Desk) -> None:
    await offer(at.store, at.home.connection(), CPO, agreed("A1"), agreed("T1"))
    await at.store.execute("UPDATE offer_version SET due_at = NULL")
    assert (await at.one(bill())).repricing.tariff == "A1"
    await at.store.execute("UPDATE offer SET state = 'ENDED', ends_at = $1", END)
    assert (await at.desk.recompute(None, 1, "me")).repricing.tariff == "A1"


@pytest.mark.parametrize("source", [PriceSource.HUB, PriceSource.EVSE_TARIFFS])
async def test_an_agreement_without_tariffs_leaves_it_to_the_cdr_and_the_connector(
    at: Desk, source: PriceSource
) -> None:
    await offer(at.store, at.home.connection(), CPO, OfferTerms(services=EVERYTHING, price_source=source))
    shown = await at.one(bill("c-1", "T1"))
    assert (shown.repricing.tariff, shown.repricing.outcome, kinds(shown)) == ("T1", Outcome.MATCHES, set())
    assert shown.repricing.agreement == REF


async def test_a_charge_without_agreement_is_priced_by_what_it_names(store: Store) -> None:
    async with desk(store) as at:
        await at.publish(priced("0.4", "T1"))
        await permitted(at, None)
        one = (await at.one(bill("c-1", "T1"))).repricing
        assert (one.tariff, one.outcome, one.agreement) == ("T1", Outcome.MATCHES, None)


async def test_an_agreed_tariff_that_nobody_knows_prices_nothing(at: Desk) -> None:
    await offer(at.store, at.home.connection(), CPO, agreed("A9"))
    one = (await at.one(bill("c-1", "T1"))).repricing
    assert (one.outcome, one.why, one.state) == (Outcome.UNPRICEABLE, "no_tariff", RepricingState.OPEN)
    assert (one.tariff, one.agreement) == (None, REF)
    copied = (await at.one(bill("c-2", tariffs=[priced("0.4", "A9")]))).repricing
    assert (copied.tariff, copied.source) == ("A9", TariffSource.CDR)


async def test_the_agreement_of_the_sessions_permit_counts_for_its_cdr(at: Desk) -> None:
    await offer(at.store, at.home.connection(), CPO, agreed("A1"))
    await at.home.bill(bill())
    await at.store.execute(
        "INSERT INTO received_session (connection_id, cpo, session_id, session_key, driver_keys, permit_no, status,"
        " started_at, last_updated) SELECT $1, $2, 's', 'S', '{}', no, 'COMPLETED', $3, $3 FROM permit",
        *(at.home.connection().id, CPO.normal, START),
    )
    await at.store.execute("UPDATE received_cdr SET permit_no = NULL, received_session_no = 1")
    assert [(one.tariff, one.agreement) for one in await at.all()] == [("A1", REF)]


async def test_a_permit_that_is_found_later_brings_its_prices_along(at: Desk) -> None:
    await offer(at.store, at.home.connection(), CPO, agreed("A1"))
    await at.home.bill(bill("c-1", "T1"))
    await at.store.execute("UPDATE received_cdr SET permit_no = NULL, agreement = NULL")
    assert [one.tariff for one in await at.all()] == ["T1"]
    await at.store.execute("UPDATE received_cdr SET permit_no = 1")
    assert [one.tariff for one in await at.all()] == ["A1"]


async def test_an_operators_prices_for_its_sub_operators_evses_give_way_to_those_agreed_with_it(at: Desk) -> None:
    await offer(at.store, at.home.connection(), CPO, agreed("A1"))
    await at.store.execute("UPDATE catalogue_evse SET prices = ARRAY['T1'], priced_by = 'NL*HUB'")
    assert (await at.one(bill())).repricing.tariff == "A1"


async def test_many_are_priced_by_their_agreements_with_one_more_statement(store: Store) -> None:
    async with desk(store, processes=2) as at:
        await at.publish(priced("0.4", "T1"))
        await at.publish(priced("0.3", "A1"))
        await group(at.store, "fast", EVSE_KEY)
        await offer(at.store, at.home.connection(), CPO, agreed("A1", group="fast"))
        for number in range(230):
            await at.home.bill(bill(f"c-{number}", "T1", total_cost={"net": 3 if number % 2 else 4}))
        await permitted(at, REF)
        await at.store.execute("UPDATE received_cdr SET permit_no = 1 WHERE no % 2 = 0")
        found = await at.all()
        assert len(found) == 230
        assert {(one.tariff, one.outcome) for one in found} == {("T1", Outcome.MATCHES), ("A1", Outcome.MATCHES)}


@pytest.fixture
async def hubs(store: Store) -> AsyncIterator[Roaming]:
    """A connection to a hub, and `L1` and `L2` behind it."""
    async with roaming(store) as made:
        yield made


async def test_an_own_cdr_is_priced_by_the_agreement_of_its_authorisation(hubs: Roaming) -> None:
    """12 kWh at 0.30 (`A1`, for the group of the EVSE) are 3.60; the CDR wants 7.00 by `T1`."""
    for id_, price in (("T1", "0.5"), ("A1", "0.3")):
        await hubs.store.execute(
            "INSERT INTO tariff_version (party, tariff_id, target, body, known_from, first)"
            " VALUES ($1, $2, '', $3, '2020-01-01', true)",
            *(PARTY.normal, id_, tariff(id_, price, PARTY).model_dump_json(exclude_defaults=True)),
        )
    await offer(hubs.store, hubs.connection("hub"), PARTY, agreed("A1", group="here"))
    await group(hubs.store, "here", "NLABCE1", cpo=PARTY)
    await hubs.charged()
    await hubs.store.execute("UPDATE authorisation SET agreement = $1", REF.model_dump_json())
    period: dict[str, Any] = {"start": cdr().start, "dimensions": [{"type": "ENERGY", "volume": 12}]}
    await hubs.accept(cdr(periods=[period | {"tariff_id": "T1"}], total_cost={"net": 7}))
    repricer = Repricer(hubs.store, Terms(TOLERANCE), hubs.wake, lambda *_: None, 0)
    assert await repricer.work() == 1
    at = RepricingDesk(hubs.store, repricer, hubs.wake, lambda: END)
    [one] = (await at.list(RepricingFilter(), None, 10)).items
    assert (one.tariff, str(one.net), str(one.difference_net)) == ("A1", "3.6000", "3.4000")
    assert (one.outcome, one.agreement) == (Outcome.DIFFERS, REF)
