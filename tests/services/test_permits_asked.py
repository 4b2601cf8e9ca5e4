"""Drivers of ours of whom only the backend can say whether they may charge, asked while the hub waits."""

import asyncio
import json
from datetime import timedelta

import pytest

from adapters.core.charging import Allowed, Denial, Denied
from gateway.events.callouts import LONGEST
from gateway.services.ports.driver_tokens import Whose
from mappings.canonical.ids import ContractId
from mappings.canonical.parties import Role
from tests.backend import says, signed_by
from tests.harness import WHO
from tests.services.driving import CPO, EMSP, EVSE, OTHER_EMSP, UID, asked, card, pin, token

YES, NO = says({"result": "ALLOWED"}), says({"result": "NO_CREDIT", "text": "Top up your account"})
STRANGER = "04DEADBEEF1280"


def reason(answer):
    return answer.reason if isinstance(answer, Denied) else None


async def test_the_backend_hears_everything_that_it_needs_to_decide(emsp):
    await emsp.listen("PERMIT")
    emsp.listener.always = YES
    await emsp.put(token(whitelist="NEVER", driver="d-1"))
    answer = await emsp.ask(asked(session="h-1"))
    [heard] = emsp.listener.heard
    question = heard.json
    assert signed_by(heard, emsp.secret)
    assert (question["kind"], question["party"], question["id"]) == ("PERMIT", "FR*EMS", answer.leg.reference)
    assert (question["connection"], question["cpo"], question["evse"]) == ("hub", CPO.normal, EVSE.normal)
    assert question["at"] == {"evse_id": "NL*CPO*E1"}
    assert question["leg"]["identification"] == {"type": "RFID", "uid": UID}
    assert question["token"] == {"party": "FR*EMS", "type": "RFID", "uid": UID, "driver": "d-1"}
    assert "pin" not in question
    deadline = emsp.now + timedelta(seconds=59.9)
    assert question["deadline"] == deadline.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("whitelist", ["NEVER", "ALLOWED_OFFLINE"])
async def test_what_the_backend_says_counts(emsp, whitelist):
    await emsp.listen()
    emsp.listener.script = [YES, NO]
    await emsp.put(token(whitelist=whitelist))
    assert isinstance(await emsp.ask(), Allowed)
    denied = await emsp.ask()
    assert (denied.reason, denied.text) == (Denial.NO_CREDIT, "Top up your account")
    assert emsp.counted.permits == [("backend", None), ("backend", Denial.NO_CREDIT)]


@pytest.mark.parametrize(
    ("says_", "silence"),
    [
        (says(status=500), "HTTP 500"),
        (says("nonsense"), "makes no sense"),
        (says({"result": "PERHAPS"}), "makes no sense"),
        (says({"result": "PENDING"}, 202), "later"),
    ],
)
async def test_where_the_backend_says_nothing_the_token_decides(emsp, says_, silence):
    await emsp.listen()
    emsp.listener.always = says_
    await emsp.put(token(whitelist="ALLOWED_OFFLINE"), token("04FF", whitelist="NEVER"))
    assert isinstance(await emsp.ask(), Allowed)
    assert reason(await emsp.ask(asked(card("04FF")))) is Denial.NO_ANSWER
    assert reason(await emsp.ask(asked(card(STRANGER)))) is Denial.NO_ANSWER
    details = [json.loads(row["detail"]) for row in await emsp.rows("permit")]
    assert all(silence in detail["silence"] for detail in details)
    assert [detail.get("decided") for detail in details] == ["local", None, None]


async def test_the_answer_comes_in_time_whatever_the_backend_does(emsp):
    await emsp.listen()
    over = asyncio.Event()

    async def wait(heard):
        await over.wait()
        return await YES(heard)

    emsp.listener.always = wait
    await emsp.put(token(whitelist="ALLOWED_OFFLINE"))
    try:
        # Long enough for the question to be heard; what ends a call-out without a deadline takes a minute.
        short = timedelta(seconds=2)
        async with asyncio.timeout(LONGEST.total_seconds() / 2):
            known, unknown = await asyncio.gather(
                emsp.ask(asked(within=short)), emsp.ask(asked(card(STRANGER), within=short))
            )
            assert isinstance(known, Allowed)
            assert reason(unknown) is Denial.NO_ANSWER
            assert reason(await emsp.ask(asked(card(STRANGER), within=timedelta(0)))) is Denial.NO_ANSWER
    finally:
        over.set()
    assert len(emsp.listener.heard) == 2  # for the third there was no time left


async def test_without_a_call_out_offline_tokens_are_accepted_and_strangers_are_unknown(emsp):
    await emsp.listen("START_SESSION")
    await emsp.put(token(whitelist="ALLOWED_OFFLINE"), token("04FF", whitelist="NEVER"))
    assert isinstance(await emsp.ask(), Allowed)
    assert reason(await emsp.ask(asked(card("04FF")))) is Denial.NO_ANSWER
    assert reason(await emsp.ask(asked(card(STRANGER)))) is Denial.UNKNOWN_TOKEN
    assert emsp.listener.heard == []


