"""A driver of ours at a partner's station: the hub's question, and the answer by the stored token."""

import asyncio
import json

import pytest

from adapters.core.charging import Allowed, Denial, Denied
from adapters.core.inbound import LocationCopy
from gateway.metrics import Metrics
from gateway.services.catalogue.service import Catalogue
from gateway.services.ports import NotFound
from gateway.services.ports.driver_tokens import Whose
from gateway.services.ports.permits import PermitFilter
from mappings.canonical.commands import EvseRef
from tests.harness import WHO, evse, location
from tests.services.driving import CPO, EMSP, EVSE, NOW, OTHER_EMSP, UID, asked, card, token
from tests.services.partners import digest_of

BLOCKED, UNKNOWN = Denied(Denial.BLOCKED), Denied(Denial.UNKNOWN_TOKEN)


def reason(answer):
    return answer.reason if isinstance(answer, Denied) else None


async def test_a_token_that_may_be_accepted_at_once_is_and_the_backend_is_not_asked(emsp):
    await emsp.listen()
    await emsp.put(token(driver="d-1"))
    answer = await emsp.ask(asked(session="h-1"))
    assert isinstance(answer, Allowed)
    [permit] = await emsp.rows("permit")
    assert (answer.leg.emsp_session, answer.leg.reference, answer.leg.emsp) == (permit["id"], permit["id"], EMSP)
    assert (answer.leg.hub_session, answer.token.uid) == ("h-1", UID)
    assert (permit["allowed"], permit["reason"], permit["origin"]) == (True, None, "asked")
    assert (permit["party"], permit["cpo"], permit["evse_key"]) == (EMSP.normal, CPO.normal, EVSE.normal)
    assert (permit["identity"], permit["contract_key"]) == (UID, "FREMSC12345678")
    refs = {(row["kind"], row["value"]) for row in await emsp.rows("permit_ref")}
    assert refs == {("hub", "h-1"), ("emsp", permit["id"]), ("reference", permit["id"])}
    assert emsp.listener.heard == []
    assert emsp.counted.permits == [("local", None)]


async def test_the_answer_is_told_as_an_event_in_the_same_commit(emsp):
    await emsp.put(token(driver="d-1"), token("04FF", valid=False))
    await emsp.ask()
    await emsp.ask(asked(card("04FF")))
    events = [(row["type"], row["subject"], json.loads(row["data"])) for row in await emsp.rows("event")]
    [allowed, denied] = await emsp.rows("permit")
    assert events[0][:2] == ("permit.allowed", f"permits/{allowed['id']}")
    assert events[0][2] == {
        "id": allowed["id"],
        "party": "FR*EMS",
        "connection": "hub",
        "cpo": "NL*CPO",
        "evse": EVSE.normal,
        "driver": "d-1",
        "contract": "FREMSC12345678",
        "decided": "local",
        "token": {"party": "FR*EMS", "type": "RFID", "uid": UID},
    }
    assert (events[1][0], events[1][2]["reason"], events[1][2]["id"]) == ("permit.denied", "BLOCKED", denied["id"])


async def test_a_uid_is_known_in_any_case(emsp):
    await emsp.put(token())
    assert isinstance(await emsp.ask(asked(card(UID.lower()))), Allowed)


async def test_a_contract_is_known_with_and_without_its_check_digit(emsp):
    await emsp.put(token("n/a", type="PLUG_AND_CHARGE"))
    for contract in ("FR-EMS-C12345678", "FREMSC123456784", "frems-c12345678"):
        who = card(None, type="PLUG_AND_CHARGE", contract_id=contract)
        known = isinstance(await emsp.ask(asked(who)), Allowed)
        assert known is who.contract_id.well_formed, contract


async def test_a_token_that_is_not_valid_is_blocked(emsp):
    await emsp.put(token(valid=False, whitelist="ALWAYS"))
    answer = await emsp.ask()
    assert (reason(answer), answer.token.uid) == (Denial.BLOCKED, UID)
    [permit] = await emsp.rows("permit")
    assert (permit["allowed"], permit["reason"]) == (False, "BLOCKED")


