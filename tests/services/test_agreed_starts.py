"""What our EMSPs may begin at partners' stations: over hubs, which know their contracts, and over the own network."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.core.charging import Allowed, Denial, Denied
from adapters.core.roaming import CommandSent
from gateway.services.ports import Invalid
from gateway.services.ports.permits import PermitOrigin
from gateway.store.pool import Store
from mappings.canonical.agreements import OfferState, Service
from mappings.canonical.commands import CommandAnswer, CommandResult
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from tests.agreed import agree
from tests.harness import later
from tests.services import driving as taps
from tests.services.driving import Driving, asked, card, driving
from tests.services.homecoming import CARD, CPO, EMSP, Home, home, session

STRANGER = PartyId("DE*XYZ")
NO_CONTRACT = CommandAnswer(result=CommandResult.NO_CONTRACT, text="not subscribed")


@pytest.fixture
async def at(store: Store) -> AsyncIterator[Home]:
    """The EMSP's services over a hub."""
    async with home(store) as made:
        yield made


@pytest.fixture
async def own(at: Home) -> Home:
    """The same, with the own network, which has a station of its own there."""
    await at.connect("home", has_contracts=False)
    await at.station(id_="L9", uid="U9", evse_id="NL*CPO*E9", over="home")
    return at


NINTH = {"evse": {"evse_id": "NL*CPO*E9"}}


@pytest.mark.parametrize("kind", ["START_SESSION", "RESERVE_NOW", "UNLOCK_CONNECTOR"])
async def test_nothing_begins_on_the_own_network_without_an_agreement(own: Home, kind: str) -> None:
    await agree(own.links, "home", cpo=CPO, emsp=STRANGER)
    more = {"RESERVE_NOW": {"expires": later(11 * 3600)}, "UNLOCK_CONNECTOR": {"token": None}}.get(kind, {})
    with pytest.raises(Invalid) as error:
        await own.wish(kind=kind, **NINTH, **more)
    [(field, detail)] = error.value.problems
    assert (field, detail.split(":")[0]) == ("party", "NO_CONTRACT")
    assert "no_agreement" in detail
    assert own.hubs["home"].asked == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"services": [Service.AUTHORISE]}, "other_service"),
        ({"starts": later(20 * 3600)}, "not_yet"),
        ({"ends": later(9 * 3600)}, "ended"),
        ({"ends": later(20 * 3600), "state": OfferState.ENDED}, "ended"),
        ({"evse_groups": ("G1",)}, "other_evses"),
    ],
)
async def test_the_refusal_says_what_is_lacking(own: Home, given: dict[str, object], reason: str) -> None:
    await agree(own.links, "home", cpo=CPO, emsp=STRANGER)  # so that the network is restricted
    await agree(own.links, "home", cpo=CPO, emsp=EMSP, **given)  # type: ignore[arg-type]
    with pytest.raises(Invalid) as error:
        await own.wish(**NINTH)
    assert f"({reason})" in str(error.value)


async def test_a_start_keeps_the_agreement_by_which_it_was_let_begin(own: Home) -> None:
    offer = await agree(own.links, "home", cpo=CPO, emsp=EMSP)
    view = await own.wish(**NINTH)
    assert view.result is CommandResult.ACCEPTED
    stored = await own.store.fetchval("SELECT agreement::text FROM permit WHERE id = $1", view.permit)
    assert f'"offer":"{offer}"' in stored
    assert '"version":1' in stored


async def test_an_open_network_asks_for_no_agreement(own: Home) -> None:
    view = await own.wish(**NINTH)
    assert view.result is CommandResult.ACCEPTED
    assert await own.store.fetchval("SELECT agreement FROM permit WHERE id = $1", view.permit) is None


async def test_what_goes_over_a_hub_is_not_held_back_by_our_record(at: Home) -> None:
    await agree(at.links, "hub", cpo=CPO, emsp=STRANGER)
    assert (await at.wish()).result is CommandResult.ACCEPTED
    assert len(at.hubs["hub"].asked) == 1


async def test_a_way_that_is_closed_gives_way_to_a_hub(own: Home) -> None:
    await own.store.execute("UPDATE connection SET rank = CASE name WHEN 'home' THEN 0 ELSE 1 END")
    await own.station(id_="L9", uid="U9", evse_id="NL*CPO*E9")
    await agree(own.links, "home", cpo=CPO, emsp=STRANGER)
    assert (await own.wish(**NINTH)).connection == "hub"


async def test_a_hub_that_knows_no_contract_where_we_have_one_is_noted(at: Home) -> None:
    await agree(at.links, "hub", cpo=CPO, emsp=EMSP)
    at.hubs["hub"].answers = [CommandSent(NO_CONTRACT)]
    assert (await at.wish()).result is CommandResult.NO_CONTRACT
    assert at.witness.missed == ["hub"]


async def test_a_hub_that_knows_no_contract_either_is_not_noted(at: Home) -> None:
    at.hubs["hub"].answers = [CommandSent(NO_CONTRACT)]
    assert (await at.wish()).result is CommandResult.NO_CONTRACT
    assert at.witness.missed == []


async def test_a_session_is_stopped_although_its_agreement_has_ended(own: Home) -> None:
    await agree(own.links, "home", cpo=CPO, emsp=EMSP, ends=later(9 * 3600))
    leg = Leg(hub_session="s-9", reference="p-9", identification=CARD)
    await own.permit("p-9", over="home", leg=leg, evse_key="NLCPOE9")
    await own.tell(session("s-9", location_id="L9", evse_uid="U9"), over="home")
    view = await own.wish(kind="STOP_SESSION", permit="p-9", evse=None, token=None)
    assert view.result is CommandResult.ACCEPTED


