"""Figures for Prometheus: a registry of our own, names with the prefix `roamgate_`, base units, no id as label."""

import asyncio
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from adapters.core.charging import Denial
from gateway.gauges import of_sample
from gateway.release import RELEASE
from gateway.services.ports import Sample, Sampler, StatusOutcome
from mappings.report import Issue

KEEP: Final = 5.0
"""Seconds for which a sample of the store serves every scrape."""

_REQUEST_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SERVED_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300)
_ACKNOWLEDGED_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600, 14400, 86400)

_DECISIONS: Final = ("denied", "allowed")
_AT_CONNECTION: Final = ("hub", "connection", "operation")
_MOST_FIELDS: Final = 500
_INDEX: Final = re.compile(r"\[\d+\]")


class Metrics:
    """Everything that this process counts by itself. Satisfies `adapters.core.inbound.Observer`.

    Children are looked up once and kept: a busy gateway counts thousands of times a second.
    """

    def __init__(self) -> None:
        # A series more for each, which nobody asks for. The library has no types for it.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        registry = self.registry
        Info("roamgate_build", "The release that runs", registry=registry).info({"version": RELEASE})
        self._requests = Counter(
            "roamgate_hub_requests", "Requests sent to hubs", (*_AT_CONNECTION, "outcome"), registry=registry
        )
        self._request_seconds = Histogram(
            "roamgate_hub_request_seconds",
            "Time from a request to a hub till its answer was read",
            _AT_CONNECTION,
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._served = Counter(
            "roamgate_hub_served",
            "Requests served to hubs, by HTTP status",
            (*_AT_CONNECTION, "outcome"),
            registry=registry,
        )
        self._served_seconds = Histogram(
            "roamgate_hub_served_seconds",
            "Time that serving a hub took",
            _AT_CONNECTION,
            buckets=_SERVED_SECONDS,
            registry=registry,
        )
        self._api = Counter(
            "roamgate_api_requests",
            "Requests served to backends, by HTTP status",
            ("operation", "outcome"),
            registry=registry,
        )
        self._api_seconds = Histogram(
            "roamgate_api_request_seconds",
            "Time that serving a backend took",
            ("operation",),
            buckets=_SERVED_SECONDS,
            registry=registry,
        )
        self._settled = Counter(
            "roamgate_projections_settled",
            "Projections settled: delivered, refused, coalesced, unchanged, …",
            (*_AT_CONNECTION, "outcome"),
            registry=registry,
        )
        self._messages = Counter(
            "roamgate_messages_settled",
            "Messages and events settled: delivered, refused, expired, shown, …",
            (*_AT_CONNECTION, "outcome"),
            registry=registry,
        )
        self._acknowledged = Histogram(
            "roamgate_acknowledged_seconds",
            "Time from accepting what is told till the hub, or the webhook, acknowledged it",
            _AT_CONNECTION,
            buckets=_ACKNOWLEDGED_SECONDS,
            registry=registry,
        )
        self._statuses = Counter(
            "roamgate_evse_status_reports", "EVSE status reports, by what came of them", ("outcome",), registry=registry
        )
        self._commands = Counter(
            "roamgate_commands",
            "Commands from hubs, by what came of them",
            (*_AT_CONNECTION, "outcome"),
            registry=registry,
        )
        self._call_out_seconds = Histogram(
            "roamgate_call_out_seconds",
            "Time from a call-out to the backend till its answer, or till there was none",
            ("operation", "outcome"),
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._issues = Counter(
            "roamgate_mapping_issues",
            "Departures of translations from their source",
            ("protocol", "field", "kind"),
            registry=registry,
        )
        self._authorised = Counter(
            "roamgate_authorisations",
            "Drivers at own stations, by whose yes or why not",
            ("hub", "decision", "reason"),
            registry=registry,
        )
        self._authorised_seconds = Histogram(
            "roamgate_authorisation_seconds",
            "Time from a driver's wish to charge till it was answered",
            ("decision",),
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._asked_seconds = Histogram(
            "roamgate_authorisation_asked_seconds",
            "Time that a hub took to answer for a driver",
            ("hub", "connection", "outcome"),
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._late = Counter(
            "roamgate_authorisations_late",
            "Yeses that came too late and opened nothing",
            ("hub", "connection", "outcome"),
            registry=registry,
        )
        self._clock_skew = Gauge(
            "roamgate_clock_skew_seconds",
            "By how much this process's clock is ahead of the database's",
            registry=registry,
        )
        self._drift = Counter(
            "roamgate_agreement_drift",
            "Disagreements of a hub with the agreements on record here",
            ("hub", "connection", "kind"),
            registry=registry,
        )
        self._stops = Counter(
            "roamgate_authorised_stops",
            "Stops at own stations, by which hub was asked and why not",
            ("hub", "decision", "reason"),
            registry=registry,
        )
        self._permits = Counter(
            "roamgate_permits",
            "Own drivers whom a hub asked for, by whose word it was and why not",
            ("hub", "connection", "decision", "reason", "decided"),
            registry=registry,
        )
        self._permit_seconds = Histogram(
            "roamgate_permit_seconds",
            "Time that a hub waited for the answer, by whose word it was",
            ("hub", "connection", "decided"),
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._permit_stops = Counter(
            "roamgate_permit_stops",
            "Stops that a hub asked for, by own drivers, and why not",
            ("hub", "connection", "decision", "reason"),
            registry=registry,
        )
        self._cdrs = Counter(
            "roamgate_cdrs",
            "CDRs: accepted, rejected, delivered, refused, credited, replaced, disputed",
            ("hub", "connection", "outcome"),
            registry=registry,
        )
        self._cdr_energy = Counter(
            "roamgate_cdr_energy_kwh",
            "Energy of CDRs, by the same",
            ("hub", "connection", "outcome"),
            registry=registry,
        )
        self._catalogued = Counter(
            "roamgate_catalogue_records",
            "Records pulled into the catalogue: new, changed, same, gone, unknown, refused",
            ("hub", "connection", "operation", "outcome"),
            registry=registry,
        )
        self._ways = Gauge(
            "roamgate_catalogue_ways", "EVSEs that a connection offers", ("hub", "connection"), registry=registry
        )
        self._entries = Gauge(
            "roamgate_catalogue_entries",
            "Entries of the catalogue for which a connection speaks",
            ("hub", "connection"),
            registry=registry,
        )
        self._pulls = Counter(
            "roamgate_pulls",
            "Pulls that ended, by how",
            ("hub", "connection", "operation", "outcome"),
            registry=registry,
        )
        self._pull_seconds = Histogram(
            "roamgate_pull_seconds",
            "How long a pull took, all its pages",
            ("hub", "connection", "operation"),
            buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600),
            registry=registry,
        )
        self._sent_commands = Counter(
            "roamgate_sent_commands",
            "Commands that we sent for our drivers, by what came of them",
            (*_AT_CONNECTION, "outcome"),
            registry=registry,
        )
        self._received_cdrs = Counter(
            "roamgate_received_cdrs",
            "CDRs of our drivers that came home: accepted, review, same",
            ("hub", "connection", "outcome"),
            registry=registry,
        )
        self._received_cdr_energy = Counter(
            "roamgate_received_cdr_energy_kwh",
            "Energy of CDRs that came home, by the same",
            ("hub", "connection", "outcome"),
            registry=registry,
        )
        self._repricings = Counter(
            "roamgate_repricings",
            "CDRs priced, out and in, by what came of it: matches, differs, untold, unpriceable",
            ("hub", "connection", "kind", "outcome"),
            registry=registry,
        )
        self._fields: set[str] = set()
        self._api_of: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._statuses_of = {outcome: self._statuses.labels(outcome.value) for outcome in StatusOutcome}

    def request(self, hub: str, connection: str, operation: str, outcome: str, seconds: float) -> None:
        """Counts one request to a hub."""
        self._requests.labels(hub, connection, operation, outcome).inc()
        self._request_seconds.labels(hub, connection, operation).observe(seconds)

    def served(self, hub: str, connection: str, operation: str, status: int, seconds: float) -> None:
        """Counts one request from a hub."""
        self._served.labels(hub, connection, operation, str(status)).inc()
        self._served_seconds.labels(hub, connection, operation).observe(seconds)

    def api(self, operation: str, status: int, seconds: float) -> None:
        """Counts one request from a backend; `operation` is the method and the path's template."""
        children = self._api_of.get((operation, status))
        if children is None:
            children = self._api.labels(operation, str(status)), self._api_seconds.labels(operation)
            self._api_of[operation, status] = children
        children[0].inc()
        children[1].observe(seconds)

    def settled(self, hub: str, connection: str, operation: str, outcome: str, count: int = 1) -> None:
        """Counts projections settled with one outcome."""
        self._settled.labels(hub, connection, operation, outcome).inc(count)

    def message_settled(self, hub: str, connection: str, operation: str, outcome: str) -> None:
        """Counts one message or event settled with an outcome."""
        self._messages.labels(hub, connection, operation, outcome).inc()

    def acknowledged(self, hub: str, connection: str, operation: str, seconds: float) -> None:
        """Notes how long one change took from acceptance to acknowledgement."""
        self._acknowledged.labels(hub, connection, operation).observe(max(seconds, 0.0))

    def cdrs(self, hub: str, connection: str, outcome: str, count: int, energy: Decimal) -> None:
        """Counts CDRs with one outcome, and their kWh; without hub and connection where they do not roam."""
        self._cdrs.labels(hub, connection, outcome).inc(count)
        self._cdr_energy.labels(hub, connection, outcome).inc(max(float(energy), 0.0))

    def pulled(self, hub: str, connection: str, operation: str, outcome: str, seconds: float) -> None:
        """Counts a pull that ended, and notes how long it took."""
        self._pulls.labels(hub, connection, operation, outcome).inc()
        self._pull_seconds.labels(hub, connection, operation).observe(seconds)

    def catalogued(self, hub: str, connection: str, operation: str, outcome: str, count: int) -> None:
        """Counts records that were pulled into the catalogue, by what came of them."""
        self._catalogued.labels(hub, connection, operation, outcome).inc(count)

    def catalogue(self, hub: str, connection: str, ways: int, entries: int) -> None:
        """Notes how many EVSEs a connection offers, and for how many of them it speaks."""
        self._ways.labels(hub, connection).set(ways)
        self._entries.labels(hub, connection).set(entries)

    def statuses(self, outcome: StatusOutcome, count: int) -> None:
        """Counts status reports with one outcome."""
        self._statuses_of[outcome].inc(count)

    def authorised(self, hub: str, reason: Denial | None, seconds: float) -> None:
        """Counts an authorisation; without a reason it was a yes. `hub`: whose yes it is, "" for a no."""
        self._authorised.labels(hub, _DECISIONS[reason is None], reason or "").inc()
        self._authorised_seconds.labels(_DECISIONS[reason is None]).observe(seconds)

    def asked(self, hub: str, connection: str, answer: str, seconds: float) -> None:
        """Notes how long a hub took to answer for a driver."""
        self._asked_seconds.labels(hub, connection, answer).observe(seconds)

    def late_yes(self, hub: str, connection: str, *, released: bool) -> None:
        """Counts a yes that came too late."""
        self._late.labels(hub, connection, "released" if released else "kept").inc()

    def drift(self, hub: str, connection: str, kind: str) -> None:
        """Counts a disagreement of a hub with our record: each yes and no, and what is read back when it is new."""
        self._drift.labels(hub, connection, kind).inc()

    def stop_authorised(self, hub: str, reason: Denial | None) -> None:
        """Counts a stop at a station; `hub`: which was asked, "" where none needed to be."""
        self._stops.labels(hub, _DECISIONS[reason is None], reason or "").inc()

    def permit(self, hub: str, connection: str, decided: str, reason: Denial | None, seconds: float) -> None:
        """Counts an answer to a hub that asked for a driver of ours; without a reason it was a yes."""
        self._permits.labels(hub, connection, _DECISIONS[reason is None], reason or "", decided).inc()
        self._permit_seconds.labels(hub, connection, decided).observe(seconds)

    def permit_stop(self, hub: str, connection: str, reason: Denial | None) -> None:
        """Counts a stop that a hub asked for, by a driver of ours."""
        self._permit_stops.labels(hub, connection, _DECISIONS[reason is None], reason or "").inc()

    def command(self, hub: str, connection: str, kind: str, result: str) -> None:
        """Counts a command from a hub by what came of it."""
        self._commands.labels(hub, connection, kind, result).inc()

    def sent_command(self, hub: str, connection: str, kind: str, result: str) -> None:
        """Counts a command that we sent by what came of it."""
        self._sent_commands.labels(hub, connection, kind, result).inc()

    def received_cdr(self, hub: str, connection: str, outcome: str, energy: Decimal) -> None:
        """Counts a CDR that came home, and its kWh."""
        self._received_cdrs.labels(hub, connection, outcome).inc()
        self._received_cdr_energy.labels(hub, connection, outcome).inc(max(float(energy), 0.0))

    def repriced(self, hub: str, connection: str, direction: str, outcome: str) -> None:
        """Counts a CDR priced anew; without hub and connection where it does not roam."""
        self._repricings.labels(hub, connection, direction, outcome).inc()

    def clock_skew(self, seconds: float) -> None:
        """Takes by how much the clock is ahead of the one that all replicas go by."""
        self._clock_skew.set(seconds)

    def call_out(self, kind: str, outcome: str, seconds: float) -> None:
        """Takes the time of a call-out to the backend: `answered`, `later`, or why there was no answer."""
        self._call_out_seconds.labels(kind, outcome).observe(seconds)

    def issue(self, protocol: str, issue: Issue, count: int = 1) -> None:
        """Counts an issue of a translation.

        Paths lose their indices. Unknown fields have the names that a peer gives them, so that beyond a number of
        fields the rest count as `other`: a label must not grow with what arrives.
        """
        field = _INDEX.sub("[]", issue.field)
        if field not in self._fields:
            if len(self._fields) >= _MOST_FIELDS or len(field) > 100:
                field = "other"
            else:
                self._fields.add(field)
        self._issues.labels(protocol, field, issue.kind.value).inc(count)


class StoreFigures(Collector):
    """Gauges of what the store holds, from a sample that is at most `KEEP` seconds old.

    Args:
        monotonic: A clock in seconds.
    """

    def __init__(self, sampler: Sampler, monotonic: Callable[[], float]) -> None:
        self._sampler = sampler
        self._monotonic = monotonic
        self._sample: Sample | None = None
        self._taken_at: float | None = None
        self._taking = asyncio.Lock()

    async def refresh(self) -> None:
        """Takes a new sample if the last is too old. A store out of reach leaves none; `roamgate_store_up` says so."""
        async with self._taking:
            now = self._monotonic()
            if self._taken_at is not None and now - self._taken_at < KEEP:
                return
            try:
                self._sample = await self._sampler.sample()
            except Exception:  # noqa: BLE001 — whatever ails the store, the process's own figures must still be readable
                self._sample = None
            self._taken_at = now

    def describe(self) -> list[Metric]:
        """Names nothing in advance, so that registering does not sample."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Gives the gauges of the last sample."""
        yield GaugeMetricFamily(
            "roamgate_store_up", "Whether the store could be sampled", float(self._sample is not None)
        )
        if self._sample is None:
            return
        yield from of_sample(self._sample)


class Exposition:
    """The figures of the process and of the store together."""

    def __init__(self, metrics: Metrics, figures: StoreFigures) -> None:
        self._registry = metrics.registry
        self._figures = figures
        self._registry.register(figures)

    async def render(self) -> bytes:
        """Gives all figures in the text format of Prometheus."""
        await self._figures.refresh()
        return generate_latest(self._registry)
