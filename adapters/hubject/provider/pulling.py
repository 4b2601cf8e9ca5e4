"""What an EMP pulls from Hubject: EVSE data in pages, statuses, prices, and CDRs that were missed."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from adapters.core.digest import digest
from adapters.core.http import Answer as HttpAnswer
from adapters.core.http import compact_json, read_json
from adapters.core.outcomes import Delivered, Misconfigured, Outcome
from adapters.core.roaming import PulledPage, PullFailed, Record
from adapters.core.secured import SecuredClient
from adapters.hubject.errors import outcome_of
from adapters.hubject.provider.settings import CDRS, EVSE_DATA, EVSE_STATUS, PRICES, PRODUCTS, ProviderSettings
from mappings.canonical.ids import EvseId
from mappings.oicp.v2_3 import cdr_pulls, pricing, products, pulls
from mappings.oicp.v2_3.pages import Answer, Entry
from mappings.oicp.v2_3.wire import Record as WireRecord
from mappings.report import Refused

STATUS_BY_ID: Final = "evse_status_by_id"
_BIG: Final = 256 * 1024
"""Bytes from which on a body is parsed in a thread, so that drivers who wait are answered meanwhile."""


class _Question(NamedTuple):
    """One request.

    Attributes:
        read: Takes the parsed body apart; None where it is not what was asked for.
        next: Gives the cursor of the next page.
    """

    operation: str
    path: str
    body: WireRecord
    read: Callable[[Any], Answer[Any] | None]
    next: Callable[[Answer[Any]], str | None]


class Pulling:
    """Pulls over one connection.

    Args:
        now: The clock, for records without a stamp and for the span of a look for CDRs.
    """

    def __init__(self, client: SecuredClient, settings: ProviderSettings, now: Callable[[], datetime]) -> None:
        self._client, self._settings, self._now = client, settings, now

    async def pull(self, feed: str, since: datetime | None, cursor: str | None) -> PulledPage:
        """See `RoamingAdapter.pull`."""
        try:
            question = self._question(feed, since, cursor)
        except Refused as refused:
            raise PullFailed(Misconfigured(str(refused))) from None
        return await self._asked(question)

    async def pull_statuses(self, evse_keys: Sequence[str]) -> PulledPage:
        """Asks for statuses by id, 100 EVSEs a request (eRoamingPullEVSEStatusByID)."""
        records: list[Record] = []
        unreadable: list[Refused] = []
        for start in range(0, len(evse_keys), pulls.MOST_BY_ID):
            named = [EvseId(key) for key in evse_keys[start : start + pulls.MOST_BY_ID]]
            try:
                body = pulls.statuses_by_id(self._settings.provider_id, named)
            except Refused as refused:
                raise PullFailed(Misconfigured(str(refused))) from None
            path = self._settings.path("evsepull", "v21", "status-records-by-id")
            page = await self._asked(_Question(STATUS_BY_ID, path, body, pulls.read_statuses, _alone))
            records += page.records
            unreadable += page.unreadable
        return PulledPage(records, unreadable)

    def _question(self, feed: str, since: datetime | None, cursor: str | None) -> _Question:
        settings, now = self._settings, self._now()
        provider = settings.provider_id
        number = int(cursor or 0)
        paged = f"?page={number}&size={settings.page_size}"

        def following(answer: Answer[Any]) -> str | None:
            return str(number + 1) if answer.page.more else None

        match feed:
            case "evse_data":
                path = settings.path("evsepull", "v23", f"data-records{paged}")
                body = pulls.evse_data(provider, since)
                return _Question(EVSE_DATA, path, body, lambda found: pulls.read_evse_data(found, now), following)
            case "evse_status":
                operators = sorted(settings.status_operators, key=str)
                if not operators:
                    path = settings.path("evsepull", "v21", "status-records")
                    return _Question(EVSE_STATUS, path, pulls.statuses(provider), pulls.read_statuses, _alone)
                path = settings.path("evsepull", "v21", "status-records-by-operator-id")
                body = pulls.statuses_by_operator(provider, [operators[number]])
                left = str(number + 1) if number + 1 < len(operators) else None
                return _Question(EVSE_STATUS, path, body, pulls.read_statuses, lambda _: left)
            case "pricing_products":
                path = settings.path("dynamicpricing", "v10", f"pricing-products{paged}")
                body = pricing.product_data(sorted(settings.pricing_operators, key=str), since)
                return _Question(PRODUCTS, path, body, lambda found: products.read(found, now), following)
            case "evse_pricing":
                path = settings.path("dynamicpricing", "v10", f"evse-pricing{paged}")
                body = pricing.evse_prices(provider, sorted(settings.pricing_operators, key=str), since)
                return _Question(PRICES, path, body, pricing.read_evse_prices, following)
            case "charge_detail_records":
                path = settings.path("cdrmgmt", "v22", f"get-charge-detail-records-request{paged}")
                body = cdr_pulls.asking(provider, since or now - timedelta(days=settings.cdr_days), now)
                currency = settings.currency
                return _Question(
                    CDRS, path, body, lambda found: cdr_pulls.read_page(found, currency=currency, at=now), following
                )
        raise PullFailed(Misconfigured(f"Hubject has no feed {feed}"))

    async def _asked(self, question: _Question) -> PulledPage:
        kept: HttpAnswer | None = None

        def judge(answer: HttpAnswer) -> Outcome:
            nonlocal kept
            if answer.status != 200:
                return outcome_of(answer)
            kept = answer
            return Delivered()

        url = self._settings.base_url.rstrip("/") + question.path
        reply = await self._client.request(
            question.operation, "POST", url, judge=judge, body=compact_json(question.body)
        )
        if kept is None:
            raise PullFailed(reply.outcome)
        body = kept.body
        found = await asyncio.to_thread(_read, question, body) if len(body) > _BIG else _read(question, body)
        if found is None:
            raise PullFailed(outcome_of(kept))
        return found


def _read(question: _Question, body: bytes) -> PulledPage | None:
    try:
        answer = question.read(read_json(body))
    except ValueError:
        return None
    if answer is None:
        return None
    return PulledPage(
        [_record(entry) for entry in answer.entries],
        answer.unreadable,
        question.next(answer),
        answer.page.total_elements,
    )


def _record(entry: Entry[Any]) -> Record:
    return Record(entry.key, digest(entry.raw), entry.read, entry.gone)


def _alone(_answer: Answer[Any]) -> None:
    """Says that nothing follows."""