async def test_a_stranger_may_be_known_to_the_backend_which_tells_the_contract(emsp):
    await emsp.listen()
    emsp.listener.always = says({"result": "ALLOWED", "contract_id": "FR-EMS-C00000001", "text": "Welcome"})
    await emsp.profile(EMSP)
    answer = await emsp.ask(asked(card(STRANGER)))
    assert (answer.info, answer.token) == ("Welcome", None)
    # OCPI wants a token in the answer, which has to name the contract.
    assert answer.leg.identification.contract_id == ContractId("FR-EMS-C00000001")
    [permit] = await emsp.rows("permit")
    assert permit["contract_key"] == ContractId("FR-EMS-C00000001").normal
    assert "token" not in emsp.listener.heard[0].json


async def test_a_stranger_is_the_only_emsp_s_where_nobody_says_whose(emsp):
    await emsp.listen()
    emsp.listener.always = YES
    await emsp.profile(EMSP)
    await emsp.profile(CPO, Role.CPO)
    assert (await emsp.ask(asked(card(STRANGER), emsp=None))).leg.emsp == EMSP
    await emsp.put(token(party=OTHER_EMSP))
    assert reason(await emsp.ask(asked(card(STRANGER), emsp=None))) is Denial.UNKNOWN_TOKEN
    who = card(None, type="PLUG_AND_CHARGE", contract_id="DE-EMS-C00000001")
    assert (await emsp.ask(asked(who, emsp=None))).leg.emsp == OTHER_EMSP


async def test_a_candidate_in_reverse_is_named_to_the_backend_which_says(emsp):
    await emsp.listen()
    emsp.listener.always = YES
    await emsp.put(token(whitelist="ALWAYS"))
    assert isinstance(await emsp.ask(asked(card(bytes.fromhex(UID)[::-1].hex()))), Allowed)
    question = emsp.listener.heard[0].json
    assert question["candidates"] == [{"party": "FR*EMS", "type": "RFID", "uid": UID}]
    assert "reverse" in question["note"]
    assert "token" not in question


async def test_a_pin_is_passed_on_and_never_kept(emsp):
    await emsp.listen()
    emsp.listener.always = YES
    await emsp.put(token("qr", type="QR_CODE", whitelist="ALWAYS"))
    who = card(None, type="QR_CODE", contract_id="FR-EMS-C12345678")
    assert isinstance(await emsp.ask(asked(who, pin=pin("8731"))), Allowed)
    assert emsp.listener.heard[0].json["pin"] == {"value": "8731", "hashed": None}
    for table in ("permit", "permit_ref", "event"):
        assert "8731" not in repr([tuple(row) for row in await emsp.rows(table)])


async def test_a_qr_code_is_never_accepted_without_the_backend(emsp):
    await emsp.put(token("qr", type="QR_CODE", whitelist="ALWAYS"))
    who = card(None, type="QR_CODE", contract_id="FR-EMS-C12345678")
    assert reason(await emsp.ask(asked(who, pin=pin()))) is Denial.NO_ANSWER


async def test_the_backend_is_not_asked_for_who_is_blocked(emsp):
    await emsp.listen()
    emsp.listener.always = YES
    await emsp.put(token(whitelist="NEVER", valid=False))
    assert reason(await emsp.ask()) is Denial.BLOCKED
    assert emsp.listener.heard == []


async def test_a_yes_of_the_backend_does_not_count_for_a_token_blocked_meanwhile(emsp):
    await emsp.listen()
    await emsp.put(token(whitelist="NEVER", driver="d-1"))

    async def blocked_first(heard):
        await emsp.tokens.switch(Whose(EMSP, driver="d-1"), WHO, valid=False)
        return await YES(heard)

    emsp.listener.always = blocked_first
    assert reason(await emsp.ask(asked(session="h-1"))) is Denial.BLOCKED
    assert [row["allowed"] for row in await emsp.rows("permit")] == [False]


async def test_the_backend_is_asked_once_for_a_question_that_comes_twice(emsp):
    await emsp.listen()
    emsp.listener.always = YES
    await emsp.put(token(whitelist="NEVER"))
    answers = await asyncio.gather(*(emsp.ask(asked(session="h-1")) for _ in range(5)))
    assert len({answer.leg.reference for answer in answers}) == 1
    assert len(emsp.listener.heard) == 1


async def test_what_was_decided_is_kept_also_if_the_hub_hangs_up(emsp):
    await emsp.listen()
    go = asyncio.Event()

    async def wait(heard):
        await go.wait()
        return await YES(heard)

    emsp.listener.always = wait
    await emsp.put(token(whitelist="NEVER"))
    question = asyncio.create_task(emsp.ask(asked(session="h-1")))
    await emsp.listener.came.wait()
    question.cancel()
    await asyncio.wait([question])
    go.set()
    await emsp.drivers.close()
    assert [row["allowed"] for row in await emsp.rows("permit")] == [True]
