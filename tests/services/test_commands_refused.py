"""Commands from hubs that nobody is asked about: what is not there, not agreed, over already, or not clear."""

import pytest

from adapters.core.connection import Mode, Scope
from mappings.canonical.agreements import Service
from mappings.canonical.commands import (
    CancelReservation,
    CommandResult,
    EvseRef,
    StopSession,
    UnlockConnector,
)
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Identification, TokenType
from tests.agreed import agree
from tests.harness import OTHER, PARTY, WHO, evse, location
from tests.services.commanding import ACCEPTED, AT, BY_UID, DRIVER, EMSP, REJECTED, reserve, start


@pytest.mark.parametrize(
    "at",
    [
        EvseRef(evse_id=EvseId("NL*ABC*E404")),
        EvseRef(location_id="L1", evse_uid="U404"),
        EvseRef(location_id="L404"),
        EvseRef(party=OTHER, location_id="L1", evse_uid="U1"),
        EvseRef(),
    ],
)
async def test_a_command_to_an_evse_that_is_not_there_asks_nobody(desk, at):
    assert (await desk.perform(start(at=at))).result is CommandResult.UNKNOWN_EVSE
    assert (await desk.take(start(at=at))).result is CommandResult.UNKNOWN_EVSE
    assert desk.listener.heard == []


async def test_an_evse_out_of_the_connections_scope_is_not_there(desk):
    await desk.app.services.connections.set_scope("hubject", Scope(locations=frozenset({"NL*ABC/L2"})), WHO)
    assert (await desk.perform(start())).result is CommandResult.UNKNOWN_EVSE


async def test_a_location_id_that_two_parties_use_is_not_guessed_at(desk):
    await desk.put(location(party=OTHER))
    assert (await desk.take(start(at=BY_UID))).result is CommandResult.UNKNOWN_EVSE
    named = await desk.take(start(at=BY_UID.model_copy(update={"party": OTHER})))
    await desk.carried()
    assert (named.result, desk.listener.heard[0].json["party"]) == (ACCEPTED, "NL*XYZ")


async def test_any_evse_of_a_location_is_one_that_is_free(desk):
    await desk.put(location("L2", evse("A", "NL*ABC*EA", status="CHARGING"), evse("B", "NL*ABC*EB")))
    await desk.perform(start(at=EvseRef(location_id="L2")))
    assert desk.listener.heard[0].json["place"]["evse_uid"] == "B"


async def test_a_connection_that_is_not_live_has_nothing_carried_out(desk):
    await desk.app.services.connections.set_mode("hubject", Mode.SHADOW, WHO)
    assert (await desk.perform(start())).result is REJECTED
    assert desk.listener.heard == []


async def enforced(desk) -> None:
    """Has a no of our own agreements be one to what the hub carries on, too."""
    settings = {**desk.hub("hubject").settings, "enforced_here": True}
    await desk.app.services.connections.set_settings("hubject", settings, WHO)


async def test_what_a_hub_carries_on_without_an_agreement_of_ours_is_carried_out_and_drift_is_counted(desk):
    await agree(desk.app.links, "hubject", {Service.POI})
    assert (await desk.perform(start())).result is ACCEPTED
    assert desk.app.services.metrics.registry.get_sample_value(
        "roamgate_agreement_drift_total", {"hub": "hubject", "connection": "hubject", "kind": "HUB_SAID_YES"}
    )


async def test_without_an_agreement_nothing_begins_but_what_runs_can_be_stopped(desk):
    await desk.perform(start())
    await enforced(desk)
    await agree(desk.app.links, "hubject", {Service.POI})
    assert (await desk.perform(start("h-2"))).result is CommandResult.NO_CONTRACT
    assert (await desk.perform(reserve())).result is CommandResult.NO_CONTRACT
    assert (await desk.perform(StopSession(session="h-1", emsp=EMSP))).result is ACCEPTED
    page = await desk.app.services.commands.list(None, None, None, None, 10)
    assert [(view.kind, view.result) for view in page.items] == [
        ("STOP_SESSION", ACCEPTED),
        ("RESERVE_NOW", CommandResult.NO_CONTRACT),
        ("START_SESSION", CommandResult.NO_CONTRACT),
        ("START_SESSION", ACCEPTED),
    ]


UNLOCK = UnlockConnector(at=AT, emsp=EMSP)


async def begun(desk, **changes) -> str:
    """Has the EMSP's driver start, and every agreement end; gives our reference."""
    await desk.perform(start(**changes))
    await enforced(desk)
    await agree(desk.app.links, "hubject", {Service.POI})
    return desk.listener.heard[-1].json["reference"]


async def unlocked(desk, command=UNLOCK) -> CommandResult:
    return (await desk.perform(command)).result


@pytest.mark.parametrize("ended", [None, False, True])
async def test_without_an_agreement_a_plug_is_let_go_where_the_emsps_driver_charges_or_has_just_charged(desk, ended):
    reference = await begun(desk)
    if ended is not None:
        await desk.charge(reference, "COMPLETED" if ended else "ACTIVE", ended=ended)
        await desk.app.store.execute("UPDATE authorisation SET at = at - interval '9 days'")  # however long it lasts
    assert await unlocked(desk) is ACCEPTED


async def test_without_an_agreement_no_plug_is_let_go_where_no_driver_of_the_emsp_charges(desk):
    reference = await begun(desk)
    other = UnlockConnector(at=AT, emsp=PartyId("FR-OTH"))
    nobody = UnlockConnector(at=AT)
    elsewhere = UnlockConnector(at=EvseRef(evse_id=EvseId("NL*ABC*EL2")), emsp=EMSP)
    await desk.put(location("L2"))
    for command in (other, nobody, elsewhere):
        assert await unlocked(desk, command) is CommandResult.NO_CONTRACT
    await desk.charge(reference)
    for command in (other, nobody, elsewhere):
        assert await unlocked(desk, command) is CommandResult.NO_CONTRACT


