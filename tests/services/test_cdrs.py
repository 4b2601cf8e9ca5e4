"""CDRs on a real database, over hubs in this process."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.services.authorisation.admitting import Origin
from gateway.services.ports import (
    CdrFilter,
    CdrRefusal,
    CdrState,
    Conflict,
    Invalid,
    NotFound,
    SessionFilter,
)
from mappings.canonical.cdrs import CdrLocation
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.sessions import AuthMethod, ChargingPeriod, Dimension, DimensionType, Metering, SessionStatus
from mappings.canonical.tariffs import Money, Tax
from mappings.canonical.tokens import Identification, TokenType
from mappings.report import IssueKind
from tests.harness import PARTY, WHO, later
from tests.services.roaming import CONTRACT, OTHER_CARD, Roaming, agreed, cdr, ended, leg, session, state, told


def lasting(type_: DimensionType, hours: int) -> tuple[ChargingPeriod, ...]:
    return (ChargingPeriod(start=later(600), dimensions=(Dimension(type=type_, volume=Decimal(hours)),)),)


async def test_a_cdr_goes_to_the_hub_that_authorised_its_session(hubs: Roaming) -> None:
    await hubs.connect("other")
    await hubs.charged()
    result = await hubs.accept()
    assert (result.outcome, result.connection, result.review) == ("created", "hub", None)
    message = (await hubs.messages())[-1]
    assert (message.operation, message.leg) == ("cdrs", leg())
    assert await state(hubs) is CdrState.PENDING
    assert (await hubs.events())[-1] == "cdr.accepted"
    assert hubs.counted == [("hub", "accepted", 1, Decimal(12))]


async def test_what_the_backend_leaves_out_is_filled_in(hubs: Roaming) -> None:
    await hubs.admit(
        leg=leg(identification=Identification(type=TokenType.RFID, uid="04A2B3C4D5E680", contract_id=CONTRACT))
    )
    await hubs.put(ended())
    await hubs.accept(cdr(session_id=None, reference="a-1"))
    [sent] = await told(hubs)
    assert (sent.session_id, sent.location.city, sent.location.evse_id) == ("s-1", "Utrecht", EvseId("NL*ABC*E1"))
    assert sent.identification.contract_id == CONTRACT
    assert sent.reference == "a-1"


async def test_the_reference_of_the_hub_is_filled_in(hubs: Roaming) -> None:
    await hubs.charged()
    await hubs.accept()
    assert [sent.reference for sent in await told(hubs)] == ["hub-ref-1"]


async def test_a_cdr_that_comes_twice_is_accepted_once(hubs: Roaming) -> None:
    await hubs.charged()
    await hubs.accept()
    again = await hubs.accept(cdr(last_updated=later(9000)))
    assert (again.outcome, again.connection) == ("unchanged", "hub")
    assert len(await told(hubs)) == 1


async def test_other_content_under_the_same_id_is_a_conflict(hubs: Roaming) -> None:
    await hubs.charged()
    await hubs.accept()
    with pytest.raises(Conflict, match="another CDR has this id, with other periods, energy;") as error:
        await hubs.accept(cdr(energy=Decimal(13)))
    assert error.value.field == "id"
    elsewhere = CdrLocation(id="L1", evse_uid="U2", connector_id="1")
    with pytest.raises(Conflict, match="with other identification, location, product;"):
        await hubs.accept(cdr(product="AC", location=elsewhere, identification=OTHER_CARD))
    assert len(await told(hubs)) == 1


async def test_a_second_cdr_of_a_session_is_a_conflict_that_points_to_corrections(hubs: Roaming) -> None:
    await hubs.charged()
    await hubs.accept()
    with pytest.raises(Conflict, match="c-1/corrections"):
        await hubs.accept(cdr("c-2"))


async def test_a_cdr_before_its_session_is_a_conflict_and_comes_again(hubs: Roaming) -> None:
    with pytest.raises(Conflict, match="PUT it, then send the CDR again") as error:
        await hubs.accept()
    assert error.value.field == "session_id"
    assert not await hubs.store.fetch("SELECT FROM cdr")
    await hubs.charged()
    assert (await hubs.accept()).outcome == "created"


@pytest.mark.parametrize("reference", ["a-1", "hub-ref-1"])
async def test_a_cdr_that_names_an_authorisation_before_its_session_is_a_conflict_and_comes_again(
    hubs: Roaming, reference: str
) -> None:
    await hubs.admit()
    given = cdr(session_id=None, reference=reference)
    with pytest.raises(Conflict, match="PUT it, then send the CDR again") as error:
        await hubs.accept(given)
    assert error.value.field == "reference"
    assert not await hubs.store.fetch("SELECT FROM cdr")
    await hubs.put(ended())
    result = await hubs.accept(given)
    assert (result.outcome, result.connection) == ("created", "hub")


async def test_a_cdr_under_a_start_that_timed_out_waits_for_its_session_and_is_told(hubs: Roaming) -> None:
    await hubs.admit(origin=Origin.START)
    await hubs.time_out()
    given = cdr(session_id=None, reference="a-1")
    with pytest.raises(Conflict, match="PUT it, then send the CDR again"):
        await hubs.accept(given)
    await hubs.put(ended(reference="a-1"))
    result = await hubs.accept(given)
    assert (result.outcome, result.connection, result.review) == ("created", "hub", None)
    assert [sent.reference for sent in await told(hubs)] == ["a-1"]


async def test_a_cdr_waits_with_the_session_in_review_that_carries_its_reference(hubs: Roaming) -> None:
    await hubs.admit(location_id="L2")
    assert (await hubs.put(ended(reference="a-1"))).review is not None
    result = await hubs.accept(cdr(session_id=None, reference="a-1"))
    assert result.review == "its session waits for review"


async def test_a_cdr_with_a_reference_that_nobody_knows_waits_for_a_person(hubs: Roaming) -> None:
    result = await hubs.accept(cdr(session_id=None, reference="nobodys"))
    assert result.review == "it names no session, and its reference is not known"


async def test_a_cdr_whose_session_was_never_told_waits_for_a_person(hubs: Roaming) -> None:
    result = await hubs.accept(cdr(session_id=None))
    assert result.review == "it names no session, and no reference"
    assert await state(hubs) is CdrState.REVIEW
    assert await hubs.events() == ["cdr.review"]
    await hubs.charged()
    assert (await hubs.cdrs.assign(PARTY, "c-1", "s-1", WHO)).connection == "hub"
    [sent] = await told(hubs)
    assert sent.session_id == "s-1"
    with pytest.raises(Conflict, match="s-1 has the CDR c-1"):
        await hubs.accept(cdr("c-2"))


async def test_a_cdr_that_is_said_not_to_roam_is_told_to_nobody(hubs: Roaming) -> None:
    await hubs.accept(cdr(session_id=None))
    await hubs.cdrs.assign(PARTY, "c-1", None, WHO)
    assert await state(hubs) is CdrState.NOT_ROAMING
    with pytest.raises(Conflict, match="does not wait"):
        await hubs.cdrs.assign(PARTY, "c-1", None, WHO)
    with pytest.raises(NotFound):
        await hubs.cdrs.assign(PARTY, "c-9", None, WHO)


async def test_a_cdr_is_assigned_to_no_session_that_it_contradicts(hubs: Roaming) -> None:
    await hubs.accept(cdr(session_id=None, identification=OTHER_CARD))
    await hubs.charged()
    with pytest.raises(Invalid, match="another driver"):
        await hubs.cdrs.assign(PARTY, "c-1", "s-1", WHO)
    with pytest.raises(NotFound):
        await hubs.cdrs.assign(PARTY, "c-1", "s-9", WHO)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"energy": Decimal(-1)}, "energy"),
        ({"energy": Decimal("1000.0001")}, "energy"),
        ({"end": later(500)}, "end"),
        ({"end": later(7200 + 301)}, "end"),
        ({"charging_start": later(700), "charging_end": later(650)}, "charging_end"),
        ({"metering": Metering(start=Decimal(9), end=Decimal(8))}, "metering"),
        ({"credit": True, "credited_cdr": "c-0"}, "credit"),
        ({"location": CdrLocation(id="L2", evse_uid="U1", connector_id="1")}, "location.id"),
        ({"location": CdrLocation(id="L1", evse_uid="U2", connector_id="1")}, "location.evse_uid"),
        (
            {"location": CdrLocation(id="L1", evse_uid="U1", connector_id="1", evse_id=EvseId("NL*XYZ*E1"))},
            "location.evse_id",
        ),
        ({"currency": "CHF"}, "currency"),
        ({"total_cost": Money(net=Decimal(-6))}, "total_cost.net"),
        (
            {"total_cost": Money(net=Decimal(6), taxes=(Tax(name="VAT", amount=Decimal(-1)),))},
            "total_cost.taxes[0].amount",
        ),
        ({"energy_cost": Money(net=Decimal(-1))}, "energy_cost.net"),
        ({"time": Decimal(99)}, "time"),
        ({"parking_time": Decimal(2)}, "parking_time"),
        ({"periods": lasting(DimensionType.TIME, 2)}, "periods"),
        ({"periods": lasting(DimensionType.PARKING_TIME, -1)}, "periods[0].dimensions[0].volume"),
        ({"start": later(3600), "time": Decimal()}, "end"),
        ({"start": later(-3601)}, "start"),
        ({"end": later(7200 + 1)}, "end"),
        ({"identification": OTHER_CARD}, "identification"),
        ({"reference": "a-2"}, "reference"),
    ],
)
async def test_a_cdr_that_makes_no_sense_is_refused_by_field(
    hubs: Roaming, changes: dict[str, Any], field: str
) -> None:
    await hubs.charged()
    with pytest.raises(Invalid) as error:
        await hubs.accept(cdr(**changes))
    assert error.value.problems[0][0] == field
    assert not await told(hubs)
    assert hubs.counted == [(None, "rejected", 1, Decimal())]


async def test_a_cdr_of_an_evse_that_is_not_the_operators_is_refused(hubs: Roaming) -> None:
    elsewhere = CdrLocation(id="L9", evse_uid="U1", connector_id="1")
    with pytest.raises(Invalid, match="has no location L9"):
        await hubs.accept(cdr(session_id=None, location=elsewhere))


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({"metering": Metering(start=Decimal("100.00004"), end=Decimal("112.0001"))}, None),
        ({"metering": Metering(start=Decimal(100), end=Decimal(113))}, "is not the difference of the meter's readings"),
        ({"periods": cdr(energy=Decimal(11)).periods}, "is not the sum of the periods' energy"),
        ({"energy": Decimal(13)}, "is not the 12 kWh of the session"),
        ({"charging_end": later(3700)}, "is after the end"),
        ({"time": Decimal("0.85")}, None),
        ({"periods": (*cdr().periods, *lasting(DimensionType.RESERVATION_TIME, 2))}, None),
        ({"total_cost": Money(net=Decimal(6000))}, "is far more than such a charge costs"),
        ({"energy_cost": Money(net=Decimal(5)), "time_cost": Money(net=Decimal(2))}, "is less than its parts together"),
        (
            {"start": later(299), "time": Decimal("0.5")},
            f"is 0:05:01 out of the session, which began at {later(600).isoformat()}",
        ),
        ({"end": later(3901)}, f"is 0:05:01 out of the session, which ended at {later(3600).isoformat()}"),
    ],
)
async def test_what_is_hardly_true_is_passed_on_and_noted(
    hubs: Roaming, changes: dict[str, Any], doubt: str | None
) -> None:
    await hubs.charged()
    result = await hubs.accept(cdr(**changes))
    assert [issue.detail for issue in result.issues] == ([doubt] if doubt else [])
    view = await hubs.cdrs.get(PARTY, "c-1")
    assert view is not None
    assert [issue.detail for issue in view.issues] == ([doubt] if doubt else [])
    assert len(await told(hubs)) == 1


async def test_a_cdr_that_ends_a_little_ahead_of_the_clock_waits_till_then(hubs: Roaming) -> None:
    end = hubs.now + timedelta(seconds=200)
    await hubs.charged(end=end)
    await hubs.accept(cdr(end=end))
    row = await hubs.store.fetchrow("SELECT due_at FROM delivery WHERE cdr_no IS NOT NULL")
    assert row is not None
    assert row["due_at"] == end


async def test_a_charge_of_an_own_driver_is_told_only_where_it_is_wanted(hubs: Roaming) -> None:
    await hubs.connect("advenir", anonymous=True)
    await hubs.put(ended(auth_method=AuthMethod.WHITELIST))
    await hubs.accept(cdr(auth_method=AuthMethod.WHITELIST))
    assert await state(hubs) is CdrState.NOT_ROAMING
    assert [message.operation for message in await hubs.messages("advenir")] == ["sessions", "cdrs"]
    assert not await hubs.messages("hub")


async def test_a_cdr_ends_a_session_whose_end_was_not_told(hubs: Roaming) -> None:
    await hubs.admit()
    await hubs.put()
    await hubs.accept()
    view = await hubs.sessions.get(PARTY, "s-1")
    assert view is not None
    assert (view.ended, view.cdr, view.session.status) == (later(3600), "c-1", SessionStatus.ACTIVE)


async def test_a_report_that_comes_after_the_cdr_lets_no_session_run_again(hubs: Roaming) -> None:
    await hubs.admit()
    await hubs.put()
    await hubs.accept()
    await hubs.put(session(energy=Decimal(2), last_updated=later(1200)))
    view = await hubs.sessions.get(PARTY, "s-1")
    assert view is not None
    assert (view.ended, view.session.energy) == (later(3600), Decimal(2))


async def test_a_cdr_of_a_session_that_still_runs_is_noted(hubs: Roaming) -> None:
    await hubs.admit()
    await hubs.put(session(energy=Decimal(13)))
    result = await hubs.accept()
    assert [(issue.kind, issue.field, issue.detail) for issue in result.issues] == [
        (IssueKind.SUSPECT, "session_id", "the session is ACTIVE: nobody told of its end yet"),
        (IssueKind.SUSPECT, "energy", "is less than the 13 kWh that the session told already"),
    ]


async def test_a_session_that_goes_on_after_its_cdr_is_taken_and_noted(hubs: Roaming) -> None:
    await hubs.admit()
    await hubs.put()
    await hubs.accept()
    late = await hubs.put(session(energy=Decimal(2), last_updated=later(1200)))
    assert not late.issues
    goes_on = await hubs.put(session(energy=Decimal(14), last_updated=later(4000)))
    assert (goes_on.outcome, [issue.field for issue in goes_on.issues]) == ("updated", ["energy", "status"])
    assert "the CDR c-1 is final" in goes_on.issues[0].detail
    over = await hubs.put(ended(energy=Decimal(14), end=later(5000), last_updated=later(5000)))
    assert [issue.field for issue in over.issues] == ["energy", "end"]


async def test_many_cdrs_are_accepted_together_and_one_that_is_refused_stops_no_other(hubs: Roaming) -> None:
    await hubs.charged()
    await hubs.put(ended("s-2", auth_method=AuthMethod.WHITELIST, identification=OTHER_CARD))
    good = cdr("c-2", "s-2", identification=OTHER_CARD)
    batch = [cdr(), cdr("c-3", "s-9"), cdr("c-4", energy=Decimal(-1)), cdr(), cdr("c-5"), good, cdr(energy=Decimal(1))]
    results = await hubs.cdrs.accept_many(batch, WHO)
    outcomes = [
        ("conflict" if one.conflict else "invalid") if isinstance(one, CdrRefusal) else one.outcome for one in results
    ]
    assert outcomes == ["created", "conflict", "invalid", "unchanged", "conflict", "created", "conflict"]
    assert (await state(hubs), await state(hubs, "c-2")) == (CdrState.PENDING, CdrState.NOT_ROAMING)
    assert [sent.id for sent in await told(hubs)] == ["c-1"]


async def test_of_a_cdr_twice_in_a_batch_none_is_called_known_where_it_was_refused(hubs: Roaming) -> None:
    refused = await hubs.cdrs.accept_many([cdr(), cdr()], WHO)
    assert [isinstance(one, CdrRefusal) and one.conflict for one in refused] == [True, True]
    await hubs.charged()
    taken = await hubs.cdrs.accept_many([cdr(), cdr()], WHO)
    assert [getattr(one, "outcome", None) for one in taken] == ["created", "unchanged"]
    assert [getattr(one, "connection", None) for one in taken] == ["hub", "hub"]


async def test_the_state_of_a_cdr_is_that_of_its_delivery(hubs: Roaming) -> None:
    await hubs.charged()
    await hubs.accept()
    for settled, shown in (("refused", CdrState.REFUSED), ("delivered", CdrState.DELIVERED)):
        await hubs.store.execute("UPDATE delivery SET state = 'pending'")
        await hubs.settle(settled)
        assert await state(hubs) is shown
        page = await hubs.cdrs.list(CdrFilter(None, state=shown), None, 10)
        assert [view.cdr.id for view in page.items] == ["c-1"]
    assert not (await hubs.cdrs.list(CdrFilter(None, state=CdrState.PENDING), None, 10)).items


async def test_a_cdr_that_is_not_confirmed_for_long_is_listed(hubs: Roaming) -> None:
    await hubs.charged()
    await hubs.accept()
    late = CdrFilter(frozenset({PARTY}), unconfirmed_for=timedelta(hours=4))
    assert not (await hubs.cdrs.list(late, None, 10)).items
    await hubs.store.execute("UPDATE cdr SET accepted_at = now() - interval '5 hours'")
    assert len((await hubs.cdrs.list(late, None, 10)).items) == 1
    await hubs.settle("delivered")
    assert not (await hubs.cdrs.list(late, None, 10)).items


async def test_a_session_with_a_cdr_is_not_missed(hubs: Roaming) -> None:
    await hubs.charged()
    await hubs.accept()
    await hubs.store.execute("UPDATE session SET ended_at = now() - interval '99 hours'")
    assert await hubs.alarms.look() == 0
    wanted = SessionFilter(None, without_cdr=timedelta(hours=1))
    assert not (await hubs.sessions.list(wanted, None, 10)).items


async def test_a_cdr_that_waits_for_review_cannot_be_corrected(hubs: Roaming) -> None:
    await hubs.accept(cdr(session_id=None))
    with pytest.raises(Conflict, match="waits for review"):
        await hubs.cdrs.correct(PARTY, "c-1", agreed(energy=1), WHO)
    with pytest.raises(NotFound):
        await hubs.cdrs.correct(PartyId("NL*XYZ"), "c-1", agreed(energy=1), WHO)


async def test_a_cdr_that_contradicts_what_its_session_turned_out_to_be_keeps_waiting(hubs: Roaming) -> None:
    await hubs.put(ended())
    await hubs.accept(cdr(reference="somebody-elses"))
    await hubs.admit("a-1", leg=leg("hub-ref-1"))
    await hubs.sessions.assign(PARTY, "s-1", "a-1", WHO)
    assert await state(hubs) is CdrState.REVIEW
    assert not await told(hubs)
    assert (await hubs.put(session())).outcome == "stale"


async def test_two_replicas_that_take_the_same_at_once_take_it_once(hubs: Roaming) -> None:
    await hubs.admit()
    told_twice = await asyncio.gather(*(hubs.put() for _ in range(4)))
    assert sorted(one.outcome for one in told_twice) == ["created", "unchanged", "unchanged", "unchanged"]
    await hubs.put(ended())
    same = await asyncio.gather(*(hubs.accept() for _ in range(4)))
    assert sorted(one.outcome for one in same) == ["created", "unchanged", "unchanged", "unchanged"]
    others = await asyncio.gather(*(hubs.accept(cdr(f"c-{number}")) for number in range(2, 5)), return_exceptions=True)
    assert all(isinstance(one, Conflict) for one in others)
    assert [sent.id for sent in await told(hubs)] == ["c-1"]


async def test_two_sessions_that_want_one_authorisation_do_not_share_it(hubs: Roaming) -> None:
    await hubs.admit()
    both = await asyncio.gather(hubs.put(session()), hubs.put(session("s-2")))
    assert sorted(one.authorisation or "" for one in both) == ["", "a-1"]
    assert sum(one.review is not None for one in both) == 1
