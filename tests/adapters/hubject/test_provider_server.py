"""What Hubject calls at an EMP, over real TLS: drivers asked for, notifications and CDRs brought home; and who may."""

import asyncio
import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from adapters.core.charging import Allowed, Answer, Denial, Denied, Unanswered
from adapters.core.connection import Connection
from adapters.core.inbound import Asked
from adapters.core.outcomes import NotSent
from adapters.hubject import serving
from adapters.hubject.provider.server import DENIALS
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import SessionStatus
from mappings.canonical.tokens import Identification, TokenType
from mappings.oicp.status_codes import CODES
from tests.adapters.hubject.called import CDR, MESSAGES, NOTE, START, STOP, Called
from tests.adapters.hubject.charging import CARD, asking, cdr, note
from tests.adapters.hubject.emps import EVCO, World, world
from tests.adapters.hubject.provider import driver
from tests.adapters.impatient import tried_until
from tests.mappings.oicp.charges import SESSION_ID

# Drivers asked for


async def test_a_driver_whom_we_know_is_admitted_in_our_name(emp_called: Called) -> None:
    assert await emp_called.code(START, MESSAGES[START]) == "000"
    said = emp_called.answers[-1]
    assert (said["ProviderID"], said["SessionID"], said["EMPPartnerSessionID"]) == ("NL-EMS", SESSION_ID, "permit-1")
    assert said["CPOPartnerSessionID"] == "a1"
    (asked,) = emp_called.drivers.asked
    assert asked.cpo == PartyId("FR*HUB")
    assert asked.at is not None
    assert asked.at.evse_id == EvseId("FR*HUB*E1")
    assert (asked.leg.hub_session, asked.leg.own_session) == (SESSION_ID, "a1")
    assert asked.leg.identification == Identification(type=TokenType.RFID, uid=CARD)


async def test_what_else_may_stop_the_session_and_what_the_driver_is_to_be_told_goes_with_the_yes(
    emp_called: Called,
) -> None:
    other = Identification(type=TokenType.RFID, uid="04AABBCC")
    unsaid = Identification(type=TokenType.OTHER, uid="what")
    leg = Leg(hub_session=SESSION_ID, emsp_session="permit-1", identification=other)
    emp_called.drivers.answer = Allowed(leg, stop_with=(other, unsaid), info="Welcome")
    assert await emp_called.code(START, MESSAGES[START]) == "000"
    said = emp_called.answers[-1]
    assert said["AuthorizationStopIdentifications"] == [{"RFIDMifareFamilyIdentification": {"UID": "04AABBCC"}}]
    assert said["StatusCode"]["AdditionalInfo"] == "Welcome"


async def test_a_start_may_lack_the_evse_and_the_session(emp_called: Called) -> None:
    assert await emp_called.code(START, asking(EvseID=None, CPOPartnerSessionID=None)) == "000"
    (asked,) = emp_called.drivers.asked
    assert (asked.at, asked.cpo, asked.leg.hub_session) == (None, PartyId("FR*HUB"), None)


async def test_a_driver_of_whom_hubject_asks_can_only_be_the_providers(emp_called: Called) -> None:
    for path in (START, STOP, CDR, NOTE):
        assert await emp_called.code(path, MESSAGES[path]) == "000"
    legs = [asked.leg for asked in (*emp_called.drivers.asked, *emp_called.drivers.asked_to_stop)]
    told = [*legs, *emp_called.received.legs, *(piece.leg for piece in emp_called.received.pieces)]
    assert [leg.emsp for leg in told if leg is not None] == [PartyId("NL*EMS")] * 4


async def test_who_bundles_others_is_not_told_whose_driver_it_is(emp_called: Called) -> None:
    emp_called.change(sub_providers=["NL*SUB"])
    assert await emp_called.code(START, MESSAGES[START]) == "000"
    (asked,) = emp_called.drivers.asked
    assert asked.leg.emsp is None


async def test_whose_station_it_is_is_told_by_the_evse_where_a_hub_operator_asks(emp_called: Called) -> None:
    assert await emp_called.code(START, asking(EvseID="FR*ONE*E1")) == "000"
    (asked,) = emp_called.drivers.asked
    assert asked.cpo == PartyId("FR*ONE")
    assert asked.at is not None
    assert asked.at.party == PartyId("FR*ONE")


