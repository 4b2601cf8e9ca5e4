"""The sandbox takes notifications and CDRs as Hubject does."""

from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from adapters.core.charging import Allowed, Denial, Denied, Question
from adapters.core.outcomes import Delivered, RefusedByHub
from adapters.hubject.adapter import HubjectAdapter
from adapters.hubject.sandbox import HubjectSandbox, Partner, run
from mappings.canonical.cdrs import CdrLocation
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Metering
from tests.adapters.hubject.charging import (
    CDR,
    DRIVER,
    EVCO,
    NOTE,
    NOW,
    OTHER_CARD,
    STOP,
    UNKNOWN,
    Hub,
    cdr,
    note,
    playing,
    push,
    stopping,
)
from tests.adapters.hubject.network import HUB_CPO, adapter
from tests.mappings.oicp import charges as told
from tests.oicp_schema import faults_of_charge

# Notifications


async def test_notifications_are_kept_in_their_order(hbs: Hub) -> None:
    session = await hbs.begun()
    for kind in ("Start", "Progress", "End", "Error"):
        assert faults_of_charge(f"eRoamingChargingNotification{kind}", note(session, kind)) == []
        assert await hbs.code(NOTE, note(session, kind)) == "000"
    assert [each["Type"] for each in (await hbs.memory("notifications")).values()] == [
        *("Start", "Progress", "End", "Error")
    ]


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("Middle", {}),
        ("Start", {"ChargingStart": None}),
        ("Start", {"ChargingStart": "2026-06-07T12:00:00"}),
        ("Start", {"ChargingStart": "2026-06-31T12:00:00Z"}),
        ("Start", {"MeterValueStart": "7"}),
        ("Progress", {"ConsumedEnergyProgress": None}),
        ("Progress", {"ConsumedEnergyProgress": 1.2345}),
        ("Progress", {"EventOccurred": None}),
        ("End", {"ChargingEnd": None}),
        ("Error", {"ErrorType": "Sad"}),
        ("Error", {"ErrorAdditionalInfo": "x" * 251}),
        ("Error", {"Identification": {}}),
    ],
)
async def test_a_wrong_notification_is_a_data_error(hbs: Hub, kind: str, changes: Any) -> None:
    assert await hbs.code(NOTE, note(await hbs.begun(), kind, **changes)) == "022"


async def test_progress_is_told_every_five_minutes_at_most(hbs: Hub) -> None:
    session, other = await hbs.begun(), await hbs.begun()
    at = "2026-06-07T12:{}+02:00".format
    assert await hbs.code(NOTE, note(session, "Progress", EventOccurred=at("10:00"))) == "000"
    assert await hbs.code(NOTE, note(session, "Progress", EventOccurred=at("14:59"))) == "022"
    assert await hbs.code(NOTE, note(other, "Progress", EventOccurred=at("14:59"))) == "000"
    assert await hbs.code(NOTE, note(session, "Progress", EventOccurred=at("15:00"))) == "000"


async def test_a_notification_of_no_session_is_refused(hbs: Hub) -> None:
    assert await hbs.code(NOTE, note(UNKNOWN)) == "400"
    session = await hbs.begun()
    assert await hbs.code(CDR, cdr(session)) == "000"
    assert await hbs.code(NOTE, note(session)) == "400"


# CDRs


async def test_a_session_has_one_cdr_and_repeated_ones_are_counted(hbs: Hub) -> None:
    session = await hbs.begun()
    assert faults_of_charge("eRoamingChargeDetailRecord", cdr(session)) == []
    assert await hbs.code(CDR, cdr(session)) == "000"
    assert await hbs.code(CDR, cdr(session)) == "400"
    assert await hbs.code(CDR, cdr(session, MeterValueEnd=None, ConsumedEnergy=1)) == "400"
    assert await hbs.memory("cdrs") == {session: cdr(session)}
    requests = hbs.running.sandbox.requests
    assert requests["repeated_cdrs", "same content"] == requests["repeated_cdrs", "other content"] == 1
    assert (requests["charge_detail_record", "ok"], requests["charge_detail_record", "400"]) == (1, 2)
    assert await hbs.code(STOP, stopping(session)) == "400"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SessionID": UNKNOWN}, "400"),
        ({"EvseID": "FR*XYZ*E1"}, "018"),
        ({"Identification": {"RemoteIdentification": {"EvcoID": "DE-NIX-C12345678-X"}}}, "019"),
        ({"Identification": {"RemoteIdentification": {"EvcoID": EVCO}}}, "000"),
        ({"Identification": {}}, "022"),
        ({"ConsumedEnergy": -0.1, "MeterValueEnd": 100.0}, "022"),
        ({"ConsumedEnergy": 1000.001, "MeterValueEnd": None}, "022"),
        ({"ConsumedEnergy": 1000, "MeterValueEnd": None}, "000"),
        ({"ConsumedEnergy": 21.401}, "022"),
        ({"ConsumedEnergy": 21.4001, "MeterValueEnd": None}, "022"),
        ({"ConsumedEnergy": None}, "022"),
        ({"ChargingEnd": "2026-06-07T12:00:59+02:00"}, "022"),
        ({"SessionEnd": "2026-06-07T11:59:59+02:00"}, "022"),
        ({"SessionEnd": "2026-06-07T14:00:06+02:00"}, "022"),
        ({"SessionEnd": "2026-06-07T14:00:00+02:00"}, "000"),
        ({"SessionEnd": "2026-06-07T13:30:00"}, "022"),
        ({"SignedMeteringValues": [{"SignedMeteringValue": "x" * 3001, "MeteringStatus": "Start"}]}, "022"),
        ({"SignedMeteringValues": [{"MeteringStatus": "End"}, {"MeteringStatus": "Start"}]}, "022"),
        ({"SignedMeteringValues": [{"MeteringStatus": "Progress"}] * 11}, "022"),
        ({"SignedMeteringValues": [{"SignedMeteringValue": "x", "MeteringStatus": "Start"}]}, "000"),
    ],
)
async def test_a_cdr_that_cannot_be_is_refused(hbs: Hub, changes: Any, code: str) -> None:
    session = await hbs.begun()
    assert await hbs.code(CDR, cdr(session, **changes)) == code
    assert (await hbs.memory("cdrs") == {}) is (code != "000")


