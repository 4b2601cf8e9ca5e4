"""What is particular to tariffs over HTTP."""

from tests.http.test_locations import tariff


async def test_issues_of_a_tariff_are_those_of_one_variant(face):
    path = "/v1/tariffs/FR*ABC/T1"
    assert (await face.call("PUT", path + "?target=NL*EMP", json=tariff(target="NL*EMP")))[0] == 201
    status, problem, _ = await face.call("GET", path + "/issues")
    assert (status, problem["detail"]) == (404, "There is no such variant of the tariff FR*ABC/T1")
    status, shown, _ = await face.call("GET", path + "/issues?target=NL*EMP")
    assert status == 200
    assert shown["items"][0]["key"] == "FR*ABC/T1/NL*EMP"
    assert shown["items"][0]["issue"]["field"] == "tax_included"
