"""The own network as a hub in process: what one side says arrives at the other, as at any hub."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.core.adapter import Item, Plan, Subject
from adapters.core.charging import Allowed, Denial, Denied, Question
from adapters.core.outcomes import Delivered, NotSent, OutcomeUnknown, RefusedByHub
from adapters.core.roaming import PullFailed
from adapters.home import HUB
from adapters.home.adapter import HomeAdapter
from mappings.canonical.cdrs import Cdr, cdr_location
from mappings.canonical.commands import CommandResult, EvseRef, StartSession, StopSession, UnlockConnector
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.locations import EvseStatus
from mappings.canonical.parties import Role
from mappings.canonical.sessions import AuthMethod, Session, SessionStatus
from mappings.canonical.tokens import Identification, Token, TokenType, Whitelist
from tests.adapters.doubles import Cards, Measured, Network, Orders, Tokens, connection, gateway
from tests.adapters.doubles_roaming import Homecoming, OwnDrivers, Stations
from tests.harness import AT, PARTY, evse, later, location, tariff

EMSP = PartyId("FR*RGT")
TOKEN = Token(
    party=EMSP,
    uid="04A1B2C3D4E5F6",
    type=TokenType.RFID,
    contract_id=ContractId("FR-RGT-C00000001-X"),
    issuer="Roamgate",
    valid=True,
    whitelist=Whitelist.ALLOWED,
    last_updated=AT,
)
PLACE = cdr_location(location(), location().evses[0], location().evses[0].connectors[0], "1")


class Home:
    """An adapter with doubles of the gateway on both its sides."""

    def __init__(self, **settings: Any) -> None:
        self.stations, self.cards, self.orders = Stations(), Cards(), Orders()
        self.drivers, self.received = OwnDrivers(TOKEN), Homecoming()
        self.registry = Tokens(connection("home", settings))
        made = gateway(
            Network([]),
            self.registry,
            Measured(),
            "http://127.0.0.1",
            commands=self.orders,
            tokens=self.cards,
            catalogue=self.stations,
            drivers=self.drivers,
            received=self.received,
        )
        self.adapter: HomeAdapter = HUB.adapter(self.registry.connection, made)  # type: ignore[assignment]

    def items(self, subject: Subject, accepted: dict[str, bytes] | None = None) -> list[Item]:
        """Claims all projections of an object."""
        known = accepted or {}
        return [
            Item(
                key.operation,
                key.key,
                key.lane,
                key.evse_uid,
                subject,
                None,
                gone=False,
                sent_as=key.key if key.key in known else None,
                accepted=known.get(key.key),
            )
            for key in self.adapter.keys(subject)
        ]

    async def hand_over(self, items: Sequence[Item]) -> dict[str, bytes]:
        """Makes every call of a plan; gives the fingerprints by key."""
        plan: Plan = self.adapter.plan(items[0].operation, items)
        assert not plan.refused
        for call in plan.calls:
            assert await self.adapter.send(call) == Delivered()
        return {one.item.key: one.fingerprint for call in plan.calls for one in call.settles} | {
            one.item.key: one.fingerprint for one in plan.unchanged
        }


@pytest.fixture
def home() -> Home:
    return Home()


def question(identification: Identification) -> Question:
    return Question("a" * 32, PARTY, PLACE, identification)


async def test_it_plays_both_roles_and_pulls_nothing(home: Home) -> None:
    assert home.adapter.roles == {Role.CPO, Role.EMSP}
    assert not home.adapter.roaming.feeds
    with pytest.raises(PullFailed):
        await home.adapter.pull("locations", None, None)
    with pytest.raises(PullFailed):
        await home.adapter.pull_statuses(["NLABCE1"])


# Stations


async def test_a_location_is_handed_over_whole_and_then_statuses_alone(home: Home) -> None:
    place = location("L1", evse("U1", "NL*ABC*E1"), evse("U2", "NL*ABC*E2"))
    accepted = await home.hand_over(home.items(place))
    assert [copy.location for copy in home.stations.copies] == [place]
    changed = place.evses[1].model_copy(update={"status": EvseStatus.CHARGING, "last_updated": later(5)})
    now = place.model_copy(update={"evses": (place.evses[0], changed)})
    items = [item for item in home.items(now, accepted) if item.evse_uid is not None]
    again = home.adapter.plan("locations", items)
    assert [call.action for call in again.calls] == ["status"]
    assert len(again.unchanged) == 1
    await home.hand_over(items)
    [report] = home.stations.reports
    assert (report.evse_uid, report.status, report.at) == ("U2", EvseStatus.CHARGING, later(5))


async def test_a_location_that_is_gone_is_withdrawn(home: Home) -> None:
    place = location()
    accepted = await home.hand_over(home.items(place))
    gone = [replace(item, gone=True, subject=None) for item in home.items(place, accepted)]
    await home.hand_over(gone)
    stored = await home.stations.location(home.registry.connection, PARTY, "L1")
    assert stored is not None
    assert {one.status for one in stored.evses} == {EvseStatus.REMOVED}


async def test_ids_with_slashes_are_told_apart_and_come_back_as_they_were(home: Home) -> None:
    places = location("A/B", evse("C", "NL*ABC*E1")), location("A", evse("B/C", "NL*ABC*E2")), location("A%2FB")
    keys = [item.key for place in places for item in home.items(place)]
    assert len(set(keys)) == len(keys)
    for place in places:
        accepted = await home.hand_over(home.items(place))
        changed = place.evses[0].model_copy(update={"status": EvseStatus.CHARGING, "last_updated": later(5)})
        now = place.model_copy(update={"evses": (changed,), "last_updated": later(5)})
        await home.hand_over([item for item in home.items(now, accepted) if item.evse_uid is not None])
        assert (home.stations.reports[-1].location_id, home.stations.reports[-1].evse_uid) == (place.id, changed.uid)
        await home.hand_over([replace(item, gone=True, subject=None) for item in home.items(place, accepted)])
        stored = await home.stations.location(home.registry.connection, PARTY, place.id)
        assert stored is not None
        assert {one.status for one in stored.evses} == {EvseStatus.REMOVED}


async def test_a_tariff_is_handed_over_and_withdrawn(home: Home) -> None:
    price = tariff()
    accepted = await home.hand_over(home.items(price))
    assert await home.stations.tariff(home.registry.connection, PARTY, "T1") == price
    await home.hand_over([replace(item, gone=True, subject=None) for item in home.items(price, accepted)])
    assert await home.stations.tariff(home.registry.connection, PARTY, "T1") is None


async def test_what_is_known_is_not_handed_over_again_whatever_its_statuses_were_meanwhile(home: Home) -> None:
    place = location("L1", evse("U1", "NL*ABC*E1"), evse("U2", "NL*ABC*E2"))
    accepted = await home.hand_over(home.items(place))
    assert not home.adapter.plan("locations", home.items(place, accepted)).calls
    changed = place.evses[1].model_copy(update={"status": EvseStatus.CHARGING, "last_updated": later(5)})
    now = place.model_copy(update={"evses": (place.evses[0], changed), "last_updated": later(5)})
    again = home.adapter.plan("locations", home.items(now, accepted))
    assert [call.action for call in again.calls] == ["status"]
    assert {one.item.evse_uid for one in again.unchanged} == {None, "U1"}


async def test_an_evse_that_is_removed_goes_with_its_location_and_comes_back(home: Home) -> None:
    place = location("L1", evse("U1", "NL*ABC*E1"), evse("U2", "NL*ABC*E2"))
    accepted = await home.hand_over(home.items(place))
    removed = place.evses[1].model_copy(update={"status": EvseStatus.REMOVED, "last_updated": later(5)})
    less = place.model_copy(update={"evses": (place.evses[0], removed), "last_updated": later(5)})
    items = [replace(item, subject=less, gone=item.evse_uid == "U2") for item in home.items(place, accepted)]
    after = await home.hand_over(items)
    assert after["NL*ABC/L1/U2"] == b""
    assert not home.adapter.plan("locations", [replace(items[2], accepted=b"", sent_as=None)]).calls
    back = place.model_copy(update={"last_updated": later(9)})
    [call] = home.adapter.plan("locations", home.items(back, {key: one for key, one in after.items() if one})).calls
    assert call.action == "put"


async def test_nothing_is_handed_over_of_what_is_gone_and_was_never_there(home: Home) -> None:
    for subject in (location(), tariff(), TOKEN):
        items = [replace(item, gone=True, subject=None) for item in home.items(subject)]
        plan = home.adapter.plan(items[0].operation, items)
        assert not plan.calls
        assert len(plan.unchanged) == len(items)
        # Where it was tried it may be there.
        tried = home.adapter.plan(items[0].operation, [replace(item, attempts=1) for item in items])
        assert [call.action for call in tried.calls] == ["withdraw"]


async def test_each_item_has_one_place_in_a_plan(home: Home) -> None:
    place = location("L1", evse("U1", "NL*ABC*E1"), evse("U2", "NL*ABC*E2"))
    accepted = await home.hand_over(home.items(place))
    for known in ({}, accepted, dict(list(accepted.items())[:2])):
        items = home.items(place, known)
        for gone in (items, [replace(item, gone=True) for item in items], [replace(items[1], gone=True), items[2]]):
            plan = home.adapter.plan("locations", gone)
            placed = [one.item.key for call in plan.calls for one in call.settles]
            placed += [one.item.key for one in plan.unchanged]
            assert sorted(placed) == sorted(item.key for item in gone)


async def test_one_variant_of_a_tariff_goes_alone(home: Home) -> None:
    for_all, for_one = tariff(), tariff().model_copy(update={"target": EMSP})
    await home.hand_over(home.items(for_all))
    accepted = await home.hand_over(home.items(for_one))
    await home.hand_over([replace(item, gone=True, subject=None) for item in home.items(for_one, accepted)])
    assert await home.stations.tariff(home.registry.connection, PARTY, "T1", EMSP) == for_all


async def test_what_the_other_side_stumbles_over_is_tried_again(home: Home) -> None:
    home.stations.failing = home.received.failing = OSError("no store")
    [call] = home.adapter.plan("tariffs", home.items(tariff())).calls
    assert isinstance(await home.adapter.send(call), OutcomeUnknown)
    [message] = home.adapter.of_cdr(cdr(), LEG)
    told, _ = home.adapter.render(message)
    assert isinstance(await home.adapter.tell(told, doubtful=False), OutcomeUnknown)


# Tokens


async def test_a_driver_token_is_on_the_stations_list_and_blocked_there_too(home: Home) -> None:
    accepted = await home.hand_over(home.items(TOKEN))
    held = await home.cards.get(home.registry.connection, EMSP, TOKEN.uid, TokenType.RFID)
    assert held == TOKEN
    blocked = TOKEN.model_copy(update={"valid": False, "last_updated": later(1)})
    accepted = await home.hand_over(home.items(blocked, accepted))
    held = await home.cards.get(home.registry.connection, EMSP, TOKEN.uid, TokenType.RFID)
    assert held == blocked
    await home.hand_over([replace(item, gone=True, subject=None) for item in home.items(TOKEN, accepted)])
    held = await home.cards.get(home.registry.connection, EMSP, TOKEN.uid, TokenType.RFID)
    assert held is not None
    assert not held.valid


# Drivers


async def test_our_own_driver_is_admitted_by_our_own_emsp(home: Home) -> None:
    answer = await home.adapter.authorise(question(Identification(type=TokenType.RFID, uid=TOKEN.uid)))
    assert isinstance(answer, Allowed)
    [asked] = home.drivers.asked
    assert (asked.cpo, asked.leg.own_session, asked.within) == (PARTY, "a" * 32, timedelta(seconds=8))
    assert asked.at is not None
    assert (asked.at.location_id, asked.at.evse_uid, asked.at.evse_id) == ("L1", "U1", PLACE.evse_id)


async def test_a_driver_who_is_known_to_be_somebody_elses_is_not_asked_for() -> None:
    home = Home(emsps=["FR*RGT"])
    foreign = Identification(type=TokenType.APP_USER, contract_id=ContractId("DE-XYZ-C12345678-4"))
    assert home.adapter.answers_for(EMSP)
    answer = await home.adapter.authorise(question(foreign))
    assert isinstance(answer, Denied)
    assert answer.reason is Denial.NO_CANDIDATE
    assert not home.drivers.asked
    stranger = await home.adapter.authorise(question(Identification(type=TokenType.RFID, uid="04FFFFFFFFFFFF")))
    assert isinstance(stranger, Denied)
    assert stranger.reason is Denial.UNKNOWN_TOKEN


async def test_another_medium_is_asked_about_with_the_names_of_the_charge(home: Home) -> None:
    leg = Leg(reference="permit-1", emsp_session="permit-1", identification=TOKEN.identification)
    shown = Identification(type=TokenType.RFID, uid="04FFFFFFFFFFFF")
    assert isinstance(await home.adapter.authorise_stop(question(shown), leg), Denied)
    [asked] = home.drivers.asked_to_stop
    assert (asked.leg.reference, asked.leg.identification) == ("permit-1", shown)
    assert not await home.adapter.release(question(shown), leg)


# What comes home


def session(**changes: Any) -> Session:
    given: dict[str, Any] = {
        "party": PARTY,
        "id": "S-1",
        "start": AT,
        "energy": Decimal(4),
        "identification": Identification(type=TokenType.RFID, uid=TOKEN.uid),
        "auth_method": AuthMethod.AUTH_REQUEST,
        "reference": "the CPO's own",
        "location_id": "L1",
        "evse_uid": "U1",
        "connector_id": "1",
        "currency": "EUR",
        "status": SessionStatus.ACTIVE,
        "last_updated": AT,
    }
    return Session.model_validate(given | changes)


LEG = Leg(reference="permit-1", emsp_session="permit-1", emsp=EMSP, identification=TOKEN.identification)


async def test_a_session_comes_home_under_the_emsps_own_names(home: Home) -> None:
    assert home.adapter.of_session(session(), PLACE, None, {}) == []
    [message] = home.adapter.of_session(session(), PLACE, LEG, {})
    call, issues = home.adapter.render(message)
    assert not issues
    assert await home.adapter.tell(call, doubtful=False) == Delivered()
    told = await home.received.get_session(home.registry.connection, PARTY, "S-1")
    assert told is not None
    assert (told.reference, told.identification) == ("permit-1", TOKEN.identification)


def cdr(energy: str = "12.25") -> Cdr:
    return Cdr.model_validate(
        {
            "party": PARTY,
            "id": "C-1",
            "session_id": "S-1",
            "start": AT,
            "end": later(3600),
            "identification": Identification(type=TokenType.RFID, uid=TOKEN.uid),
            "auth_method": AuthMethod.AUTH_REQUEST,
            "location": PLACE,
            "currency": "EUR",
            "periods": (),
            "energy": Decimal(energy),
            "time": Decimal(1),
            "last_updated": later(3600),
        }
    )


async def test_a_cdr_comes_home_once_and_another_of_its_id_is_refused(home: Home) -> None:
    assert home.adapter.of_cdr(cdr(), None) == []

    async def told(one: Cdr) -> object:
        [message] = home.adapter.of_cdr(one, LEG)
        assert message.lane == f"{PARTY}/S-1"
        call, _ = home.adapter.render(message)
        return await home.adapter.tell(call, doubtful=False)

    assert await told(cdr()) == Delivered()
    assert await told(cdr()) == Delivered()
    assert isinstance(await told(cdr("13")), RefusedByHub)
    held = await home.received.get_cdr(home.registry.connection, PARTY, "C-1")
    assert held is not None
    assert (held.energy, held.reference) == (Decimal("12.25"), "permit-1")


# Commands


async def test_a_command_is_carried_out_by_the_cpos_side(home: Home) -> None:
    start = StartSession(at=EvseRef(location_id="L1", evse_uid="U1"), emsp=EMSP, leg=LEG)
    sent = await home.adapter.command("c1", start, PARTY)
    assert sent.answer is not None
    assert sent.answer.result is CommandResult.ACCEPTED
    for command in (StopSession(session="S-1", emsp=EMSP), UnlockConnector(at=EvseRef(location_id="L1"), emsp=EMSP)):
        await home.adapter.command("c2", command, PARTY)
    assert all(one.at is not None and one.at.party == PARTY for _, one in home.orders.performed)


async def test_a_command_that_nobody_knows_is_not_carried_out(home: Home) -> None:
    strange = StopSession(session="S-1", emsp=EMSP).model_copy(update={"kind": "NEVER_HEARD_OF"})
    sent = await home.adapter.command("c1", strange, PARTY)
    assert sent.answer is not None
    assert sent.answer.result is CommandResult.NOT_SUPPORTED
    assert not home.orders.performed


def test_the_emsps_side_waits_longer_than_the_cpos_side_takes(home: Home) -> None:
    assert home.adapter.roaming.command_within > home.adapter.charging.command_within


async def test_nothing_is_said_of_a_connection_that_was_removed(home: Home) -> None:
    home.registry.connection = replace(home.registry.connection, name="another")
    [call] = home.adapter.plan("tariffs", home.items(tariff())).calls
    assert isinstance(await home.adapter.send(call), NotSent)
    answer = await home.adapter.authorise(question(TOKEN.identification))
    assert isinstance(answer, Denied)
