"""How offers, and what is said of them, are shown in a terminal."""

import json
from collections.abc import Iterable, Mapping, Sequence

from pydantic import TypeAdapter

from gateway.cli.asking import OUTPUT, when, write_fields, write_json, write_table
from gateway.services.ports.offers import (
    AgreementImport,
    Drift,
    HubSide,
    OfferView,
    SubscriptionView,
    VersionState,
    VersionView,
)
from gateway.services.ports.previews import Preview, SamplePrice
from mappings.canonical.agreements import Offer, OfferTerms, PriceSource, Service, SubscriptionState

_ALL = "all"


def write_offers(views: Iterable[OfferView]) -> None:
    """Writes a line for each offer."""
    write_table(
        ("id", "over", "network", "title", "for", "joining", "state", "starts", "ends", "versions", "subscriptions"),
        [
            (
                view.offer.id,
                view.offer.connection,
                network_of(view.offer),
                view.offer.title,
                _audience(view.offer),
                view.offer.joining,
                view.state,
                when(view.offer.starts),
                when(view.ends_at),
                len(view.versions),
                _counts(view.subscriptions),
            )
            for view in views
        ],
    )


def write_offer(view: OfferView, *, as_json: bool) -> None:
    """Writes an offer with its versions."""
    if as_json:
        write_json(view, OfferView)
        return
    offer = view.offer
    write_fields(
        {
            "id": offer.id,
            "over": offer.connection,
            "network": network_of(offer),
            "title": offer.title,
            "description": offer.description or None,
            "for": _audience(offer),
            "joining": offer.joining,
            "state": view.state,
            "starts": when(offer.starts),
            "ends": when(view.ends_at) or "unlimited",
            "published": when(view.published_at),
            "cancelled": when(view.cancelled_at),
            "minimum term": _days(offer.minimum_term_days),
            "cancellation": _days(offer.cancellation_days),
            "notice": _days(offer.notice_days),
            "lead time": _days(offer.lead_time_days),
            "document": offer.document,
            "subscriptions": _counts(view.subscriptions),
            **({} if view.hub is None else _hub(view.hub)),
        }
    )
    OUTPUT.print()
    heads = ("version", "starts", "ends", "state", "services", "EVSE groups", "prices", "rank", "by")
    write_table(heads, [_version(one) for one in view.versions])


def write_preview(preview: Preview, *, as_json: bool) -> None:
    """Writes who would see and pay what."""
    if as_json:
        write_json(preview, Preview)
        return
    OUTPUT.print(f"{preview.evses} EVSEs at {preview.locations} locations, {when(preview.at)} UTC", markup=False)
    if preview.emsps:
        heads = ("EMSP", "name", "has to", "would have", "has now", "locations", "EVSEs", "gives way to")
        OUTPUT.print()
        write_table(
            heads,
            [
                (
                    one.emsp,
                    one.name,
                    one.needs,
                    _services(one.services),
                    _services(one.now) or "nothing",
                    one.locations,
                    one.evses,
                    one.overlapped_by,
                )
                for one in preview.emsps
            ],
        )
    if preview.prices:
        columns = ("EVSE group", "tariff", "charge", "net", "with tax", "")
        _below("What charges cost", columns, [_price(one) for one in preview.prices])
    if preview.overlapping:
        _below("Overlapping offers", ("offer", "who goes first"), preview.overlapping)
    if preview.problems:
        _below("Why it could not be published", ("field", "why"), preview.problems)


def write_import(report: AgreementImport, *, as_json: bool) -> None:
    """Writes what came of a file of agreements."""
    if as_json:
        write_json(report, AgreementImport)
        return
    write_fields(
        {
            "added": report.added,
            "changed": report.changed,
            "unchanged": report.unchanged,
            "refused": len(report.refused),
            "missing": len(report.missing),
        }
    )
    if report.refused:
        _below("Refused", ("row", "field", "reason"), [(one.row, one.field, one.detail) for one in report.refused])
    if report.missing:
        _below("On record, and not in the file; left as they are", ("",), [(one,) for one in report.missing])


def write_drifts(drifts: Iterable[Drift]) -> None:
    """Writes where hubs disagree, a line each."""
    write_table(
        ("connection", "kind", "subject", "field", "ours", "theirs", "first seen", "last seen", "times"),
        [
            (
                one.connection,
                one.kind,
                one.subject,
                one.field,
                _value(one.ours),
                _value(one.theirs),
                when(one.first_seen_at),
                when(one.last_seen_at),
                one.times,
            )
            for one in drifts
        ],
    )


def write_subscriptions(*views: SubscriptionView) -> None:
    """Writes a line for each subscription."""
    write_table(
        ("id", "offer", "over", "network", "emsp", "state", "requested", "starts", "ends", "kept by", "why"),
        [
            (
                view.subscription.id,
                view.subscription.offer,
                view.connection,
                view.cpo or view.network_group,
                view.subscription.emsp,
                view.subscription.state,
                when(view.subscription.requested_at),
                when(view.subscription.starts),
                when(view.subscription.ends),
                "the hub" if view.by_hub else None,
                view.subscription.why,
            )
            for view in views
        ],
    )


def network_of(offer: Offer) -> str:
    """Names whose network it is."""
    return str(offer.cpo) if offer.cpo is not None else f"group {offer.network_group}"


def _below(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes one more table; its title may be wider than it is."""
    OUTPUT.print(f"\n{title}")
    write_table(heads, rows)


def _audience(offer: Offer) -> str:
    return _ALL if offer.audience is None else ", ".join(map(str, offer.audience))


def _counts(subscriptions: Mapping[SubscriptionState, int]) -> str | None:
    return ", ".join(f"{count} {state.lower()}" for state, count in subscriptions.items()) or None


def _days(days: int) -> str | None:
    return f"{days} days" if days else None


def _hub(side: HubSide) -> dict[str, object]:
    ids = side.ids.model_dump(exclude_defaults=True)
    return {
        "hub's ids": json.dumps(ids) if ids else None,
        "hub is told": ", ".join(side.pending) or None,
        "hub refused": side.refused,
        "seen there": when(side.seen_at),
    }


def _version(version: VersionView) -> tuple[object, ...]:
    terms = version.terms
    state = version.state.replace("_", " ").lower()
    return (
        version.number,
        when(version.starts),
        when(version.ends),
        f"{state}, may be taken back" if version.state is VersionState.COMING and version.number > 1 else state,
        _services(terms.services),
        ", ".join(terms.evse_groups) or _ALL,
        _prices(terms),
        terms.rank,
        version.created_by or None,
    )


def _prices(terms: OfferTerms) -> str:
    if terms.price_source is not PriceSource.AGREED:
        return {PriceSource.EVSE_TARIFFS: "as the EVSEs'", PriceSource.HUB: "at the hub alone"}[terms.price_source]
    return "; ".join(f"{one.evse_group or 'others'}: {', '.join(one.tariff_ids)}" for one in terms.prices)


def _services(services: Iterable[Service]) -> str:
    """Names services in their own order."""
    given = frozenset(services)
    return _ALL if given == frozenset(Service) else ", ".join(one for one in Service if one in given)


def _price(one: SamplePrice) -> tuple[object, ...]:
    def money(amount: object) -> str | None:
        return None if amount is None else f"{amount} {one.currency or ''}".rstrip()

    return one.group or "others", one.tariff_id, one.sample, money(one.net), money(one.gross), one.why


def _value(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return TypeAdapter(object).dump_json(value).decode()
