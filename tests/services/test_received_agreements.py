"""CDRs that come home are held against agreements: for review where nobody but us keeps a record, else never.

The connection `own` is like the own network; `hub` keeps contracts of its own. Charges begin at `START`.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from gateway.services.ports.received import CdrStanding, ReceivedCdrView, Review, Verdict
from gateway.store.pool import Store
from mappings.canonical.agreements import EVERY_SERVICE, AgreementRef, OfferState, Service
from mappings.canonical.ids import PartyId
from tests.agreed import agree
from tests.services.homecoming import CPO, EMSP, EVSE_KEY, START, Home, cdr, home, token

BEFORE, AFTER = START - timedelta(minutes=10), START + timedelta(minutes=10)
LONG_BEFORE = START - timedelta(days=30)
STRANGER = PartyId("FR*XXX")


@pytest.fixture
async def at(store: Store) -> AsyncIterator[Home]:
    """A home with a connection over which we decide, and a card that may be taken without asking."""
    async with home(store) as made:
        await made.connect("own", has_contracts=False)
        await made.station(over="own")
        await made.put(token(whitelist="ALLOWED"))
        yield made


async def offered(at: Home, over: str = "own", **changes: Any) -> str:
    """Has an offer to our EMSP that began long ago."""
    fields: dict[str, Any] = {"cpo": CPO, "emsp": EMSP, "starts": LONG_BEFORE}
    return await agree(at.links, over, **(fields | changes))


async def brought(at: Home, over: str = "own", **changes: Any) -> ReceivedCdrView:
    """Has a CDR of a charge of which nobody was asked brought, and gives what is stored."""
    await at.bill(cdr("c-1", **({"session_id": None, "auth_method": "WHITELIST"} | changes)), over=over)
    [one] = await at.cdrs()
    return one


async def end(at: Home, offer: str) -> None:
    """Has an offer end when that is due."""
    async with at.links.changing() as tx:
        await tx.execute("UPDATE offer SET state = $2 WHERE id = $1", offer, OfferState.ENDED.value)


async def test_a_charge_under_an_agreement_is_taken(at: Home) -> None:
    await offered(at)
    assert (await brought(at)).standing is CdrStanding.ACCEPTED


async def test_a_charge_at_a_public_network_needs_no_agreement(at: Home) -> None:
    assert (await brought(at)).standing is CdrStanding.ACCEPTED


async def test_a_charge_that_began_before_its_agreement_ended_is_taken(at: Home) -> None:
    await end(at, await offered(at, ends=AFTER))
    assert (await brought(at)).standing is CdrStanding.ACCEPTED


async def test_a_charge_under_an_agreement_that_ended_since_is_taken_beside_one_that_has_not_begun(at: Home) -> None:
    await end(at, await offered(at, ends=AFTER))
    await offered(at, starts=AFTER)
    assert (await brought(at)).standing is CdrStanding.ACCEPTED


@pytest.mark.parametrize("ended", [False, True])
async def test_a_charge_that_began_after_its_agreement_ended_is_held(at: Home, ended: bool) -> None:
    offer = await offered(at, ends=BEFORE)
    if ended:
        await end(at, offer)
    one = await brought(at)
    assert (one.standing, one.review) == (CdrStanding.REVIEW, [Review.NO_AGREEMENT])
    [doubt] = one.doubts
    assert (doubt.field, doubt.detail) == ("start", "began without: The agreement with the EMSP has ended")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"emsp": STRANGER}, "There is no agreement with the EMSP"),
        ({"services": [Service.REMOTE, Service.CDR]}, "The agreement with the EMSP does not cover this service"),
    ],
)
async def test_a_charge_without_an_agreement_is_held(at: Home, changes: dict[str, Any], said: str) -> None:
    await offered(at, **changes)
    one = await brought(at)
    assert (one.review, one.doubts[0].detail) == ([Review.NO_AGREEMENT], f"began without: {said}")
    assert at.witness.drifted == []


async def test_a_charge_at_an_evse_outside_of_the_agreements_groups_is_held(at: Home) -> None:
    await at.store.execute("INSERT INTO evse_group (id, party, name) VALUES ('g', $1, 'g')", CPO.normal)
    await offered(at, evse_groups=("g",))
    assert (await brought(at)).review == [Review.NO_AGREEMENT]


async def test_a_held_cdr_is_taken_once_the_agreement_is_written_down(at: Home) -> None:
    await offered(at, emsp=STRANGER)
    one = await brought(at)
    await offered(at)
    await at.rechecks.cdr(one.id, who="somebody")
    [one] = await at.cdrs()
    assert (one.standing, one.review) == (CdrStanding.ACCEPTED, [])


async def test_what_a_driver_was_let_charge_by_counts_whatever_was_agreed_on_since(at: Home) -> None:
    offer = await offered(at, ends=BEFORE)
    await end(at, offer)
    await at.permit(over="own")
    await at.store.execute("UPDATE permit SET agreement = $1", AgreementRef(offer=offer, version=1).model_dump_json())
    assert (await brought(at, auth_method="AUTH_REQUEST", reference="p-1")).standing is CdrStanding.ACCEPTED


async def test_the_authorisation_of_a_cpo_of_ours_counts_where_nobody_was_asked(at: Home) -> None:
    """The card is on the own network's list; the driver held it up before the agreement ended."""
    offer = await offered(at, ends=BEFORE)
    await end(at, offer)
    await at.store.execute(
        "INSERT INTO authorisation (id, origin, party, location_id, evse_uid, identity, connection_id, agreement,"
        " allowed, detail) VALUES ('a-1', 'tap', $1, 'L1', 'U1', 'X', $2, $3, true, '{}')",
        *(CPO.normal, at.connection("own").id, AgreementRef(offer=offer, version=1).model_dump_json()),
    )
    await at.store.execute(
        "INSERT INTO session (party, session_id, body, place, digest, status, authorisation_no, last_updated)"
        " VALUES ($1, 's-9', '{}', '{}', '', 'COMPLETED', 1, now())",
        CPO.normal,
    )
    assert (await brought(at, session_id="s-9")).standing is CdrStanding.ACCEPTED


