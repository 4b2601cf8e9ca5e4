"""What a hub is to be told of an offer next, and what follows from its answer. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from pydantic import JsonValue

from adapters.core.offers import HubIds, OfferStep
from mappings.canonical.agreements import Offer, OfferTerms, OfferVersion

WHOLE: Final = "all"
"""What the EVSEs are called together that no group of an offer names."""


class Step(NamedTuple):
    """A step, and of which version."""

    step: OfferStep
    version: OfferVersion


def groups_of(terms: OfferTerms) -> tuple[str, ...]:
    """Names the EVSE groups of a version, each once: those that it is for or prices, and `WHOLE` for all the others."""
    if terms.evse_groups:
        return terms.evse_groups
    priced = [price.evse_group for price in terms.prices if price.evse_group is not None]
    return (*priced, WHOLE)


def tariffs_of(terms: OfferTerms, group: str) -> tuple[str, ...]:
    """Gives the ids of the tariffs that a version agrees on for a group; none where it names none."""
    by_group = {price.evse_group: price.tariff_ids for price in terms.prices}
    return by_group.get(group, by_group.get(None, ()))


def next_step(offer: Offer, versions: Sequence[OfferVersion], told: int, ids: HubIds) -> Step | None:
    """Gives what the hub is to be told next; None where it knows everything.

    Args:
        versions: The oldest first.
        told: The number of the newest version that it knows; 0 for none.
    """
    version = next((one for one in versions if one.number > told), None)
    if version is None:
        return None
    if ids.network is None or not set(groups_of(version.terms)) <= ids.groups.keys():
        return Step(OfferStep.NETWORK, version)
    if told:
        return Step(OfferStep.PRICES, version)
    if offer.document is not None and ids.document is None:
        return Step(OfferStep.DOCUMENT, version)
    return Step(OfferStep.OFFER, version)


def merged(ids: HubIds, answer: JsonValue) -> HubIds:
    """Gives the ids with those that an answer names; what it does not name stays."""
    if not isinstance(answer, Mapping):
        return ids
    named: dict[str, JsonValue] = {
        name: value
        for name, value in answer.items()
        if name in {"network", "network_name", "document", "offer"} and isinstance(value, str) and value
    }
    groups = answer.get("groups")
    if isinstance(groups, Mapping):
        found = {group: value for group, value in groups.items() if isinstance(value, str) and value}
        named["groups"] = {**ids.groups, **found}
    return HubIds.model_validate(ids.model_dump() | named)


def is_answered(step: OfferStep, groups: Sequence[str], before: HubIds, after: HubIds) -> bool:
    """Tells whether a hub said all that the steps after this one have to know.

    Args:
        groups: Those of which it was told.
        before, after: Its ids without and with its answer.
    """
    match step:
        case OfferStep.NETWORK:
            return after.network is not None and set(groups) <= after.groups.keys()
        case OfferStep.DOCUMENT:
            return after.document is not None
        case OfferStep.OFFER | OfferStep.PRICES:
            return after.offer is not None and after.offer != before.offer
        case OfferStep.MEMBERS:
            return True


def imagined(ids: HubIds, step: Step) -> HubIds:
    """Gives the ids as if a hub had answered a step, so that all that it would be told can be shown beforehand."""
    match step.step:
        case OfferStep.NETWORK:
            groups = {name: ids.groups.get(name, f"(id of {name})") for name in groups_of(step.version.terms)}
            return HubIds(**(ids.model_dump() | {"network": "(id of the network)", "groups": groups}))
        case OfferStep.DOCUMENT:
            return ids.model_copy(update={"document": "(id of the document)"})
        case OfferStep.OFFER | OfferStep.PRICES:
            return ids.model_copy(update={"offer": "(id of the offer)"})
        case OfferStep.MEMBERS:
            return ids