UNLOCK = {"kind": "UNLOCK_CONNECTOR", "token": None, **NINTH}


async def charging(own: Home, **changes: Any) -> None:
    """A charge at the own network's station, under an agreement that has ended since."""
    await agree(own.links, "home", cpo=CPO, emsp=EMSP, ends=later(9 * 3600))
    leg = Leg(hub_session="s-9", reference="p-9", identification=CARD)
    await own.permit("p-9", over="home", leg=leg, evse_key="NLCPOE9", **changes)


@pytest.mark.parametrize("state", ["ready", "paused"])
async def test_a_plug_is_let_go_although_the_agreement_has_ended(own: Home, state: str) -> None:
    await charging(own)
    await own.tell(session("s-9", location_id="L9", evse_uid="U9"), over="home")
    await own.change("home", "state", state)
    view = await own.wish(**UNLOCK)
    assert (view.connection, view.result) == ("home", CommandResult.ACCEPTED)


async def test_a_plug_is_let_go_of_a_charge_that_nobody_told_of_yet(own: Home) -> None:
    await charging(own)
    assert (await own.wish(**UNLOCK)).result is CommandResult.ACCEPTED


@pytest.mark.parametrize(("hours", "taken"), [(2 + 24, False), (2 + 23, True)])
async def test_a_plug_may_be_held_for_a_day_after_the_charge(own: Home, hours: int, taken: bool) -> None:
    await charging(own)
    await own.tell(session("s-9", "COMPLETED", location_id="L9", evse_uid="U9"), over="home")
    own.now = later(hours * 3600)
    if taken:
        assert (await own.wish(**UNLOCK)).result is CommandResult.ACCEPTED
        return
    with pytest.raises(Invalid, match="NO_CONTRACT"):
        await own.wish(**UNLOCK)


@pytest.mark.parametrize(
    "changes",
    [
        {"evse_key": "NLCPOE8"},
        {"origin": PermitOrigin.RESERVE},
        {"expires": later(9 * 3600)},
        {"at": later(-24 * 3600)},
    ],
)
async def test_what_holds_no_plug_there_lets_none_go(own: Home, changes: dict[str, Any]) -> None:
    await agree(own.links, "home", cpo=CPO, emsp=EMSP, ends=later(9 * 3600))
    leg = Leg(hub_session="s-9", reference="p-9", identification=CARD)
    await own.permit("p-9", over="home", leg=leg, **({"evse_key": "NLCPOE9"} | changes))
    with pytest.raises(Invalid, match="NO_CONTRACT"):
        await own.wish(**UNLOCK)


# A station asks


@pytest.fixture
async def drivers(store: Store) -> AsyncIterator[Driving]:
    """The EMSP's answers, over a hub and over the own network."""
    async with driving(store) as made:
        await made.connect("home", has_contracts=False)
        await made.put(taps.token())
        yield made


async def agreement_of(drivers: Driving) -> str | None:
    [row] = await drivers.store.fetch("SELECT agreement FROM permit")
    return str(row["agreement"]) if row["agreement"] is not None else None


async def test_the_own_network_is_answered_no_without_an_agreement(drivers: Driving) -> None:
    await agree(drivers.links, "home", cpo=taps.CPO, emsp=STRANGER)
    answer = await drivers.ask(connection="home")
    assert isinstance(answer, Denied)
    assert answer.reason is Denial.NO_CONTRACT
    assert await agreement_of(drivers) is None
    assert drivers.witness.drifted == []


async def test_the_backend_is_not_asked_for_who_has_no_agreement(drivers: Driving) -> None:
    await drivers.put(taps.token(whitelist="NEVER"))
    await drivers.listen("PERMIT")
    await agree(drivers.links, "home", cpo=taps.CPO, emsp=STRANGER)
    answer = await drivers.ask(connection="home")
    assert isinstance(answer, Denied)
    assert answer.reason is Denial.NO_CONTRACT
    assert drivers.listener.heard == []


async def test_the_own_network_is_answered_yes_by_an_agreement_which_is_kept(drivers: Driving) -> None:
    offer = await agree(drivers.links, "home", cpo=taps.CPO, emsp=taps.EMSP)
    assert isinstance(await drivers.ask(connection="home"), Allowed)
    assert offer in (await agreement_of(drivers) or "")


async def test_a_hub_is_answered_as_ever_and_its_word_noted_where_our_record_disagrees(drivers: Driving) -> None:
    await agree(drivers.links, "hub", cpo=taps.CPO, emsp=STRANGER)
    assert isinstance(await drivers.ask(), Allowed)
    assert drivers.witness.drifted == ["hub"]
    assert await agreement_of(drivers) is None


async def test_a_no_to_a_hub_is_no_disagreement(drivers: Driving) -> None:
    await agree(drivers.links, "hub", cpo=taps.CPO, emsp=STRANGER)
    await drivers.put(taps.token(valid=False))
    assert isinstance(await drivers.ask(), Denied)
    assert drivers.witness.drifted == []


async def test_a_medium_may_stop_a_session_whose_agreement_has_ended(drivers: Driving) -> None:
    await agree(drivers.links, "home", cpo=taps.CPO, emsp=taps.EMSP, ends=later(2 * 3600))
    begun = await drivers.ask(asked(session="H-1"), connection="home")
    assert isinstance(begun, Allowed)
    drivers.now = later(3 * 3600)
    stop = asked(leg=begun.leg.model_copy(update={"identification": card()}))
    assert isinstance(await drivers.stop(stop, connection="home"), Allowed)
