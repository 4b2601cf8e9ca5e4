"""The token list: what an EMSP pushed is obeyed, what was only seen helps where nobody can be reached."""

import json

import pytest

from adapters.core.charging import Allowed, Denial, Denied
from adapters.core.connection import State
from gateway.services.authorisation.tokens import see
from gateway.services.authorisation.whitelist import Word, is_of, judge
from mappings.canonical.agreements import Service
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.sessions import AuthMethod
from mappings.canonical.tokens import Identification, TokenType, Whitelist
from tests.agreed import agree
from tests.harness import PARTY, later
from tests.services.charging import CARD, CONTRACT, EMSP, SILENT, UID, UNKNOWN, Stations, stations, token, yes

W = Whitelist


@pytest.mark.parametrize(
    ("whitelist", "valid", "listed", "word"),
    [
        (W.ALWAYS, True, True, Word.ACCEPT),
        (W.ALLOWED, True, True, Word.ACCEPT),
        (W.ALLOWED_OFFLINE, True, True, Word.OFFLINE),
        (W.NEVER, True, True, Word.ASK),
        (W.ALWAYS, True, False, Word.OFFLINE),
        (W.ALLOWED, True, False, Word.OFFLINE),
        (W.ALLOWED_OFFLINE, True, False, Word.OFFLINE),
        (W.NEVER, True, False, Word.ASK),
        *((each, False, True, Word.REFUSE) for each in W),
        *((each, False, False, Word.ASK) for each in W),
    ],
)
def test_what_a_token_says_before_anybody_is_asked(whitelist, valid, listed, word):
    assert judge(token(whitelist, valid=valid), listed=listed) is word


T = TokenType


@pytest.mark.parametrize(
    ("held_up", "known", "same"),
    [
        *((each, each, True) for each in T if each is not T.QR_CODE),
        (T.QR_CODE, T.QR_CODE, False),  # nobody here knows the PIN
        (T.QR_CODE, T.RFID, False),
        (T.PLUG_AND_CHARGE, T.OTHER, True),
        (T.PLUG_AND_CHARGE, T.RFID, False),
        (T.RFID, T.APP_USER, False),
        (T.RFID, T.OTHER, False),
    ],
)
def test_a_token_is_what_is_held_up_only_if_it_is_of_that_type(held_up, known, same):
    assert is_of(token(type=known), Identification(type=held_up, contract_id=CONTRACT)) is same


@pytest.mark.parametrize(
    ("named", "same"),
    [
        ({}, True),
        ({"party": EMSP}, True),
        ({"party": PartyId("DE-DCB")}, False),
        ({"contract_id": CONTRACT}, True),
        ({"contract_id": ContractId("DE-DCB-C12345678")}, False),
        ({"party": EMSP, "contract_id": ContractId("DE-DCB-C12345678")}, True),
    ],
    ids=str,
)
def test_a_uid_that_two_emsps_gave_is_told_apart_by_the_emsp_where_it_is_named(named, same):
    assert is_of(token(), Identification(type=T.RFID, uid=UID, **named)) is same


async def listed(s: Stations, whitelist: Whitelist, hub: str = "a", **changes):
    assert await s.tokens.put(s.connection(hub), token(whitelist, **changes))


async def seen(s: Stations, whitelist: Whitelist, hub: str = "a", **changes):
    async with s.store.transaction() as tx:
        await see(tx, [(s.connection(hub).id, token(whitelist, **changes))])


