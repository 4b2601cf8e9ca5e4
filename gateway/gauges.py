"""Gauges of what the store holds, made of a sample."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric

from adapters.core.connection import Mode, State
from gateway.services.ports import AbroadSample, CdrSample, ChargeSample, LaneSample, MessageSample, Sample
from mappings.canonical.agreements import OfferState, SubscriptionState
from mappings.canonical.locations import EvseStatus

_AT_CONNECTION: Final = ("hub", "connection", "operation")


def of_sample(sample: Sample) -> Iterator[Metric]:
    """Gives every gauge of a sample."""
    yield from _of_lanes(sample)
    yield from _of_messages(sample)
    yield from _of_connections(sample)
    yield from _of_charges(sample.charges)
    yield from _of_abroad(sample.abroad)
    yield from _of_offers(sample)
    evses = GaugeMetricFamily("roamgate_evses", "EVSEs, by status", labels=("status",))
    for status in EvseStatus:
        evses.add_metric((status.value,), sample.evses.get(status, 0))
    yield evses
    pool = GaugeMetricFamily("roamgate_store_connections", "Connections to the database", labels=("state",))
    pool.add_metric(("idle",), sample.pool_idle)
    pool.add_metric(("used",), sample.pool_size - sample.pool_idle)
    yield pool


def _of_lanes(sample: Sample) -> Iterator[Metric]:
    for name, about, value in _LANE_GAUGES:
        gauge = GaugeMetricFamily(name, about, labels=_AT_CONNECTION)
        for lane in sample.lanes:
            gauge.add_metric((lane.hub, lane.connection, lane.operation), value(lane))
        yield gauge
    lanes = GaugeMetricFamily("roamgate_lanes", "Lanes, by state", labels=(*_AT_CONNECTION, "state"))
    for lane in sample.lanes:
        lanes.add_metric((lane.hub, lane.connection, lane.operation, "leased"), lane.leased)
        lanes.add_metric((lane.hub, lane.connection, lane.operation, "resting"), lane.resting)
    yield lanes


_LANE_GAUGES: Final[Sequence[tuple[str, str, Callable[[LaneSample], float]]]] = (
    ("roamgate_projections_pending", "Projections that a hub does not have yet", lambda lane: lane.pending),
    ("roamgate_projections_held", "Projections that wait for another operation", lambda lane: lane.held),
    ("roamgate_oldest_pending_seconds", "Age of the oldest pending projection", lambda lane: lane.oldest),
)


def _of_messages(sample: Sample) -> Iterator[Metric]:
    for name, about, value in _MESSAGE_GAUGES:
        gauge = GaugeMetricFamily(name, about, labels=_AT_CONNECTION)
        for one in sample.messages:
            gauge.add_metric((one.hub, one.connection, one.operation), value(one))
        yield gauge
    letters = GaugeMetricFamily(
        "roamgate_dead_letters", "What a hub, a webhook or a translation refused", labels=_AT_CONNECTION
    )
    samples: Sequence[LaneSample | MessageSample] = [*sample.lanes, *sample.messages]
    for each in samples:
        letters.add_metric((each.hub, each.connection, each.operation), each.dead_letters)
    yield letters


_MESSAGE_GAUGES: Final[Sequence[tuple[str, str, Callable[[MessageSample], float]]]] = (
    ("roamgate_messages_pending", "Messages and events that were not taken yet", lambda one: one.pending),
    ("roamgate_messages_oldest_seconds", "Age of the oldest pending message or event", lambda one: one.oldest),
)


def _of_charges(charges: ChargeSample) -> Iterator[Metric]:
    yield GaugeMetricFamily("roamgate_sessions_active", "Sessions that are going on", charges.running)
    yield GaugeMetricFamily(
        "roamgate_sessions_in_review", "Sessions that wait for a person", charges.sessions_in_review
    )
    yield GaugeMetricFamily(
        "roamgate_sessions_without_cdr", "Sessions that ended too long ago to have no CDR", charges.without_cdr
    )
    yield GaugeMetricFamily("roamgate_cdrs_in_review", "CDRs that wait for a person", charges.cdrs_in_review)
    yield GaugeMetricFamily(
        "roamgate_repricings_open", "CDRs about whose cost a person has to decide", charges.repricings_open
    )
    yield GaugeMetricFamily(
        "roamgate_repricings_oldest_seconds", "Age of the oldest CDR that is to be priced", charges.repricings_oldest
    )
    for name, about, value in _CDR_GAUGES:
        gauge = GaugeMetricFamily(name, about, labels=("hub", "connection"))
        for cdrs in charges.cdrs:
            gauge.add_metric((cdrs.hub, cdrs.connection), value(cdrs))
        yield gauge


def _of_abroad(abroad: AbroadSample) -> Iterator[Metric]:
    for name, about, value in _ABROAD_GAUGES:
        yield GaugeMetricFamily(name, about, value(abroad))


_ABROAD_GAUGES: Final[Sequence[tuple[str, str, Callable[[AbroadSample], float]]]] = (
    ("roamgate_received_sessions_active", "Sessions of our drivers that go on", lambda abroad: abroad.running),
    (
        "roamgate_received_sessions_in_review",
        "Sessions of our drivers that wait for a person",
        lambda abroad: abroad.sessions_in_review,
    ),
    (
        "roamgate_received_sessions_without_cdr",
        "Sessions of our drivers that ended too long ago to have no CDR",
        lambda abroad: abroad.without_cdr,
    ),
    (
        "roamgate_received_cdrs_in_review",
        "CDRs of our drivers that wait for a person",
        lambda abroad: abroad.cdrs_in_review,
    ),
    ("roamgate_sent_commands_open", "Commands that we sent and that have no result", lambda a: a.commands_open),
)


_CDR_GAUGES: Final[Sequence[tuple[str, str, Callable[[CdrSample], float]]]] = (
    ("roamgate_cdrs_pending", "CDRs that their hub has not confirmed", lambda cdrs: cdrs.pending),
    ("roamgate_cdrs_unconfirmed", "CDRs that their hub has not confirmed for too long", lambda cdrs: cdrs.late),
    ("roamgate_oldest_unconfirmed_cdr_seconds", "Age of the oldest unconfirmed CDR", lambda cdrs: cdrs.oldest),
)


def _of_offers(sample: Sample) -> Iterator[Metric]:
    """Every state at every connection, those without any offer included: a series that is absent raises no alarm."""
    offers = GaugeMetricFamily("roamgate_offers", "Offers, by state", labels=("hub", "connection", "state"))
    subscriptions = GaugeMetricFamily(
        "roamgate_subscriptions", "Subscriptions to offers, by state", labels=("hub", "connection", "state")
    )
    for hub, connection, _, _ in sample.connections:
        for state in OfferState:
            offers.add_metric((hub, connection, state.value), sample.offers.get((hub, connection, state), 0))
        for each in SubscriptionState:
            count = sample.subscriptions.get((hub, connection, each), 0)
            subscriptions.add_metric((hub, connection, each.value), count)
    yield offers
    yield subscriptions


def _of_connections(sample: Sample) -> Iterator[Metric]:
    """One series for each value that a connection may have, one of them 1, so that a dashboard can count and alert."""
    states = GaugeMetricFamily(
        "roamgate_connection_state", "State of connections", labels=("hub", "connection", "state")
    )
    modes = GaugeMetricFamily("roamgate_connection_mode", "Mode of connections", labels=("hub", "connection", "mode"))
    for hub, connection, mode, state in sample.connections:
        for each in State:
            states.add_metric((hub, connection, each.value), float(each is state))
        for every in Mode:
            modes.add_metric((hub, connection, every.value), float(every is mode))
    yield states
    yield modes
