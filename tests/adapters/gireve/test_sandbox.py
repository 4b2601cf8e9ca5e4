"""The sandbox checks and does what Gireve's platform checks and does; over loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from adapters.core.adapter import Call
from adapters.core.connection import Secrets
from adapters.core.outcomes import Delivered, Misconfigured, Outcome, RefusedByHub
from adapters.gireve.adapter import GireveAdapter
from adapters.gireve.sandbox import SandboxSettings
from mappings.canonical.ids import EvseId
from mappings.canonical.locations import EvseStatus
from mappings.canonical.tariffs import Tariff
from tests.adapters.doubles import Measured, connection
from tests.adapters.gireve.network import (
    ABC,
    EMSP,
    TOKEN_A,
    XYZ,
    Pair,
    connector,
    evse,
    location,
    pair,
    tariff,
    with_status,
)
from tests.adapters.gireve.test_plan import Held

LOC = "FR*ABC/LOC1"
STAMP = "2026-06-07T18:40:07Z"


@asynccontextmanager
async def pushing(
    sandbox_settings: SandboxSettings | None = None, **settings: Any
) -> AsyncIterator[tuple[Pair, "Pushed"]]:
    async with pair(sandbox_settings, **settings) as both:
        await both.register()
        adapter = GireveAdapter(both.registry.connection, both.measured)
        try:
            yield both, Pushed(adapter)
        finally:
            await adapter.close()


class Pushed(Held):
    """Plans and sends, and keeps what was accepted."""

    async def push(self, subject: Any, **options: Any) -> Outcome:
        plan = self.plan(subject, **options)
        assert not plan.refused
        outcome: Outcome = Delivered()
        for call in plan.calls:
            outcome = await self.adapter.send(call)
            if not isinstance(outcome, Delivered):
                return outcome
        self.accept(plan)
        return outcome

    async def send(self, action: str, path: str, body: Any) -> Outcome:
        return await self.adapter.send(Call("locations", action, path, body, ()))


async def test_statuses_are_taken_at_once_and_noted_with_their_stamps() -> None:
    async with pushing() as (both, pushed):
        await pushed.push(location())
        both.sandbox.receipts.clear()
        await pushed.push(with_status(location(), "1", EvseStatus.OUTOFORDER), only=[f"{LOC}/1"])
        (receipt,) = both.sandbox.receipts
        assert (receipt.key, receipt.value, receipt.stamp) == (f"{LOC}/1", "OUTOFORDER", "2026-06-07T18:41:07Z")
        assert both.sandbox.memory["locations"][f"{LOC}/1"]["status"] == "OUTOFORDER"


async def test_the_same_status_again_is_forwarded_once() -> None:
    async with pushing() as (both, pushed):
        await pushed.push(location())
        both.sandbox.requests.clear()
        for _ in range(3):
            body = {"status": "BLOCKED", "last_updated": STAMP}
            assert await pushed.send("PATCH", "FR/ABC/LOC1/1", body) == Delivered()
        assert both.sandbox.requests["status", "forwarded"] == 1
        assert both.sandbox.requests["status", "repeated"] == 2


async def test_static_data_is_published_only_after_the_quality_process() -> None:
    slow = SandboxSettings(token=TOKEN_A, quality_seconds=3600)
    async with pushing(slow) as (both, pushed):
        await pushed.push(location())
        assert len(both.sandbox.memory["locations"]) == 3
        assert both.sandbox.before_memory is not None
        both.sandbox.before_memory()
        assert not both.sandbox.memory["published"]


async def test_status_and_tariffs_of_what_is_published_pass_at_once_and_the_first_connectors_tariffs_count() -> None:
    two = (connector("1", tariffs=["T1"]), connector("2", tariffs=["T2"]))
    async with pushing() as (both, pushed):
        await pushed.push(location(evses=[evse("1", connectors=two)]))
        assert both.sandbox.memory["published"][f"{LOC}/1"]["tariff_ids"] == ["T1"]
        changed = (connector("1", tariffs=["T3"]), connector("2", tariffs=["T4"]))
        await pushed.push(location(evses=[evse("1", EvseStatus.CHARGING, connectors=changed)]))
        published = both.sandbox.memory["published"][f"{LOC}/1"]
        assert (published["status"], published["tariff_ids"]) == ("CHARGING", ["T3"])


async def test_what_the_guide_demands_beyond_ocpi_is_held_by_the_quality_process() -> None:
    bare = evse("1", evse_id=None, capabilities=(), connectors=(connector(tariffs=[]),))
    foreign = evse("2", evse_id=EvseId("FR*XYZ*E2"))
    async with pushing() as (both, pushed):
        assert await pushed.push(location(evses=[bare, foreign])) == Delivered()
        assert set(both.sandbox.memory["published"]) == {LOC}
        held = both.sandbox.memory["held"]
        assert held[f"{LOC}/1"]["reasons"] == [
            "evse_id is missing",
            "capabilities is missing",
            "connectors[0].tariff_ids is missing",
        ]
        assert held[f"{LOC}/2"]["reasons"] == ["evse_id does not begin with FR*ABC"]


async def test_a_strict_platform_refuses_it_at_once() -> None:
    async with pushing(SandboxSettings(token=TOKEN_A, strict=True)) as (_, pushed):
        outcome = await pushed.push(location(evses=[evse("1", evse_id=None)]))
        assert outcome == RefusedByHub("2001", "evse_id is missing")


async def test_what_the_platform_forgot_is_said_to_be_unknown_there() -> None:
    async with pushing() as (both, pushed):
        await pushed.push(location())
        both.sandbox.memory["locations"].clear()
        outcome = await pushed.push(with_status(location(), "1", EvseStatus.BLOCKED), only=[f"{LOC}/1"])
        assert isinstance(outcome, RefusedByHub)
        assert (outcome.code, outcome.unknown_there) == ("2003", True)


async def test_what_the_platform_forgot_comes_back_whole_once_the_gateway_forgets_it_too() -> None:
    async with pushing() as (both, pushed):
        await pushed.push(location())
        both.sandbox.memory["locations"].clear()
        del pushed.known["locations", f"{LOC}/1"]
        assert await pushed.push(location(), only=[f"{LOC}/1"]) == Delivered()
        assert set(both.sandbox.memory["locations"]) == {LOC, f"{LOC}/1", f"{LOC}/2"}


async def test_removing_what_the_platform_does_not_know_is_done() -> None:
    async with pushing() as (both, pushed):
        await pushed.push(location())
        both.sandbox.memory["locations"].clear()
        assert await pushed.push(location(), gone=[f"{LOC}/1"], only=[f"{LOC}/1"]) == Delivered()


async def test_deleting_a_tariff_that_the_platform_does_not_know_is_done() -> None:
    async with pushing() as (both, pushed):
        await pushed.push(tariff())
        both.sandbox.memory["tariffs"].clear()
        assert await pushed.push(tariff(), gone=["FR*ABC/T1/-"]) == Delivered()


async def test_deleting_one_variant_of_a_tariff_leaves_the_others() -> None:
    async with pushing() as (both, pushed):
        variants: list[Tariff] = [tariff(), tariff(target=EMSP)]
        for each in variants:
            assert await pushed.push(each) == Delivered()
        assert await pushed.push(variants[1], gone=["FR*ABC/T1/DE*MP1"]) == Delivered()
        assert set(both.sandbox.memory["tariffs"]) == {"FR*ABC/T1/-"}


async def test_a_withdrawn_location_leaves_the_memory() -> None:
    async with pushing() as (both, pushed):
        await pushed.push(location())
        await pushed.push(location(), gone=[LOC, f"{LOC}/1", f"{LOC}/2"])
        assert not both.sandbox.memory["locations"]
        assert not both.sandbox.memory["published"]


async def test_another_operators_objects_are_refused() -> None:
    known = SandboxSettings(token=TOKEN_A, operators=frozenset({XYZ}))
    async with pushing(known) as (_, pushed):
        assert await pushed.push(location()) == RefusedByHub("2001", f"Unknown operator {ABC}")


async def test_a_platform_of_the_other_environment_is_a_matter_for_somebody() -> None:
    async with pushing() as (both, _):
        wrong = replace(
            both.registry.connection, settings={**both.registry.connection.settings, "environment": "production"}
        )
        adapter = GireveAdapter(wrong, both.measured)
        outcome = await Pushed(adapter).push(location())
        await adapter.close()
        assert outcome == Misconfigured("4001 Unknown receiver FR*007")


@pytest.mark.parametrize(
    ("action", "path", "body", "said"),
    [
        ("PUT", "FR/ABC/LOC1", {}, "Missing required field: country_code"),
        ("PUT", "FR/ABC/LOC1", [], "body is not an object"),
        ("PATCH", "FR/ABC/LOC1/1", {"status": "BLOCKED"}, None),
        ("PUT", "FR/ABC/LOC1/1", {"uid": "1", "status": "X", "connectors": [], "last_updated": STAMP}, "connectors"),
        ("PUT", "FR/ABC/LOC1/1", {"uid": "2"}, "Missing required field: status"),
    ],
)
async def test_bodies_are_checked(action: str, path: str, body: Any, said: str | None) -> None:
    async with pushing() as (_, pushed):
        await pushed.push(location())
        outcome = await pushed.send(action, path, body)
        if said is None:  # the adapter gives a PATCH its stamp
            assert outcome == Delivered()
        else:
            assert isinstance(outcome, RefusedByHub)
            assert said in outcome.text


async def test_an_object_under_another_id_than_its_own_is_refused() -> None:
    async with pushing() as (_, pushed):
        body = pushed.plan(location()).calls[0].body
        assert await pushed.send("PUT", "FR/ABC/LOC2", body) == RefusedByHub(
            "2001", "country_code, party_id or id is not that of the URL"
        )


async def test_nothing_is_pushed_before_registration() -> None:
    async with pair() as both:
        adapter = GireveAdapter(both.registry.connection, both.measured)
        assert await Pushed(adapter).push(location()) == Misconfigured("not registered for locations")
        await adapter.close()


@pytest.mark.parametrize("url", ["https://elsewhere.example/locations", "https://10.0.0.7/locations", "nonsense"])
async def test_an_adopted_endpoint_that_is_not_on_the_allow_list_is_not_called(url: str) -> None:
    settings = {"versions_url": "https://iop.example/versions"}
    endpoints = {"versions": settings["versions_url"], "modules": {"locations/RECEIVER": url}}
    adapter = GireveAdapter(connection("gireve", settings, secrets=Secrets("ours", endpoints)), Measured())
    outcome = await adapter.send(Call("locations", "PUT", "FR/ABC/LOC1", {}, ()))
    await adapter.close()
    assert isinstance(outcome, Misconfigured)
    assert "may not be called" in outcome.reason


async def test_after_unregistering_a_push_finds_its_token_worthless() -> None:
    async with pushing() as (both, pushed):
        await both.drive("unregister")
        assert isinstance(await pushed.push(location()), Misconfigured)


async def test_every_request_has_an_id_of_its_own_and_the_route_of_its_object() -> None:
    async with pushing(SandboxSettings(token=TOKEN_A)) as (both, pushed):
        await pushed.push(location())
        assert ("locations", "ok") in both.sandbox.requests
        # The sandbox refuses a request without ids or route; what it counted as ok had them.
        assert not [result for (_, result) in both.sandbox.requests if "header" in result.lower()]
