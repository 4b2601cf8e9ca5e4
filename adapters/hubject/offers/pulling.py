"""A CPO's offers read back: Hubject's list of them, then the versions before each that has some."""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import quote

from adapters.core.http import Answer
from adapters.core.outcomes import Delivered, Outcome
from adapters.core.roaming import PulledPage, PullFailed, Record
from adapters.core.secured import SecuredClient
from adapters.hubject.offers.answers import judge
from adapters.hubject.offers.rendering import Rendering
from adapters.hubject.provider.digests import of_record
from mappings.canonical.ids import PartyId
from mappings.oicp.ngp import offers_in, wire_in
from mappings.report import Refused

T = TypeVar("T")

INFO: Final = "offers_info"
HISTORY: Final = "offers_history"
_NOT_FOUND: Final = 404


async def asked(
    client: SecuredClient, operation: str, url: str, read: Callable[[Any], T], gone: Callable[[Answer], T] | None = None
) -> T:
    """Asks for one thing.

    Args:
        read: Takes the body apart; raises ValueError where it has no sense.
        gone: What HTTP 404 stands for; None where that is a failure.

    Raises:
        PullFailed: It did not come.
    """
    found: list[T] = []

    def taken(body: Any) -> Outcome:
        found.append(read(body))
        return Delivered()

    def judged(answer: Answer) -> Outcome:
        if answer.status == _NOT_FOUND and gone is not None:
            found.append(gone(answer))
            return Delivered()
        return judge(answer, taken)

    reply = await client.request(operation, "GET", url, judge=judged)
    if not found or not isinstance(reply.outcome, Delivered):
        raise PullFailed(reply.outcome)
    return found[0]


class OffersPulling:
    """Reads one operator's offers."""

    def __init__(self, client: SecuredClient, base: str, paths: Rendering, operator: PartyId) -> None:
        self._client, self._operator = client, operator
        self._url = f"{base}{paths.offers}"

    async def pull(self, cursor: str | None) -> PulledPage:
        """Gives Hubject's list; then, one after the other, what was before the offers that the cursor names.

        Raises:
            PullFailed: It did not come.
        """
        if cursor is None:
            listed = await asked(self._client, INFO, f"{self._url}/info", _listed)
            return self._page(listed, [*_with_past(listed)])
        first, *rest = json.loads(cursor)
        url = f"{self._url}/{quote(first, safe='')}/historical-versions-info"
        # 404: it is none of the active unlimited ones any more.
        return self._page(await asked(self._client, HISTORY, url, _listed, lambda _: ()), rest)

    def _page(self, listed: Sequence[Any], rest: Sequence[str]) -> PulledPage:
        records, unreadable = [], []
        for raw in listed:
            try:
                key = (self._operator.normal, offers_in.offer_id(raw))
            except Refused as refused:
                unreadable.append(refused)
                continue
            records.append(Record(key, of_record(raw), partial(offers_in.offer, raw, self._operator)))
        return PulledPage(records, unreadable, json.dumps(rest) if rest else None)


def _listed(body: Any) -> Sequence[Any]:
    return wire_in.OffersInfo.model_validate(body).offers_info or ()


def _with_past(listed: Iterable[Any]) -> Iterable[str]:
    for raw in listed:
        said = raw.get("serviceOffer") if isinstance(raw, dict) else None
        if isinstance(said, dict) and said.get("previousServiceOfferId") and isinstance(said.get("id"), str):
            yield said["id"]