async def test_a_card_that_has_expired_is_refused_after_its_day_has_ended_everywhere(emsp):
    await emsp.put(token())
    assert NOW.date().isoformat() == "2026-01-01"
    assert isinstance(await emsp.ask(asked(card(expires="2026-01-01"))), Allowed)
    assert isinstance(await emsp.ask(asked(card(expires="2025-12-31"))), Allowed)
    assert reason(await emsp.ask(asked(card(expires="2025-12-30")))) is Denial.EXPIRED


async def test_a_token_of_another_type_is_not_what_is_held_up(emsp):
    await emsp.put(token(type="APP_USER"))
    assert reason(await emsp.ask()) is Denial.UNKNOWN_TOKEN


async def test_a_token_of_an_emsp_that_the_connection_does_not_carry_is_not_known_there(emsp):
    await emsp.connect("narrow", {"parties": [OTHER_EMSP.normal]})
    await emsp.put(token())
    assert isinstance(await emsp.ask(), Allowed)
    assert reason(await emsp.ask(connection="narrow")) is Denial.UNKNOWN_TOKEN
    assert reason(await emsp.ask(asked(emsp=None), "narrow")) is Denial.UNKNOWN_TOKEN


async def test_a_token_of_another_emsp_than_the_hub_names_is_not_meant(emsp):
    await emsp.put(token(party=OTHER_EMSP), token("04FF"))
    assert reason(await emsp.ask(asked(emsp=EMSP))) is Denial.UNKNOWN_TOKEN
    assert isinstance(await emsp.ask(asked(emsp=None)), Allowed)


async def test_a_uid_that_several_emsps_gave_out_is_nobody_s_unless_the_hub_says_whose(emsp):
    await emsp.put(token(), token(party=OTHER_EMSP, contract_id="DE-EMS-C12345678"))
    assert reason(await emsp.ask(asked(emsp=None))) is Denial.UNKNOWN_TOKEN
    answer = await emsp.ask(asked(emsp=OTHER_EMSP))
    assert (answer.leg.emsp, answer.token.party) == (OTHER_EMSP, OTHER_EMSP)


async def test_a_uid_with_another_contract_than_was_told_is_not_assumed(emsp):
    await emsp.put(token())
    assert isinstance(await emsp.ask(asked(card(contract_id="FR-EMS-C12345678"))), Allowed)
    assert reason(await emsp.ask(asked(card(contract_id="FR-EMS-C99999999")))) is Denial.UNKNOWN_TOKEN
    [permit] = [row for row in await emsp.rows("permit") if not row["allowed"]]
    assert "another contract" in json.loads(permit["detail"])["note"]


@pytest.mark.parametrize("whitelists", [("ALLOWED", "NEVER"), ("NEVER", "ALWAYS")])
async def test_of_several_tokens_of_a_contract_the_strictest_counts(emsp, whitelists):
    first, second = whitelists
    await emsp.put(
        token("a", type="PLUG_AND_CHARGE", whitelist=first), token("b", type="PLUG_AND_CHARGE", whitelist=second)
    )
    who = card(None, type="PLUG_AND_CHARGE", contract_id="FR-EMS-C12345678")
    assert reason(await emsp.ask(asked(who))) is Denial.NO_ANSWER


async def test_a_uid_in_reverse_byte_order_is_a_candidate_and_never_assumed(emsp):
    turned = bytes.fromhex(UID)[::-1].hex()
    await emsp.put(token())
    assert reason(await emsp.ask(asked(card(turned)))) is Denial.UNKNOWN_TOKEN
    [permit] = await emsp.rows("permit")
    detail = json.loads(permit["detail"])
    assert detail["candidates"] == [{"party": EMSP.normal, "type": "RFID", "uid": UID}]
    assert "reverse" in detail["note"]
    assert permit["driver_token_no"] is None


async def test_the_same_question_has_the_same_answer_and_one_permit(emsp):
    await emsp.put(token())
    first = await emsp.ask(asked(session="h-1"))
    other = emsp.replica()
    again = [await emsp.ask(asked(session="h-1")), await other.authorise(emsp.connection(), asked(session="h-1"))]
    assert [one.leg for one in again] == [first.leg, first.leg]
    assert reason(await emsp.ask(asked(card("04FF"), "h-2"))) is Denial.UNKNOWN_TOKEN
    await emsp.put(token("04FF"))
    assert reason(await emsp.ask(asked(card("04FF"), "h-2"))) is Denial.UNKNOWN_TOKEN  # as it was said
    assert len(await emsp.rows("permit")) == 2
    assert len(await emsp.rows("event")) == 2
    await other.close()