@pytest.mark.parametrize(
    ("whitelist", "is_listed", "answer", "allowed", "method", "asked"),
    [
        (W.ALWAYS, True, UNKNOWN, True, AuthMethod.WHITELIST, 0),
        (W.ALLOWED, True, UNKNOWN, True, AuthMethod.WHITELIST, 0),
        (W.ALLOWED_OFFLINE, True, yes(), True, AuthMethod.AUTH_REQUEST, 1),
        (W.ALLOWED_OFFLINE, True, UNKNOWN, False, None, 1),
        (W.ALLOWED_OFFLINE, True, SILENT, True, AuthMethod.WHITELIST, 1),
        (W.NEVER, True, yes(), True, AuthMethod.AUTH_REQUEST, 1),
        (W.NEVER, True, SILENT, False, None, 1),
        (W.ALWAYS, False, yes(), True, AuthMethod.AUTH_REQUEST, 1),
        (W.ALWAYS, False, UNKNOWN, False, None, 1),
        (W.ALWAYS, False, SILENT, True, AuthMethod.WHITELIST, 1),
        (W.NEVER, False, SILENT, False, None, 1),
    ],
)
async def test_the_word_of_the_emsp_is_obeyed(database_url, whitelist, is_listed, answer, allowed, method, asked):
    async with stations(database_url, "a") as s:
        await (listed if is_listed else seen)(s, whitelist)
        s["a"].answer = answer
        view = await s.tap()
        assert (view.allowed, view.auth_method, len(s["a"].asked)) == (allowed, method, asked)
        assert view.detail.local == (method is AuthMethod.WHITELIST)
        if method is AuthMethod.WHITELIST:
            assert view.leg is not None
            assert (view.leg.emsp, view.leg.identification) == (EMSP, token().identification)
            assert (view.connection, view.leg.reference) == ("a", None)


async def test_a_token_whose_emsp_does_not_stand_for_it_is_blocked_without_asking(database_url):
    async with stations(database_url, "a", "b") as s:
        await listed(s, W.ALWAYS, valid=False)
        s["b"].answer = yes()
        view = await s.tap()
        assert (view.allowed, view.reason, view.detail.local) == (False, Denial.BLOCKED, True)
        assert (s["a"].asked, s["b"].asked) == ([], [])


async def test_where_one_emsp_blocks_a_uid_and_another_has_it_too_the_other_is_asked(database_url):
    async with stations(database_url, "a", "b") as s:
        await listed(s, W.ALWAYS, valid=False)
        await listed(s, W.NEVER, "b", party=PartyId("DE-DCB"), contract_id=ContractId("DE-DCB-C12345678"))
        s["b"].answer = yes()
        assert (await s.tap()).connection == "b"


async def test_the_hub_that_pushed_a_token_is_asked_first(database_url):
    async with stations(database_url, "a", "b") as s:
        await listed(s, W.NEVER, "b")
        s["b"].answer = yes()
        await s.tap()
        assert s["a"].asked == []


async def test_a_uid_is_the_same_in_any_case(database_url):
    async with stations(database_url, "a") as s:
        await listed(s, W.ALWAYS)
        assert (await s.tap(Identification(type=T.RFID, uid=UID.lower()))).detail.local


async def test_plug_and_charge_is_known_by_its_contract(database_url):
    async with stations(database_url, "a") as s:
        await listed(s, W.ALWAYS, type=T.OTHER, uid="FRXYZC12345678")
        car = Identification(type=T.PLUG_AND_CHARGE, contract_id=ContractId("FRXYZC12345678"))
        assert (await s.tap(car)).detail.local


@pytest.mark.parametrize(
    ("services", "emsp"), [({Service.CDR}, None), (set(Service), PartyId("DE-DCB"))], ids=["service", "emsp"]
)
async def test_without_an_agreement_a_token_admits_where_the_hub_that_told_of_it_knows_better(
    database_url, services, emsp
):
    async with stations(database_url, "a") as s:
        await agree(s.links, "a", services, 10, emsp=emsp)
        await listed(s, W.ALWAYS)
        view = await s.tap()
        assert (view.allowed, view.detail.local, view.detail.drift, view.agreement) == (True, True, True, None)
        assert s.witness.drifted == ["a"]
        s["a"].has_contracts = False
        assert (await s.tap()).reason is not None


@pytest.mark.parametrize(
    ("whitelist", "allowed"), [(W.ALWAYS, True), (W.ALLOWED, True), (W.ALLOWED_OFFLINE, True), (W.NEVER, False)]
)
async def test_while_a_connection_is_paused_its_token_list_serves(database_url, whitelist, allowed):
    async with stations(database_url, "a") as s:
        await listed(s, whitelist)
        await s.change("a", "state", State.PAUSED.value)
        assert (await s.tap()).allowed is allowed
        assert s["a"].asked == []


