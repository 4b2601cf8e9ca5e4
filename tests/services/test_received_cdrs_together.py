"""CDRs and the sessions that they end, whichever of the two comes first, and several at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.core.charging import Denial
from adapters.core.inbound import CdrTaken
from gateway.services.drivers.permits import deny_permit
from gateway.services.ports.received import CdrStanding, Review, Verdict
from gateway.store.pool import Store
from mappings.canonical.tokens import Identification, TokenType
from tests.harness import later
from tests.services.homecoming import (
    CARD,
    END,
    START,
    Home,
    cdr,
    digest,
    home,
    session,
    token,
)

STRANGER = Identification(type=TokenType.RFID, uid="04FFFFFFFFFFFF")
NEW, SAME, CONFLICT = CdrTaken.NEW, CdrTaken.SAME, CdrTaken.CONFLICT
FREE = {"start": later(3 * 3600), "end": later(4 * 3600), "last_updated": later(4 * 3600)}
"""Another time than that of the permits and sessions here."""


@pytest.fixture
async def alone(store: Store) -> AsyncIterator[Home]:
    """The services, and no permit or session."""
    async with home(store) as made:
        yield made


async def test_a_session_that_its_cdr_ended_is_over_whatever_it_tells_late(alone: Home) -> None:
    await alone.permit("p-1")
    await alone.tell(session(reference="p-1"))
    await alone.bill(cdr())
    view = await alone.tell(session(reference="p-1", energy=2, last_updated=START + timedelta(minutes=30)))
    assert view.ended == END


async def test_a_permit_that_a_person_names_says_whose_session_it_is(alone: Home) -> None:
    await alone.permit("p-1")
    view = await alone.tell(session(identification=STRANGER))
    assert view.party is None
    decided = await alone.desk.accept_session(None, view.id, "p-1", "a spare card", "somebody")
    assert (decided.party, decided.permit) == (CARD.party, "p-1")


async def test_a_cdr_that_came_too_early_to_be_understood_is_accepted_with_its_session(alone: Home) -> None:
    await alone.permit("p-1")
    await alone.permit("p-2", evse_key=None)
    assert await alone.reviews(cdr()) == [Review.AMBIGUOUS]
    view = await alone.tell(session(status="COMPLETED", reference="p-2"))
    [bill] = await alone.cdrs()
    assert (bill.standing, bill.review, bill.permit, bill.session) == (CdrStanding.ACCEPTED, [], "p-2", view.id)
    assert [type_ for type_, _ in await alone.events()][-2:] == ["received_cdr.accepted", "received_session.changed"]


async def test_a_cdr_of_a_session_under_a_denied_permit_waits_till_a_person_has_taken_that(alone: Home) -> None:
    await deny_permit(alone.store, await alone.permit("p-1"), Denial.NOT_ALLOWED)
    view = await alone.tell(session(status="COMPLETED", reference="p-1"))
    assert await alone.reviews(cdr()) == [Review.DENIED]
    await alone.desk.decide(None, (await alone.cdrs())[0].id, Verdict.REJECTED, "sent too early", "somebody")
    await alone.desk.accept_session(None, view.id, None, "we were wrong", "somebody")
    assert await alone.reviews(cdr("c-2")) == []


async def test_a_cdr_of_a_session_that_a_person_took_needs_no_permit(alone: Home) -> None:
    view = await alone.tell(session(status="COMPLETED"))
    assert view.review == [Review.UNKNOWN_PERMIT]
    await alone.desk.accept_session(None, view.id, None, "the driver called", "somebody")
    assert await alone.reviews(cdr()) == []


async def test_a_session_whose_cdr_came_first_is_over_though_nobody_tells_its_end(alone: Home) -> None:
    await alone.permit("p-1")
    await alone.bill(cdr(reference="p-1"))
    view = await alone.tell(session(reference="p-1"))
    assert (view.ended, view.cdr, view.review) == (END, (await alone.cdrs())[0].id, [])


async def test_a_cdr_in_review_ends_its_session_once_it_is_accepted(alone: Home) -> None:
    await alone.permit("p-1")
    await alone.tell(session(reference="p-1"))
    assert await alone.reviews(cdr(energy=30)) == [Review.IMPLAUSIBLE_ENERGY]
    view = await alone.told("s-1")
    assert (view.cdr, view.ended) == ((await alone.cdrs())[0].id, None)
    await alone.desk.decide(None, (await alone.cdrs())[0].id, Verdict.ACCEPTED, "a fast one", "somebody")
    assert (await alone.told("s-1")).ended == END


async def test_a_session_whose_cdr_is_rejected_goes_on(alone: Home) -> None:
    await alone.permit("p-1")
    await alone.tell(session(reference="p-1"))
    await alone.bill(cdr(energy=30))
    await alone.desk.decide(None, (await alone.cdrs())[0].id, Verdict.REJECTED, "too much", "somebody")
    view = await alone.told("s-1")
    assert (view.cdr, view.ended) == (None, None)


async def test_one_charge_that_two_hubs_bring_at_once_to_two_replicas_is_accepted_once(alone: Home) -> None:
    await alone.put(token(whitelist="ALLOWED"))
    await alone.connect("other")
    await alone.station(over="other")
    replica = alone.other_received()
    for number in range(6):
        times = {"start": later(3600 * number), "end": later(3600 * number + 1800)}
        one = cdr(f"c-{number}", f"s-{number}", auth_method="WHITELIST", time=0.5, **times)
        two = cdr(f"d-{number}", f"t-{number}", auth_method="WHITELIST", time=0.5, **times)
        await asyncio.gather(
            alone.received.cdr(alone.connection(), one, None, digest(one)),
            replica.cdr(alone.connection("other"), two, None, digest(two)),
        )
    await replica.close()
    assert [sorted(view.review) for view in await alone.cdrs() if view.review] == [[Review.DUPLICATE]] * 6


async def test_of_two_credits_that_come_at_once_one_takes_the_cdr_back(alone: Home) -> None:
    await alone.put(token(whitelist="ALLOWED"))
    replica = alone.other_received()
    for number in range(6):
        times = {"start": later(3600 * number), "end": later(3600 * number + 1800), "time": 0.5}
        fields = times | {"auth_method": "WHITELIST"}
        await alone.bill(cdr(f"c-{number}", None, **fields))
        back = fields | {"credit": True, "credited_cdr": f"c-{number}", "total_cost": {"net": -4}}
        one, two = (cdr(f"{name}-{number}", None, **back) for name in "xy")
        await asyncio.gather(
            alone.received.cdr(alone.connection(), one, None, digest(one)),
            replica.cdr(alone.connection(), two, None, digest(two)),
        )
    await replica.close()
    assert [view.review for view in await alone.cdrs() if view.review] == [[Review.SECOND_CDR]] * 6
