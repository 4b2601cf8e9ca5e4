"""Driver tokens as Hubject learns of them (PushAuthenticationData), against the sandbox and against odd answers."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from adapters.core.adapter import Item
from adapters.core.outcomes import Delivered, Misconfigured, NotSent, Outcome, OutcomeUnknown, RefusedByHub, Throttled
from adapters.hubject.errors import AUTHENTICATION_OUTCOMES
from adapters.hubject.provider.adapter import ProviderAdapter
from adapters.hubject.sandbox import Provider
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.tokens import Token, TokenType, Whitelist
from mappings.oicp.status_codes import CODES
from tests.adapters.doubles import Measured
from tests.adapters.hubject.charging import START, asking, card
from tests.adapters.hubject.emps import EMS, World, world
from tests.adapters.hubject.peer import acknowledged
from tests.adapters.hubject.peer import playing as hearing
from tests.adapters.hubject.provider import Held, driver, provider, tried

ONE, TWO, THREE = (f"04AABBCC{number:02d}0000"[:14] for number in range(1, 4))
SUB = PartyId("NL-SUB")


@pytest.fixture
async def known() -> AsyncIterator[World]:
    async with world(limits=False) as made:
        yield made


@pytest.fixture
async def emp(known: World) -> AsyncIterator[Held]:
    """An EMP's connection with nothing at the hub yet."""
    adapter = provider(known)
    yield Held(adapter)
    await adapter.close()


async def held(known: World) -> set[str]:
    """Numbers of cards and contracts that Hubject has."""
    found = set()
    for record in (await known.memory("authentication_data")).values():
        (shown,) = record["Identification"].values()
        found.add(shown.get("UID") or shown["EvcoID"])
    return found


def car(uid: str = "car-1", contract: str = "NL-EMS-C00000001", **changes: Any) -> Token:
    return driver(uid, type=TokenType.PLUG_AND_CHARGE, contract_id=ContractId(contract), **changes)


# What is pushed


@pytest.mark.parametrize(
    ("token", "pushed"),
    [
        (driver(), True),
        (driver(whitelist=Whitelist.ALLOWED), True),
        (driver(whitelist=Whitelist.ALLOWED_OFFLINE), False),
        (driver(whitelist=Whitelist.NEVER), False),
        (driver(valid=False), False),
        (driver(party=PartyId("NL-OTH")), False),
        (driver("qr", type=TokenType.QR_CODE), False),
        (car(), True),
    ],
)
def test_hubject_knows_valid_tokens_of_ours_by_which_it_may_decide(token: Token, *, pushed: bool) -> None:
    assert bool(list(provider().keys(token))) is pushed


def test_a_sub_providers_drivers_are_pushed_in_the_hub_providers_name() -> None:
    assert list(provider(sub_providers=[SUB]).keys(driver(party=SUB)))
    assert not list(provider().keys(driver(party=SUB)))


def test_nothing_is_pushed_where_hubject_shall_always_ask() -> None:
    adapter = provider(authentication=False)
    assert not list(adapter.keys(driver()))
    assert not adapter.profile.operations


def test_pushes_follow_each_other_in_one_lane() -> None:
    (operation,) = provider().profile.operations.values()
    assert (operation.lanes_in_flight, operation.atomic, operation.full_load) == (1, True, True)
    assert {key.lane for key in provider().keys(driver())} == {""}


def test_no_operators_id_stands_for_a_provider() -> None:
    with pytest.raises(ValueError, match="ProviderID"):
        provider(provider_id=PartyId("+49*810"))


# Actions


async def test_what_is_new_is_inserted_what_changed_updated_and_what_is_gone_deleted(known: World, emp: Held) -> None:
    assert await emp.deliver(emp.items(driver(ONE), driver(TWO))) == [("insert", Delivered())]
    assert await held(known) == {ONE, TWO}
    assert await emp.deliver(emp.items(driver(ONE), driver(TWO))) == []
    assert await emp.deliver(emp.items(driver(ONE), gone=True)) == [("delete", Delivered())]
    assert await held(known) == {TWO}
    assert await emp.deliver(emp.items(driver(ONE), gone=True)) == []


