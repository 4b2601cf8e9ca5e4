"""A hub's word on contracts against the record here: its yes lets the driver charge, and what disagrees is shown."""

from typing import Any

import aiohttp

from mappings.canonical.ids import PartyId
from tests.e2e.scene import BEGUN, EMSPS, OVER, Scene, scene
from tests.e2e.test_charges_commands import command, word
from tests.harness import ADMIN, PARTY, eventually, tariff

OTHER = PartyId("FR*OTH")
"""An EMSP with an agreement, so that the network is restricted and the hub is asked."""

STALE = "cpo;emsp;state;starts;ends\nNL*ABC;FR*EVP;ended;2026-01-01;2026-06-30\nNL*ABC;FR*OTH;active;2026-01-01;\n"
FRESH = "cpo;emsp;state;starts;ends\nNL*ABC;{emsp};active;2026-01-01;\nNL*ABC;FR*OTH;active;2026-01-01;\n"
BAD_ROW = STALE + "NL*ABC;nobody at all;active;2026-01-01;\n"


async def take(stage: Scene, over: str, file: str) -> Any:
    """Imports a file of agreements."""
    headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "text/csv"}
    url = f"{stage.gateway.public_url}/v1/connections/{over}/agreements/import"
    async with aiohttp.ClientSession(headers=headers) as http, http.post(url, data=file.encode()) as answer:
        report = await answer.json()
        assert answer.status == 200, report
    await stage.gateway.app.links.refresh()
    return report


async def drifts(stage: Scene) -> list[tuple[str, str, str, int]]:
    """What is shown of disagreements about who may charge."""
    page = await stage.ask("GET", "/v1/offer-drifts")
    return [
        (one["connection"], one["kind"], one["subject"], one["times"])
        for one in page["items"]
        if one["kind"].startswith("HUB_SAID")
    ]


async def shown(stage: Scene, many: int) -> list[tuple[str, str, str, int]]:
    """Waits until as many disagreements were counted; gives them."""

    async def there() -> bool:
        return sum(times for *_, times in await drifts(stage)) >= many

    await eventually(there, f"{many} disagreements")
    return await drifts(stage)


async def counted(stage: Scene) -> str:
    """The metrics."""
    async with stage.http.get(f"{stage.gateway.public_url}/metrics") as answer:
        return await answer.text()


async def test_against_a_stale_file_gireves_yes_lets_the_driver_charge_and_that_is_shown(database_url: str) -> None:
    async with scene(database_url, "gireve") as stage:
        driver = await stage.enrol("gireve")
        assert (await take(stage, "gireve", FRESH.format(emsp="FR*EVP")))["added"] == 2
        report = await take(stage, "gireve", BAD_ROW)
        assert (report["changed"], [(one["row"], one["field"]) for one in report["refused"]]) == (1, [(3, "emsp")])
        charge = await stage.charge(driver)
        assert await shown(stage, 1) == [("gireve", "HUB_SAID_YES", "NL*ABC/FR*EVP", 1)]
        counts = 'roamgate_agreement_drift_total{connection="gireve",hub="gireve",kind="HUB_SAID_YES"} 1.0'
        assert counts in await counted(stage)
        await stage.tell(charge, BEGUN)
        await stage.tell(charge, OVER)
        await stage.bill(charge)
        await stage.quiet()
        assert stage.told("gireve") == ["ACTIVE", "COMPLETED"]
        assert len(stage.bills("gireve")) == 1
        assert (await stage.cdr(charge))["state"] == "delivered"
        shown_again = await stage.ask("GET", f"/v1/authorisations/{charge.reference}")
        assert (shown_again["detail"]["drift"], shown_again.get("agreement")) == (True, None)


async def test_what_gireve_carries_on_from_an_emsp_begins_and_ends_whatever_the_file_says(database_url: str) -> None:
    async with scene(database_url, "gireve") as stage:
        driver = await stage.enrol("gireve")
        await take(stage, "gireve", STALE)
        assert word("gireve", await command(stage, "start", driver)) == "ACCEPTED"
        assert await shown(stage, 1) == [("gireve", "HUB_SAID_YES", "NL*ABC/FR*EVP", 1)]


async def test_a_file_that_agrees_with_gireve_leaves_nothing_to_show(database_url: str) -> None:
    async with scene(database_url, "gireve") as stage:
        driver = await stage.enrol("gireve")
        await take(stage, "gireve", FRESH.format(emsp="FR*EVP"))
        charge = await stage.charge(driver)
        view = await stage.ask("GET", f"/v1/authorisations/{charge.reference}")
        assert view["agreement"]["version"] == 1
        assert not view["detail"].get("drift", False)
        assert await drifts(stage) == []


async def test_gireves_no_stands_whatever_the_file_says(database_url: str) -> None:
    async with scene(database_url, "gireve") as stage:
        driver = await stage.enrol("gireve")
        await take(stage, "gireve", FRESH.format(emsp="FR*EVP"))
        await stage.drive("gireve", "agreements", [{"cpo": "NL*ABC", "emsp": "FR*EVP", "agreed": False}])
        said = await stage.tap(driver)
        # OCPI has one word for every no, so that a missing contract is not told from a driver who may not.
        assert (said["allowed"], said["reason"]) == (False, "NOT_ALLOWED")
        await stage.drive("gireve", "agreements", method="DELETE")
        assert (await stage.tap(driver))["allowed"]


async def test_where_hubject_finds_no_contract_against_our_record_that_is_shown(database_url: str) -> None:
    async with scene(database_url, "hubject") as stage:
        driver = await stage.enrol("hubject", agreed=False)
        await take(stage, "hubject", FRESH.format(emsp="DE*DRV"))
        named = {"type": "RFID", "uid": driver.uid, "party": EMSPS["hubject"].normal}
        said = await stage.tap(driver, identification=named)
        assert (said["allowed"], said["reason"]) == (False, "NO_CONTRACT")
        assert await shown(stage, 1) == [("hubject", "HUB_SAID_NO", "NL*ABC/DE*DRV", 1)]
        await stage.know(driver)
        assert (await stage.tap(driver, identification=named))["allowed"]


async def test_a_price_of_an_emsps_own_reaches_gireve_with_its_agreement_and_goes_with_it(database_url: str) -> None:
    emsp = EMSPS["gireve"]
    async with scene(database_url, "gireve", gireve_settings={"tariff_targets": [emsp.normal]}) as stage:
        await take(stage, "gireve", "cpo;emsp;state;starts\nNL*ABC;FR*OTH;active;2026-01-01\n")
        await stage.gateway.put_tariffs(tariff(), tariff(price="0.3", target=emsp))
        await stage.quiet()
        key = f"{PARTY}/T1"
        assert set(stage.gateway.memory("tariffs")) == {f"{key}/-"}
        await take(stage, "gireve", FRESH.format(emsp="FR*EVP"))
        await eventually(lambda: set(stage.gateway.memory("tariffs")) == {f"{key}/-", f"{key}/{emsp}"}, "its own price")
        await take(stage, "gireve", STALE.replace("2026-06-30", "2026-11-01"))
        await eventually(lambda: set(stage.gateway.memory("tariffs")) == {f"{key}/-"}, "only the price for all")
