"""What a charge will cost."""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from gateway.http.routing import Answer, Body, Call, Route, respond
from gateway.services.ports.quotes import Language, Quote, Quotes, QuoteWish

_LANGUAGE: Final = TypeAdapter[str](Language)

_WISH: Final[dict[str, Any]] = {
    "evse": {"evse_id": "NL*ABC*E1"},
    "need": {
        "target": 80,
        "battery": {"capacity": 60, "charged": 20},
        "curve": {"over": "state_of_charge", "points": [[20, 150], [80, 50]]},
        "parked": 600,
    },
    "start": "2026-05-01T10:00:00Z",
    "party": "FR*XYZ",
    "token": {"type": "APP_USER", "uid": "driver-4711"},
    "language": "fr",
}

_QUOTE: Final[dict[str, Any]] = {
    "start": "2026-05-01T10:00:00Z",
    "language": "fr",
    "evse": "NLABCE1",
    "offers": [
        {
            "connection": "gireve",
            "hub": "gireve",
            "preferred": True,
            "cpo": "NL*ABC",
            "location_id": "L1",
            "evse_uid": "E1",
            "connector_id": "1",
            "tariff": {
                "party": "NL*ABC",
                "id": "T1",
                "version": 812,
                "known_from": "2026-04-01T00:00:00Z",
                "text": "0,60 EUR par kWh, TVA comprise.",
            },
            "cost": {
                "currency": "EUR",
                "net": 18,
                "tax": 3.6,
                "gross": 21.6,
                "exact_net": 18,
                "exact_gross": 21.6,
            },
            "energy": 36,
            "charging": 1424,
            "start": "2026-05-01T10:00:00Z",
            "end": "2026-05-01T10:33:44Z",
            "lines": [
                {
                    "of": "ENERGY",
                    "element": 0,
                    "component": 0,
                    "start": "2026-05-01T10:00:00Z",
                    "end": "2026-05-01T10:23:44Z",
                    "reservation": False,
                    "used": 36,
                    "billed": 36,
                    "price": 0.5,
                    "net": 18,
                    "vat": 20,
                    "tax": 3.6,
                }
            ],
            "notes": [
                {
                    "kind": "assumed",
                    "field": "need.target",
                    "detail": "nothing is lost on the way: the battery takes what the meter counts",
                }
            ],
        },
        {
            "connection": "hubject",
            "hub": "hubject",
            "preferred": False,
            "cpo": "NL*ABC",
            "location_id": "NL*ABC*E1",
            "evse_uid": "NL*ABC*E1",
            "connector_id": "1",
            "lines": [],
            "notes": [],
            "refusal": {"why": "no_tariff", "field": "", "detail": "nobody told its tariffs"},
        },
    ],
}


class QuoteOperations:
    """`/v1/quotes`."""

    def __init__(self, quotes: Quotes) -> None:
        self._quotes = quotes

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        return [
            Route(
                "POST",
                "/v1/quotes",
                self.quote,
                "Quote a charge",
                "Quotes",
                {200: Answer("The charge, priced by every way to the EVSE or by the tariff.", Quote, example=_QUOTE)},
                body=Body("Where, what the driver needs, and when.", QuoteWish, example=_WISH),
            )
        ]

    async def quote(self, call: Call) -> web.Response:
        """Gives what a charge will cost and take, by the tariff that is known to hold at its start. Nothing is stored.

        An EVSE is quoted by every way to it, the own network's and each hub's, side by side; each is priced, or says
        why it cannot be. Whatever was not given and stands in for something is named as a note of the kind `assumed`:
        without a power, the most that the connector gives. Without the driver's EMSP, only tariffs for all hold; with
        it, each way names the agreement by which the charge would begin, whose prices hold where it has some, and what
        it may not use over the own network is refused as `no_agreement`, over a hub noted as that. Texts
        are in the tariff's own words where it has some in the language, which is the wish's, else what
        `Accept-Language` prefers, else the driver's, else English.
        """
        wish = await call.json(QuoteWish)
        if wish.token is not None and wish.party is not None:
            call.demand(wish.party)
        if wish.tariff is not None and wish.tariff.connection is None:
            call.demand(wish.tariff.party)
        elif wish.tariff is not None and wish.party is not None:
            call.demand(wish.party)  # whose prices of their own partners tell
        accepted = preferred(call.request.headers.get("Accept-Language", ""))
        return respond(await self._quotes.quote(wish, call.identity.parties, accepted), Quote)


def preferred(accepted: str) -> str | None:
    """Gives the language that an `Accept-Language` prefers (RFC 9110, section 12.5.4); None where it names none."""
    best: tuple[float, str] | None = None
    for part in accepted.split(","):
        tag, _, parameter = part.partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
            language = _LANGUAGE.validate_python(tag.strip())
        except (ValueError, ValidationError):
            continue
        if 0 < weight <= 1 and (best is None or weight > best[0]):
            best = weight, language
    return best[1] if best is not None else None
