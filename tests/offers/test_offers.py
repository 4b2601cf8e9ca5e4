"""Offers as people make them: drafts, publishing, versions, cancelling, and what is refused."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from pydantic import ValidationError

from adapters.core.offers import HubIds
from gateway.events.writing import EventType
from gateway.services.ports.common import Conflict, Invalid, NotFound
from gateway.services.ports.offers import NewVersion, OfferFilter, VersionState
from mappings.canonical.agreements import (
    EvseGroup,
    GroupPrice,
    Joining,
    Member,
    NetworkGroup,
    Offer,
    OfferState,
    OfferTerms,
    PriceSource,
    Service,
)
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.tariffs import TariffType
from tests.harness import OTHER, PARTY, WHO, tariff
from tests.offers.desk import DAY, EMSP, SECOND, START, STRANGER, TERMS, Desk, offer

AUTHORISE = OfferTerms(services=frozenset({Service.AUTHORISE}))


def priced(*ids: str, group: str | None = None) -> OfferTerms:
    return OfferTerms(
        services=frozenset({Service.AUTHORISE}),
        price_source=PriceSource.AGREED,
        prices=(GroupPrice(evse_group=group, tariff_ids=ids),),
    )


async def store_tariff(made: Desk, id_: str = "T1", party: PartyId = PARTY, **changes: object) -> None:
    one = tariff(id_, party=party, **changes)
    await made.store.execute(
        "INSERT INTO tariff (party, tariff_id, body, digest, last_updated) VALUES ($1, $2, $3, '', now())",
        party.normal,
        id_,
        one.model_dump_json(exclude_none=True),
    )


async def problems(made: Desk, *args: object) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        await made.put(*args)  # type: ignore[arg-type]
    return dict(caught.value.problems)


async def test_a_draft_may_be_changed_and_nobody_else_sees_it(made):
    view, new = await made.offers.put(offer(), TERMS, WHO)
    assert (new, view.state, view.ours, view.versions[0].state) == (True, OfferState.DRAFT, True, VersionState.COMING)
    view, new = await made.offers.put(offer(title="Another"), AUTHORISE, WHO)
    assert (new, view.offer.title, view.versions[0].terms) == (False, "Another", AUTHORISE)
    assert (await made.offers.list(OfferFilter(frozenset({EMSP})), None, 10)).items == []
    assert [one.offer.id for one in (await made.offers.list(OfferFilter(frozenset({PARTY})), None, 10)).items] == ["O1"]
    assert await made.events() == []
    assert await made.audits("offer/O1") == ["wrote", "wrote"]


async def test_what_a_hub_takes_at_first_it_may_not_take_later(made):
    later = OfferTerms(services=AUTHORISE.services, rank=14)
    await made.publish(offer(), later)
    with pytest.raises(Invalid) as refused:
        await made.offers.add_version("O1", NewVersion(starts=START + DAY, terms=later), WHO)
    assert dict(refused.value.problems) == {"terms.rank": "14 comes never later"}


async def test_what_is_published_is_told_to_its_cpo_and_to_whom_it_is_for(made):
    view = await made.publish()
    assert (view.state, view.published_at) == (OfferState.PUBLISHED, made.now)
    assert made.hubs.told == ["O1"]
    for party in (PARTY, EMSP, SECOND):
        assert await made.events(party) == ["offer.published"]
    assert await made.events(OTHER) == []
    assert made.kinds() == [EventType.OFFER_PUBLISHED]
    await made.publish(offer("O2", audience=(SECOND,), title="For one"))
    assert await made.events(EMSP) == ["offer.published"]
    assert await made.events(SECOND) == ["offer.published"] * 2
    seen = (await made.offers.list(OfferFilter(frozenset({EMSP})), None, 10)).items
    assert [one.offer.id for one in seen] == ["O1"]


async def test_a_published_offer_changes_by_new_versions_alone(made):
    await made.publish(offer(lead_time_days=10))
    with pytest.raises(Conflict, match="changes by new versions alone"):
        await made.put(offer(title="Another"))
    with pytest.raises(Conflict):
        await made.offers.publish("O1", WHO)
    with pytest.raises(Conflict):
        await made.offers.remove("O1", WHO)
    with pytest.raises(asyncpg.RestrictViolationError):
        await made.store.execute("UPDATE offer_version SET terms = '{}'")
    with pytest.raises(asyncpg.RestrictViolationError):
        await made.store.execute("DELETE FROM offer_version")


async def test_a_version_keeps_the_lead_time_to_the_second(made):
    await made.publish(offer(lead_time_days=42, ends=START + 400 * DAY))
    made.clock[0] += timedelta(days=3, hours=5)
    earliest = made.now + 42 * DAY
    with pytest.raises(Invalid, match=r"starts: is within the lead time of 42 days: 2026-04-15T05:00:00\+00:00"):
        await made.offers.add_version("O1", NewVersion(starts=earliest - timedelta(minutes=2), terms=AUTHORISE), WHO)
    with pytest.raises(Invalid, match="not before the offer's end"):
        await made.offers.add_version("O1", NewVersion(starts=START + 400 * DAY, terms=AUTHORISE), WHO)
    view = await made.offers.add_version("O1", NewVersion(starts=earliest, terms=AUTHORISE), WHO)
    first, second = view.versions
    assert (first.state, first.ends, second.state) == (VersionState.IN_FORCE, earliest, VersionState.COMING)
    assert (second.number, second.created_by, second.ends) == (2, WHO, START + 400 * DAY)
    with pytest.raises(Conflict, match="after version 2 of offer O1"):
        await made.offers.add_version("O1", NewVersion(starts=earliest, terms=TERMS), WHO)
    await made.after(43 * DAY)
    view = await made.offers.get("O1")
    assert [one.state for one in view.versions] == [VersionState.PAST, VersionState.IN_FORCE]
    assert await made.events(PARTY) == [
        "offer.published",
        "offer.version_added",
        "offer.version_in_force",
        "offer.version_in_force",
    ]


async def test_only_a_version_that_is_to_come_is_taken_back(made):
    await made.publish(offer())
    await made.offers.add_version("O1", NewVersion(starts=START + DAY, terms=AUTHORISE), WHO)
    with pytest.raises(Conflict):
        await made.offers.drop_version("O1", 1, WHO)
    with pytest.raises(NotFound):
        await made.offers.drop_version("O1", 3, WHO)
    view = await made.offers.drop_version("O1", 2, WHO)
    assert [one.number for one in view.versions] == [1]
    await made.offers.add_version("O1", NewVersion(starts=START + DAY, terms=AUTHORISE), WHO)
    await made.after(2 * DAY)
    with pytest.raises(Conflict, match="in force"):
        await made.offers.drop_version("O1", 2, WHO)
    made.clock[0] = START - DAY  # a clock that jumps back makes nothing undone
    with pytest.raises(Conflict, match="in force"):
        await made.offers.drop_version("O1", 2, WHO)
    assert (await made.offers.get("O1")).versions[1].state is VersionState.IN_FORCE


async def test_a_hub_that_was_told_of_a_version_takes_nothing_back(made):
    terms = OfferTerms(services=frozenset({Service.REMOTE}))
    starts = START + 60 * DAY
    await made.publish(offer(connection="hub", starts=starts, lead_time_days=42, notice_days=42), terms)
    await made.offers.add_version("O1", NewVersion(starts=starts + DAY, terms=AUTHORISE), WHO)
    made.hubs.may_take_back = False
    with pytest.raises(Conflict, match="the hub was told of version 2"):
        await made.offers.drop_version("O1", 2, WHO)


async def test_an_offer_is_cancelled_after_its_notice_and_takes_nobody_on(made):
    await made.publish(offer(notice_days=30))
    with pytest.raises(Invalid, match="at: is within the notice of 30 days"):
        await made.offers.cancel("O1", START + 29 * DAY, WHO)
    view = await made.offers.cancel("O1", None, WHO)
    assert (view.state, view.ends_at, view.cancelled_at) == (OfferState.CANCELLED, START + 30 * DAY, START)
    assert view.versions[0].ends == START + 30 * DAY
    with pytest.raises(Conflict):
        await made.offers.cancel("O1", None, WHO)
    with pytest.raises(Conflict):
        await made.offers.add_version("O1", NewVersion(starts=START + DAY, terms=TERMS), WHO)
    with pytest.raises(Conflict, match="it is cancelled"):
        await made.subscribe()


async def test_an_offer_that_ends_before_is_not_cancelled_to_a_later_day(made):
    await made.publish(offer(ends=START + 10 * DAY, notice_days=30))
    with pytest.raises(Conflict, match="not after that"):
        await made.offers.cancel("O1", None, WHO)


async def test_an_offer_that_is_cancelled_before_its_start_never_begins(made):
    await made.publish(offer(starts=START + 60 * DAY, notice_days=30))
    view = await made.offers.cancel("O1", None, WHO)
    assert view.ends_at == START + 60 * DAY
    await made.after(61 * DAY)
    assert (await made.offers.get("O1")).state is OfferState.ENDED
    assert "offer.version_in_force" not in await made.events()


async def test_a_draft_is_forgotten(made):
    await made.put()
    await made.offers.remove("O1", WHO)
    with pytest.raises(NotFound):
        await made.offers.get("O1")


async def test_a_title_is_taken_until_its_offer_has_ended(made):
    await made.publish(offer(title="One"))
    with pytest.raises(Conflict) as caught:
        await made.put(offer("O2", title="One"))
    assert caught.value.field == "title"
    await made.put(offer("O2", title="One", cpo=OTHER))
    await made.offers.cancel("O1", None, WHO)
    await made.after(DAY)
    await made.put(offer("O3", title="One"))


async def test_what_is_not_there_is_named(made):
    with pytest.raises(NotFound, match="no connection nowhere"):
        await made.put(offer(connection="nowhere"))
    with pytest.raises(NotFound, match="no network group G9"):
        await made.put(offer(network_group="G9"))
    with pytest.raises(NotFound, match="no document D9"):
        await made.put(offer(document="D9"))
    with pytest.raises(NotFound):
        await made.offers.publish("O9", WHO)
    terms = OfferTerms(services=frozenset({Service.POI}), evse_groups=("G9",))
    assert await problems(made, offer(), terms) == {"terms.evse_groups[0]": "there is no EVSE group G9"}


async def test_a_price_that_is_in_no_tariff_of_the_cpo_has_no_currency_and_is_refused(made):
    await store_tariff(made, "T1", OTHER)
    expected = {"terms.prices[0].tariff_ids[0]": "NL*ABC has no tariff T1"}
    assert await problems(made, offer(), priced("T1")) == expected
    await store_tariff(made, "T1")
    await made.put(offer(), priced("t1"))


async def test_tariffs_are_of_a_type_that_the_hub_takes(made):
    await store_tariff(made, "CHEAP", type=TariffType.PROFILE_CHEAP)
    await store_tariff(made, "PLAIN")
    await store_tariff(made, "REGULAR", type=TariffType.REGULAR)
    found = await problems(made, offer(connection="portal"), priced("PLAIN", "CHEAP", "REGULAR"))
    assert list(found) == ["terms.prices[0].tariff_ids[1]"]
    await made.put(offer(connection="portal"), priced("PLAIN", "REGULAR"))
    await made.put(offer(), priced("CHEAP"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ends": START}, "ends: is not after its start"),
        ({"ends": START - DAY}, "ends: is not after its start"),
        ({"cpo": None}, "exactly one of cpo and network_group"),
        ({"network_group": "N1", "cpo": PARTY}, "exactly one of cpo and network_group"),
        ({"audience": ()}, "at least 1 item"),
        ({"audience": (EMSP, EMSP)}, "named twice"),
        ({"notice_days": -1}, "greater than or equal to 0"),
    ],
)
def test_an_offer_that_makes_no_sense_is_none(changes, why):
    fields = {"id": "O1", "connection": "home", "cpo": PARTY, "title": "t", "starts": START}
    with pytest.raises(ValidationError, match=why):
        Offer.model_validate(fields | changes)


async def test_parties_that_nobody_knows_are_refused_where_all_are_known(made):
    assert await problems(made, offer(cpo=STRANGER)) == {"cpo": "AT*XXX is no CPO of this gateway"}
    assert await problems(made, offer(cpo=EMSP)) == {"cpo": "DE*EMP is no CPO"}
    found = await problems(made, offer(audience=(EMSP, STRANGER, PARTY)))
    assert found == {"audience[1]": "AT*XXX is no EMSP that home knows", "audience[2]": "NL*ABC is no EMSP"}
    # Whom a hub knows, the hub knows; a partner's offer to our EMSP is on record where we have one.
    view = await made.publish(offer(connection="portal", cpo=STRANGER, audience=(EMSP,), starts=START - 100 * DAY))
    assert (view.ours, view.state) == (False, OfferState.PUBLISHED)
    await made.put(offer("O2", connection="portal", audience=(STRANGER,)))
    assert "cpo" in await problems(made, offer("O3", connection="hub", cpo=STRANGER))


async def test_groups_are_of_the_cpo_or_of_a_member(made):
    await made.groups.put_evse_group(EvseGroup(id="G1", party=OTHER, name="g", evse_ids=(EvseId("NL*XYZ*E1"),)), WHO)
    terms = OfferTerms(services=frozenset({Service.POI}), evse_groups=("G1",))
    assert await problems(made, offer(), terms) == {"terms.evse_groups[0]": "the EVSE group G1 is of NL*XYZ"}
    await made.groups.put_network(NetworkGroup(id="N1", name="n", members=(Member(party=OTHER, since=START),)), WHO)
    await made.put(offer(network_group="N1"), terms)


async def test_what_the_hub_could_not_take_is_said_before_it_is_published(made):
    found = await problems(
        made,
        offer(connection="hub", joining=Joining.OPEN, ends=START + 41 * DAY),
        OfferTerms(services=frozenset({Service.POI, Service.REMOTE}), rank=13),
    )
    assert found == {
        "joining": "hub knows APPROVE, SUBSCRIBE alone",
        "terms.services": "hub has no offers for poi",
        "ends": "hub takes no offer that lasts shorter than 42 days",
        "terms.rank": "13 is no rank",
    }
    assert "longer than 730 days" in (await problems(made, offer(connection="hub", ends=START + 800 * DAY)))["ends"]
    assert "42" in (await problems(made, offer(connection="hub", lead_time_days=41), AUTHORISE))["lead_time_days"]


async def test_an_offer_that_starts_too_soon_for_its_hub_or_in_the_past_stays_a_draft(made):
    await made.put(offer(connection="hub", starts=START + 41 * DAY, lead_time_days=42), AUTHORISE)
    with pytest.raises(Invalid, match="starts: has to be announced 42 days before, so not before 2026-04-12T00:00:00"):
        await made.offers.publish("O1", WHO)
    await made.put(offer(connection="hub", starts=START + 42 * DAY, lead_time_days=42), AUTHORISE)
    await made.offers.publish("O1", WHO)
    bilateral = {"connection": "hub", "title": "b", "audience": (EMSP,), "lead_time_days": 42}
    await made.publish(offer("B1", starts=START + 21 * DAY, **bilateral), AUTHORISE)
    await made.put(offer("O2", starts=START - timedelta(minutes=2)))
    with pytest.raises(Invalid, match="starts: is past"):
        await made.offers.publish("O2", WHO)
    await made.put(offer("O3", title="3", starts=START - timedelta(days=9), ends=START - DAY, connection="portal"))
    with pytest.raises(Invalid, match="ends: is past"):
        await made.offers.publish("O3", WHO)


async def test_what_is_gone_by_the_time_of_publishing_is_noticed(made):
    await store_tariff(made)
    await made.put(offer(), priced("T1"))
    await made.store.execute("UPDATE tariff SET withdrawn_at = now()")
    with pytest.raises(Invalid, match="has no tariff T1"):
        await made.offers.publish("O1", WHO)


async def test_of_two_who_publish_at_once_one_is_told_that_it_was_done(made):
    await made.put()
    results = await asyncio.gather(
        made.offers.publish("O1", "one"), made.offers.publish("O1", "two"), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in results) == ["Conflict", "OfferView"]
    assert await made.events(PARTY) == ["offer.published"]


async def test_the_hubs_ids_are_shown(made):
    await made.publish(offer(connection="hub", starts=START + 50 * DAY, lead_time_days=42), AUTHORISE)
    view = await made.offers.set_hub_ids("O1", HubIds(offer="77"), WHO)
    assert view.hub is not None
    assert view.hub.ids == HubIds(offer="77")


async def test_the_history_says_who_did_what_of_an_offer_and_its_subscriptions(made):
    await made.publish()
    await made.subscribe(id="S1")
    await made.after(DAY)
    history = await made.offers.history("O1")
    assert [(one.who, one.action, one.subject) for one in history] == [
        (WHO, "wrote", "offer/O1"),
        (WHO, "published", "offer/O1"),
        (WHO, "requested", "subscription/S1"),
        ("gateway", "put in force", "offer/O1"),
    ]
    with pytest.raises(NotFound):
        await made.offers.history("O2")


async def test_offers_are_listed_by_page_party_network_and_state(made):
    await made.groups.put_network(NetworkGroup(id="N1", name="n", members=(Member(party=OTHER, since=START),)), WHO)
    for number in range(5):
        await made.put(offer(f"O{number}", title=str(number)))
    await made.publish(offer("P1", network_group="N1", connection="portal"))
    page = await made.offers.list(OfferFilter(), None, 4)
    rest = await made.offers.list(OfferFilter(), page.next, 4)
    assert [one.offer.id for one in (*page.items, *rest.items)] == ["O0", "O1", "O2", "O3", "O4", "P1"]
    assert rest.next is None
    for wanted in (
        OfferFilter(cpo=OTHER),
        OfferFilter(frozenset({OTHER})),
        OfferFilter(connection="portal"),
        OfferFilter(state=OfferState.PUBLISHED),
    ):
        assert [one.offer.id for one in (await made.offers.list(wanted, None, 10)).items] == ["P1"]
    with pytest.raises(NotFound):
        await made.offers.list(OfferFilter(connection="nowhere"), None, 10)


async def test_terms_are_those_of_the_cpo_whose_network_it_is(made):
    pdf = b"%PDF-1.7 terms"
    await made.groups.put_document("D1", OTHER, "terms.pdf", "application/pdf", pdf, WHO)
    with pytest.raises(Invalid, match="the document D1 is of"):
        await made.put(offer(document="D1"))
    with pytest.raises(NotFound, match="there is no document D2"):
        await made.put(offer(document="D2"))
    await made.groups.put_document("D3", PARTY, "terms.pdf", "application/pdf", pdf, WHO)
    assert (await made.put(offer(document="D3"))).offer.document == "D3"


async def test_offers_are_found_by_the_document_and_the_group_that_they_name(made):
    await made.groups.put_document("D1", PARTY, "terms.pdf", "application/pdf", b"%PDF-1.7", WHO)
    await made.groups.put_evse_group(EvseGroup(id="G1", party=PARTY, name="g"), WHO)
    await made.put(offer("O1", document="D1"))
    await made.put(offer("O2"), TERMS.model_copy(update={"evse_groups": ("G1",)}))
    await made.put(offer("O3"))
    for wanted, found in (
        (OfferFilter(document="D1"), ["O1"]),
        (OfferFilter(evse_group="G1"), ["O2"]),
        (OfferFilter(cpo=OTHER, evse_group="G1"), []),
        (OfferFilter(), ["O1", "O2", "O3"]),
    ):
        assert [view.offer.id for view in (await made.offers.list(wanted, None, 10)).items] == found