@pytest.mark.parametrize(("state", "allowed"), [(State.READY, True), (State.UNREGISTERED, False)])
async def test_without_credentials_a_token_list_admits_nobody(database_url, state, allowed):
    async with stations(database_url, "a") as s:
        await listed(s, W.ALWAYS)
        await s.change("a", "state", state.value)
        assert (await s.tap()).allowed is allowed


# Tokens that are pushed


async def test_a_pushed_token_is_written_told_to_every_cpo_and_given_back(database_url):
    async with stations(database_url, "a", "b") as s:
        await s.store.execute("INSERT INTO party (id, body) VALUES ($1, '{}')", PARTY.normal)
        assert await s.tokens.put(s.connection("a"), token()) is True
        assert await s.tokens.put(s.connection("a"), token(W.NEVER, uid=UID.lower(), last_updated=later(1))) is False
        known = await s.tokens.get(s.connection("a"), EMSP, UID, T.RFID)
        assert known is not None
        assert known.whitelist is W.NEVER
        assert await s.tokens.get(s.connection("b"), EMSP, UID, T.RFID) is None
        assert await s.tokens.get(s.connection("a"), EMSP, UID, T.APP_USER) is None
        events = await s.events()
        assert [(event["type"], event["party"]) for event in events] == [("token.changed", PARTY.normal)] * 2
        assert json.loads(events[1]["data"])["whitelist"] == "NEVER"


async def test_a_token_older_than_the_one_that_is_known_changes_nothing(database_url):
    async with stations(database_url, "a") as s:
        await s.tokens.put(s.connection("a"), token(W.NEVER, last_updated=later(1)))
        assert await s.tokens.put(s.connection("a"), token(W.ALWAYS)) is False
        await seen(s, W.ALWAYS, last_updated=later(2))
        known = await s.tokens.get(s.connection("a"), EMSP, UID, T.RFID)
        assert known is not None
        assert known.whitelist is W.NEVER


async def test_a_token_that_was_seen_becomes_a_listed_one_once_it_is_pushed(database_url):
    async with stations(database_url, "a") as s:
        await seen(s, W.NEVER, last_updated=later(5))
        assert await s.tokens.put(s.connection("a"), token(W.ALWAYS)) is False
        assert (await s.tap()).detail.local


async def test_tokens_are_listed_page_by_page_and_filtered(database_url):
    async with stations(database_url, "a", "b") as s:
        for uid in ("01", "02", "03"):
            await listed(s, W.ALWAYS, uid=uid)
        await listed(s, W.ALWAYS, "b", uid="ab", party=PartyId("DE-DCB"))
        page = await s.tokens.list(None, None, None, None, 2)
        rest = await s.tokens.list(None, None, None, page.next, 2)
        assert [one.token.uid for one in (*page.items, *rest.items)] == ["01", "02", "03", "ab"]
        assert [one.connection for one in (await s.tokens.list("b", None, None, None, 9)).items] == ["b"]
        assert [one.token.uid for one in (await s.tokens.list(None, EMSP, "02", None, 9)).items] == ["02"]
        assert [one.token.uid for one in (await s.tokens.list(None, None, "AB", None, 9)).items] == ["ab"]


# Stopping


async def started(s: Stations, answer: Allowed | None = None, identification: Identification = CARD) -> str:
    s["a"].answer = answer or yes()
    view = await s.tap(identification)
    assert view.allowed
    return view.id


async def stop(s: Stations, id_: str, **held_up):
    return await s.authorisation.authorise_stop(id_, Identification(**{"type": T.RFID, **held_up}), None, None)


OTHER_UID = "04FFFFFFFFFFFF"


async def test_what_started_a_session_stops_it_without_asking(database_url):
    async with stations(database_url, "a") as s:
        id_ = await started(s)
        assert (await stop(s, id_, uid=UID.lower())).allowed
        assert (s["a"].stops, s.figures.stops) == ([], [("", None)])


