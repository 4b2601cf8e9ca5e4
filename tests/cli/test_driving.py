"""Commands about our own drivers: their tokens, who is blocked, and who may charge abroad."""

import gzip
import json

from adapters.core.charging import Denial
from gateway.services.drivers.permits import Permit, write_permit
from gateway.services.ports.permits import Decider, PermitDetail, PermitOrigin
from gateway.store.pool import Store
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from tests.harness import AT, NOWHERE
from tests.services.driving import EMSP, UID, card, token


def lines(*tokens):
    return "\n".join(one.model_dump_json(exclude_none=True) for one in tokens).encode()


async def test_tokens_are_sent_listed_shown_and_withdrawn(cli, tmp_path):
    file = tmp_path / "tokens.ndjson.gz"
    file.write_bytes(gzip.compress(lines(token(driver="d-1"), token("04FF00000000BB", valid=False))))
    assert (await cli.here("driver-tokens", "send", file, "--json")).json["created"] == 2
    again = await cli.here("driver-tokens", "send", file)
    assert (again.code, "unchanged  2" in again.out, "updated" in again.out) == (0, True, False)
    listed = await cli.here("driver-tokens", "list")
    assert "blocked" in listed.out
    assert "d-1" in listed.out
    assert UID not in listed.out
    found = (await cli.here("driver-tokens", "list", "--driver", "d-1", "--json")).json["items"]
    assert [one["token"]["uid"] for one in found] == [UID]
    shown = await cli.here("driver-tokens", "show", EMSP, "RFID", UID.lower())
    assert "FR-EMS-C12345678" in shown.out
    assert UID not in shown.out
    assert (await cli.here("driver-tokens", "show", EMSP, "RFID", UID, "--json")).json["driver"] == "d-1"
    assert (await cli.here("driver-tokens", "withdraw", EMSP, "RFID", UID)).code == 0
    assert (await cli.here("driver-tokens", "withdraw", EMSP, "RFID", UID)).code == 1
    assert "withdrawn" in (await cli.here("driver-tokens", "list")).out


async def test_a_file_in_which_a_line_is_wrong_is_written_but_for_it(cli, tmp_path):
    file = tmp_path / "tokens.ndjson"
    file.write_bytes(lines(token()) + b'\n{"party": "FR*EMS"}\n')
    sent = await cli.here("driver-tokens", "send", file)
    assert sent.code == 1
    assert "contract_id" in sent.out
    assert (await cli.here("driver-tokens", "show", EMSP, "RFID", UID)).code == 0


async def test_a_driver_and_a_contract_are_blocked_and_unblocked(cli, tmp_path):
    file = tmp_path / "tokens.ndjson"
    file.write_bytes(lines(token(driver="d-1"), token("04FF", driver="d-1")))
    await cli.here("driver-tokens", "send", file)
    assert (await cli.here("driver-tokens", "block", EMSP)).code == 2
    assert (await cli.here("driver-tokens", "block", EMSP, "--driver", "d-1", "--contract", "x")).code == 2
    blocked = await cli.here("driver-tokens", "block", EMSP, "--driver", "d-1", "--json")
    assert blocked.json == {"tokens": 2, "changed": 2}
    unblocked = await cli.here("driver-tokens", "unblock", EMSP, "--contract", "FREMSC12345678")
    assert "2" in unblocked.out
    assert (await cli.here("driver-tokens", "block", EMSP, "--driver", "nobody")).code == 1


async def test_permits_are_listed_and_shown(cli, tmp_path, database_url):
    settings = tmp_path / "hubject.json"
    settings.write_text(json.dumps({"name": "hubject", "hub": "hubject", "settings": NOWHERE["hubject"]}))
    made = await cli.here("connections", "create", settings)
    assert made.code == 0, made.err
    store = Store(database_url, size=1)
    await store.open()
    permit = Permit(
        id="p-1",
        origin=PermitOrigin.ASKED,
        party=EMSP,
        leg=Leg(hub_session="h-1", identification=card()),
        connection_id=await store.fetchval("SELECT id FROM connection"),
        at=AT,
        cpo=PartyId("NL*CPO"),
        allowed=False,
        reason=Denial.BLOCKED,
        detail=PermitDetail(decided=Decider.LOCAL, took=2),
    )
    await write_permit(store, permit)
    await store.close()
    listed = await cli.here("permits", "list", "--denied", "--connection", "hubject", "--since", "2025-12-31")
    assert "denied: BLOCKED" in listed.out
    assert UID not in listed.out
    assert (await cli.here("permits", "list", "--allowed", "--json")).json["items"] == []
    shown = await cli.here("permits", "show", "p-1")
    assert "h-1" in shown.out
    assert UID not in shown.out
    assert (await cli.here("permits", "show", "p-1", "--json")).json["reason"] == "BLOCKED"
    assert (await cli.here("permits", "show", "p-2")).code == 1
