"""Commands that ask a running gateway."""

import gzip
import json

import pytest

from tests.importing.records import lines, location, tariff

PARTY = {"id": "NL*ABC", "roles": ["CPO"], "business": {"name": "ABC"}}

GIREVE = {
    "name": "gireve-pp",
    "hub": "gireve",
    "mode": "off",
    "settings": {"sandbox": True, "versions_url": "http://127.0.0.1:1/ocpi/versions", "parties": [PARTY]},
}


async def add(cli):
    (cli.folder / "gireve.json").write_text(json.dumps(GIREVE))
    result = await cli.here("connections", "create", cli.folder / "gireve.json", "--json")
    assert (result.code, result.err) == (0, "")
    return result.json


async def test_a_connection_is_created_shown_and_changed(cli):
    assert (await add(cli))["state"] == "unregistered"
    assert [one["name"] for one in (await cli.here("connections", "list", "--json")).json] == ["gireve-pp"]
    assert (await cli.here("connections", "mode", "gireve-pp", "shadow", "--json")).json["mode"] == "shadow"
    scoped = await cli.here("connections", "scope", "gireve-pp", "--party", "FRABC", "--party", "NL*ABC", "--json")
    assert sorted(scoped.json["scope"]["parties"]) == ["FR*ABC", "NL*ABC"]
    assert (await cli.here("connections", "scope", "gireve-pp", "--all", "--json")).json["scope"]["parties"] == []
    shown = await cli.here("connections", "show", "gireve-pp")
    assert "shadow" in shown.out
    assert "everything" in shown.out


async def test_a_connection_from_toml_is_created(cli):
    (cli.folder / "c.toml").write_text(
        'name = "direct"\nhub = "gireve"\n[settings]\nsandbox = true\nversions_url = "http://127.0.0.1:1/v"\n'
    )
    assert (await cli.here("connections", "create", cli.folder / "c.toml", "--json")).json["name"] == "direct"


async def test_settings_that_make_no_sense_are_told_field_by_field(cli):
    wrong = GIREVE | {"settings": GIREVE["settings"] | {"nonsense": 1}}
    (cli.folder / "wrong.json").write_text(json.dumps(wrong))
    result = await cli.here("connections", "create", cli.folder / "wrong.json")
    assert result.code == 1
    assert "settings.nonsense" in result.err
    (cli.folder / "broken.json").write_text("{")
    assert (await cli.here("connections", "create", cli.folder / "broken.json")).code == 2


async def test_an_expected_hub_gets_a_token_that_is_printed_alone(cli):
    await add(cli)
    token = (await cli.here("connections", "expect", "gireve-pp")).out.strip()
    assert len(token) > 30
    assert (await cli.here("connections", "expect", "gireve-pp", "--json")).json["token"] != token


async def test_a_connection_is_adopted_paused_resumed_and_resynchronised(cli):
    await add(cli)
    adopted = {
        "token_ours": "ours-1234",
        "token_theirs": "theirs-5678",
        "endpoints": {"versions": "http://127.0.0.1:1"},
    }
    (cli.folder / "live.json").write_text(json.dumps(adopted))
    result = await cli.here("connections", "adopt", "gireve-pp", cli.folder / "live.json")
    assert result.code == 1
    assert "locations/RECEIVER" in result.err
    modules = dict.fromkeys(("credentials", "locations/RECEIVER", "tariffs/RECEIVER"), "http://127.0.0.1:1/x")
    adopted["endpoints"] = {"versions": "http://127.0.0.1:1", "modules": modules}
    (cli.folder / "live.json").write_text(json.dumps(adopted))
    result = await cli.here("connections", "adopt", "gireve-pp", cli.folder / "live.json", "--json")
    assert (result.json["state"], result.json["ours_hint"]) == ("ready", "1234")
    paused = await cli.here("connections", "pause", "gireve-pp", "--why", "maintenance", "--json")
    assert (paused.json["state"], paused.json["why"]) == ("paused", "maintenance")
    assert (await cli.here("connections", "resume", "gireve-pp", "--json")).json["state"] == "ready"
    assert (await cli.here("connections", "resume", "gireve-pp")).code == 1
    assert (await cli.here("connections", "resync", "gireve-pp", "--json")).json == {"count": 0}


