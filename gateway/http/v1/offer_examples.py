"""Examples of offers, subscriptions and groups, shown in the API's description."""

from typing import Any, Final

TERMS: Final[dict[str, Any]] = {
    "services": ["poi", "status", "authorise", "remote", "cdr"],
    "evse_groups": ["abc-ac", "abc-dc"],
    "price_source": "AGREED",
    "prices": [
        {"evse_group": "abc-ac", "tariff_ids": ["AC-2027"]},
        {"evse_group": "abc-dc", "tariff_ids": ["DC-2027"]},
    ],
}

OFFER: Final[dict[str, Any]] = {
    "offer": {
        "id": "abc-xyz-2027",
        "connection": "hubject",
        "cpo": "FR*ABC",
        "audience": ["DE*XYZ"],
        "joining": "APPROVE",
        "title": "ABC for XYZ",
        "starts": "2027-01-01T00:00:00Z",
        "minimum_term_days": 30,
        "cancellation_days": 42,
        "notice_days": 42,
        "lead_time_days": 42,
        "document": "abc-terms",
    },
    "terms": TERMS,
}

VERSION: Final[dict[str, Any]] = {
    "starts": "2027-07-01T00:00:00Z",
    "terms": {**TERMS, "prices": [{"tariff_ids": ["ONE-2027"]}]},
}

OFFER_SHOWN: Final[dict[str, Any]] = {
    "offer": OFFER["offer"],
    "state": "PUBLISHED",
    "ours": True,
    "versions": [
        {
            "number": 1,
            "starts": "2027-01-01T00:00:00Z",
            "state": "COMING",
            "terms": TERMS,
            "created_at": "2026-11-02T09:00:00Z",
            "created_by": "key 3 (the tariff desk)",
        }
    ],
    "published_at": "2026-11-02T09:05:00Z",
    "subscriptions": {"ACTIVE": 1, "REQUESTED": 2},
    "hub": {"ids": {"network": "5d1c", "groups": {"abc-ac": "77a0", "abc-dc": "77a1"}}, "pending": ["offer"]},
}

HUB_IDS: Final[dict[str, Any]] = OFFER_SHOWN["hub"]["ids"]

SUBSCRIPTION: Final[dict[str, Any]] = {"offer": "abc-xyz-2027", "emsp": "DE*XYZ", "starts": "2027-01-01T00:00:00Z"}

SUBSCRIPTION_SHOWN: Final[dict[str, Any]] = {
    "subscription": {
        "id": "s-7",
        "offer": "abc-xyz-2027",
        "emsp": "DE*XYZ",
        "state": "CANCELLED",
        "requested_at": "2026-11-03T08:00:00Z",
        "starts": "2027-01-01T00:00:00Z",
        "cancelled_at": "2027-03-01T08:00:00Z",
        "ends": "2027-04-12T08:00:00Z",
        "why": "We leave the country",
    },
    "connection": "home",
    "by_hub": False,
    "cpo": "FR*ABC",
}

NETWORK_GROUP: Final[dict[str, Any]] = {
    "id": "the-alps",
    "name": "Networks of the Alps",
    "members": [
        {"party": "FR*ABC", "since": "2026-01-01T00:00:00Z"},
        {"party": "CH*DEF", "since": "2026-06-01T00:00:00Z", "until": "2028-01-01T00:00:00Z"},
    ],
}

EVSE_GROUP: Final[dict[str, Any]] = {
    "id": "abc-dc",
    "party": "FR*ABC",
    "name": "Fast charging",
    "description": "All of 50 kW and more",
    "evse_ids": ["FR*ABC*E1", "FR*ABC*E2"],
}

MEMBERS: Final[dict[str, Any]] = {"add": ["FR*ABC*E3"], "remove": ["FR*ABC*E1"]}

PREVIEW: Final[dict[str, Any]] = {**OFFER, "at": "2027-01-04T10:00:00Z", "emsps": ["DE*XYZ"]}

PREVIEW_SHOWN: Final[dict[str, Any]] = {
    "at": "2027-01-04T10:00:00Z",
    "locations": 12,
    "evses": 40,
    "emsps": [
        {
            "emsp": "DE*XYZ",
            "name": "XYZ Mobility",
            "needs": "be approved",
            "services": ["poi", "status", "authorise", "remote", "cdr"],
            "now": ["poi"],
            "locations": 12,
            "evses": 40,
        }
    ],
    "prices": [
        {
            "group": "abc-dc",
            "tariff_id": "DC-2027",
            "sample": "20 kWh in 30 minutes, Monday 10:00",
            "currency": "EUR",
            "net": 9.8,
            "gross": 11.76,
        }
    ],
    "problems": [["starts", "is less than 42 days ahead, which the hub demands"]],
    "overlapping": [["abc-all", "this one goes before it, since it names its EMSPs"]],
}

DRIFT: Final[dict[str, Any]] = {
    "connection": "hubject",
    "kind": "FIELD",
    "subject": "offer/abc-xyz-2027",
    "field": "cancellation_days",
    "ours": 42,
    "theirs": 30,
    "first_seen_at": "2027-01-02T03:00:00Z",
    "last_seen_at": "2027-01-05T03:00:00Z",
    "times": 3,
}

SETTLED: Final[dict[str, Any]] = {name: DRIFT[name] for name in ("connection", "kind", "subject", "field")}

IMPORTED: Final[dict[str, Any]] = {
    "added": 40,
    "changed": 2,
    "unchanged": 311,
    "refused": [{"row": 17, "field": "emsp", "detail": "is no party id"}],
    "missing": ["FR*ABC/DE*OLD"],
}
