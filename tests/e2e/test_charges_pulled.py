"""IOP pulls sessions and CDRs, and EMSPs push tokens: in whatever order, twice, and while hubs are away."""

from typing import Any

import pytest

from tests.e2e.scene import EVSES, OVER, Driver, Scene, scene


async def charged(stage: Scene, many: int = EVSES) -> None:
    """Has drivers charge, and their charges told."""
    for number in range(1, many + 1):
        charge = await stage.charge(await stage.enrol("gireve"), f"U{number}", f"S-{number}")
        await stage.tell(charge, OVER)
        await stage.bill(charge)
    await stage.quiet()


@pytest.mark.parametrize("kind", [None, "repeat", "reorder"])
async def test_what_iop_pulls_is_what_it_was_told(database_url: str, kind: str | None) -> None:
    async with scene(database_url, "gireve") as stage:
        await charged(stage)
        if kind is not None:
            stage.gateway.fail("gireve", kind)
        await stage.drive("gireve", "pull", {"modules": ["sessions", "cdrs"], "limit": 1})
        memory = stage.gateway.gireve.memory
        for module in ("sessions", "cdrs"):
            pulled, told = memory[f"pulled_{module}"], memory[module]
            assert len(pulled) == EVSES
            assert {key: _undated(record) for key, record in pulled.items()} == {
                key: _undated(told[key]) for key in pulled
            }


async def test_a_session_that_iop_refused_it_finds_by_pulling_but_no_cdr(database_url: str) -> None:
    async with scene(database_url, "gireve") as stage:
        stage.fail("gireve", "refuse", "/sessions/")
        stage.fail("gireve", "refuse", "/receiver/.*/cdrs")
        await charged(stage, 1)
        memory = stage.gateway.gireve.memory
        assert not memory["sessions"].keys() | memory["cdrs"].keys()
        await stage.drive("gireve", "pull", {"modules": ["sessions", "cdrs"]})
        assert list(memory["pulled_sessions"]) == ["NL*ABC/S-1"]
        assert not memory["pulled_cdrs"]


async def test_only_charges_that_roam_over_gireve_are_pulled(database_url: str) -> None:
    async with scene(database_url) as stage:
        await charged(stage, 1)
        other = await stage.charge(await stage.enrol("hubject"), "U2", "S-2")
        await stage.tell(other, OVER)
        await stage.bill(other)
        await stage.quiet()
        await stage.drive("gireve", "pull", {"modules": ["sessions", "cdrs"]})
        memory = stage.gateway.gireve.memory
        assert list(memory["pulled_sessions"]) == ["NL*ABC/S-1"]
        assert list(memory["pulled_cdrs"]) == ["NL*ABC/CDR-S-1"]


@pytest.mark.parametrize(
    ("whitelist", "reached", "away"),
    [
        ("ALWAYS", (True, "WHITELIST"), (True, "WHITELIST")),
        ("ALLOWED", (True, "WHITELIST"), (True, "WHITELIST")),
        ("ALLOWED_OFFLINE", (True, "AUTH_REQUEST"), (True, "WHITELIST")),
        ("NEVER", (True, "AUTH_REQUEST"), (False, None)),
    ],
)
async def test_a_token_that_was_pushed_admits_as_its_emsp_says(
    database_url: str, whitelist: str, reached: tuple[bool, str], away: tuple[bool, str | None]
) -> None:
    async with scene(database_url, "gireve") as stage:
        driver = await stage.enrol("gireve", whitelist=whitelist)
        stage.gateway.fail("gireve", "repeat")
        [pushed] = await stage.drive("gireve", "tokens", {})
        assert (pushed["status"], pushed["code"]) == (200, 1000)
        stage.gateway.mend("gireve")
        assert await _said(stage, driver) == reached
        async with stage.away("gireve"):
            assert await _said(stage, driver) == away
        if away[1] is None:
            return
        # What was admitted by the list is billed like any other.
        granted = await stage.tap(driver)
        charge = stage.admitted(driver.card, granted["reference"], auth_method=granted["auth_method"])
        await stage.tell(charge, OVER)
        await stage.bill(charge)
        await stage.quiet()
        assert (await stage.cdr(charge))["state"] == "delivered"


async def test_tokens_in_any_order_are_all_known(database_url: str) -> None:
    async with scene(database_url, "gireve") as stage:
        drivers = [await stage.enrol("gireve", whitelist="ALWAYS") for _ in range(3)]
        stage.gateway.fail("gireve", "reorder")
        assert [one["code"] for one in await stage.drive("gireve", "tokens", {})] == [1000] * 3
        async with stage.away("gireve"):
            assert [await _said(stage, driver) for driver in drivers] == [(True, "WHITELIST")] * 3


async def _said(stage: Scene, driver: Driver) -> tuple[bool, str | None]:
    said = await stage.tap(driver)
    return said["allowed"], said.get("auth_method")


def _undated(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "last_updated"}