async def test_a_qr_codes_pin_is_handed_on_and_given_back_to_nobody(emp_called: Called) -> None:
    who = {"QRCodeIdentification": {"EvcoID": EVCO, "PIN": "1234"}}
    await emp_called.code(START, asking(who))
    (asked,) = emp_called.drivers.asked
    assert asked.pin is not None
    assert asked.pin.value.get_secret_value() == "1234"
    assert "1234" not in json.dumps(emp_called.answers[-1]).replace(EVCO, "")


async def test_a_stop_names_its_session(emp_called: Called) -> None:
    assert await emp_called.code(STOP, MESSAGES[STOP]) == "000"
    said = emp_called.answers[-1]
    assert (said["ProviderID"], said["SessionID"]) == ("NL-EMS", SESSION_ID)
    (asked,) = emp_called.drivers.asked_to_stop
    assert asked.leg.hub_session == SESSION_ID
    assert not emp_called.drivers.asked


@pytest.mark.parametrize("denial", Denial)
async def test_every_no_has_its_code_and_names_no_provider(emp_called: Called, denial: Denial) -> None:
    emp_called.drivers.answer = Denied(denial)
    code = DENIALS[denial] or "102"
    for path in (START, STOP):
        assert await emp_called.code(path, MESSAGES[path]) == code
        said = emp_called.answers[-1]
        assert said["AuthorizationStatus"] == "NotAuthorized"
        assert said["SessionID"] == SESSION_ID
        assert not {"ProviderID", "EMPPartnerSessionID", "AuthorizationStopIdentifications"} & said.keys()
        assert code in CODES


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ({"RFIDMifareFamilyIdentification": {"UID": "04FFFFFF"}}, "102"),
        ({"QRCodeIdentification": {"EvcoID": "NL-EMS-C00000009", "PIN": "1"}}, "101"),
        ({"PlugAndChargeIdentification": {"EvcoID": "NL-EMS-C00000009"}}, "105"),
        ({"RemoteIdentification": {"EvcoID": "NL-EMS-C00000009"}}, "106"),
    ],
)
async def test_a_driver_whom_nobody_knows_is_unknown_by_what_they_hold_up(
    emp_called: Called, who: dict[str, Any], code: str
) -> None:
    assert await emp_called.code(START, asking(who)) == code


async def test_a_blocked_driver_is_locked(emp_called: Called) -> None:
    emp_called.drivers.held = [driver(CARD, valid=False)]
    assert await emp_called.code(START, MESSAGES[START]) == "200"


async def test_an_answer_that_the_contract_does_not_have_is_a_no(emp_called: Called) -> None:
    emp_called.drivers.answer = Unanswered(NotSent("never said"))
    assert await emp_called.code(START, MESSAGES[START]) == "106"


# In time


async def test_the_backend_gets_what_is_left_of_the_time(emp_called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "DEADLINE", timedelta(seconds=60))
    await emp_called.code(START, MESSAGES[START])
    assert emp_called.drivers.asked[-1].within == timedelta(seconds=8)
    emp_called.change(answer_seconds=3)
    await emp_called.code(START, MESSAGES[START])
    assert emp_called.drivers.asked[-1].within == timedelta(seconds=3)
    emp_called.change(answer_seconds=9.5)
    monkeypatch.setattr(serving, "DEADLINE", timedelta(seconds=9))
    await emp_called.code(START, MESSAGES[START])
    assert timedelta(seconds=0) < emp_called.drivers.asked[-1].within <= timedelta(seconds=8.5)


async def test_a_gateway_that_outlasts_hubject_is_not_waited_for(
    emp_called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "DEADLINE", timedelta(seconds=0.7))

    reached = asyncio.Event()

    async def forever(connection: Connection, asked: Asked) -> Answer:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(emp_called.drivers, "authorise", forever)
    monkeypatch.setattr(emp_called.drivers, "authorise_stop", forever)
    for path in (START, STOP):
        reached.clear()
        # On a busy machine the time may be over before anybody was asked.
        _, code = await tried_until(partial(emp_called.code, path, MESSAGES[path]), lambda _: reached.is_set())
        assert code == "106"


