"""Drivers at own stations: who is asked, in which order, and what their answers come to."""

import asyncio
import json
from datetime import timedelta

import pytest
from pydantic import SecretStr

from adapters.core.charging import Denial, Denied, Unanswered
from adapters.core.connection import Mode, Scope, State
from adapters.core.outcomes import NotSent
from gateway.services.ports import BadCursor, NotFound
from gateway.services.ports.authorising import AuthorisationFilter, Origin
from mappings.canonical.agreements import EVERY_SERVICE, Service
from mappings.canonical.ids import ContractId, EvseId, PartyId
from mappings.canonical.parties import Role
from mappings.canonical.sessions import AuthMethod
from mappings.canonical.tokens import Identification, Pin, TokenType
from tests.agreed import agree
from tests.harness import AT, OTHER, PARTY, WHO, evse, later, location
from tests.services.charging import (
    CONTRACT,
    EMSP,
    SILENT,
    UID,
    UNKNOWN,
    stations,
    time_is_over_once_asked,
    token,
    yes,
)

AT_ONCE = timedelta(0)
NEVER = timedelta(hours=1)


def asked(view):
    return [(one.connection, one.answer) for one in view.detail.asked]


# Who is asked


async def test_a_hub_that_knows_us_as_an_emsp_alone_is_not_asked(database_url):
    async with stations(database_url, "a", "b", next_after=AT_ONCE) as s:
        s["a"].roles = frozenset({Role.EMSP})
        s["b"].answer = yes()
        assert asked(await s.tap()) == [("b", "allowed")]
        assert s["a"].asked == []


async def test_a_yes_is_kept_with_every_id_that_the_hub_gave(database_url):
    async with stations(database_url, "a") as s:
        s["a"].answer = yes(emsp=EMSP, info="Welcome")
        view = await s.tap(connector_id="1")
        assert (view.allowed, view.reference, view.connection) == (True, view.id, "a")
        assert (view.auth_method, view.origin, view.detail.info) == (AuthMethod.AUTH_REQUEST, Origin.TAP, "Welcome")
        refs = await s.store.fetch("SELECT kind, value, authorisation_no FROM session_ref ORDER BY kind")
        [row] = await s.rows()
        assert [(ref["kind"], ref["value"]) for ref in refs] == [("hub", "s-r-1"), ("reference", "r-1")]
        assert {ref["authorisation_no"] for ref in refs} == {row["no"]}
        assert row["identity"] == UID
        assert await s.authorisation.get(view.id, None) == view
        [event] = await s.events()
        assert (event["type"], event["subject"]) == ("authorisation.allowed", f"authorisations/{view.id}")
        assert json.loads(event["data"])["reference"] == view.id
        assert s.wakes
        assert s.figures.decisions == [("scripted", None)]


async def test_the_hub_is_asked_with_our_id_and_a_picture_of_the_place(database_url):
    async with stations(database_url, "a") as s:
        s["a"].answer = yes()
        view = await s.tap(product="fast")
        [question] = s["a"].asked
        assert (question.id, question.party, question.product) == (view.id, PARTY, "fast")
        assert len(question.id) <= 36
        assert (question.place.id, question.place.evse_uid, question.place.connector_id) == ("L1", "U1", "1")
        assert question.place.evse_id == EvseId("NL*ABC*EL1")


async def test_after_a_no_the_next_is_asked_at_once_and_its_yes_counts(database_url):
    async with stations(database_url, "a", "b", next_after=NEVER) as s:
        s["b"].answer = yes()
        view = await s.tap()
        assert view.connection == "b"
        assert asked(view) == [("a", "denied"), ("b", "allowed")]
        assert s.figures.answers == [("a", "denied"), ("b", "allowed")]


async def test_a_hub_that_could_not_be_reached_is_passed_over(database_url):
    async with stations(database_url, "a", "b", next_after=NEVER) as s:
        s["a"].answer, s["b"].answer = Unanswered(NotSent("connection refused")), yes()
        assert asked(await s.tap()) == [("a", "not_sent"), ("b", "allowed")]