async def test_a_plug_is_not_let_go_any_more_when_another_charge_has_come_or_a_day_has_gone_by(desk):
    reference = await begun(desk)
    await desk.charge(reference, "COMPLETED", ended=True)
    await desk.app.store.execute("UPDATE session SET ended_at = ended_at - interval '25 hours'")
    assert await unlocked(desk) is CommandResult.NO_CONTRACT
    await desk.app.store.execute("UPDATE session SET ended_at = ended_at + interval '25 hours'")
    other = PartyId("FR-OTH")
    await agree(desk.app.links, "hubject", emsp=other)
    leg = Leg(hub_session="h-2", emsp=other, identification=DRIVER)
    await desk.perform(start("h-2", emsp=other, leg=leg))
    assert await unlocked(desk, UnlockConnector(at=AT, emsp=EMSP)) is ACCEPTED  # nobody told of a second car yet
    await desk.charge(desk.listener.heard[-2].json["reference"], session_id="s-2")
    await desk.app.store.execute("UPDATE command SET dedup = NULL")
    assert await unlocked(desk) is CommandResult.NO_CONTRACT


@pytest.mark.parametrize(
    ("services", "emsp", "text"),
    [
        ({Service.POI}, None, "The agreement with the EMSP does not cover this service"),
        ({Service.REMOTE}, PartyId("FR-OTH"), "There is no agreement with the EMSP"),
    ],
)
async def test_why_no_agreement_lets_an_emsp_is_said_in_a_sentence(desk, services, emsp, text):
    await enforced(desk)
    await agree(desk.app.links, "hubject", services, emsp=emsp)
    refused = await desk.perform(start())
    assert (refused.result, refused.text) == (CommandResult.NO_CONTRACT, text)


async def test_a_command_of_nobody_known_has_what_everybody_has_where_our_no_binds(desk):
    await enforced(desk)
    nobody = start(emsp=None, leg=Leg(hub_session="h-1", identification=Identification(type=TokenType.RFID, uid="1")))
    await agree(desk.app.links, "hubject", emsp=EMSP)
    assert (await desk.perform(nobody)).result is CommandResult.NO_CONTRACT
    await agree(desk.app.links, "hubject")
    assert (await desk.perform(nobody)).result is ACCEPTED


async def test_a_reservation_that_would_be_over_already_is_refused(desk):
    for answer in (await desk.perform(reserve(minutes=-1)), await desk.take(reserve(minutes=-1))):
        assert (answer.result, answer.text) == (REJECTED, "The reservation would have ended already")
    assert desk.listener.heard == []


async def test_a_connector_that_the_evse_has_not_is_not_found_and_asks_nobody(desk):
    at = EvseRef(location_id="L1", evse_uid="U1", connector_id="9")
    for command in (start(at=at), UnlockConnector(at=at, emsp=EMSP)):
        taken = await desk.take(command)
        assert (taken.result, taken.text) == (CommandResult.UNKNOWN_EVSE, "The EVSE has no such connector")
    assert desk.listener.heard == []


async def test_who_is_told_that_something_is_unknown_is_told_what(desk):
    for command, text in (
        (start(at=EvseRef(location_id="L404")), "There is no such EVSE, or it is not clear whose is meant"),
        (StopSession(session="s-404"), "There is no such session, or it is over"),
        (CancelReservation(reservation="r-404"), "There is no such reservation, or it is over"),
    ):
        assert (await desk.take(command)).text == text


async def test_a_cancellation_without_an_emsp_is_of_the_only_reservation_of_that_id(desk):
    other = PartyId("DE-ABC")
    await desk.perform(reserve("1/x", leg=Leg(emsp=EMSP, identification=DRIVER)))
    cancel = CancelReservation(reservation="1/x")
    assert (await desk.take(cancel)).result is CommandResult.UNKNOWN_RESERVATION  # it is another connection's
    another = Leg(emsp=other, identification=Identification(type=TokenType.APP_USER, uid="other"))
    await desk.perform(reserve("1/x", leg=another, emsp=other))
    refused = await desk.perform(cancel)
    assert (refused.result, refused.text) == (REJECTED, "Several are called so, and it is not said whose is meant")
    assert (await desk.perform(CancelReservation(reservation="1/x", emsp=other))).result is ACCEPTED
    assert (await desk.perform(cancel)).result is ACCEPTED
    assert desk.listener.heard[-1].json["reference"] == desk.listener.heard[0].json["reference"]


async def test_over_a_paused_connection_nothing_begins_but_what_began_is_stopped(desk):
    first = await desk.perform(start())
    await desk.app.services.connections.pause("hubject", "maintenance", WHO)
    await desk.app.links.refresh()
    refused = await desk.perform(start("h-2"))
    assert (refused.result, refused.text) == (REJECTED, "The connection is paused")
    assert await desk.perform(start()) == first
    assert len(desk.listener.heard) == 1
    assert (await desk.perform(StopSession(session="h-1", emsp=EMSP))).result is ACCEPTED


async def test_whoever_has_locations_is_a_party_of_the_platform_though_nobody_wrote_its_profile(desk):
    published, hub = desk.app.gateway.published, desk.hub("gireve")
    await desk.put(location(party=OTHER))
    await desk.put(location("L7"))
    assert [await published.parties(hub), await published.owners(hub)] == [[], [PARTY, OTHER]]
    await desk.app.services.connections.set_scope("gireve", Scope(parties=frozenset({OTHER})), WHO)
    assert await published.owners(desk.hub("gireve")) == [OTHER]