async def test_hubject_admits_by_itself_whom_it_knows_and_asks_for_whom_it_does_not(known: World, emp: Held) -> None:
    await emp.deliver(emp.items(driver(ONE)))
    assert await known.code(START, asking(card(ONE))) == "000"
    assert not known.emp.heard_at("start")
    await emp.deliver(emp.items(driver(ONE), gone=True))
    await known.post(START, asking(card(ONE)))
    assert known.emp.heard_at("start")


async def test_a_blocked_token_is_withdrawn_also_where_its_projection_does_not_say_so_yet(
    known: World, emp: Held
) -> None:
    await emp.deliver(emp.items(driver(ONE), driver(TWO)))
    blocked = driver(ONE, valid=False)
    assert await emp.deliver(emp.items(blocked)) == [("delete", Delivered())]
    assert await held(known) == {TWO}
    assert await emp.deliver(emp.items(blocked, driver(TWO)), full_load=True) == [("fullLoad", Delivered())]
    assert await held(known) == {TWO}


async def test_another_contract_of_a_car_takes_the_old_one_away(known: World, emp: Held) -> None:
    await emp.deliver(emp.items(car()))
    renamed = car(contract="NL-EMS-C00000002")
    assert await emp.deliver(emp.items(renamed)) == [("delete", Delivered()), ("insert", Delivered())]
    assert {ContractId(each).normal for each in await held(known)} == {"NLEMSC00000002"}


async def test_a_full_load_replaces_everything(known: World, emp: Held) -> None:
    await emp.deliver(emp.items(driver(ONE), driver(TWO)))
    assert await emp.deliver(emp.items(driver(TWO), driver(THREE)), full_load=True) == [("fullLoad", Delivered())]
    assert await held(known) == {TWO, THREE}
    everybody = emp.items(driver(TWO), driver(THREE), gone=True)
    assert await emp.deliver(everybody, full_load=True) == [("fullLoad", Delivered())]
    assert await held(known) == set()


async def test_an_insert_of_what_is_there_and_an_update_of_what_is_not_are_mended(known: World, emp: Held) -> None:
    await emp.deliver(emp.items(driver(ONE)))
    emp.known.clear()  # as if the answer had been lost
    assert await emp.deliver(emp.items(driver(ONE))) == [("insert", Delivered())]
    assert await held(known) == {ONE}
    # One that was tried, and may be there, is deleted all the same.
    emp.known.clear()
    assert await emp.deliver(tried(emp.items(driver(ONE), gone=True))) == [("delete", Delivered())]
    assert await held(known) == set()
    assert await emp.deliver(emp.items(driver(ONE), gone=True)) == []


async def test_many_tokens_go_in_batches(known: World) -> None:
    measured = Measured()
    emp = Held(provider(known, measured, authentication_batch=2))
    tokens = [driver(f"04AABBCC{number:06d}") for number in range(5)]
    assert [action for action, _ in await emp.deliver(emp.items(*tokens))] == ["insert"] * 3
    assert len(await held(known)) == 5
    await emp.adapter.close()


# What Hubject refuses


async def test_a_contract_of_another_emp_is_refused_and_its_batch_with_it(known: World, emp: Held) -> None:
    foreign = car("car-2", "DE-EMP-C00000001")
    items = emp.items(driver(ONE), foreign, driver(TWO))
    ((_, refused),) = await emp.deliver(items)
    assert isinstance(refused, RefusedByHub)
    assert refused.code == "019"
    assert await held(known) == set()
    emp.known.clear()
    assert await halved(emp, items) == [foreign.uid]
    assert await held(known) == {ONE, TWO}