async def test_an_adapter_that_fails_does_not_keep_the_others_from_answering(database_url):
    async with stations(database_url, "a", "b", next_after=NEVER) as s:
        s["a"].answer, s["b"].answer = RuntimeError(f"quotes {UID}"), yes()
        assert asked(await s.tap()) == [("a", "outcome_unknown"), ("b", "allowed")]
        assert "quotes" not in await s.everything()


async def test_nobody_else_sees_a_card_that_the_first_hub_lets_charge(database_url):
    async with stations(database_url, "a", "b", next_after=NEVER) as s:
        s["a"].answer = yes()
        await s.tap()
        assert s["b"].asked == []


async def test_the_next_is_asked_after_the_stated_delay_while_the_first_is_silent(database_url):
    async with stations(database_url, "a", "b", next_after=AT_ONCE) as s:
        s["a"].gate, s["b"].answer = asyncio.Event(), yes()
        view = await s.tap()
        assert asked(view) == [("a", "waiting"), ("b", "allowed")]
        s["a"].gate.set()


async def test_before_the_delay_is_over_nobody_else_is_asked(database_url):
    async with stations(database_url, "a", "b", next_after=NEVER) as s:
        s["a"].gate, s["a"].answer = asyncio.Event(), yes()
        tap = asyncio.create_task(s.tap())
        await s["a"].reached.wait()
        assert s["b"].asked == []
        s["a"].gate.set()
        assert (await tap).connection == "a"


@pytest.mark.parametrize("known_by", ["settings", "an earlier answer"])
async def test_the_hub_that_the_contract_points_to_is_asked_first(database_url, known_by):
    contract = Identification(type=TokenType.RFID, uid=UID, contract_id=CONTRACT)
    async with stations(database_url, "a", "b", next_after=NEVER) as s:
        if known_by == "settings":
            s["b"].homes = {EMSP}
        else:
            s["b"].answer = yes(emsp=EMSP)
            assert asked(await s.tap()) == [("a", "denied"), ("b", "allowed")]
        s["b"].answer = yes("r-2")
        assert asked(await s.tap(contract)) == [("b", "allowed")]
        assert (await s.rows())[-1]["contract_key"] == CONTRACT.normal


async def test_agreements_rank_those_who_are_asked(database_url):
    async with stations(database_url, "a", "b") as s:
        for name, rank in (("a", 20), ("b", 10)):
            await agree(s.links, name, EVERY_SERVICE, rank)
        assert asked(await s.tap()) == [("b", "denied"), ("a", "denied")]


async def test_a_connection_without_an_agreement_for_the_driver_is_asked_last_and_only_where_a_hub_knows_better(
    database_url,
):
    stranger = Identification(type=TokenType.RFID, uid=UID, contract_id=ContractId("DE-DCB-C12345678"))
    async with stations(database_url, "a", "b", "c") as s:
        await agree(s.links, "a", EVERY_SERVICE, 10, emsp=EMSP)
        await agree(s.links, "b", frozenset({Service.CDR, Service.REMOTE}), 20)
        assert asked(await s.tap(stranger)) == [("c", "denied"), ("a", "denied"), ("b", "denied")]
        for name in "ab":
            s[name].has_contracts = False
            s[name].asked.clear()
        assert asked(await s.tap(stranger)) == [("c", "denied")]
        assert (s["a"].asked, s["b"].asked) == ([], [])


async def test_the_record_of_a_hub_that_is_out_of_date_keeps_no_driver_from_charging(database_url):
    stranger = Identification(type=TokenType.RFID, uid=UID, contract_id=ContractId("DE-DCB-C12345678"))
    async with stations(database_url, "a") as s:
        await agree(s.links, "a", emsp=PartyId("DE-DCB"), ends=later(-1))
        s["a"].answer = yes(emsp=PartyId("DE-DCB"))
        view = await s.tap(stranger)
        assert (view.allowed, view.detail.drift, s.witness.drifted) == (True, True, ["a"])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("mode", Mode.OFF.value),
        ("mode", Mode.SHADOW.value),
        ("state", State.PAUSED.value),
        ("state", State.UNREGISTERED.value),
        ("scope", Scope(parties=frozenset({OTHER})).model_dump_json()),
        ("scope", Scope(locations=frozenset({f"{PARTY}/L2"})).model_dump_json()),
        ("scope", Scope(evses=frozenset({EvseId("NL*ABC*E9")})).model_dump_json()),
    ],
)
async def test_only_connections_that_work_and_carry_the_evse_are_asked(database_url, column, value):
    async with stations(database_url, "a") as s:
        await s.change("a", column, value)
        view = await s.tap()
        assert (view.allowed, view.reason) == (False, Denial.NO_CANDIDATE)
        assert s["a"].asked == []


