"""What becomes of every field of an offer and its prices in the NGP API; total when this module is imported."""

from collections.abc import Iterable
from typing import Final

from mappings.canonical.agreements import EvseGroup, GroupPrice, Offer, OfferTerms, OfferVersion
from mappings.canonical.tariffs import PriceComponent, Tariff, TariffElement, TariffRestrictions
from mappings.oicp.ngp.enums import COMPONENTS, DAYS
from mappings.tables import FieldRule, FieldTable

NOTES: Final = (
    "Hubject's NGP API, v1. What has no place and changes what a charge costs, or who has it, is refused, so that it is"
    " never lost; what stands below as refused says so."
)

_ID = "made by Hubject; ours is replaced"
_OURS = "not said: between the partners, and nothing to Hubject"
_REFUSED = "refused if given"


def _rules(model: str, rows: Iterable[tuple[str, str, str, str]]) -> list[FieldRule]:
    return [FieldRule(f"{model}.{name}", wire, rule, lost) for name, wire, rule, lost in rows]


OFFERS: Final = FieldTable(
    "Offers",
    (Offer, OfferTerms, OfferVersion, GroupPrice, EvseGroup),
    [
        *_rules(
            "Offer",
            [
                (
                    "id",
                    "evseNetworkName, serviceOfferId",
                    f"the network's name, at most 50; as the offer's id {_ID}",
                    "",
                ),
                ("connection", "", "the connection that it goes over", ""),
                ("cpo", "operatorId", "of the path; the connection's own alone", ""),
                ("network_group", "", _REFUSED, ""),
                ("audience", "offerToAll, subscriberPartnerIds", "by Hubject's ids, from the settings", ""),
                ("joining", "twoStepProcess", "OPEN is refused, and APPROVE of a bilateral offer", ""),
                ("title", "partnerInternalId, evseNetworkDescription", "the network's description: 250 characters", ""),
                ("description", "description", "", ""),
                ("starts", "validFrom", "whole seconds", "fractions of a second"),
                (
                    "ends",
                    "validTo, unlimited",
                    "whole seconds; left out of an unlimited offer",
                    "fractions of a second",
                ),
                ("minimum_term_days", "minimumTerm", "1 to 90, else refused", ""),
                ("cancellation_days", "cancellationPeriod", "1 or more, else refused", ""),
                ("notice_days", "periodOfNotice", "of a limited offer; of an unlimited one refused", ""),
                ("lead_time_days", "leadTime", "of an unlimited offer, 15 or more; of a limited one refused", ""),
                ("document", "uploadedAttachmentId", "by the id that Hubject gave it", ""),
            ],
        ),
        *_rules(
            "OfferTerms",
            [
                ("services", "serviceTypeVersion", "Authorization or Reservation, exactly; else refused", ""),
                ("evse_groups", "evseGroups, products.groupId", "by the ids that Hubject gave them", ""),
                ("price_source", "", "the prices are told either way; HUB is refused", ""),
                ("prices", "tariffs, products, pricingDetails", "each group's one tariff, as below", ""),
                ("rank", "", "", _OURS),
                ("tax", "", "", _OURS),
                ("rounding", "", "", _OURS),
            ],
        ),
        *_rules(
            "OfferVersion",
            [
                ("number", "nextServiceOfferId, tariffs.name", f"part of names; as an id {_ID}", ""),
                ("starts", "updateDate", "of later versions; whole seconds", "fractions of a second"),
                ("terms", "", "as above", ""),
            ],
        ),
        *_rules(
            "GroupPrice",
            [
                ("evse_group", "groupId", "by the id that Hubject gave it", ""),
                ("tariff_ids", "tariffs", "one; several are refused", ""),
            ],
        ),
        *_rules(
            "EvseGroup",
            [
                ("id", "", "Hubject's id of it is kept beside it", ""),
                ("party", "", "the EvseIDs name it", ""),
                ("name", "groupName", "two alike are refused", ""),
                ("description", "groupDescription", "", ""),
                ("evse_ids", "evseIds", "with separators; one in two groups is refused", ""),
            ],
        ),
    ],
)

PRICES: Final = FieldTable(
    "Prices",
    (Tariff, TariffElement, TariffRestrictions, PriceComponent),
    [
        *_rules(
            "Tariff",
            [
                ("party", "", "the offer's operator", "a sub-operator's, read back as the operator's"),
                ("id", "", "", "read back as the id of the EVSE group"),
                ("target", "", "refused unless the offer is for this one alone", "the offer is for it"),
                ("currency", "currency", "of the tariffs and of the product", ""),
                ("type", "", "REGULAR or none, else refused", "read back as none"),
                ("texts", "", "", "no place"),
                ("url", "", "", "no place"),
                ("min_price", "", _REFUSED, ""),
                ("max_price", "", "refused, or left out where the settings say so", "left out"),
                (
                    "elements",
                    "timePlans, pricingComponents",
                    "by what they ask for in each part of the week",
                    "how it is written",
                ),
                ("hours", "", _REFUSED, ""),
                ("start", "", "refused if later than the version's", "the offer's dates hold"),
                ("end", "", "refused if earlier than the offer's", "the offer's dates hold"),
                ("energy_mix", "", "", "no place"),
                ("last_updated", "", "read back: when the offer was changed", "no place"),
                ("unknown", "", _REFUSED, ""),
            ],
        ),
        *_rules(
            "TariffElement",
            [
                (
                    "price_components",
                    "pricingComponents",
                    "of the first element that holds, for each dimension",
                    "how it is written",
                ),
                ("restrictions", "timePlans", "by weekday and time of day; any other is refused", "how it is written"),
            ],
        ),
        *_rules(
            "TariffRestrictions",
            [
                ("start_time", "timeSlots.startTime", "", ""),
                ("end_time", "timeSlots.endTime", "the last second before it", ""),
                ("day_of_week", "daysOfTheWeek", "", ""),
                ("start_date", "", "refused unless it is past when the version starts", "it limits nothing"),
                ("end_date", "", "refused unless it comes after the offer's end", "it limits nothing"),
                *(
                    (name, "", "read from a grace period; " + _REFUSED if name == "min_duration" else _REFUSED, "")
                    for name in TariffRestrictions.model_fields
                    if name not in {"start_time", "end_time", "day_of_week", "start_date", "end_date"}
                ),
            ],
        ),
        *_rules(
            "PriceComponent",
            [
                (
                    "type",
                    "type, referenceUnit",
                    "SESSION_TIME as CHARGING_TIME and PARKING",
                    "SESSION_TIME, read back as the two",
                ),
                ("price", "cost", "net; of time per MINUTE where that is exact in 3 places, else per HOUR", ""),
                ("vat", "", "", "prices are net"),
                ("step_size", "", "above 1 refused, or left out where the settings say so", "steps of 1 Wh or 1 s"),
                ("price_rounding", "", "refused, or left out where the settings say so", "left out"),
                ("step_rounding", "", "of steps that are not said", "no place"),
                ("exact", "", "", "no place"),
                ("unknown", "", _REFUSED, ""),
            ],
        ),
    ],
)

FIELDS: Final = (OFFERS, PRICES)
ENUMS: Final = (("Prices: what for", COMPONENTS), ("Weekdays", DAYS))