async def test_settings_are_replaced_and_a_connection_that_is_off_is_removed(cli):
    await add(cli)
    shown = (await cli.here("connections", "show", "gireve-pp", "--json")).json
    (cli.folder / "settings.json").write_text(json.dumps(shown["settings"] | {"owner_name": "Owner"}))
    result = await cli.here("connections", "settings", "gireve-pp", cli.folder / "settings.json", "--json")
    assert result.json["settings"]["owner_name"] == "Owner"
    assert (await cli.here("connections", "mode", "gireve-pp", "off")).code == 0
    assert (await cli.here("connections", "remove", "gireve-pp")).code == 0
    assert (await cli.here("connections", "remove", "gireve-pp")).code == 1


async def test_a_hub_that_cannot_be_reached_is_a_failure_with_its_reason(cli):
    await add(cli)
    result = await cli.here("connections", "register", "gireve-pp", ROAMGATE_HUB_TOKEN="token-a-of-the-hub")
    assert result.code == 1
    assert result.err.startswith("The hub")
    assert "token-a-of-the-hub" not in result.out + result.err


async def test_a_file_is_imported_and_its_deliveries_listed(cli):
    await add(cli)
    file = cli.folder / "network.ndjson.gz"
    file.write_bytes(gzip.compress(lines(location("L1"), tariff("T1"), {"hello": 1}, location("L2"))))
    report = await cli.here("import", file, "--json")
    assert (report.code, report.json["created"], report.json["refused"]) == (0, 3, 1)
    assert report.json["reasons"] == [{"field": "", "detail": "is no record of a known kind", "count": 1}]
    again = await cli.here("import", file)
    assert again.code == 0
    assert "is no record of a known kind" in again.out
    assert "ocpi-locations+ocpi-tariffs-ndjson: 4 records" in again.out
    page = (await cli.here("deliveries", "--connection", "gireve-pp", "--state", "pending", "--json")).json
    assert {"tariffs"} <= {one["operation"] for one in page["items"]}
    first = await cli.here("deliveries", "--limit", "1")
    assert "--after" in first.err
    rest = await cli.here("deliveries", "--after", first.err.split("--after ")[1].strip(), "--json")
    assert len(rest.json["items"]) == len(page["items"]) - 1
    difference = (await cli.here("connections", "difference", "gireve-pp", "--json")).json
    assert len(difference["rows"]) == len(page["items"])
    assert "NL*ABC" in (await cli.here("connections", "difference", "gireve-pp")).out


async def test_only_the_party_named_is_imported(cli):
    file = cli.folder / "network.ndjson"
    file.write_bytes(lines(location("L1"), location("L2", party_id="XYZ")))
    report = (await cli.here("import", file, "--party", "NL*XYZ", "--json")).json
    assert (report["created"], report["skipped"]) == (1, 1)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"name;power\nx;1\n", 3),
        (b'{"evses": 1}\n{"evses": 2}\n', 3),
        (gzip.compress(lines(*(location(f"L{n}") for n in range(40))), 0)[:-5000], 4),
    ],
    ids=["unknown", "all refused", "truncated"],
)
async def test_the_exit_code_of_an_import_says_what_was_stored(cli, content, code):
    file = cli.folder / "network"
    file.write_bytes(content)
    result = await cli.here("import", file)
    assert result.code == code
    assert result.err


async def test_dead_letters_are_listed_replayed_and_discarded(cli):
    await add(cli)
    assert (await cli.here("deliveries", "dead-letters", "--json")).json == {"items": [], "next": None}
    assert (await cli.here("deliveries", "replay", "--connection", "gireve-pp")).out == "0 tried again\n"
    assert (await cli.here("deliveries", "discard", "7", "--why", "no use", "--json")).json == {"count": 0}
    assert (await cli.here("deliveries", "replay")).code == 2


async def test_what_the_gateway_refuses_is_said_and_exits_1(cli):
    result = await cli.here("connections", "show", "nobody")
    assert (result.code, result.out) == (1, "")
    assert "nobody" in result.err
    assert (await cli.here("connections", "list", ROAMGATE_KEY="rg_wrong")).code == 1


async def test_no_key_no_gateway_and_no_such_option_have_codes_of_their_own(cli):
    assert (await cli.here("connections", "list", ROAMGATE_KEY="")).code == 6
    assert (await cli.here("connections", "list", ROAMGATE_URL="http://127.0.0.1:1")).code == 5
    assert (await cli.here("connections", "list", "--nonsense")).code == 2
    assert (await cli.here("import", "not-there")).code == 2
