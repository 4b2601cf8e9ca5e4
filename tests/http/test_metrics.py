"""Figures: names, labels, and what happens when the store is out of reach."""

import re

from prometheus_client.parser import text_string_to_metric_families

from adapters.core.inbound import Observer
from gateway.metrics import Metrics
from gateway.services.ports import StatusOutcome
from mappings.report import Issue, IssueKind


async def scrape(face):
    status, text, headers = await face.call("GET", "/metrics", key=None)
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(family, name, **labels):
    [sample] = [each for each in family.samples if each.name == name and labels.items() <= each.labels.items()]
    return sample.value


async def test_the_text_parses_and_every_name_has_the_prefix(face):
    families = await scrape(face)
    assert len(families) > 15
    for name, family in families.items():
        assert name.startswith("roamgate_")
        assert family.documentation
        assert family.type != "unknown"


async def test_what_the_process_counts_is_shown(face):
    observer: Observer = face.metrics
    observer.request("gireve", "g", "locations", "delivered", 0.2)
    observer.served("gireve", "g", "pull_locations", 200, 0.01)
    face.metrics.settled("gireve", "g", "locations", "coalesced", 3)
    face.metrics.acknowledged("gireve", "g", "locations", 0.4)
    face.metrics.statuses(StatusOutcome.STALE, 2)
    families = await scrape(face)
    assert value(families["roamgate_hub_requests"], "roamgate_hub_requests_total", outcome="delivered") == 1
    assert value(families["roamgate_hub_request_seconds"], "roamgate_hub_request_seconds_sum", hub="gireve") == 0.2
    assert value(families["roamgate_hub_served"], "roamgate_hub_served_total", outcome="200") == 1
    assert (
        value(families["roamgate_projections_settled"], "roamgate_projections_settled_total", outcome="coalesced") == 3
    )
    assert value(families["roamgate_acknowledged_seconds"], "roamgate_acknowledged_seconds_bucket", le="0.5") == 1
    reports = families["roamgate_evse_status_reports"]
    assert value(reports, "roamgate_evse_status_reports_total", outcome="stale") == 2


async def test_requests_are_counted_by_template_never_by_id(face):
    await face.call("GET", "/v1/locations/FR*ABC/secret-id")
    await face.call("GET", "/v1/locations/FR*ABC/secret-id", key=None)
    family = (await scrape(face))["roamgate_api_requests"]
    operation = "GET /v1/locations/{party}/{id}"
    for outcome in ("404", "401"):
        assert value(family, "roamgate_api_requests_total", operation=operation, outcome=outcome) == 1
    assert "secret-id" not in str(family)


async def test_gauges_come_from_a_sample_that_serves_several_scrapes(face):
    families = await scrape(face)
    await scrape(face)
    assert face.sampler.taken == 1
    face.ticks.now += 5
    await scrape(face)
    assert face.sampler.taken == 2
    assert value(families["roamgate_projections_pending"], "roamgate_projections_pending", connection="g") == 3
    assert (
        value(families["roamgate_oldest_pending_seconds"], "roamgate_oldest_pending_seconds", operation="locations")
        == 1.5
    )
    assert value(families["roamgate_lanes"], "roamgate_lanes", state="leased") == 1
    assert value(families["roamgate_connection_state"], "roamgate_connection_state", state="ready") == 1
    assert value(families["roamgate_connection_state"], "roamgate_connection_state", state="paused") == 0
    assert value(families["roamgate_evses"], "roamgate_evses", status="CHARGING") == 4
    assert value(families["roamgate_store_connections"], "roamgate_store_connections", state="used") == 2
    assert value(families["roamgate_store_up"], "roamgate_store_up") == 1


async def test_a_store_out_of_reach_leaves_the_figures_of_the_process(face):
    face.sampler.fails = True
    families = await scrape(face)
    assert value(families["roamgate_store_up"], "roamgate_store_up") == 0
    assert "roamgate_projections_pending" not in families
    assert "roamgate_build_info" in families


async def test_fields_of_issues_lose_their_indices_and_do_not_grow_without_bound(face):
    for number in range(2000):
        face.metrics.issue("ocpi", Issue(IssueKind.UNKNOWN, f"evses[{number}].status", "x"))
        face.metrics.issue("ocpi", Issue(IssueKind.LEFT_OUT, f"strange_{number}", "x"))
    family = (await scrape(face))["roamgate_mapping_issues"]
    assert value(family, "roamgate_mapping_issues_total", field="evses[].status", kind="unknown") == 2000
    assert len({sample.labels["field"] for sample in family.samples}) <= 501


def test_no_label_is_an_id():
    of_places = {"hub", "connection", "operation", "protocol", "field", "version"}
    allowed = of_places | {"outcome", "decision", "reason", "kind", "decided"}
    labels = set()
    for metric in Metrics().registry._names_to_collectors.values():
        labels |= set(metric._labelnames)
    assert labels <= allowed
    assert all(re.fullmatch("[a-z]+", label) for label in labels)
