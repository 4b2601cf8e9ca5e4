"""`roamgate quote`."""

import re

import aiohttp

from tests.cli.conftest import ADMIN

PRICE = {"type": "ENERGY", "price": 0.5, "vat": 20, "step_size": 1}
CONNECTOR = {
    "id": "1",
    "standard": "IEC_62196_T2",
    "max_power": 22000,
    "tariff_ids": ["T1"],
    "last_updated": "2026-01-01T00:00:00Z",
}
LOCATION = {
    "party": "NL*ABC",
    "id": "L1",
    "publish": True,
    "address": "Straat 1",
    "city": "Utrecht",
    "country": "NLD",
    "coordinates": {"latitude": 52.1, "longitude": 5.1},
    "time_zone": "Europe/Amsterdam",
    "evses": [
        {
            "uid": "E1",
            "evse_id": "NL*ABC*E1",
            "status": "AVAILABLE",
            "connectors": [CONNECTOR],
            "last_updated": "2026-01-01T00:00:00Z",
        }
    ],
    "last_updated": "2026-01-01T00:00:00Z",
}
TARIFF = {
    "party": "NL*ABC",
    "id": "T1",
    "currency": "EUR",
    "elements": [{"price_components": [PRICE]}],
    "last_updated": "2026-01-01T00:00:00Z",
}


async def stored(cli):
    headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for name, record in (("tariffs", TARIFF), ("locations", LOCATION)):
            async with session.put(f"{cli.url}/v1/{name}/NL*ABC/{record['id']}", json=record) as answer:
                assert answer.status == 201, await answer.text()


async def test_an_evse_is_quoted_by_each_way_and_what_is_assumed_is_told(cli):
    await stored(cli)
    result = await cli.here("quote", "NL*ABC*E1", "--kwh", "11")
    assert (result.code, result.err) == (0, "")
    assert "own network" in result.out
    assert "6.60" in result.out  # 11 kWh at 0.50, and 20 %
    assert re.search(r"30\smin", result.out)  # at the 22 kW that the connector gives
    assert "the most that the EVSE gives" in result.out


async def test_a_tariff_is_quoted_for_a_battery_in_another_language(cli):
    await stored(cli)
    battery = ("--battery", "60", "--soc", "20", "--to-soc", "80", "--power", "36", "--parked", "10")
    result = await cli.here("quote", "--tariff", "NL*ABC/T1", *battery, "--language", "fr", "--json")
    [offer] = result.json["offers"]
    assert (offer["energy"], offer["charging"], offer["cost"]["gross"]) == (36, 3600, 21.6)
    assert "kWh" in offer["tariff"]["text"]
    assert result.json["language"] == "fr"


async def test_what_cannot_be_priced_says_why_and_fails(cli):
    await stored(cli)
    result = await cli.here("quote", "NL*ABC*E1", "--kwh", "20", "--minutes", "10", "--power", "11")
    assert result.code == 1
    assert "not_met: in that time only 1.833 kWh flow" in result.out
    assert "need.energy" in (await cli.here("quote", "NL*ABC*E1", "--kwh", "0")).err
    assert (await cli.here("quote", "NL*ABC*E9", "--kwh", "1")).code == 1


async def test_what_makes_no_sense_is_not_asked(cli):
    assert (await cli.here("quote", "--kwh", "1")).code == 2
    assert (await cli.here("quote", "NL*ABC*E1", "--tariff", "NL*ABC/T1", "--kwh", "1")).code == 2
    assert (await cli.here("quote", "NL*ABC*E1", "--to-soc", "80", "--soc", "20")).code == 2
    assert (await cli.here("quote", "NL*ABC*E1", "--kwh", "a lot")).code == 2