async def test_an_evse_that_promises_signed_readings_has_to_give_them(hbs: Hub) -> None:
    await push(hbs, CalibrationLawDataAvailability="External")
    session = await hbs.begun()
    assert await hbs.code(CDR, cdr(session)) == "022"
    signed = [{"SignedMeteringValue": "x", "MeteringStatus": "Start"}]
    assert await hbs.code(CDR, cdr(session, SignedMeteringValues=signed)) == "000"


async def test_a_malformed_cdr_is_answered_as_it_was_recorded_where_that_is_wanted() -> None:
    async with playing(recorded_forms=True) as hbs:
        status, answer = await hbs.post(CDR, cdr(UNKNOWN, EvseID=None))
        assert status == 400
        assert answer["validationErrors"][0]["fieldReference"] == "evseID"


# Against the adapter, whose mappings are other rules than the sandbox's


def asked() -> Question:
    place = CdrLocation(
        id="LOC1",
        evse_uid="1",
        connector_id="1",
        evse_id=EvseId("FR*HUB*E1"),
        time_zone="Europe/Paris",
    )
    return Question(id="auth-1", party=HUB_CPO, place=place, identification=told.CARD)


async def delivered(made: HubjectAdapter, message: Any) -> Any:
    call, _ = made.render(message)
    return await made.tell(call, doubtful=False)


async def test_the_adapter_and_the_sandbox_understand_each_other() -> None:
    partners = [Partner(HUB_CPO)]
    sandbox = HubjectSandbox(partners, wall=lambda: NOW)
    async with run(sandbox, None) as running, aiohttp.ClientSession(running.url) as session:
        hbs = Hub(running, session)
        await hbs.drivers(DRIVER | {"stop_with": [OTHER_CARD]})
        made = adapter(base_url=running.url)
        try:
            answer = await made.authorise(asked())
            assert isinstance(answer, Allowed)
            assert answer.leg.emsp == PartyId("NL*EMS")
            await hbs.drivers(DRIVER | {"answer": "not_authorised", "code": "200"})
            denied = await made.authorise(asked())
            assert isinstance(denied, Denied)
            assert denied.code == "200"
            await tell_all(made, hbs, answer.leg)
            stopped = await made.authorise_stop(asked(), answer.leg)
            assert isinstance(stopped, Denied)  # it has its CDR
            assert stopped.reason is Denial.UNKNOWN_SESSION
        finally:
            await made.close()


async def tell_all(made: HubjectAdapter, hbs: Hub, leg: Leg) -> None:
    place = asked().place
    begun = told.session(party=HUB_CPO)
    over = told.session(party=HUB_CPO, charging_end=told.ENDED, end=told.ENDED, last_updated=told.ENDED)
    for session in (begun, over):
        for message in made.of_session(session, place, leg, {}):
            assert isinstance(await delivered(made, message), Delivered)
    metering = Metering(start=Decimal("10.1234"), end=Decimal("17.1234"))
    (message,) = made.of_cdr(told.cdr(party=HUB_CPO, location=place, metering=metering), leg)
    assert isinstance(await delivered(made, message), Delivered)
    assert isinstance(await delivered(made, message), RefusedByHub)
    assert [each["Type"] for each in (await hbs.memory("notifications")).values()][:1] == ["Start"]
    assert list(await hbs.memory("cdrs")) == [leg.hub_session]
