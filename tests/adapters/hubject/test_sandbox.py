"""The sandbox refuses what Hubject refuses, in its own words."""

import copy
import json

import aiohttp
import pytest

from adapters.hubject.sandbox import HubjectSandbox, Partner, run
from tests.adapters.hubject.conftest import OTHER
from tests.adapters.hubject.network import HUB_CPO, adapter, evse, items, location
from tests.oicp_schema import validate
from tests.shared import shared_path

DATA = "/api/oicp/evsepush/v23/operators/FR*HUB/data-records"
STATUS = "/api/oicp/evsepush/v21/operators/FR*HUB/status-records"


def record(evse_id="FR*HUB*E1"):
    hub = adapter()
    (call,) = hub.plan("evse_data", items(hub, "evse_data", location(evse("a", evse_id)))).calls
    return copy.deepcopy(call.body["OperatorEvseData"]["EvseDataRecord"][0])


def data(*records, action="insert", operator="FR*HUB"):
    return {
        "ActionType": action,
        "OperatorEvseData": {"OperatorID": operator, "OperatorName": "Hub", "EvseDataRecord": list(records)},
    }


def statuses(*pairs, action="insert", operator="FR*HUB"):
    listed = [{"EvseID": evse_id, "EvseStatus": status} for evse_id, status in pairs]
    return {"ActionType": action, "OperatorEvseStatus": {"OperatorID": operator, "EvseStatusRecord": listed}}


@pytest.fixture
async def post(plain):
    async with aiohttp.ClientSession(plain.url) as session:

        async def push(path, body):
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            async with session.post(path, data=raw) as response:
                return response.status, json.loads(await response.text())

        yield push


async def code(post, path, body):
    status, answer = await post(path, body)
    assert status == 200
    assert answer["Result"] is (answer["StatusCode"]["Code"] == "000")
    return answer["StatusCode"]["Code"]


async def test_answers_are_acknowledgements_with_explicit_nulls(post):
    _, answer = await post(DATA, data(record()))
    validate(
        "eRoamingAcknowledgment",
        {"Result": answer["Result"], "StatusCode": {"Code": answer["StatusCode"]["Code"]}},
    )
    assert answer["SessionID"] is None


def without(field):
    def change(one):
        del one[field]

    return change


def with_value(field, value):
    def change(one):
        one[field] = value

    return change


def in_address(field, value):
    def change(one):
        one["Address"][field] = value

    return change


def in_facility(field, value):
    def change(one):
        one["ChargingFacilities"][0][field] = value

    return change


MANDATORY = [
    "EvseID", "ChargingStationNames", "Address", "GeoCoordinates", "Plugs", "ChargingFacilities", "RenewableEnergy",
    "CalibrationLawDataAvailability", "AuthenticationModes", "PaymentOptions", "ValueAddedServices", "Accessibility",
    "HotlinePhoneNumber", "IsOpen24Hours", "IsHubjectCompatible", "DynamicInfoAvailable",
]  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        *(pytest.param(without(field), id=f"without {field}") for field in MANDATORY),
        pytest.param(with_value("EvseID", "NL.SPI.ECO01064*1"), id="malformed EvseID"),
        pytest.param(with_value("Plugs", []), id="no plugs"),
        pytest.param(with_value("Plugs", ["type 2 outlet"]), id="wrong case of an enum"),
        pytest.param(with_value("PaymentOptions", ["No Payment", "Direct"]), id="no payment with another"),
        pytest.param(with_value("PaymentOptions", None), id="null"),
        pytest.param(with_value("HotlinePhoneNumber", "0123456"), id="phone"),
        pytest.param(with_value("DynamicInfoAvailable", True), id="boolean for a text"),
        pytest.param(with_value("IsOpen24Hours", "true"), id="text for a boolean"),
        pytest.param(with_value("SubOperatorName", "x" * 101), id="long name"),
        pytest.param(with_value("ClearinghouseID", "x" * 21), id="long clearing house"),
        pytest.param(with_value("GeoCoordinates", {}), id="no coordinates"),
        pytest.param(with_value("GeoCoordinates", {"Google": {"Coordinates": "None None"}}), id="coordinates"),
        pytest.param(with_value("ChargingStationNames", [{"lang": "EN", "value": "x"}]), id="language"),
        pytest.param(with_value("ChargingStationNames", [{"lang": "en", "value": "x" * 151}]), id="long text"),
        pytest.param(in_address("Country", "FR"), id="country of two letters"),
        pytest.param(in_address("Street", "x"), id="street of one letter"),
        pytest.param(in_address("City", ""), id="no city"),
        pytest.param(in_address("PostalCode", "x" * 11), id="long postal code"),
        pytest.param(in_address("TimeZone", "Europe/Paris"), id="time zone"),
        pytest.param(in_facility("Power", 22.5), id="power with a fraction"),
        pytest.param(in_facility("Power", 7360), id="power of megawatts"),
        pytest.param(in_facility("Amperage", 125), id="amperage of three digits"),
    ],
)
async def test_a_wrong_record_is_a_data_error_and_takes_the_batch_with_it(plain, post, change):
    wrong = record("FR*HUB*E2")
    change(wrong)
    assert await code(post, DATA, data(record(), wrong)) == "022"
    assert plain.sandbox.memory["evse_data"] == {}
    plain.sandbox.recorded_forms = True
    status, answer = await post(DATA, data(record(), wrong))
    assert status == 400
    assert answer["validationErrors"][0]["fieldReference"].startswith("operatorEvseData.evseDataRecord[1]")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"[" * 10_000,
        {},
        {"ActionType": "insert"},
        data(record(), action="upsert"),
        {"ActionType": "insert", "OperatorEvseData": []},
        {"ActionType": "insert", "OperatorEvseData": {"OperatorID": 7, "OperatorName": "x", "EvseDataRecord": []}},
    ],
)
async def test_a_body_that_is_no_push_is_a_data_error(post, body):
    assert await code(post, DATA, body) == "022"


