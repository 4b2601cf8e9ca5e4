"""Asking Hubject for drivers: what is asked, and what its answers mean."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.core.charging import Allowed, Denial, Denied, Question, Unanswered
from adapters.core.outcomes import Misconfigured, NotSent, OutcomeUnknown, RefusedByHub
from adapters.hubject.adapter import HubjectAdapter
from adapters.hubject.asking import STARTS, STOPS
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.tokens import Identification, Pin, TokenType
from mappings.oicp.status_codes import CODES
from tests.adapters.hubject.network import adapter
from tests.adapters.hubject.peer import AUTHORISED, Peer, acknowledged, denied, playing
from tests.mappings.oicp.charges import CARD, LEG, OPERATOR, PLACE, PROVIDER, SESSION_ID

QUESTION = Question(id="auth-1", party=OPERATOR, place=PLACE, identification=CARD)
EVCO = ContractId("NL-EMS-C12345678-X")


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with playing() as made:
        yield made


@pytest.fixture
async def asking(peer: Peer) -> AsyncIterator[HubjectAdapter]:
    made = adapter(base_url=peer.url, operator_id=OPERATOR)
    yield made
    await made.close()


async def test_a_yes_tells_the_leg_by_which_all_that_follows_is_told(asking: HubjectAdapter, peer: Peer) -> None:
    peer.says = AUTHORISED | {
        "AuthorizationStopIdentifications": [
            {"RFIDMifareFamilyIdentification": {"UID": "04AABBCC"}},
            {"RemoteIdentification": {"EvcoID": EVCO.text}},
        ]
    }
    answer = await asking.authorise(replace(QUESTION, product="AC3"))
    assert isinstance(answer, Allowed)
    assert (answer.leg.hub_session, answer.leg.own_session, answer.leg.emsp_session) == (SESSION_ID, "auth-1", "emp-1")
    assert (answer.leg.emsp, answer.leg.identification, answer.leg.product) == (PROVIDER, CARD, "AC3")
    assert [(one.type, one.uid, one.contract_id) for one in answer.stop_with] == [
        (TokenType.RFID, "04AABBCC", None),
        (TokenType.APP_USER, None, EVCO),
    ]
    ((path, body),) = peer.heard
    assert path == f"/api/oicp/charging/v21/operators/{OPERATOR.normal}/authorize/start"
    assert body == {
        "OperatorID": OPERATOR.normal,
        "CPOPartnerSessionID": "auth-1",
        "EvseID": PLACE.evse_id.text,
        "Identification": {"RFIDMifareFamilyIdentification": {"UID": CARD.uid}},
        "PartnerProductID": "AC3",
    }


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (
            Identification(type=TokenType.QR_CODE, contract_id=EVCO),
            {"QRCodeIdentification": {"EvcoID": EVCO.text, "PIN": "4711"}},
        ),
        (
            Identification(type=TokenType.PLUG_AND_CHARGE, contract_id=EVCO),
            {"PlugAndChargeIdentification": {"EvcoID": EVCO.text}},
        ),
        (
            Identification(type=TokenType.APP_USER, contract_id=EVCO),
            {"RemoteIdentification": {"EvcoID": EVCO.text}},
        ),
    ],
)
async def test_every_kind_of_identification_is_asked_for(
    asking: HubjectAdapter, peer: Peer, who: Identification, said: dict[str, object]
) -> None:
    pin = Pin.model_validate({"value": "4711"}) if who.type is TokenType.QR_CODE else None
    assert isinstance(await asking.authorise(replace(QUESTION, identification=who, pin=pin)), Allowed)
    assert peer.heard[0][1]["Identification"] == said


async def test_a_driver_whom_oicp_has_no_word_for_is_not_asked_for(asking: HubjectAdapter, peer: Peer) -> None:
    nobody = Identification(type=TokenType.AD_HOC_USER, uid="someone")
    odd = Identification(type=TokenType.RFID, uid="not-a-card")
    nowhere = replace(QUESTION, place=QUESTION.place.model_copy(update={"evse_id": None}))
    answers = [await asking.authorise(nowhere)]
    for question in (replace(QUESTION, identification=nobody), replace(QUESTION, identification=odd)):
        answers += [await asking.authorise(question), await asking.authorise_stop(question, LEG)]
    for answer in answers:
        assert isinstance(answer, Denied)
        assert answer.reason is Denial.NO_CANDIDATE
        assert answer.text
        assert not {"someone", odd.uid} & set(answer.text.split())
    assert peer.heard == []


@pytest.mark.parametrize("code", sorted(CODES))
async def test_every_code_beside_a_no_means_what_its_table_says(asking: HubjectAdapter, peer: Peer, code: str) -> None:
    peer.says = denied(code)
    for answer, means in (
        (await asking.authorise(QUESTION), STARTS[code]),
        (await asking.authorise_stop(QUESTION, LEG), STOPS[code]),
    ):
        if isinstance(means, Denial):
            assert isinstance(answer, Denied)
            assert (answer.reason, answer.code, answer.text) == (means, code, "said")
        else:
            assert isinstance(answer, Unanswered)
            assert type(answer.outcome) is means


@pytest.mark.parametrize(
    ("code", "start", "stop"),
    [
        ("102", Denial.UNKNOWN_TOKEN, Denial.OTHER_MEDIUM),
        ("106", Denial.NOT_ALLOWED, Denial.OTHER_MEDIUM),
        ("200", Denial.BLOCKED, Denial.BLOCKED),
        ("210", Denial.NO_CONTRACT, Denial.NO_CONTRACT),
        ("400", Denial.UNKNOWN_SESSION, Denial.UNKNOWN_SESSION),
        ("603", Denial.UNKNOWN_EVSE, Denial.UNKNOWN_EVSE),
        ("001", NotSent, NotSent),
        ("017", Misconfigured, Misconfigured),
        ("022", RefusedByHub, RefusedByHub),
        ("310", OutcomeUnknown, OutcomeUnknown),
    ],
)
def test_what_the_codes_of_a_no_mean(code: str, start: object, stop: object) -> None:
    assert (STARTS[code], STOPS[code]) == (start, stop)


async def test_a_no_with_a_code_that_no_table_has_is_a_no(asking: HubjectAdapter, peer: Peer) -> None:
    for body in (denied("999"), {"AuthorizationStatus": "NotAuthorized"}):
        peer.says = body
        answer = await asking.authorise(QUESTION)
        assert isinstance(answer, Denied)
        assert answer.reason is Denial.NOT_ALLOWED


@pytest.mark.parametrize(
    ("status", "says", "kind"),
    [
        (200, AUTHORISED | {"SessionID": None}, OutcomeUnknown),
        (200, AUTHORISED | {"SessionID": "not a session"}, OutcomeUnknown),
        (200, AUTHORISED | {"StatusCode": {"Code": "102"}}, OutcomeUnknown),
        (200, {"AuthorizationStatus": "Perhaps", "StatusCode": {"Code": "000"}}, OutcomeUnknown),
        (200, {"AuthorizationStatus": None, "StatusCode": {"Code": "999"}}, OutcomeUnknown),
        (200, acknowledged("000"), OutcomeUnknown),
        (200, acknowledged("001"), NotSent),
        (401, {"StatusCode": {"Code": "017"}}, Misconfigured),
        (404, {"StatusCode": {"Code": "300"}}, Misconfigured),
        (200, b"Authorized", OutcomeUnknown),
        (200, b"", OutcomeUnknown),
        (200, b"[]", OutcomeUnknown),
        (200, b'"Authorized"', OutcomeUnknown),
        (200, b'{"AuthorizationStatus": ["Authorized"], "StatusCode": 7}', OutcomeUnknown),
        (200, b"[" * 50_000, OutcomeUnknown),
        (403, b"<html>Forbidden</html>", Misconfigured),
        (503, b"", NotSent),
        (500, AUTHORISED | {"StatusCode": {"Code": "002"}, "AuthorizationStatus": None}, NotSent),
    ],
)
async def test_what_is_neither_yes_nor_no_is_unanswered(
    asking: HubjectAdapter, peer: Peer, status: int, says: object, kind: type
) -> None:
    peer.status, peer.says = status, says
    for answer in (await asking.authorise(QUESTION), await asking.authorise_stop(QUESTION, LEG)):
        if isinstance(answer, Allowed):  # a stop has its SessionID already
            assert says in (AUTHORISED | {"SessionID": None}, AUTHORISED | {"SessionID": "not a session"})
            continue
        assert isinstance(answer, Unanswered)
        assert isinstance(answer.outcome, kind)


async def test_an_acknowledgement_in_the_place_of_an_answer_is_a_no_where_its_code_is(
    asking: HubjectAdapter, peer: Peer
) -> None:
    peer.says = acknowledged("210")
    answer = await asking.authorise(QUESTION)
    assert isinstance(answer, Denied)
    assert answer.reason is Denial.NO_CONTRACT


async def test_a_stop_names_the_session_and_keeps_its_leg(asking: HubjectAdapter, peer: Peer) -> None:
    other = Identification(type=TokenType.RFID, uid="04AABBCC")
    answer = await asking.authorise_stop(replace(QUESTION, identification=other), LEG)
    assert isinstance(answer, Allowed)
    assert answer.leg == LEG
    ((path, body),) = peer.heard
    assert path.endswith("/authorize/stop")
    assert (body["SessionID"], body["CPOPartnerSessionID"], body["EMPPartnerSessionID"]) == (
        SESSION_ID,
        "a1b2c3",
        "emp-1",
    )
    assert body["Identification"] == {"RFIDMifareFamilyIdentification": {"UID": "04AABBCC"}}


@pytest.mark.parametrize(
    ("says", "gone"),
    [(AUTHORISED, True), (denied("400"), True), (denied("102"), False), (denied("001"), False), (b"", False)],
)
async def test_an_unused_authorisation_is_given_back_by_stopping_it(
    asking: HubjectAdapter, peer: Peer, says: object, gone: bool
) -> None:
    peer.says = says
    other = Identification(type=TokenType.RFID, uid="04AABBCC")
    assert await asking.release(replace(QUESTION, identification=other), LEG) is gone
    # Authorised offline, it is stopped by what it was authorised for alone.
    assert peer.heard[0][1]["Identification"] == {"RFIDMifareFamilyIdentification": {"UID": CARD.uid}}


async def test_a_question_waits_no_longer_than_a_driver_may(peer: Peer) -> None:
    made = adapter(base_url="http://127.0.0.1:9", answer_seconds=2.5, timeout_seconds=60, providers=["NL-EMS"])
    assert made.charging.answer_within.total_seconds() == 2.5
    assert made.answers_for(PartyId("NL*EMS"))
    assert not made.answers_for(PartyId("NL-XYZ"))
    assert not adapter().answers_for(PartyId("NL-EMS"))
    answer = await made.authorise(QUESTION)
    assert isinstance(answer, Unanswered)
    assert isinstance(answer.outcome, NotSent)
    await made.close()
