"""Registration begun by either side, unregistering, and what a hub gets wrong there; over loopback."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.core import ocpi
from adapters.core.hub import RegistrationFailed
from adapters.gireve.registration import unregister
from adapters.gireve.sandbox import SandboxSettings
from adapters.gireve.settings import Environment, Settings
from mappings.canonical.parties import Role
from tests.adapters.doubles import Network
from tests.adapters.gireve.network import PARTY, TOKEN_A, Pair, pair

CREDENTIALS = "/ocpi/2.2.1/credentials"


@pytest.fixture
async def both() -> AsyncIterator[Pair]:
    async with pair() as made:
        yield made


async def test_the_gateway_registers(both: Pair) -> None:
    await both.register()
    secrets = both.registry.connection.secrets
    assert secrets.ours not in {None, TOKEN_A}
    assert secrets.endpoints["modules"]["locations/RECEIVER"].startswith(both.iop.url)
    assert secrets.endpoints["parties"] == ["HUB FR*107"]
    assert both.registry.token is not None
    assert len(both.registry.token) <= 64
    assert both.registry.log == ["expected by registration", "registered by registration"]


async def test_the_hub_registers(both: Pair) -> None:
    both.registry.token = "token-for-the-hub"
    assert await both.drive(
        "register", {"versions_url": f"{both.gateway.public_url}/ocpi/versions", "token": "token-for-the-hub"}
    ) == (200, {"registered": True})
    assert both.registry.token != "token-for-the-hub"
    assert both.registry.log == ["registered by gireve"]
    status, pulled = await both.drive("pull")
    assert status == 200
    assert pulled["locations"]["objects"] == 1


async def test_the_token_for_registering_opens_versions_but_no_functional_module(both: Pair) -> None:
    both.registry.token = "token-for-the-hub"
    assert (await both.ask("/ocpi/versions", "token-for-the-hub"))[0] == 200
    assert (await both.ask("/ocpi/2.2.1", "token-for-the-hub"))[0] == 200
    status, body, _ = await both.ask("/ocpi/2.2.1/sender/locations", "token-for-the-hub")
    assert (status, body["status_code"]) == (401, 2000)


async def test_the_token_for_registering_lives_until_registration_succeeded(both: Pair) -> None:
    both.registry.token = "token-for-the-hub"
    asked = {"versions_url": f"{both.gateway.public_url}/ocpi/versions", "token": "token-for-the-hub"}
    await both.session.post(f"{both.iop.url}/_sandbox/faults", json=[{"kind": "error", "status": 500, "count": 3}])
    status, _ = await both.drive("register", asked)
    assert status == 502
    assert both.registry.token == "token-for-the-hub"
    assert (await both.drive("register", asked))[0] == 200


async def test_unregistering_by_the_hub_and_registering_again(both: Pair) -> None:
    await both.register()
    before = both.registry.token
    assert await both.drive("unregister") == (200, {"status": 200, "outcome": "Delivered"})
    assert both.registry.connection.secrets.ours is None
    assert both.registry.token is None
    assert before is not None
    assert (await both.ask("/ocpi/versions", before))[0] == 401
    await both.register()
    assert both.registry.token not in {None, before}


async def test_unregistering_by_the_gateway(both: Pair) -> None:
    await both.register()
    await unregister(both.registry.connection, both.gateway)
    assert both.registry.log[-1] == "unregistered by registration"
    await both.register()


async def test_unregistering_that_is_not_confirmed_changes_nothing(both: Pair) -> None:
    await both.register()
    await both.iop.refuse_connections()
    with pytest.raises(RegistrationFailed):
        await unregister(both.registry.connection, both.gateway)
    assert both.registry.connection.secrets.ours is not None


async def test_registering_twice_is_refused_on_both_sides(both: Pair) -> None:
    await both.register()
    with pytest.raises(RegistrationFailed, match="already registered"):
        await both.register()
    token = both.registry.token
    assert token is not None
    status, body, _ = await both.ask(CREDENTIALS, token, "POST", data=b"{}")
    assert (status, body["status_code"]) == (405, 2000)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_credentials_that_do_not_stand_cannot_be_changed_or_withdrawn(both: Pair, method: str) -> None:
    both.registry.token = "token-for-the-hub"
    assert (await both.ask(CREDENTIALS, "token-for-the-hub", method, data=b"{}"))[0] == 405


async def test_credentials_can_be_replaced_by_put_as_ocpi_says(both: Pair) -> None:
    await both.register()
    token = both.registry.token
    assert token is not None
    # The token that the gateway presents opens the sandbox, so it stands in for one that IOP would choose anew.
    theirs = {
        "token": both.registry.connection.secrets.ours,
        "url": f"{both.iop.url}/ocpi/versions",
        "roles": [{"role": "HUB", "country_code": "FR", "party_id": "107", "business_details": {"name": "IOP"}}],
    }
    status, body, _ = await both.ask(CREDENTIALS, token, "PUT", json=theirs)
    assert (status, body["status_code"]) == (200, 1000)
    assert body["data"]["token"] == both.registry.token != token


async def test_a_hub_that_cannot_be_called_back_gets_3001(both: Pair) -> None:
    both.registry.token = "token-for-the-hub"
    theirs = {
        "token": "x",
        "url": "http://127.0.0.1:9/ocpi/versions",
        "roles": [{"role": "HUB", "country_code": "FR", "party_id": "107", "business_details": {"name": "IOP"}}],
    }
    status, body, _ = await both.ask(CREDENTIALS, "token-for-the-hub", "POST", json=theirs)
    assert (status, body["status_code"]) == (200, 3001)
    assert both.registry.connection.secrets.ours is None


async def test_a_url_that_is_not_allowed_is_not_called(both: Pair) -> None:
    both.registry.token = "token-for-the-hub"
    theirs = {
        "token": "x",
        "url": "https://metadata.internal/ocpi/versions",
        "roles": [{"role": "HUB", "country_code": "FR", "party_id": "107", "business_details": {"name": "IOP"}}],
    }
    _, body, _ = await both.ask(CREDENTIALS, "token-for-the-hub", "POST", json=theirs)
    assert body["status_code"] == 3001
    assert "allow list" in body["status_message"]
    assert not both.measured.requests


@pytest.mark.parametrize(
    ("body", "http"),
    [(b"", 400), (b"[" * 5000, 400), (b"[]", 200), (b"{}", 200), (b'{"token":"t","url":"u","roles":[]}', 200)],
)
async def test_senseless_credentials_are_refused_with_2001(both: Pair, body: bytes, http: int) -> None:
    both.registry.token = "token-for-the-hub"
    status, answer, _ = await both.ask(CREDENTIALS, "token-for-the-hub", "POST", data=body)
    assert (status, answer["status_code"]) == (http, 2001)


async def test_credentials_without_end_are_not_read(both: Pair) -> None:
    both.registry.token = "token-for-the-hub"
    status, _, _ = await both.ask(CREDENTIALS, "token-for-the-hub", "POST", data=b" " * 200_000)
    assert status == 413


async def test_the_other_environments_platform_is_not_registered_with() -> None:
    production = SandboxSettings(token=TOKEN_A, environment=Environment.PRODUCTION)
    async with pair(production) as both:
        with pytest.raises(RegistrationFailed, match=r"FR\*007"):
            await both.register()
        assert both.registry.connection.secrets.ours is None


async def test_a_wrong_token_a_is_said_to_be_wrong() -> None:
    async with pair(SandboxSettings(token="another")) as both:
        with pytest.raises(RegistrationFailed, match=r"^versions: HTTP 401 "):
            await both.register()


async def test_a_platform_that_nobody_answers_for_is_asked_three_times(both: Pair) -> None:
    await both.iop.refuse_connections()
    with pytest.raises(RegistrationFailed, match="no connection"):
        await both.register()
    assert [each.outcome for each in both.measured.requests] == ["not_sent"] * 3


async def test_short_trouble_while_reading_versions_is_got_over(both: Pair) -> None:
    await both.session.post(f"{both.iop.url}/_sandbox/faults", json=[{"kind": "error", "status": 503, "count": 2}])
    await both.register()


async def test_the_credentials_post_is_never_repeated(both: Pair) -> None:
    fault = {"kind": "drop", "method": "POST", "path": "credentials"}
    await both.session.post(f"{both.iop.url}/_sandbox/faults", json=[fault])
    with pytest.raises(RegistrationFailed, match=r"unknown|broken"):
        await both.register()
    posts = [each for each in both.measured.requests if each.outcome == "outcome_unknown"]
    assert len(posts) == 1


async def test_a_hub_that_holds_us_for_registered_is_told_of(both: Pair) -> None:
    await both.session.post(f"{both.iop.url}/_sandbox/faults", json=[{"kind": "drop", "method": "POST", "count": 1}])
    with pytest.raises(RegistrationFailed):
        await both.register()
    with pytest.raises(RegistrationFailed):
        await both.register()
    assert both.registry.connection.secrets.ours is None


async def test_our_credentials_name_every_party_and_role(both: Pair) -> None:
    await both.register()
    assert both.registry.token is not None
    status, body, _ = await both.ask(CREDENTIALS, both.registry.token)
    assert status == 200
    assert body["data"] == {
        "token": both.registry.token,
        "url": f"{both.gateway.public_url}/ocpi/versions",
        "roles": [
            {"role": "CPO", "country_code": "FR", "party_id": "ABC", "business_details": {"name": "ABC Charge"}},
        ],
    }


async def test_no_token_shows_in_what_a_failure_says(both: Pair) -> None:
    both.registry.token = "token-for-the-hub"
    theirs = {"token": "s3cret", "url": "https://elsewhere.example/", "roles": "nobody"}
    _, body, _ = await both.ask(CREDENTIALS, "token-for-the-hub", "POST", json=theirs)
    assert "s3cret" not in json.dumps(body)


def test_the_protocols_example_of_a_token_is_read() -> None:
    assert ocpi.presented_token("Token ZXhhbXBsZS10b2tlbgo=") == "example-token"
    assert ocpi.presented_token(ocpi.authorization("example-token")) == "example-token"
    assert ocpi.presented_token("token ZXhhbXBsZS10b2tlbg==") == "example-token"


@pytest.mark.parametrize("header", [None, "", "Token", "Token ", "Bearer abc", "Token a b", "Token é", "Token /w=="])
def test_what_holds_no_token_is_none(header: str | None) -> None:
    assert ocpi.presented_token(header) is None


EMSP_ABC = PARTY.model_copy(update={"roles": frozenset({Role.CPO, Role.EMSP})})


@pytest.mark.parametrize("roles", [["CPO"], ["EMSP"], ["CPO", "EMSP"]])
async def test_one_registration_presents_the_roles_that_are_played(roles: list[str]) -> None:
    async with pair(network=Network([EMSP_ABC]), roles=roles) as both:
        await both.register()
        _, body, _ = await both.ask(CREDENTIALS, both.registry.token)
        assert [each["role"] for each in body["data"]["roles"]] == roles
        modules = both.registry.connection.secrets.endpoints["modules"]
        assert ("tokens/RECEIVER" in modules) >= ("EMSP" in roles)


async def test_parties_that_play_none_of_the_roles_are_not_presented() -> None:
    async with pair(roles=["EMSP"]) as both:
        with pytest.raises(RegistrationFailed, match="no party that is EMSP"):
            await both.register()


async def test_an_emsp_needs_the_endpoint_that_takes_tokens() -> None:
    settings = SandboxSettings(token=TOKEN_A, roles=frozenset({"CPO"}))
    async with pair(settings, Network([EMSP_ABC]), roles=["EMSP"]) as both:
        with pytest.raises(RegistrationFailed, match="tokens/RECEIVER"):
            await both.register()


@pytest.mark.parametrize(
    "settings",
    [{"roles": []}, {"roles": ["HUB"]}, {"roles": ["EMSP"], "pull_seconds": 7200, "full_pull_seconds": 3600}],
)
def test_settings_of_roles_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(settings)