async def test_without_any_connection_there_is_nobody_to_ask(database_url):
    async with stations(database_url) as s:
        view = await s.tap()
        assert (view.allowed, view.reason, view.reference) == (False, Denial.NO_CANDIDATE, None)
        assert s.figures.decisions == [("", Denial.NO_CANDIDATE)]


# What the answers come to


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (Denial.UNKNOWN_TOKEN, Denial.BLOCKED, Denial.BLOCKED),
        (Denial.NO_CREDIT, Denial.UNKNOWN_TOKEN, Denial.NO_CREDIT),
        (Denial.NO_CONTRACT, Denial.UNKNOWN_TOKEN, Denial.NO_CONTRACT),
        (Denial.UNKNOWN_TOKEN, Denial.NOT_ALLOWED, Denial.NOT_ALLOWED),
    ],
)
async def test_of_several_noes_the_one_that_says_most_is_given(database_url, first, second, reason):
    async with stations(database_url, "a", "b") as s:
        s["a"].answer, s["b"].answer = Denied(first), Denied(second)
        view = await s.tap()
        assert (view.allowed, view.reason, view.connection, view.leg) == (False, reason, None, None)
        [event] = await s.events()
        assert (event["type"], json.loads(event["data"])["reason"]) == ("authorisation.denied", reason.value)


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (Denied(Denial.BLOCKED), Denial.BLOCKED),
        (UNKNOWN, Denial.NO_ANSWER),
        (Denied(Denial.NO_CONTRACT), Denial.NO_ANSWER),
    ],
)
async def test_only_who_knows_the_driver_says_a_real_no_while_another_hub_is_silent(database_url, second, reason):
    async with stations(database_url, "a", "b") as s:
        s["a"].answer, s["b"].answer = SILENT, second
        assert (await s.tap()).reason is reason


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (Denied(Denial.NO_CANDIDATE), Denial.NO_CANDIDATE),
        (SILENT, Denial.NO_ANSWER),
        (UNKNOWN, Denial.UNKNOWN_TOKEN),
    ],
)
async def test_a_hub_that_cannot_ask_for_such_a_driver_says_no_real_no(database_url, second, reason):
    async with stations(database_url, "a", "b") as s:
        s["a"].answer, s["b"].answer = Denied(Denial.NO_CANDIDATE, text="no place for a PIN"), second
        assert (await s.tap()).reason is reason


async def test_hubs_that_contradict_each_other_let_the_driver_charge(database_url):
    async with stations(database_url, "a", "b", next_after=AT_ONCE) as s:
        s["a"].answer, s["b"].answer = Denied(Denial.BLOCKED), yes()
        assert (await s.tap()).allowed


async def test_silence_is_no_answer_and_counted_apart_from_a_no(database_url):
    async with stations(database_url, "a") as s:
        s["a"].answer = SILENT
        view = await s.tap()
        assert (view.allowed, view.reason) == (False, Denial.NO_ANSWER)
        assert s.figures.decisions == [("", Denial.NO_ANSWER)]


async def test_the_shortest_deadline_of_those_who_may_be_asked_ends_the_waiting(database_url, monkeypatch):
    async with stations(database_url, "a", "b", "c", next_after=NEVER) as s:
        time_is_over_once_asked(monkeypatch, s["a"])
        s["a"].gate = asyncio.Event()
        s["b"].answer_within = timedelta(milliseconds=300)
        view = await s.tap()
        assert view.reason is Denial.NO_ANSWER
        assert asked(view) == [("a", "waiting")]
        s["a"].gate.set()


async def test_where_the_hub_says_yes_without_an_agreement_of_ours_the_driver_charges_and_drift_is_counted(
    database_url,
):
    async with stations(database_url, "a") as s:
        await agree(s.links, "a", EVERY_SERVICE, 10, emsp=PartyId("DE-DCB"))
        s["a"].answer = yes(emsp=EMSP)
        view = await s.tap()
        assert (view.allowed, view.detail.drift, view.agreement) == (True, True, None)
        assert s.witness.drifted == ["a"]


