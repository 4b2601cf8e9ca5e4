"""`roamgate offers`, `subscriptions`, `groups` and `documents`, against a gateway with its own network."""

import json
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from tests.cli.conftest import ADMIN
from tests.project.files import ROOT

CPO, EMSP = "FR*ABC", "FR*EMS"
START = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
LATER = START + timedelta(days=60)
PDF = b"%PDF-1.7 what we agreed on"


def written(cli, name, body):
    file = cli.folder / name
    file.write_text(json.dumps(body))
    return file


def draft(id_="o-1", terms=None, **changes):
    offer = {"id": id_, "connection": "home", "cpo": CPO, "title": f"Offer {id_}", "starts": START.isoformat()}
    return {"offer": offer | changes, "terms": terms or {"services": ["poi", "authorise"]}}


@pytest.fixture
async def own(cli):
    """The command line beside a gateway with a CPO and an EMSP of its own."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {ADMIN}"}) as session:
        for party, role in ((CPO, "CPO"), (EMSP, "EMSP")):
            body = {"id": party, "roles": [role], "business": {"name": party}}
            async with session.put(f"{cli.url}/v1/parties/{party}", json=body) as answer:
                assert answer.status == 201, await answer.text()
    settings = {"emsps": [EMSP]}
    made = written(cli, "home.json", {"name": "home", "hub": "home", "mode": "live", "settings": settings})
    result = await cli.here("connections", "create", made)
    assert result.code == 0, result.err
    return cli


async def ok(cli, *arguments):
    result = await cli.here(*arguments)
    assert result.code == 0, result.err
    return result


async def done(cli, *arguments):
    return (await ok(cli, *arguments, "--json")).json


async def published(cli, id_="o-1", **changes):
    await ok(cli, "offers", "put", written(cli, f"{id_}.json", draft(id_, **changes)))
    return await done(cli, "offers", "publish", id_)


async def test_an_offer_is_put_published_changed_and_cancelled(own):
    file = written(own, "offer.json", draft(lead_time_days=14, notice_days=7))
    assert (await done(own, "offers", "put", file))["state"] == "DRAFT"
    shown = (await ok(own, "offers", "put", file)).out
    for text in ("FR*ABC", "DRAFT", "14 days", "7 days", "poi, authorise", "as the EVSEs'", "unlimited"):
        assert text in shown
    assert (await done(own, "offers", "publish", "o-1"))["state"] == "PUBLISHED"
    assert (await own.here("offers", "publish", "o-1")).code == 1
    later = {"starts": LATER.isoformat(), "terms": {"services": ["poi"]}}
    version = written(own, "version.json", later)
    assert [one["number"] for one in (await done(own, "offers", "version", "o-1", version))["versions"]] == [1, 2]
    assert "coming, may be taken back" in (await ok(own, "offers", "show", "o-1")).out
    assert len((await done(own, "offers", "version", "o-1", "--drop", 2))["versions"]) == 1
    assert (await own.here("offers", "version", "o-1")).code == 2
    assert (await own.here("offers", "version", "o-1", version, "--drop", 2)).code == 2
    too_soon = await own.here("offers", "cancel", "o-1", "--at", f"{datetime.now(UTC):%Y-%m-%d}")
    assert (too_soon.code, "notice" in too_soon.err) == (1, True)
    cancelled = await done(own, "offers", "cancel", "o-1", "--at", f"{LATER:%Y-%m-%d}")
    assert (cancelled["state"], cancelled["ends_at"][:10]) == ("CANCELLED", f"{LATER:%Y-%m-%d}")
    listed = (await ok(own, "offers", "list", "--cpo", CPO, "--state", "CANCELLED")).out
    assert "o-1" in listed
    assert (await done(own, "offers", "list", "--state", "DRAFT"))["items"] == []
    history = (await ok(own, "offers", "history", "o-1")).out
    for text in ("wrote", "published", "environment"):
        assert text in history
    assert len((await done(own, "offers", "history", "o-1"))["items"]) >= 3


async def test_a_draft_that_makes_no_sense_is_refused_by_its_field_and_forgotten_on_demand(own):
    for body in ({}, {"offer": {"id": 1}}, {"offer": 1}):
        result = await own.here("offers", "put", written(own, "wrong.json", body))
        assert (result.code, "offer.id" in result.err) == (2, True)
    (own.folder / "broken.json").write_text("{")
    assert (await own.here("offers", "put", own.folder / "broken.json")).code == 2
    ends = (START - timedelta(days=1)).isoformat()
    result = await own.here("offers", "put", written(own, "wrong.json", draft(ends=ends)))
    assert (result.code, "offer.ends" in result.err) == (1, True)
    result = await own.here("offers", "put", written(own, "wrong.json", draft(audience=["AT*NOB"])))
    assert (result.code, "offer.audience[0]" in result.err) == (1, True)
    await ok(own, "offers", "put", written(own, "offer.json", draft()))
    await ok(own, "offers", "remove", "o-1")
    assert (await own.here("offers", "show", "o-1")).code == 1


async def test_a_draft_in_toml_has_its_moments_as_toml_writes_them(own):
    file = own.folder / "offer.toml"
    file.write_text(
        '[offer]\nid = "o-1"\nconnection = "home"\ncpo = "FR*ABC"\ntitle = "A"\nstarts = 2027-01-01T00:00:00Z\n'
        '[terms]\nservices = ["poi"]\n'
    )
    assert (await done(own, "offers", "put", file))["offer"]["starts"] == "2027-01-01T00:00:00Z"


async def test_the_example_of_the_docs_is_a_draft(own):
    made = await done(own, "offers", "put", ROOT / "docs/examples/offer.json")
    assert (made["state"], made["offer"]["title"]) == ("DRAFT", "ABC for all")


async def test_an_emsp_subscribes_is_approved_and_leaves(own):
    await published(own, joining="APPROVE")
    asked = await done(own, "subscriptions", "add", "o-1", EMSP, "--id", "s-1")
    assert asked["subscription"]["state"] == "REQUESTED"
    assert "1 requested" in (await ok(own, "offers", "list")).out
    approved = (await ok(own, "subscriptions", "approve", "s-1")).out
    assert "ACTIVE" in approved
    undecided = await own.here("subscriptions", "cancel", "s-1")
    assert (undecided.code, "as:" in undecided.err) == (1, True)
    left = await done(own, "subscriptions", "cancel", "s-1", "--as", "emsp", "--why", "enough")
    assert (left["subscription"]["state"], left["subscription"]["why"]) == ("CANCELLED", "enough")
    assert "enough" in (await ok(own, "subscriptions", "show", "s-1")).out
    assert (await own.here("subscriptions", "show", "none")).code == 1


async def test_an_emsp_is_refused_with_a_reason(own):
    await published(own, joining="APPROVE")
    id_ = (await done(own, "subscriptions", "add", "o-1", EMSP))["subscription"]["id"]
    refused = await done(own, "subscriptions", "refuse", id_, "--why", "we know no such company")
    assert refused["subscription"]["state"] == "REFUSED"
    listed = (await ok(own, "subscriptions", "list", "--emsp", EMSP, "--state", "REFUSED")).out
    assert "we know no such company" in listed
    assert (await done(own, "subscriptions", "list", "--state", "ACTIVE", "--offer", "o-1"))["items"] == []
    assert (await own.here("subscriptions", "add", "none", EMSP)).code == 1


async def test_an_evse_group_is_kept_in_a_file_of_evse_ids(own):
    file = own.folder / "dc.txt"
    file.write_text("# fast ones\nFR*ABC*E1\n\nFR*ABC*E2\n")
    made = await done(own, "groups", "evse", "put", "dc", file, "--party", CPO, "--name", "Fast")
    assert (made["evses"], made["party"]) == (2, CPO)
    file.write_text("FR*ABC*E3\n")
    assert "3" in (await ok(own, "groups", "evse", "add", "dc", file)).out
    assert (await done(own, "groups", "evse", "drop", "dc", file))["evses"] == 2
    assert (await ok(own, "groups", "evse", "members", "dc")).out == "FR*ABC*E1\nFR*ABC*E2\n"
    page = await own.here("groups", "evse", "members", "dc", "--limit", 1)
    assert (page.out, "--after" in page.err) == ("FR*ABC*E1\n", True)
    assert len((await done(own, "groups", "evse", "members", "dc"))["items"]) == 2
    assert "Fast" in (await ok(own, "groups", "evse", "list", "--party", CPO)).out
    assert (await done(own, "groups", "evse", "list"))["items"][0]["id"] == "dc"
    assert "Fast" in (await ok(own, "groups", "evse", "show", "dc")).out
    file.write_text("FR*OTH*E1\n")
    refused = await own.here("groups", "evse", "put", "dc", file, "--party", CPO, "--name", "Fast")
    assert (refused.code, "evse_ids[0]" in refused.err) == (1, True)
    file.write_bytes(b"\xff")
    assert (await own.here("groups", "evse", "add", "dc", file)).code == 2
    assert (await own.here("groups", "evse", "add", "dc", own.folder / "none")).code == 2
    await ok(own, "groups", "evse", "remove", "dc")
    assert (await own.here("groups", "evse", "show", "dc")).code == 1


async def test_a_network_group_is_kept_in_a_file(own):
    members = [{"party": CPO, "since": "2026-01-01T00:00:00Z"}]
    file = written(own, "alps.json", {"id": "alps", "name": "The Alps", "members": members})
    assert (await done(own, "groups", "network", "put", file))["members"][0]["party"] == CPO
    assert "2026-01-01 00:00:00" in (await ok(own, "groups", "network", "show", "alps")).out
    assert "FR*ABC" in (await ok(own, "groups", "network", "list")).out
    assert (await done(own, "groups", "network", "list"))["items"][0]["id"] == "alps"
    assert (await own.here("groups", "network", "put", written(own, "none.json", {}))).code == 2
    await ok(own, "groups", "network", "remove", "alps")
    assert (await own.here("groups", "network", "show", "alps")).code == 1


async def test_terms_are_uploaded_once_and_read_again(own):
    (own.folder / "terms.pdf").write_bytes(PDF)
    view = await done(own, "documents", "put", "terms", own.folder / "terms.pdf", "--party", CPO)
    assert (view["name"], view["size"]) == ("terms.pdf", len(PDF))
    again = await ok(own, "documents", "put", "terms", own.folder / "terms.pdf", "--party", CPO)
    assert view["digest"] in again.out
    await ok(own, "documents", "get", "terms", "--output", own.folder / "back.pdf")
    assert (own.folder / "back.pdf").read_bytes() == PDF
    assert (await ok(own, "documents", "get", "terms")).out.encode() == PDF
    assert (await own.here("documents", "get", "terms", "-o", own.folder)).code == 2
    (own.folder / "terms.pdf").write_bytes(b"hello")
    assert (await own.here("documents", "put", "terms", own.folder / "terms.pdf", "--party", CPO)).code == 1
    assert (await own.here("documents", "put", "terms", own.folder / "terms.pdf")).code == 1


async def test_disagreements_are_listed_and_put_aside(own):
    assert "subject" in (await ok(own, "offers", "drift")).out
    assert (await done(own, "offers", "drift", "--connection", "home"))["items"] == []
    assert (await own.here("offers", "drift", "--connection", "nowhere")).code == 1
    assert (await own.here("offers", "settle", "home", "FIELD", "offer/o-1", "ends")).code == 1
    assert (await own.here("offers", "settle", "home", "MOOD", "offer/o-1")).code == 2


async def key_of(cli, party, role="publish"):
    made = await ok(cli, "keys", "create", f"of {party[-3:]}", "--role", role, "--party", party, "--json")
    return {"ROAMGATE_KEY": made.json["key"]}


async def test_both_sides_see_and_do_what_is_theirs(own):
    cpo, emsp, other = [await key_of(own, party) for party in (CPO, EMSP, "FR*OTH")]
    file = written(own, "offer.json", draft(audience=[EMSP], joining="APPROVE"))
    refused = await own.here("offers", "put", file, **emsp)
    assert (refused.code, "does not speak for FR*ABC" in refused.err) == (1, True)
    assert (await own.here("offers", "put", file, **cpo)).code == 0
    assert (await own.here("offers", "show", "o-1", **emsp)).code == 1
    assert (await own.here("offers", "publish", "o-1", **cpo)).code == 0
    for key, code in ((cpo, 0), (emsp, 0), (other, 1)):
        assert (await own.here("offers", "show", "o-1", **key)).code == code
    assert (await own.here("offers", "history", "o-1", **emsp)).code == 1
    assert (await own.here("subscriptions", "add", "o-1", EMSP, "--id", "s-1", **cpo)).code == 1
    assert (await own.here("subscriptions", "add", "o-1", EMSP, "--id", "s-1", **emsp)).code == 0
    assert (await own.here("subscriptions", "approve", "s-1", **emsp)).code == 1
    assert (await own.here("subscriptions", "approve", "s-1", **cpo)).code == 0
    assert (await own.here("subscriptions", "show", "s-1", **other)).code == 1
    listed = (await own.here("offers", "list", "--json", **other)).json
    assert listed["items"] == []
    seen = (await own.here("offers", "list", "--json", **emsp)).json["items"][0]
    assert (seen["subscriptions"], (await done(own, "offers", "show", "o-1"))["subscriptions"]) == ({}, {"ACTIVE": 1})
    cancelled = (await own.here("subscriptions", "cancel", "s-1", "--json", **emsp)).json
    assert cancelled["subscription"]["state"] == "CANCELLED"


async def test_an_offer_is_looked_at_before_it_is_published(own):
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    file = written(own, "offer.json", draft(starts=past))
    looked = (await ok(own, "offers", "preview", "--file", file, "--emsp", EMSP)).out
    for text in (EMSP, "subscribe", "starts", "is past"):
        assert text in looked
    await ok(own, "offers", "put", file)
    stored = await done(own, "offers", "preview", "o-1")
    assert [field for field, _ in stored["problems"]] == ["starts"]
    assert (await own.here("offers", "preview", "o-1", **await key_of(own, EMSP))).code == 1


async def test_agreements_that_were_signed_in_a_portal_are_taken_over_from_a_file(own):
    hub = {"name": "gireve", "hub": "gireve", "settings": {"sandbox": True, "versions_url": "http://127.0.0.1:1/v"}}
    await ok(own, "connections", "create", written(own, "gireve.json", hub))
    file = own.folder / "agreements.csv"
    file.write_text("cpo;emsp;starts\nFR*ABC;DE*XYZ;2026-01-01\nFR*ABC;nobody;2026-01-01\n")
    tried = await own.here("offers", "import", file, "--connection", "gireve", "--dry-run", "--json")
    assert (tried.code, tried.json["added"], [one["row"] for one in tried.json["refused"]]) == (1, 1, [2])
    assert (await done(own, "offers", "list", "--connection", "gireve"))["items"] == []
    taken = await own.here("offers", "import", file, "--connection", "gireve")
    assert (taken.code, "1 refused" in taken.err) == (1, True)
    [offer] = (await done(own, "offers", "list", "--connection", "gireve"))["items"]
    assert (offer["offer"]["cpo"], offer["offer"]["audience"]) == (CPO, ["DE*XYZ"])
    [one] = (await done(own, "subscriptions", "list", "--connection", "gireve"))["items"]
    assert (one["subscription"]["state"], one["by_hub"]) == ("ACTIVE", True)
    file.write_text("nonsense")
    refused = await own.here("offers", "import", file, "--connection", "gireve")
    assert (refused.code, refused.out) == (1, "")