# What comes home


async def test_a_cdr_is_taken_once_and_again_as_the_same(emp_called: Called) -> None:
    assert await emp_called.code(CDR, MESSAGES[CDR]) == "000"
    assert emp_called.answers[-1]["SessionID"] == SESSION_ID
    assert await emp_called.code(CDR, MESSAGES[CDR] | {"PartnerProductID": None}) == "000"
    assert await emp_called.code(CDR, dict(reversed(MESSAGES[CDR].items()))) == "000"
    ((taken, _),) = emp_called.received.cdrs.values()
    assert (taken.id, taken.party, str(taken.currency)) == (SESSION_ID, PartyId("FR*HUB"), "EUR")
    assert not emp_called.received.conflicts
    assert emp_called.received.legs[0] is not None
    assert emp_called.received.legs[0].hub_session == SESSION_ID


async def test_a_cdr_with_other_content_is_taken_too_and_is_somebodys_to_look_at(emp_called: Called) -> None:
    await emp_called.code(CDR, MESSAGES[CDR])
    more = cdr(SESSION_ID, ConsumedEnergy=21.5, MeterValueEnd=121.6)
    assert await emp_called.code(CDR, more) == "000"
    assert len(emp_called.received.conflicts) == 1


async def test_a_cdr_of_a_sub_operators_evse_comes_from_its_hub_operator(emp_called: Called) -> None:
    assert await emp_called.code(CDR, cdr(SESSION_ID, EvseID="FR*ONE*E1")) == "000"
    ((taken, _),) = emp_called.received.cdrs.values()
    assert taken.party == PartyId("FR*ONE")


async def test_cdrs_are_in_the_currency_of_the_settings(emp_called: Called) -> None:
    emp_called.change(currency="SEK")
    await emp_called.code(CDR, MESSAGES[CDR])
    ((taken, _),) = emp_called.received.cdrs.values()
    assert str(taken.currency) == "SEK"


@pytest.mark.parametrize("kind", ["Start", "Progress", "End", "Error"])
async def test_every_kind_of_notification_is_news_of_its_session(emp_called: Called, kind: str) -> None:
    assert await emp_called.code(NOTE, note(SESSION_ID, kind)) == "000"
    assert emp_called.answers[-1]["SessionID"] == SESSION_ID
    (news,) = emp_called.received.pieces
    assert (news.leg.hub_session, news.cpo) == (SESSION_ID, PartyId("FR*HUB"))
    assert (news.error is not None) is (kind == "Error")
    assert (news.status is SessionStatus.ACTIVE) is (kind != "Error")  # an End says that no energy flows any more


async def test_what_could_not_be_kept_is_not_acknowledged(emp_called: Called) -> None:
    emp_called.received.failing = RuntimeError("the password of the database is s3cret")
    for path in (CDR, NOTE):
        assert await emp_called.code(path, MESSAGES[path]) == "021"
    emp_called.drivers.answer = RuntimeError("s3cret")
    for path in (START, STOP):
        assert await emp_called.code(path, MESSAGES[path]) == "021"
    assert "s3cret" not in json.dumps(emp_called.answers)


# What is malformed