async def test_where_nobody_but_us_keeps_contracts_a_yes_without_one_opens_nothing(database_url):
    async with stations(database_url, "a") as s:
        await agree(s.links, "a", EVERY_SERVICE, 10, emsp=PartyId("DE-DCB"))
        s["a"].answer, s["a"].has_contracts = yes(emsp=EMSP), False
        view = await s.tap()
        assert (view.allowed, view.reason) == (False, Denial.NO_CONTRACT)
        assert not s.witness.drifted
        await s["a"].given_back.wait()
        assert [leg.reference for leg in s["a"].released] == ["r-1"]


@pytest.mark.parametrize(("emsp", "allowed"), [(EMSP, False), (None, True)])
async def test_where_our_no_binds_a_driver_of_nobody_known_has_what_everybody_has(database_url, emsp, allowed):
    async with stations(database_url, "a") as s:
        await agree(s.links, "a", emsp=emsp)
        s["a"].answer, s["a"].has_contracts = yes(), False
        view = await s.tap()
        assert (view.allowed, view.reason) == (allowed, None if allowed else Denial.NO_CONTRACT)


async def test_where_nobody_but_us_keeps_contracts_an_emsps_own_no_is_no_disagreement(database_url):
    known = Identification(type=TokenType.RFID, uid=UID, contract_id=CONTRACT)
    async with stations(database_url, "a") as s:
        await agree(s.links, "a", emsp=EMSP)
        s["a"].answer, s["a"].has_contracts = Denied(Denial.NO_CONTRACT), False
        assert (await s.tap(known)).reason is Denial.NO_CONTRACT
        assert s.witness.missed == []


async def test_a_no_for_lack_of_contract_where_we_have_an_agreement_is_noted(database_url):
    known = Identification(type=TokenType.RFID, uid=UID, contract_id=CONTRACT)
    async with stations(database_url, "a") as s:
        await agree(s.links, "a", emsp=EMSP)
        s["a"].answer = Denied(Denial.NO_CONTRACT, "210", "No valid contract.")
        assert (await s.tap(known)).reason is Denial.NO_CONTRACT
        assert s.witness.missed == ["a"]


async def test_the_agreement_for_the_emsp_named_in_the_yes_is_kept(database_url):
    async with stations(database_url, "a") as s:
        await agree(s.links, "a", EVERY_SERVICE, 10)
        exact = await agree(s.links, "a", EVERY_SERVICE, 10, emsp=EMSP)
        s["a"].answer = yes(emsp=EMSP)
        view = await s.tap()
        assert (view.agreement and view.agreement.offer, view.detail.drift) == (exact, False)


# The EVSE


async def test_an_evse_is_found_by_its_public_id_however_it_is_written(database_url):
    async with stations(database_url, "a") as s:
        view = await s.tap(evse_id=EvseId("nlabcel1"))
        assert (view.location_id, view.evse_uid) == ("L1", "U1")


async def test_of_several_evses_with_one_public_id_the_newest_is_meant(database_url):
    async with stations(database_url, "a") as s:
        shared = [location(f"S{n}", evse("U1", "NL*ABC*E7", later(n))) for n in (2, 3, 1)]
        await s.publishing.put_locations([(one, ()) for one in shared], WHO)
        assert (await s.tap(evse_id=EvseId("NL*ABC*E7"))).location_id == "S3"
        await s.publishing.withdraw_location(PARTY, "S3", WHO)
        assert (await s.tap(evse_id=EvseId("NL*ABC*E7"))).location_id == "S2"


@pytest.mark.parametrize(
    "unknown",
    [
        {"evse_uid": "U9"},
        {"location_id": "L9"},
        {"party": OTHER},
        {"evse_id": EvseId("NL*ABC*E404")},
        {"party": OTHER, "evse_id": EvseId("NL*ABC*EL1")},
    ],
    ids=str,
)
async def test_an_evse_that_the_party_has_not_is_not_found(database_url, unknown):
    async with stations(database_url, "a") as s:
        with pytest.raises(NotFound, match="EVSE"):
            await s.tap(**unknown)
        assert s["a"].asked == []


