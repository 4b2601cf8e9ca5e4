"""Who may ask an EMP for its drivers and bring it CDRs, over real TLS."""

from dataclasses import replace
from urllib.parse import quote

import pytest

from adapters.core.connection import Mode
from tests.adapters.hubject.called import CDR, MESSAGES, START, STOP, Called
from tests.adapters.hubject.emps import EVCO
from tests.adapters.hubject.network import settings as operator_settings
from tests.mappings.oicp.charges import SESSION_ID

# Who may


async def test_whoever_shows_no_certificate_or_another_is_refused(emp_called: Called) -> None:
    other = emp_called.authority.issue_cert(common_name="other.example", organization_name="Hub, Inc.")
    for shown in (None, other):
        for path, body in MESSAGES.items():
            assert (await emp_called.post(path, body, shown=shown))["StatusCode"]["Code"] == "017"
    assert emp_called.untouched
    assert {answer.connection for answer in emp_called.measured.answers} == {"unknown"}


async def test_nothing_tells_a_stranger_which_connections_there_are(emp_called: Called) -> None:
    known = await emp_called.post(START, MESSAGES[START])
    unknown = await emp_called.post(START, MESSAGES[START], root="/oicp/none")
    assert known == unknown


async def test_a_certificate_that_is_bound_to_other_operators_is_refused(emp_called: Called) -> None:
    emp_called.change(hub_certificates=[{"subject": emp_called.subject, "bound_to": ["FR*OTH"]}])
    for path in (START, STOP, CDR):
        assert await emp_called.code(path, MESSAGES[path]) == "017"
    emp_called.change(hub_certificates=[{"subject": emp_called.subject, "bound_to": ["FR*HUB"]}])
    for path, body in MESSAGES.items():
        assert await emp_called.code(path, body) == "000"


async def test_an_operators_connection_is_not_asked_for_drivers_nor_an_emps_for_stations(emp_called: Called) -> None:
    commanding = "charging/v21/providers/NL-EMS/authorize-remote/start"
    order = {
        "SessionID": SESSION_ID,
        "ProviderID": "NL-EMS",
        "EvseID": "FR*HUB*E1",
        "Identification": {"RemoteIdentification": {"EvcoID": EVCO}},
    }
    assert await emp_called.code(commanding, order) == "017"
    cpo = operator_settings(hub_certificates=[{"subject": emp_called.subject}])
    emp_called.registry.connection = replace(emp_called.registry.connection, settings=cpo.model_dump(mode="json"))
    assert await emp_called.code(commanding, order) == "000"
    for path, body in MESSAGES.items():
        assert await emp_called.code(path, body) == "017"
    assert emp_called.untouched


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.SHADOW])
async def test_a_connection_that_is_not_live_answers_for_nobody_and_takes_nothing(
    emp_called: Called, mode: Mode
) -> None:
    emp_called.registry.connection = replace(emp_called.registry.connection, mode=mode)
    for path, body in MESSAGES.items():
        assert await emp_called.code(path, body) == "320"
    assert emp_called.untouched


async def test_an_ingress_hands_hubjects_certificate_on(emp_behind_ingress: Called) -> None:
    other = emp_behind_ingress.authority.issue_cert(common_name="other.example", organization_name="Hub, Inc.")
    for shown, code in ((emp_behind_ingress.hub, "000"), (other, "017")):
        headers = {"ssl-client-cert": quote(shown.cert_chain_pems[0].bytes()), "ssl-client-verify": "SUCCESS"}
        assert await emp_behind_ingress.code(START, MESSAGES[START], headers=headers) == code
    assert await emp_behind_ingress.code(START, MESSAGES[START]) == "017"


async def test_every_request_is_measured_by_operation_and_connection(emp_called: Called) -> None:
    for path, body in MESSAGES.items():
        await emp_called.code(path, body)
    found = [(each.connection, each.operation, each.status) for each in emp_called.measured.answers]
    names = ("authorise_start", "authorise_stop", "cdrs", "charging_notifications")
    assert found == [("hubject-test", name, 200) for name in names]