async def test_an_agreement_without_cdrs_has_none_told_this_way(at: Home) -> None:
    offer = await offered(at, services=EVERY_SERVICE - {Service.CDR})
    one = await brought(at)
    said = f"version 1 of the offer {offer}, under which it began, has no CDRs told this way"
    assert [(each.reason, each.detail) for each in one.doubts] == [(Review.NO_AGREEMENT, said)]
    await at.desk.decide(None, one.id, Verdict.ACCEPTED, "billed here all the same", "anna")
    [one] = await at.cdrs()
    assert one.standing is CdrStanding.ACCEPTED


async def test_a_permit_under_an_agreement_without_cdrs_has_none_told_this_way(at: Home) -> None:
    offer = await offered(at, services=EVERY_SERVICE - {Service.CDR})
    await at.permit(over="own")
    await at.store.execute("UPDATE permit SET agreement = $1", AgreementRef(offer=offer, version=1).model_dump_json())
    one = await brought(at, auth_method="AUTH_REQUEST", reference="p-1")
    assert one.review == [Review.NO_AGREEMENT]


@pytest.mark.parametrize("services", [EVERY_SERVICE, EVERY_SERVICE - {Service.CDR}])
async def test_what_a_hub_brings_is_taken_and_where_our_record_disagrees_that_is_noted(
    at: Home, services: frozenset[Service]
) -> None:
    await offered(at, "hub", emsp=STRANGER, services=services)
    assert (await brought(at, "hub")).standing is CdrStanding.ACCEPTED
    assert at.witness.drifted == ["hub"]
    await brought(at, "hub")
    assert at.witness.drifted == ["hub"]  # the same CDR once more says nothing new


async def test_what_a_hub_brings_under_an_agreement_or_a_permit_is_noted_nowhere(at: Home) -> None:
    await offered(at, "hub", ends=AFTER)
    assert (await brought(at, "hub")).standing is CdrStanding.ACCEPTED
    assert at.witness.drifted == []


async def test_a_credit_is_held_against_no_agreement(at: Home) -> None:
    offer = await offered(at)
    assert (await brought(at)).standing is CdrStanding.ACCEPTED
    async with at.links.changing() as tx:
        await tx.execute("UPDATE offer SET state = 'ENDED', ends_at = $2 WHERE id = $1", offer, BEFORE)
    back = cdr("c-2", None, auth_method="WHITELIST", credit=True, credited_cdr="c-1", total_cost={"net": -4})
    await at.bill(back, over="own")
    _, credit = await at.cdrs()
    assert credit.review == []


async def test_evse_keys_are_those_of_the_catalogue(at: Home) -> None:
    await at.store.execute("INSERT INTO evse_group (id, party, name) VALUES ('g', $1, 'g')", CPO.normal)
    await at.store.execute("INSERT INTO evse_group_member VALUES ('g', $1, $1)", EVSE_KEY)
    await offered(at, evse_groups=("g",))
    assert (await brought(at)).standing is CdrStanding.ACCEPTED
