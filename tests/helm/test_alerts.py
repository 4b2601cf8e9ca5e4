"""Alerts: each asks for figures that the gateway has, and says in words what to do."""

import re

from gateway.metrics import Metrics, StoreFigures
from tests.helm.chart import EVERYTHING, Manifest, of_kind
from tests.http.fakes import FakeSampler, Ticks

ALERTS = {
    "RoamgateStoreDown",
    "RoamgateConnectionPaused",
    "RoamgatePendingTooLong",
    "RoamgateDeadLetters",
    "RoamgateSessionsWithoutCdr",
    "RoamgateCdrsUnconfirmed",
    "RoamgateReviewWaiting",
    "RoamgateReceivedWithoutCdr",
    "RoamgateReceivedReviewWaiting",
    "RoamgateRepricingsOpen",
    "RoamgateRepricingsWaiting",
}


def rules() -> list[Manifest]:
    [rule] = of_kind(EVERYTHING, "PrometheusRule")
    [group] = rule["spec"]["groups"]
    found: list[Manifest] = group["rules"]
    return found


def test_there_is_an_alert_for_each_thing_that_somebody_has_to_see_to() -> None:
    assert {rule["alert"] for rule in rules()} == ALERTS
    for rule in rules():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"].endswith(".")


async def test_every_alert_asks_for_figures_that_there_are() -> None:
    figures = StoreFigures(FakeSampler(), Ticks())
    await figures.refresh()
    known = {metric.name for metric in (*figures.collect(), *Metrics().registry.collect())}
    for rule in rules():
        expression = rule["expr"]
        if pattern := re.search(r'__name__=~"([^"]+)"', expression):
            assert len([name for name in known if re.fullmatch(pattern[1], name)]) == 2
        else:
            assert set(re.findall(r"roamgate_\w+", expression)) <= known
        assert 'namespace="roaming",pod=~"rg-roamgate-.*"' in expression


def test_how_long_something_may_wait_is_a_setting() -> None:
    late = [
        rule["expr"] for rule in rules() if rule["alert"] in {"RoamgatePendingTooLong", "RoamgateRepricingsWaiting"}
    ]
    assert [expression.rpartition(" ")[2] for expression in late] == ["600", "600"]


def test_what_prometheus_fills_in_is_left_to_it() -> None:
    [rule] = [rule for rule in rules() if rule["alert"] == "RoamgateCdrsUnconfirmed"]
    assert "{{ $labels.connection }}" in rule["annotations"]["summary"]