async def halved(emp: Held, items: Sequence[Item]) -> list[str]:
    """Halves a refused batch until what is wrong stands alone, as the outbox does; gives what that is."""
    plan = emp.adapter.plan("authentication_data", items)
    outcomes = [await emp.adapter.send(call) for call in plan.calls]
    if not any(isinstance(each, RefusedByHub) for each in outcomes):
        return []
    if len(items) == 1:
        (item,) = items
        assert isinstance(item.subject, Token)
        return [item.subject.uid]
    half = len(items) // 2
    return await halved(emp, items[:half]) + await halved(emp, items[half:])


async def test_a_sub_providers_contract_passes_where_hubject_knows_who_bundles_it(known: World) -> None:
    known.sandbox.providers[EMS.normal] = Provider(EMS, known.emp.url, frozenset({SUB}))
    emp = Held(provider(known, sub_providers=[SUB]))
    token = car(contract="NL-SUB-C00000001", party=SUB)
    assert await emp.deliver(emp.items(token)) == [("insert", Delivered())]
    await emp.adapter.close()


def test_what_cannot_be_said_is_refused_before_it_is_sent() -> None:
    emp = Held(provider())
    plan = emp.adapter.plan("authentication_data", emp.items(driver("no hex"), driver(ONE)))
    assert [item.key for item, _ in plan.refused] == ["NL*EMS/RFID/no hex"]
    (call,) = plan.calls
    assert len(call.settles) == 1


def test_two_tokens_that_are_one_to_hubject_stand_in_no_body_together() -> None:
    emp = Held(provider())
    plan = emp.adapter.plan("authentication_data", emp.items(car("car-1"), car("car-2")))
    assert len(plan.refused) == 1
    assert len(plan.calls[0].settles) == 1


def test_no_pin_and_no_contract_of_a_card_leaves_the_house() -> None:
    emp = Held(provider())
    (call,) = emp.adapter.plan("authentication_data", emp.items(driver(ONE))).calls
    assert "PIN" not in json.dumps(call.body)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("001", NotSent),
        ("009", NotSent),
        ("320", NotSent),
        ("017", Misconfigured),
        ("210", Misconfigured),
        ("300", Misconfigured),
        ("019", RefusedByHub),
        ("022", RefusedByHub),
        ("018", OutcomeUnknown),
        ("603", OutcomeUnknown),
        ("102", OutcomeUnknown),
        ("400", OutcomeUnknown),
        ("999", OutcomeUnknown),
    ],
)
async def test_every_code_means_something_of_a_push(code: str, kind: type[Outcome]) -> None:
    async with hearing() as peer:
        emp = Held(provider(base_url=peer.url))
        peer.says = acknowledged(code)
        ((_, outcome),) = await emp.deliver(emp.items(driver(ONE)))
        assert isinstance(outcome, kind)
        peer.status = 429
        emp.known.clear()
        assert await emp.deliver(emp.items(driver(ONE))) == [("insert", Throttled(None))]
        await emp.adapter.close()


def test_the_table_of_a_push_has_every_code() -> None:
    assert AUTHENTICATION_OUTCOMES.keys() == CODES.keys()


async def test_a_missing_contract_with_hubject_is_a_matter_for_somebody(known: World, emp: Held) -> None:
    await known.do("contracts", [{"provider": "NL-EMS", "service": "authentication_data", "agreed": False}])
    ((_, outcome),) = await emp.deliver(emp.items(driver(ONE)))
    assert isinstance(outcome, Misconfigured)


def test_the_fingerprint_of_what_the_hub_has_is_that_of_what_was_accepted(emp: Held) -> None:
    (call,) = emp.adapter.plan("authentication_data", emp.items(driver(ONE))).calls
    assert isinstance(call.body, dict)
    (record,) = call.body["ProviderAuthenticationData"]["AuthenticationDataRecord"]  # type: ignore[index, call-overload]
    (settled,) = call.settles
    assert emp.adapter.fingerprint("authentication_data", settled.item.key, record) == settled.fingerprint


def test_an_emps_connection_asks_and_tells_nothing_of_charges() -> None:
    adapter: ProviderAdapter = provider()
    assert not adapter.answers_for(PartyId("DE-EMP"))
    assert not adapter.charging.messages
