"""A charge is told to its hub: in order, each thing once in effect, whatever the hub does at any step."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from gateway.cli.demo.charges import Charge
from mappings.canonical.sessions import AuthMethod
from mappings.canonical.tokens import Identification, TokenType
from tests.e2e.scene import ACTED, BEGUN, BILL, EVSES, FAULTS, HALFWAY, HUBS, OVER, TELL, Scene, scene, without_repeats
from tests.harness import WHO

WHOLE = {"gireve": ["ACTIVE", "ACTIVE", "COMPLETED"], "hubject": ["Start", "Progress", "End"]}
"""What a hub is told of a session from its beginning to its end."""

ERROR = {"kind": "CRITICAL", "text": "the fan stands still"}


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("hub", HUBS)
async def test_a_session_and_its_cdr_are_in_effect_once_whatever_the_hub_does(
    database_url: str, hub: str, kind: str
) -> None:
    async with scene(database_url, hub) as stage:
        charge = await stage.charge(await stage.enrol(hub))
        stage.fail(hub, kind, TELL[hub])
        stage.fail(hub, kind, BILL[hub])
        for share in (BEGUN, HALFWAY, OVER):
            await stage.tell(charge, share)
        if hub == "hubject":
            await stage.quiet()  # a CDR does not wait for notifications there, and Hubject takes none after it
        await stage.bill(charge)
        await stage.quiet()
        assert stage.failed(hub)
        told = stage.told(hub)
        assert len(told) == 3 + (kind in ACTED)
        assert without_repeats(told) == without_repeats(WHOLE[hub])
        await _is_billed(stage, hub, charge, repeated=kind in ACTED)
        assert not await stage.letters()


@pytest.mark.parametrize("hub", HUBS)
async def test_every_step_of_a_charge_may_be_acted_upon_without_our_knowing(database_url: str, hub: str) -> None:
    async with scene(database_url, hub) as stage:
        charge = await stage.charge(await stage.enrol(hub))
        steps: list[tuple[Any, dict[str, Any]]] = [(BEGUN, {}), (HALFWAY, {}), (OVER, {})]
        if hub == "hubject":
            at = charge.session(HALFWAY)
            assert isinstance(at, dict)
            steps.insert(2, (HALFWAY, {"error": {**ERROR, "at": at["last_updated"]}}))
        for step, (share, changes) in enumerate(steps):
            stage.fail(hub, "drop", TELL[hub])
            await stage.tell(charge, share, **changes)
            await stage.quiet()
            assert stage.failed(hub), step
        stage.fail(hub, "drop", BILL[hub])
        await stage.bill(charge)
        await stage.quiet()
        wanted = WHOLE[hub] if hub == "gireve" else ["Start", "Progress", "Error", "End"]
        assert stage.told(hub) == [each for each in wanted for _ in range(2)]
        await _is_billed(stage, hub, charge, repeated=True)


@pytest.mark.parametrize("hub", HUBS)
async def test_while_nobody_listens_everything_waits_in_its_order(database_url: str, hub: str) -> None:
    async with scene(database_url, hub) as stage:
        charges = [
            await stage.charge(await stage.enrol(hub), f"U{number}", f"S-{number}") for number in range(1, EVSES + 1)
        ]
        async with stage.away(hub):
            for share in (BEGUN, HALFWAY, OVER):
                for charge in charges:
                    await stage.tell(charge, share)
            if hub == "gireve":
                await _bill_all(stage, charges)
        await stage.quiet()
        if hub == "hubject":
            async with stage.away(hub):
                await _bill_all(stage, charges)
            await stage.quiet()
        by_session: dict[str, list[str]] = {}
        operation = {"gireve": "sessions", "hubject": "notifications"}[hub]
        for receipt in stage.gateway.sandbox(hub).receipts:
            if receipt.operation == operation:
                by_session.setdefault(receipt.key, []).append(receipt.value)
        assert list(by_session.values()) == [WHOLE[hub]] * EVSES
        assert len(stage.bills(hub)) == EVSES
        assert [(await stage.cdr(charge))["state"] for charge in charges] == ["delivered"] * EVSES
        if hub == "gireve":
            assert not {"out of order", "changed after COMPLETED"} & stage.counted(hub, "sessions").keys()
            assert "before its session" not in stage.counted(hub, "cdrs")


async def test_a_cdr_is_told_to_hubject_whatever_holds_its_notifications_up(database_url: str) -> None:
    async with scene(database_url, "hubject") as stage:
        charge = await stage.charge(await stage.enrol("hubject"))
        stage.gateway.fail("hubject", "throttle", path=TELL["hubject"])
        await stage.tell(charge, OVER)
        await stage.bill(charge)
        await stage.happened("cdr.delivered")
        assert not stage.told("hubject")
        stage.gateway.mend("hubject")
        await stage.quiet()
        # They are optional, and Hubject takes none of a session that has its CDR: nobody has to see to that.
        messages = (await stage.ask("GET", "/v1/deliveries/messages"))["items"]
        assert {one["kind"]: one["state"] for one in messages} == {
            "Start": "expired",
            "End": "expired",
            "ChargeDetailRecord": "delivered",
        }
        assert not await stage.letters()
        await _is_billed(stage, "hubject", charge, repeated=False)


async def test_what_iop_takes_late_is_not_taken_twice(database_url: str) -> None:
    async with scene(database_url, "gireve") as stage:
        charge = await stage.charge(await stage.enrol("gireve"))
        await stage.tell(charge, OVER)
        await stage.quiet()
        await _have_little_patience(stage, "gireve")
        stage.fail("gireve", "delay", BILL["gireve"], seconds=0.9)
        await stage.bill(charge)
        await stage.quiet()
        await _is_billed(stage, "gireve", charge, repeated=False)


async def test_what_hubject_takes_late_is_not_taken_twice(database_url: str) -> None:
    async with scene(database_url, "hubject") as stage:
        charge = await stage.charge(await stage.enrol("hubject"))
        await _have_little_patience(stage, "hubject")
        stage.fail("hubject", "delay", BILL["hubject"], seconds=0.9)
        await stage.tell(charge, OVER)
        await stage.bill(charge)
        await stage.quiet()
        await _is_billed(stage, "hubject", charge, repeated=False)


@pytest.mark.parametrize("hub", HUBS)
async def test_what_the_hub_refuses_is_a_dead_letter_with_its_words_and_goes_when_it_is_mended(
    database_url: str, hub: str
) -> None:
    code = {"gireve": "2001", "hubject": "022"}[hub]
    async with scene(database_url, hub) as stage:
        charge = await stage.charge(await stage.enrol(hub))
        stage.fail(hub, "refuse", TELL[hub], code=code)
        stage.fail(hub, "refuse", BILL[hub], code=code)
        await stage.tell(charge, BEGUN)
        await stage.quiet()
        await stage.tell(charge, OVER)
        await stage.bill(charge)
        await stage.quiet()
        told = {"gireve": "sessions", "hubject": "charging_notifications"}[hub]
        letters = await stage.letters()
        assert {(operation, said) for operation, said, _ in letters} == {(told, code), ("cdrs", code)}
        assert all("sandbox" in words for _, _, words in letters)
        # What was refused keeps nothing else back.
        assert stage.told(hub) == WHOLE[hub][-1:]
        shown = await stage.cdr(charge)
        assert (shown["state"], shown["code"]) == ("refused", code)
        [refused] = await stage.happened("cdr.refused")
        assert refused["id"] == "CDR-S-1"
        # Somebody saw to it, and has it told again.
        page = await stage.ask("GET", "/v1/dead-letters")
        ids = [letter["id"] for letter in page["items"] if letter["operation"] == "cdrs"]
        await stage.ask("POST", "/v1/dead-letters/replay", {"ids": ids})
        await stage.quiet()
        await _is_billed(stage, hub, charge, repeated=False)


async def test_an_invalid_session_means_a_taken_cdr_after_a_dropped_answer_only(database_url: str) -> None:
    async with scene(database_url, "hubject") as stage:
        taken = await stage.charge(await stage.enrol("hubject"), "U1", "S-1")
        refused = await stage.charge(await stage.enrol("hubject"), "U2", "S-2")
        for charge in (taken, refused):
            await stage.tell(charge, OVER)
        await stage.quiet()
        stage.fail("hubject", "drop", BILL["hubject"])
        await stage.bill(taken)
        await stage.quiet()
        assert stage.counted("hubject", "charge_detail_record") == {"ok": 1, "400": 1}
        assert (await stage.cdr(taken))["state"] == "delivered"
        # Nothing was in doubt of the other one: Hubject has it from somebody else, or has lost the session.
        stage.admissions("hubject")[1]["State"] = "billed"
        await stage.bill(refused)
        await stage.quiet()
        shown = await stage.cdr(refused)
        assert (shown["state"], shown["code"]) == ("refused", "400")
        assert [(operation, code) for operation, code, _ in await stage.letters()] == [("cdrs", "400")]


@pytest.mark.parametrize("kind", ["throttle", "unavailable"])
async def test_what_hubject_surely_did_not_take_leaves_no_doubt(database_url: str, kind: str) -> None:
    async with scene(database_url, "hubject") as stage:
        charge = await stage.charge(await stage.enrol("hubject"))
        await stage.tell(charge, OVER)
        await stage.quiet()
        stage.fail("hubject", kind, BILL["hubject"])
        stage.fail("hubject", "refuse", BILL["hubject"], code="400")
        await stage.bill(charge)
        await stage.quiet()
        assert (await stage.cdr(charge))["state"] == "refused"


@pytest.mark.parametrize("hub", HUBS)
async def test_every_id_of_the_leg_is_in_what_the_hub_has(database_url: str, hub: str) -> None:
    async with scene(database_url, hub) as stage:
        driver = await stage.enrol(hub, **({"partner_session": "emp-7"} if hub == "hubject" else {}))
        charge = await stage.charge(driver)
        for share in (BEGUN, OVER):
            await stage.tell(charge, share)
        await stage.quiet()
        await stage.bill(charge)
        await stage.quiet()
        [bill] = stage.bills(hub)
        [session] = stage.gateway.sandbox(hub).memory["sessions"].values()
        refs = {(ref["kind"], ref["value"]) for ref in (await stage.ask("GET", "/v1/sessions/NL*ABC/S-1"))["refs"]}
        if hub == "gireve":
            [reference] = stage.gateway.gireve.memory["authorisations"]
            assert bill["authorization_reference"] == session["authorization_reference"] == reference
            assert bill["session_id"] == session["id"] == "S-1"
            assert bill["cdr_token"] == session["cdr_token"]
            assert ("reference", reference) in refs
        else:
            assert bill["SessionID"] == session["SessionID"]
            assert bill["EMPPartnerSessionID"] == "emp-7"
            assert bill["CPOPartnerSessionID"] == session["CPOPartnerSessionID"]
            notifications = stage.gateway.hubject.memory["notifications"].values()
            assert {one["SessionID"] for one in notifications} == {session["SessionID"]}
            assert {("hub", session["SessionID"]), ("emsp", "emp-7")} <= refs


@pytest.mark.parametrize("advenir", [False, True])
async def test_a_charge_that_does_not_roam_is_told_to_gireve_for_advenir_only(database_url: str, advenir: bool) -> None:
    async with scene(database_url, gireve_settings={"advenir": advenir}) as stage:
        own = Identification(type=TokenType.RFID, uid="04FFFFFFFFFF80")
        charge = replace(stage.admitted(own, "-", auth_method=AuthMethod.WHITELIST), reference=None)  # type: ignore[arg-type]
        stage.fail("gireve", "drop", BILL["gireve"])
        for share in (BEGUN, OVER):
            await stage.tell(charge, share)
        await stage.bill(charge)
        await stage.quiet()
        assert not stage.told("hubject") + stage.bills("hubject")
        assert stage.told("gireve") == (["ACTIVE", "COMPLETED"] if advenir else [])
        assert len(stage.bills("gireve")) == advenir
        assert (own.uid or "") not in str([*stage.gateway.gireve.memory["sessions"].values(), *stage.bills("gireve")])
        assert (await stage.cdr(charge))["state"] == "not_roaming"


async def _have_little_patience(stage: Scene, hub: str) -> None:
    """Has requests take half a second at most from now on; what comes before, as to register, has all the time."""
    settings = stage.gateway.settings[hub] | {"timeout_seconds": 0.5}
    await stage.gateway.app.services.connections.set_settings(hub, settings, WHO)


async def _bill_all(stage: Scene, charges: Sequence[Charge]) -> None:
    for charge in charges:
        await stage.bill(charge)
        assert (await stage.cdr(charge))["state"] == "pending"


async def _is_billed(stage: Scene, hub: str, charge: Charge, *, repeated: bool) -> None:
    """Makes sure that the CDR is at the hub once, that we know it, and that the backend hears of it once."""
    [bill] = stage.bills(hub)
    assert bill["total_energy" if hub == "gireve" else "ConsumedEnergy"] == float(charge.energy)
    again = "cdrs" if hub == "gireve" else "repeated_cdrs"
    counts = Counter(stage.counted(hub, again))
    assert counts["repeated"] + counts["same content"] == int(repeated) or not repeated
    assert not counts["other content"] + counts["second of a session"]
    assert (await stage.cdr(charge))["state"] == "delivered"
    assert len(await stage.happened("cdr.delivered")) == 1
