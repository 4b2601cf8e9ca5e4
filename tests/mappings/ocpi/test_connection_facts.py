"""Versions, version details and credentials, where they are not as they should be."""

import json
from typing import Any

import pytest

from mappings.canonical.ids import PartyId
from mappings.canonical.parties import Party, Role
from mappings.canonical.texts import Business
from mappings.ocpi.v2_2_1 import credentials, versions
from mappings.ocpi.v2_2_1.enums import InterfaceRole, ModuleId
from mappings.report import IssueKind, Refused

ROLE: dict[str, Any] = {
    "role": "CPO",
    "party_id": "ABC",
    "country_code": "FR",
    "business_details": {"name": "ABC Charge"},
}
SECRET = "s3cr3t-t0k3n"
CREDENTIALS: dict[str, Any] = {"token": SECRET, "url": "https://example.com/ocpi/versions", "roles": [ROLE]}


def details(*endpoints: dict[str, Any]) -> tuple[versions.VersionDetails, list[Any]]:
    return versions.to_canonical(json.dumps({"version": "2.2.1", "endpoints": endpoints}))


def test_an_endpoint_is_found_by_module_and_role() -> None:
    found, issues = details(
        {"identifier": "locations", "role": "SENDER", "url": "https://a"},
        {"identifier": "locations", "role": "RECEIVER", "url": "https://b"},
        {"identifier": "credentials", "url": "https://c"},
    )
    assert issues == []
    assert found.url(ModuleId.LOCATIONS, InterfaceRole.RECEIVER) == "https://b"
    assert found.url(ModuleId.CREDENTIALS, InterfaceRole.RECEIVER) == "https://c"
    assert found.url(ModuleId.CDRS, InterfaceRole.RECEIVER) is None


def test_a_module_of_the_parties_own_is_kept_by_its_name() -> None:
    found, issues = details({"identifier": "nltnm-tokens", "role": "SENDER", "url": "https://a"})
    assert found.endpoints == (versions.Endpoint("nltnm-tokens", InterfaceRole.SENDER, "https://a"),)
    assert issues == []


def test_an_endpoint_without_a_usable_role_is_left_out_and_a_wrong_case_is_mended() -> None:
    found, issues = details(
        {"identifier": "tokens", "role": "BOTH", "url": "https://a"},
        {"identifier": "Tariffs", "role": "receiver", "url": "https://b"},
        {"identifier": "cdrs", "role": "SENDER"},
    )
    assert [e.module for e in found.endpoints] == [ModuleId.TARIFFS]
    assert [i.kind for i in issues] == [
        IssueKind.LEFT_OUT,
        IssueKind.LEFT_OUT,
        IssueKind.MENDED,
        IssueKind.MENDED,
    ]


def test_a_version_that_cannot_be_read_is_left_out() -> None:
    found, issues = versions.versions_to_canonical('[{"version":"2.2.1","url":"https://a"},{"version":"3"},7]')
    assert found == (versions.Version("2.2.1", "https://a"),)
    assert [i.field for i in issues] == ["[1]", "[2]"]
    with pytest.raises(Refused):
        versions.versions_to_canonical("{}")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"token": "with blank"}, "token"),
        ({"token": "x" * 65}, "token"),
        ({"token": {"is": SECRET}}, "token"),
        ({"roles": []}, "roles"),
        ({"roles": [{**ROLE, "role": "KING"}]}, "roles[0].role"),
        ({"roles": [{**ROLE, "party_id": "A"}]}, "roles[0].party_id"),
        ({"roles": [{**ROLE, "business_details": None}]}, "roles[0].business_details"),
    ],
)
def test_doubtful_credentials_are_refused_without_showing_the_token(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        credentials.to_canonical(json.dumps({**CREDENTIALS, **change}))
    assert refused.value.reason.field == field
    assert SECRET not in repr(refused.value.issues)
    assert SECRET not in str(refused.value)


def test_a_token_that_was_put_right_is_not_shown() -> None:
    found, issues = credentials.to_canonical(json.dumps({**CREDENTIALS, "token": 123456}))
    assert found.token == "123456"
    assert "123456" not in repr(found) + repr(issues)
    assert [i.field for i in issues] == ["token"]


def test_the_roles_of_one_party_are_one_party_and_back() -> None:
    party = Party(id=PartyId("FR*ABC"), roles=frozenset({Role.CPO, Role.EMSP}), business=Business(name="ABC Charge"))
    wire, issues = credentials.from_canonical(credentials.Credentials(SECRET, "https://a", (party,)))
    assert issues == []
    assert [r["role"] for r in wire["roles"]] == ["CPO", "EMSP"]
    assert credentials.to_canonical(json.dumps(wire))[0].parties == (party,)


def test_a_din_party_and_a_bad_token_cannot_be_said() -> None:
    party = Party(id=PartyId("+49*810"), roles=frozenset({Role.CPO}), business=Business(name="A"))
    with pytest.raises(Refused):
        credentials.from_canonical(credentials.Credentials(SECRET, "https://a", (party,)))
    with pytest.raises(Refused):
        credentials.from_canonical(credentials.Credentials("é", "https://a", ()))