async def test_an_evse_of_a_party_that_is_not_a_sub_operator_is_inconsistent(post):
    assert await code(post, DATA, data(record("FR*ONE*E1"))) == "000"
    assert await code(post, DATA, data(record("FR*XYZ*E1"))) == "018"


async def test_an_evse_id_twice_in_a_body_is_inconsistent_in_whatever_spelling(post):
    assert await code(post, DATA, data(record("FR*HUB*E1*2"), record("FR*HUB*E12"))) == "018"


async def test_an_operator_id_in_the_body_that_is_not_the_paths_is_unauthorized(post):
    assert await code(post, DATA, data(record(), operator="FR*ONE")) == "017"
    assert await code(post, DATA, data(record(), operator="FRHUB")) == "000"


async def test_an_insert_of_what_is_there_and_an_update_of_what_is_not_are_refused(plain, post):
    assert await code(post, DATA, data(record("FR*HUB*E1"))) == "000"
    assert await code(post, DATA, data(record("FR*HUB*E1"), record("FR*HUB*E2"))) == "022"
    assert await code(post, DATA, data(record("FR*HUB*E1"), record("FR*HUB*E2"), action="update")) == "603"
    assert list(plain.sandbox.memory["evse_data"]) == ["FRHUBE1"]


async def test_a_full_load_touches_no_other_operator_and_an_empty_one_clears_its_own(plain, post):
    other = DATA.replace("FR*HUB", "FR*OTH")
    assert await code(post, other, data(record("FR*OTH*E1"), operator="FR*OTH")) == "000"
    assert await code(post, DATA, data(record("FR*HUB*E1"), record("FR*HUB*E2"), action="fullLoad")) == "000"
    assert await code(post, DATA, data(action="fullLoad")) == "000"
    assert list(plain.sandbox.memory["evse_data"]) == ["FROTHE1"]


async def test_a_status_needs_an_evse_and_a_word_of_oicp(plain, post):
    assert await code(post, STATUS, statuses(("FR*HUB*E1", "Available"))) == "603"
    assert await code(post, DATA, data(record())) == "000"
    assert await code(post, STATUS, statuses(("FR*HUB*E1", "AVAILABLE"))) == "022"
    assert await code(post, STATUS, statuses(("FR*HUB*E1", "Available"), action="update")) == "603"
    assert await code(post, STATUS, statuses(("FR*HUB*E1", "Available"))) == "000"
    assert await code(post, STATUS, statuses(("FR*HUB*E1", "Occupied"), action="update")) == "000"
    assert plain.sandbox.memory["evse_status"]["FRHUBE1"]["EvseStatus"] == "Occupied"
    assert await code(post, STATUS, statuses(("FR*HUB*E1", "Unknown"), action="delete")) == "000"
    assert plain.sandbox.memory["evse_status"] == {}


async def test_the_published_limits_are_kept_for_each_operation_and_operator(plain, post, clock):
    body = data(action="delete")
    for n in range(376):
        clock.now = n * 0.1
        status, _ = await post(DATA, body)
        assert status == (200 if n < 375 else 429)
    assert await code(post, STATUS, statuses(action="delete")) == "000"
    assert await code(post, DATA.replace("FR*HUB", "FR*OTH"), data(action="delete", operator="FR*OTH")) == "000"
    clock.now = 60.05
    assert await code(post, DATA, body) == "000"
    plain.sandbox.limits = False
    for _ in range(5):
        assert await code(post, DATA, body) == "000"
    assert plain.sandbox.requests["evse_data", "429"] == 1


async def test_a_forgotten_sandbox_takes_inserts_anew(plain, post):
    for _ in range(2):
        assert await code(post, DATA, data(record())) == "000"
        async with aiohttp.ClientSession(plain.url) as session:
            await session.delete("/_sandbox/memory")


async def test_a_partner_may_be_given_the_right_to_push_for_anybody_but_not_what_another_has():
    sandbox = HubjectSandbox([Partner(HUB_CPO, None), Partner(OTHER, None)])
    async with run(sandbox, None) as running, aiohttp.ClientSession(running.url) as session:
        async with session.post(DATA, json=data(record("DE*XYZ*E1"))) as response:
            assert (await response.json())["Result"] is True
        path = DATA.replace("FR*HUB", "FR*OTH")
        async with session.post(path, json=data(record("DE*XYZ*E1"), operator="FR*OTH")) as response:
            assert (await response.json())["StatusCode"]["Code"] == "018"


async def test_hubjects_own_examples_are_well_shaped(post):
    schemas = json.loads(shared_path("protocols/oicp-2.3/openapi-cpo.json").read_text())["components"]["schemas"]
    body = schemas["eRoamingPushEvseData"]["example"]
    body["OperatorEvseData"] |= {"OperatorID": "FR*HUB"}
    body["OperatorEvseData"]["EvseDataRecord"][0]["EvseID"] = "FR*HUB*ETEST1"
    assert await code(post, DATA, body) == "000"
    body = schemas["eRoamingPushEvseStatus"]["example"]
    body["OperatorEvseStatus"] |= {"OperatorID": "FR*HUB"}
    body["OperatorEvseStatus"]["EvseStatusRecord"][0]["EvseID"] = "FR*HUB*ETEST1"
    assert await code(post, STATUS, body) == "000"