async def test_the_contract_of_the_driver_stops_it_too(database_url):
    async with stations(database_url, "a") as s:
        id_ = await started(s, identification=Identification(type=T.RFID, uid=UID, contract_id=CONTRACT))
        assert (await stop(s, id_, type=T.PLUG_AND_CHARGE, contract_id=ContractId("FRXYZC12345678"))).allowed


@pytest.mark.parametrize(
    ("group", "changes", "allowed"),
    [
        ("family", {}, True),
        ("another", {}, False),
        ("family", {"valid": False}, False),
        ("family", {"party": PartyId("DE-DCB")}, False),  # a group is of one EMSP
    ],
)
async def test_a_token_of_the_same_group_stops_it(database_url, group, changes, allowed):
    async with stations(database_url, "a") as s:
        id_ = await started(s, yes(emsp=EMSP, token=token(group_id="family")))
        await listed(s, W.NEVER, uid=OTHER_UID, group_id=group, **changes)
        assert (await stop(s, id_, uid=OTHER_UID)).allowed is allowed


async def test_a_token_of_the_group_of_a_listed_one_stops_it(database_url):
    async with stations(database_url, "a") as s:
        await listed(s, W.ALWAYS, group_id="family")
        await listed(s, W.ALWAYS, uid=OTHER_UID, group_id="family")
        id_ = await started(s)
        assert s["a"].asked == []
        assert (await stop(s, id_, uid=OTHER_UID)).allowed


async def test_what_the_hub_named_stops_it(database_url):
    async with stations(database_url, "a") as s:
        id_ = await started(s, yes(stop_with=(Identification(type=T.RFID, uid=OTHER_UID),)))
        assert (await stop(s, id_, uid=OTHER_UID)).allowed
        assert s["a"].stops == []


@pytest.mark.parametrize(
    ("answer", "allowed", "reason"),
    [
        (yes(info="Bye"), True, None),
        (Denied(Denial.NOT_ALLOWED), False, Denial.NOT_ALLOWED),
        (SILENT, False, Denial.NO_ANSWER),
    ],
)
async def test_another_medium_is_judged_by_the_hub_that_let_the_session_begin(database_url, answer, allowed, reason):
    async with stations(database_url, "a") as s:
        id_ = await started(s)
        s["a"].stop_answer = answer
        told = await stop(s, id_, uid=OTHER_UID)
        assert (told.allowed, told.reason, told.connection) == (allowed, reason, "a")
        [(question, leg)] = s["a"].stops
        assert (question.id, question.identification.uid, question.place.evse_uid) == (id_, OTHER_UID, "U1")
        assert leg.hub_session == "s-r-1"
        assert s.figures.stops == [("scripted", reason)]


async def test_a_hub_that_cannot_be_asked_stops_nothing_by_another_medium(database_url):
    async with stations(database_url, "a") as s:
        id_ = await started(s)
        await s.change("a", "state", State.PAUSED.value)
        told = await stop(s, id_, uid=OTHER_UID)
        assert (told.allowed, told.reason) == (False, Denial.OTHER_MEDIUM)


async def test_a_driver_who_was_not_let_charge_has_nothing_to_stop(database_url):
    async with stations(database_url, "a") as s:
        denied = await s.tap()
        told = await stop(s, denied.id, uid=UID)
        assert (told.allowed, told.reason) == (False, Denial.UNKNOWN_SESSION)


@pytest.mark.parametrize(("ended", "reason"), [(False, None), (True, Denial.UNKNOWN_SESSION)])
async def test_a_session_that_has_ended_cannot_be_stopped(database_url, ended, reason):
    async with stations(database_url, "a") as s:
        id_ = await started(s)
        await s.store.execute(
            "WITH made AS (INSERT INTO session (party, session_id, body, place, digest, status, ended_at, last_updated)"
            " VALUES ($1, 's-1', '{}', '{}', '', 'ACTIVE', CASE WHEN $2 THEN now() END, now()) RETURNING no)"
            " UPDATE authorisation SET session_no = (SELECT no FROM made)",
            PARTY.normal,
            ended,
        )
        assert (await stop(s, id_, uid=UID)).reason is reason
        assert (await s.authorisation.get(id_, None)).session_id == "s-1"