@pytest.mark.parametrize(
    ("path", "change", "field"),
    [
        (START, {"Identification": None}, "Identification"),
        (START, {"Identification": {}}, "Identification"),
        (START, {"Identification": {"RFIDMifareFamilyIdentification": {}}}, "UID"),
        (START, {"SessionID": "7"}, "SessionID"),
        (STOP, {"SessionID": None}, "SessionID"),
        (CDR, {"SessionID": None}, "SessionID"),
        (CDR, {"EvseID": "nowhere"}, "EvseID"),
        (CDR, {"ConsumedEnergy": None, "MeterValueStart": None}, "ConsumedEnergy"),
        (CDR, {"SessionEnd": "2026-06-07T11:00:00+02:00"}, "SessionEnd"),
        (CDR, {"SessionStart": "yesterday"}, "SessionStart"),
        (NOTE, {"Type": "Other"}, "Type"),
        (NOTE, {"SessionID": None}, "SessionID"),
        (NOTE, {"ChargingStart": None}, "ChargingStart"),
    ],
)
async def test_what_is_malformed_is_a_data_error_with_the_name_of_the_field(
    emp_called: Called, path: str, change: dict[str, Any], field: str
) -> None:
    assert await emp_called.code(path, MESSAGES[path] | change) == "022"
    assert field in emp_called.answers[-1]["StatusCode"]["AdditionalInfo"]
    assert emp_called.untouched


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff", b"[" * 60_000, b" " * 1_100_000, rb'{"a": "\u0000"}'],
    ids=["empty", "cut", "list", "null", "number", "text", "not UTF-8", "deep", "long", "NUL"],
)
async def test_a_body_that_is_none_is_a_data_error(emp_called: Called, raw: bytes) -> None:
    for path in MESSAGES:
        assert await emp_called.code(path, raw) == "022"


async def test_nulls_are_nothing(emp_called: Called) -> None:
    assert (
        await emp_called.code(START, MESSAGES[START] | {"EMPPartnerSessionID": None, "PartnerProductID": None}) == "000"
    )


@pytest.mark.parametrize("path", [START, STOP])
async def test_path_and_body_must_name_the_same_operator(emp_called: Called, path: str) -> None:
    assert await emp_called.code(path, MESSAGES[path] | {"OperatorID": "FR*OTH"}) == "017"
    assert await emp_called.code(path, MESSAGES[path] | {"OperatorID": "FRHUB"}) == "000"


@pytest.mark.parametrize("path", [START, STOP, CDR])
async def test_a_path_that_names_no_operator_is_a_data_error(emp_called: Called, path: str) -> None:
    assert await emp_called.code(path.replace("FR*HUB", "nobody"), MESSAGES[path]) == "022"


@pytest.mark.parametrize("root", ["/oicp/hubject-test", "/oicp/hubject-test/api/oicp"])
async def test_both_forms_of_the_address_are_served(emp_called: Called, root: str) -> None:
    for path, body in MESSAGES.items():
        assert await emp_called.code(path, body, root=root) == "000"
        assert await emp_called.code(f"{path}/", body, root=root) == "000"
        assert await emp_called.code(path.replace("*", "%2A"), body, root=root) == "000"


# With the sandbox in between


async def test_a_driver_of_ours_charges_at_a_played_cpos_station_by_way_of_the_sandbox(
    emp_behind_ingress: Called,
) -> None:
    emp_behind_ingress.change(sandbox=True, trust_loopback=True, hub_certificates=[])
    async with world(limits=False) as hub:
        await hub.do("partners", [{"provider": "NL-EMS", "url": f"{emp_behind_ingress.url}/oicp/hubject-test"}])
        tap = await hub.do("taps", {"evse": "NL*PLA*E1", "uid": CARD})
        assert tap["AuthorizationStatus"] == "Authorized"
        session = tap["SessionID"]
        assert tap["EMPPartnerSessionID"] == "permit-1"
        for kind in ("Start", "Progress", "End"):
            assert (await hub.do("notifications", {"session": session, "type": kind}))["Result"] is True
        stopped = await hub.do("tap-stops", {"session": session, "uid": CARD})
        assert stopped["AuthorizationStatus"] == "Authorized"
        (sent,) = await hub.do("cdrs", {"session": session})
        assert sent["forwarded"] is True
        await _unknown_card(hub)
    assert [news.leg.hub_session for news in emp_behind_ingress.received.pieces] == [session] * 3
    ((taken, _),) = emp_behind_ingress.received.cdrs.values()
    assert taken.id == session


async def _unknown_card(hub: World) -> None:
    no = await hub.do("taps", {"evse": "NL*PLA*E1", "uid": "04FFFFFF"})
    assert (no["AuthorizationStatus"], no["StatusCode"]["Code"]) == ("NotAuthorized", "102")


def test_every_reason_for_a_no_has_a_code_of_oicps() -> None:
    assert DENIALS.keys() == set(Denial)
    assert {code for code in DENIALS.values() if code is not None} <= CODES.keys()
