"""Paging and addresses of OCPI, as pure functions."""

from datetime import UTC, datetime

import pytest

from adapters.core import ocpi
from adapters.core.inbound import Window
from mappings.canonical.ids import PartyId


def test_the_headers_of_a_request_name_route_and_ids() -> None:
    one = ocpi.headers("token", PartyId("FR*ABC"), PartyId("FR*107"))
    two = ocpi.headers("token", PartyId("FR*ABC"), PartyId("FR*107"))
    assert one["Authorization"] == "Token dG9rZW4="
    assert {name: one[name] for name in (ocpi.FROM_COUNTRY, ocpi.FROM_PARTY, ocpi.TO_COUNTRY, ocpi.TO_PARTY)} == {
        ocpi.FROM_COUNTRY: "FR",
        ocpi.FROM_PARTY: "ABC",
        ocpi.TO_COUNTRY: "FR",
        ocpi.TO_PARTY: "107",
    }
    assert one[ocpi.REQUEST_ID] != two[ocpi.REQUEST_ID]


def test_configuration_modules_are_not_routed() -> None:
    assert not {ocpi.FROM_COUNTRY, ocpi.TO_COUNTRY} & set(ocpi.headers("token"))


@pytest.mark.parametrize("endpoint", ["https://iop.example/locations", "https://iop.example/locations/"])
def test_an_endpoint_may_end_in_a_slash(endpoint: str) -> None:
    assert ocpi.below(endpoint, "FR/ABC/1") == "https://iop.example/locations/FR/ABC/1"


def test_without_parameters_the_first_page_is_asked_for() -> None:
    assert ocpi.read_window({}, 100) == Window(0, 100)


def test_parameters_are_read() -> None:
    query = {"offset": "5", "limit": "7", "date_from": "2026-01-01T00:00:00", "date_to": "2026-02-01T00:00:00.5Z"}
    assert ocpi.read_window(query, 100) == Window(
        5, 7, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ('<https://x/?offset=1>; rel="next"', "https://x/?offset=1"),
        ("<https://x/?offset=1>; rel=next", "https://x/?offset=1"),
        ('<https://x/0>; rel="prev", <https://x/?a=1,2>; rel="next"', "https://x/?a=1,2"),
        ('<https://x/0>; rel="prev"', None),
        ("", None),
        ("https://x/", None),
    ],
)
def test_the_link_to_the_next_page_is_found(link: str, url: str | None) -> None:
    assert ocpi.next_page({"Link": link}) == url


def test_the_last_page_has_no_link() -> None:
    headers = ocpi.page_headers("https://x/", {}, Window(90, 10), 100, 10)
    assert headers == {"X-Total-Count": "100", "X-Limit": "10"}