async def test_replicas_that_are_asked_the_same_at_once_say_the_same(emsp):
    await emsp.put(token())
    replicas = [emsp.drivers, *(emsp.replica() for _ in range(3))]
    asks = [one.authorise(emsp.connection(), asked(session="h-1")) for one in replicas for _ in range(3)]
    answers = await asyncio.gather(*asks)
    assert len({answer.leg.reference for answer in answers}) == 1
    assert len(await emsp.rows("permit")) == 1
    for one in replicas[1:]:
        await one.close()


async def test_another_driver_in_the_same_hub_session_is_another_question(emsp):
    await emsp.put(token(), token("04FF"))
    one = await emsp.ask(asked(session="h-1"))
    other = await emsp.ask(asked(card("04FF"), "h-1"))
    assert one.leg.reference != other.leg.reference


async def test_without_a_session_of_the_hub_s_every_question_is_a_new_one(emsp):
    await emsp.put(token())
    one, other = await emsp.ask(), await emsp.ask()
    assert one.leg.reference != other.leg.reference


async def test_a_yes_is_not_repeated_once_its_token_is_blocked(emsp):
    await emsp.put(token(driver="d-1"))
    assert isinstance(await emsp.ask(asked(session="h-1")), Allowed)
    await emsp.tokens.switch(Whose(EMSP, driver="d-1"), WHO, valid=False)
    assert reason(await emsp.ask(asked(session="h-1"))) is Denial.BLOCKED
    assert [row["allowed"] for row in await emsp.rows("permit")] == [True, False]


async def test_a_withdrawn_token_is_not_known_any_more(emsp):
    await emsp.put(token())
    await emsp.tokens.withdraw(EMSP, token().type, UID, WHO)
    assert reason(await emsp.ask()) is Denial.UNKNOWN_TOKEN


async def test_a_driver_of_nobody_s_is_unknown_and_leaves_no_permit(emsp):
    assert reason(await emsp.ask(asked(emsp=None))) is Denial.UNKNOWN_TOKEN
    assert reason(await emsp.ask(asked(emsp=OTHER_EMSP))) is Denial.UNKNOWN_TOKEN
    assert await emsp.rows("permit") == []
    assert emsp.counted.permits == [("", Denial.UNKNOWN_TOKEN)] * 2


async def test_an_evse_that_the_hub_names_by_its_own_key_is_found_in_the_catalogue(emsp):
    catalogue = Catalogue(emsp.store, emsp.links, Metrics(), lambda: NOW)
    place = location("L1", evse("U1", str(EVSE)), party=CPO)
    await catalogue.put_location(emsp.connection(), LocationCopy(place, (), digest_of(place)))
    await emsp.put(token())
    await emsp.ask(asked(at=EvseRef(location_id="L1", evse_uid="U1")))
    await emsp.ask(asked(at=EvseRef(location_id="L1")))
    assert [row["evse_key"] for row in await emsp.rows("permit")] == [EVSE.normal, None]


async def test_permits_are_shown_and_listed(emsp):
    await emsp.connect("other")
    await emsp.put(token(driver="d-1"), token("04FF", valid=False))
    given = await emsp.ask()
    await emsp.ask(asked(card("04FF")), "other")
    view = await emsp.permits.get(given.leg.reference, None)
    assert (view.allowed, view.connection, view.driver, view.detail.decided) == (True, "hub", "d-1", "local")
    with pytest.raises(NotFound):
        await emsp.permits.get(given.leg.reference, frozenset({OTHER_EMSP}))

    async def listed(**wanted):
        page = await emsp.permits.list(PermitFilter(**wanted), None, 10)
        return [one.allowed for one in page.items]

    assert await listed() == [False, True]
    assert await listed(allowed=True) == [True]
    assert await listed(connection="other") == [False]
    assert await listed(driver="d-1") == [True]
    assert await listed(parties=frozenset({OTHER_EMSP})) == []
    assert await listed(since=NOW) == [False, True]
    assert await listed(until=NOW) == []
    page = await emsp.permits.list(PermitFilter(), None, 1)
    assert [one.allowed for one in (await emsp.permits.list(PermitFilter(), page.next, 1)).items] == [True]
