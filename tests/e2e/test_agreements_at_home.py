"""On the own network nobody but us keeps contracts: without one nobody starts, and what began goes on to its CDR."""

from datetime import UTC, datetime
from typing import Any

from tests.e2e.abroad import EMSP, Abroad, abroad
from tests.e2e.scene import BEGUN, HALFWAY, OVER
from tests.harness import eventually

SERVICES = ["poi", "status", "authorise", "remote", "reservation", "cdr"]


async def publish(stage: Abroad, audience: list[str] | None = None, **changes: Any) -> None:
    """Has the CPO publish the offer `ours`, which begins now and has to be subscribed to."""
    offer = {"id": "ours", "connection": "home", "cpo": "NL*ABC", "title": "Ours", "audience": audience}
    offer |= {"starts": datetime.now(UTC).isoformat()}
    await stage.ask("PUT", "/v1/offers/ours", {"offer": offer, "terms": {"services": SERVICES} | changes})
    await stage.ask("POST", "/v1/offers/ours/publish")
    await stage.gateway.app.links.refresh()


async def subscribe(stage: Abroad) -> str:
    """Has our EMSP subscribe, which it may do at once."""
    made = await stage.ask("POST", "/v1/subscriptions", {"offer": "ours", "emsp": EMSP.normal})
    assert made["subscription"]["state"] == "ACTIVE"
    await stage.gateway.app.links.refresh()
    return str(made["subscription"]["id"])


async def leave(stage: Abroad, subscription: str) -> None:
    """Has our EMSP cancel, without any notice to keep, and waits for the end."""
    await stage.ask("POST", f"/v1/subscriptions/{subscription}/cancel", {"as": "emsp"})

    async def over() -> bool:
        view = await stage.ask("GET", f"/v1/subscriptions/{subscription}")
        return bool(view["subscription"]["state"] == "ENDED")

    await eventually(over, "the subscription ends")
    await stage.gateway.app.links.refresh()


async def refused(stage: Abroad, card: str) -> tuple[str, str]:
    """What a card and an app hear that may not start: there is nobody to ask, and there is no contract."""
    denied = await stage.tap(await stage.own(card))
    assert not denied["allowed"]
    status, answer = await stage.said("POST", "/v1/sent-commands", stage.wish(card=card))
    assert status == 422
    return denied["reason"], answer["errors"][0]["detail"].split(":")[0]


async def test_without_an_agreement_neither_a_card_nor_an_app_starts_and_with_one_both_do(database_url: str) -> None:
    async with abroad(database_url, "home") as stage:
        driver = await stage.own()
        assert (await stage.tap(driver))["allowed"]  # the network is public until an offer restricts it
        await publish(stage)
        assert await refused(stage, driver.uid) == ("NO_CANDIDATE", "NO_CONTRACT")  # it is offered, and nobody has it
        assert stage.asked("START_SESSION") == []
        await subscribe(stage)
        granted = await stage.tap(driver)
        assert granted["allowed"]
        view = await stage.ask("GET", f"/v1/authorisations/{granted['id']}")
        assert (view["agreement"]["offer"], view["agreement"]["version"]) == ("ours", 1)
        assert (await stage.start(card=driver.uid))["result"] == "ACCEPTED"


async def test_what_began_under_an_agreement_ends_and_is_billed_after_it(database_url: str) -> None:
    async with abroad(database_url, "home") as stage:
        driver = await stage.own()
        await publish(stage, [EMSP.normal])
        subscription = await subscribe(stage)
        charge = await stage.charge(driver)
        await stage.tell(charge, BEGUN)
        await stage.quiet()
        await leave(stage, subscription)
        assert await refused(stage, driver.uid) == ("NO_CANDIDATE", "NO_CONTRACT")
        await stage.tell(charge, HALFWAY)
        identification = charge.identification.model_dump(mode="json", exclude_none=True)
        stop = {"identification": identification}
        assert (await stage.ask("POST", f"/v1/authorisations/{charge.reference}/stop", stop))["allowed"]
        [session] = await stage.came_home("sessions")
        assert session.get("review", []) == []
        ended = await stage.start(kind="STOP_SESSION", evse=None, token=None, session=session["id"])
        assert ended["result"] == "ACCEPTED"
        await stage.tell(charge, OVER)
        await stage.bill(charge)
        await stage.quiet()
        [cdr] = await stage.came_home("cdrs")
        assert (cdr["standing"], cdr.get("review", [])) == ("accepted", [])
        assert (await stage.cdr(charge))["state"] == "delivered"

        async def priced() -> bool:
            return len((await stage.ask("GET", "/v1/repricings"))["items"]) == 2

        await eventually(priced, "both sides' prices")
        page = await stage.ask("GET", "/v1/repricings")
        under = {(one["direction"], one["agreement"]["offer"]) for one in page["items"]}
        assert under == {("out", "ours"), ("in", "ours")}


async def test_a_cdr_under_an_agreement_without_cdrs_waits_for_a_person(database_url: str) -> None:
    async with abroad(database_url, "home") as stage:
        driver = await stage.own()
        await publish(stage, services=[one for one in SERVICES if one != "cdr"])
        await subscribe(stage)
        charge = await stage.charge(driver)
        await stage.tell(charge, OVER)
        await stage.bill(charge)
        await stage.quiet()
        [cdr] = await stage.came_home("cdrs")
        assert (cdr["standing"], cdr["review"]) == ("review", ["NO_AGREEMENT"])


async def test_two_subscribe_at_once_and_one_has_it(database_url: str) -> None:
    async with abroad(database_url, "home") as stage:
        await publish(stage)
        wish = {"offer": "ours", "emsp": EMSP.normal}
        first, second = [await stage.said("POST", "/v1/subscriptions", wish) for _ in range(2)]
        assert (first[0], second[0]) == (201, 409)