async def test_at_a_withdrawn_location_nobody_charges(database_url):
    async with stations(database_url, "a") as s:
        await s.publishing.withdraw_location(PARTY, "L1", WHO)
        with pytest.raises(NotFound):
            await s.tap()


# Identification


async def test_a_pin_is_passed_on_and_never_kept(database_url, capsys):
    code = Identification(type=TokenType.QR_CODE, contract_id=CONTRACT)
    async with stations(database_url, "a") as s:
        s["a"].answer = yes()
        await s.tap(code, pin=Pin(value=SecretStr("739164")))
        [question] = s["a"].asked
        assert question.pin is not None
        assert question.pin.value.get_secret_value() == "739164"
        assert "739164" not in await s.everything()
        assert "739164" not in repr(question)
    assert "739164" not in "".join(capsys.readouterr())


async def test_tokens_that_hubs_tell_of_are_kept_as_seen_a_no_s_too(database_url):
    async with stations(database_url, "a", "b") as s:
        s["a"].answer = Denied(Denial.NO_CREDIT, token=token(uid="OTHER"))
        s["b"].answer = yes(token=token(group_id="family"))
        view = await s.tap()
        assert view.detail.group_id == "family"
        seen = await s.tokens.list(None, None, None, None, 10)
        assert [(one.connection, one.listed, one.token.uid) for one in seen.items] == [
            ("a", False, "OTHER"),
            ("b", False, UID),
        ]
        assert await s.tokens.get(s.connection("b"), EMSP, UID, TokenType.RFID) is None  # nobody pushed it


async def test_a_token_that_is_told_as_it_is_known_is_not_written_again(database_url):
    async with stations(database_url, "a") as s:
        written = "SELECT xmin::text || ctid::text FROM token"
        s["a"].answer = yes(token=token())
        await s.tap()
        first = await s.store.fetchval(written)
        await s.tap()
        assert await s.store.fetchval(written) == first
        s["a"].answer = yes(token=token(group_id="family"))
        await s.tap()
        [known] = (await s.tokens.list(None, None, None, None, 10)).items
        assert known.token.group_id == "family"


# Reading

EVERY = AuthorisationFilter(None)


async def test_authorisations_are_listed_from_the_newest_by_party_and_decision(database_url):
    async with stations(database_url, "a") as s:
        first = await s.tap()
        s["a"].answer = yes()
        second, third = await s.tap(), await s.tap()
        page = await s.authorisation.list(EVERY, None, 2)
        assert [one.id for one in page.items] == [third.id, second.id]
        rest = await s.authorisation.list(EVERY, page.next, 2)
        assert ([one.id for one in rest.items], rest.next) == ([first.id], None)
        assert [
            one.id for one in (await s.authorisation.list(AuthorisationFilter(None, allowed=False), None, 9)).items
        ] == [first.id]
        assert (await s.authorisation.list(AuthorisationFilter(frozenset({OTHER})), None, 9)).items == []
        for wanted, count in (
            ({"location": "L1", "evse": "U1", "connection": "a", "since": AT}, 3),
            ({"location": "L9"}, 0),
            ({"evse": "U9"}, 0),
            ({"connection": "b"}, 0),
            ({"since": AT + timedelta(seconds=1)}, 0),
        ):
            found = await s.authorisation.list(AuthorisationFilter(None, **wanted), None, 9)
            assert len(found.items) == count, wanted
        with pytest.raises(BadCursor):
            await s.authorisation.list(EVERY, "nonsense", 9)
        with pytest.raises(NotFound):
            await s.authorisation.get(first.id, frozenset({OTHER}))


async def test_concurrent_drivers_share_commits_and_each_gets_their_own_answer(database_url):
    async with stations(database_url, "a") as s:
        s["a"].answer = UNKNOWN
        uids = [f"{n:014X}" for n in range(40)]
        views = await asyncio.gather(*(s.tap(Identification(type=TokenType.RFID, uid=uid)) for uid in uids))
        rows = {row["id"]: row["identity"] for row in await s.rows()}
        assert [rows[view.id] for view in views] == uids
