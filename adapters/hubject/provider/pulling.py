"""What an EMP pulls from Hubject: EVSE data in pages, statuses, prices, and CDRs that were missed."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from adapters.core.http import Answer as HttpAnswer
from adapters.core.http import compact_json
from adapters.core.outcomes import Delivered, Misconfigured, Obsolete, Outcome, OutcomeUnknown
from adapters.core.roaming import PulledPage, PullFailed, Record
from adapters.core.secured import SecuredClient
from adapters.hubject.errors import PULL_OUTCOMES, outcome_of
from adapters.hubject.provider.cutting import LongAnswer
from adapters.hubject.provider.digests import of_cdr, of_record
from adapters.hubject.provider.settings import CDRS, EVSE_DATA, EVSE_STATUS, PRICES, PRODUCTS, ProviderSettings
from mappings.canonical.ids import EvseId
from mappings.oicp.v2_3 import cdr_pulls, pricing, process, products, pulls
from mappings.oicp.v2_3.cdrs import RoamingCdr
from mappings.oicp.v2_3.pages import Answer
from mappings.oicp.v2_3.wire import Record as WireRecord
from mappings.report import Issue, Refused

STATUS_BY_ID: Final = "evse_status_by_id"
LARGEST_ANSWER: Final = 256 * 1024 * 1024
"""Bytes of an answer, at most: the statuses of four million EVSEs."""

_BIG: Final = 256 * 1024
"""Bytes from which on a body is parsed in a thread; one that says only that something failed is shorter."""

_LONG: Final = 4 * 1024 * 1024
"""Bytes from which on an answer of statuses is cut."""

_PIECE: Final = 20_000
"""Statuses of a page that is cut from an answer."""

Read = Callable[[Any], Answer[Any] | None]


class _Question(NamedTuple):
    """One request.

    Attributes:
        read: Takes the parsed body apart; None where it is not what was asked for.
        next: Gives the cursor of the next page.
        digest: Of what was said of a record.
    """

    operation: str
    path: str
    body: WireRecord
    read: Read
    next: Callable[[Answer[Any]], str | None]
    digest: Callable[[Any], bytes] = of_record


class _Kept(NamedTuple):
    """An answer of which some pages are to be given yet.

    Attributes:
        cursor: By which its next page is asked for.
        number: Of that page.
        after: The cursor that follows on its last page.
    """

    cursor: str
    answer: LongAnswer
    number: int
    after: str | None


class Pulling:
    """Pulls over one connection.

    Args:
        now: The clock, for records without a stamp and for the span of a look for CDRs.
    """

    def __init__(self, client: SecuredClient, settings: ProviderSettings, now: Callable[[], datetime]) -> None:
        self._client, self._settings, self._now = client, settings, now
        self._kept: _Kept | None = None
        self._numbers = itertools.count()

    async def pull(self, feed: str, since: datetime | None, cursor: str | None) -> PulledPage:
        """See `RoamingAdapter.pull`."""
        if feed == EVSE_STATUS:
            return await self._statuses(cursor)
        if since is not None and since >= self._now():
            return PulledPage([])  # nothing has changed in time to come
        try:
            question = self._question(feed, since, cursor)
        except Refused as refused:
            raise PullFailed(Misconfigured(str(refused))) from None
        return await self._pulled(question)

    async def pull_statuses(self, evse_keys: Sequence[str]) -> PulledPage:
        """Asks for statuses by id, 100 EVSEs a request (eRoamingPullEVSEStatusByID).

        A key that is no EvseID of OICP's is unreadable.
        """
        records: list[Record] = []
        unreadable: list[Refused] = []
        named: list[EvseId] = []
        for evse_id in map(EvseId, evse_keys):
            try:
                process.told_evse(evse_id, "EvseID")
            except Refused as refused:
                unreadable.append(refused)
            else:
                named.append(evse_id)
        path = self._settings.path("evsepull", "v21", "status-records-by-id")
        for start in range(0, len(named), pulls.MOST_BY_ID):
            body = pulls.statuses_by_id(self._settings.provider_id, named[start : start + pulls.MOST_BY_ID])
            question = _Question(STATUS_BY_ID, path, body, pulls.read_statuses, _alone)
            page = await self._pulled(question)
            records += page.records
            unreadable += page.unreadable
        return PulledPage(records, unreadable)

    # What is asked

    def _question(self, feed: str, since: datetime | None, cursor: str | None) -> _Question:
        settings, now = self._settings, self._now()
        provider, operators = settings.provider_id, sorted(settings.pricing_operators, key=str)
        match feed:
            case "evse_data":
                number = int(cursor or 0)
                path = settings.path("evsepull", "v23", f"data-records?page={number}&size={settings.page_size}")
                read: Read = partial(pulls.read_evse_data, at=now)
                return _Question(EVSE_DATA, path, pulls.evse_data(provider, since), read, partial(_following, number))
            case "pricing_products":
                path = settings.path("dynamicpricing", "v10", "pricing-products")
                read = partial(products.read, at=now)
                return _Question(PRODUCTS, path, pricing.product_data(operators, since), read, _alone)
            case "evse_pricing":
                path = settings.path("dynamicpricing", "v10", "evse-pricing")
                body = pricing.evse_prices(provider, operators, since)
                return _Question(PRICES, path, body, pricing.read_evse_prices, _alone)
            case "charge_detail_records":
                return self._cdrs(since, cursor, now)
        raise PullFailed(Misconfigured(f"Hubject has no feed {feed}"))

    def _cdrs(self, since: datetime | None, cursor: str | None, now: datetime) -> _Question:
        # All pages are of one span: CDRs that arrive meanwhile would push others from one page to the next.
        page, _, stamp = (cursor or "0").partition(" ")
        number, until = int(page), datetime.fromisoformat(stamp) if stamp else now
        settings = self._settings
        tail = f"get-charge-detail-records-request?page={number}&size={settings.page_size}"
        body = cdr_pulls.asking(settings.provider_id, since or until - timedelta(days=settings.cdr_days), until)

        def following(answer: Answer[Any]) -> str | None:
            further = _following(number, answer)
            return None if further is None else f"{further} {until.isoformat()}"

        def read(body: Any) -> Answer[Any] | None:
            answer = cdr_pulls.read_page(body, currency=settings.currency, at=now)
            if answer is None:
                return None
            ours = [replace(each, read=partial(_ours, each.read, settings)) for each in answer.entries]
            return replace(answer, entries=ours)

        return _Question(CDRS, settings.path("cdrmgmt", "v22", tail), body, read, following, of_cdr)

    async def _asked(self, question: _Question) -> PulledPage | HttpAnswer:
        """Makes a request; gives the page, or the answer where it is a big one that is not looked into yet."""
        heard: PulledPage | HttpAnswer | None = None

        def judge(answer: HttpAnswer) -> Outcome:
            nonlocal heard
            if answer.status != 200:
                return outcome_of(answer, PULL_OUTCOMES)
            try:
                heard = answer if len(answer.body) > _BIG else _page(question, answer)
            except PullFailed as failed:
                return failed.outcome
            return Delivered()

        url = self._settings.base_url.rstrip("/") + question.path
        reply = await self._client.request(
            question.operation, "POST", url, judge=judge, body=compact_json(question.body)
        )
        if heard is None:
            raise PullFailed(reply.outcome)
        return heard

    async def _pulled(self, question: _Question) -> PulledPage:
        heard = await self._asked(question)
        return heard if isinstance(heard, PulledPage) else await asyncio.to_thread(_page, question, heard)

    # Statuses, which have no pages

    async def _statuses(self, cursor: str | None) -> PulledPage:
        """Gives all statuses, or those of one operator after the other; a long answer page by page."""
        if cursor is not None and not cursor.isdigit():
            if self._kept is None or self._kept.cursor != cursor:
                raise PullFailed(Obsolete("the answer from which this page would be cut is no longer here"))
            return await self._cut(self._kept)
        self._kept = None
        question, after = self._asking_statuses(int(cursor or 0))
        heard = await self._asked(question)
        if isinstance(heard, PulledPage):
            return heard
        if len(heard.body) > _LONG and (answer := await asyncio.to_thread(_gone_through, heard)) is not None:
            return await self._cut(_Kept(f"cut {next(self._numbers)}", answer, 0, after))
        return await asyncio.to_thread(_page, question, heard)

    def _asking_statuses(self, number: int) -> tuple[_Question, str | None]:
        operators = sorted(self._settings.status_operators, key=str)
        provider = self._settings.provider_id
        if operators:
            path = self._settings.path("evsepull", "v21", "status-records-by-operator-id")
            body = pulls.statuses_by_operator(provider, operators[number : number + 1])
        else:
            path, body = self._settings.path("evsepull", "v21", "status-records"), pulls.statuses(provider)
        after = str(number + 1) if number + 1 < len(operators) else None
        return _Question(EVSE_STATUS, path, body, pulls.read_statuses, lambda _: after), after

    async def _cut(self, kept: _Kept) -> PulledPage:
        """Gives the next page of an answer, and keeps the answer for those that follow."""
        last = kept.number + 1 == len(kept.answer.pages)
        cursor = kept.after if last else f"cut {next(self._numbers)}"
        page = await asyncio.to_thread(_cut_page, kept, cursor)
        self._kept = None if last or cursor is None else _Kept(cursor, kept.answer, kept.number + 1, kept.after)
        return page


def _ours(
    read: Callable[[], tuple[RoamingCdr, list[Issue]]], settings: ProviderSettings
) -> tuple[RoamingCdr, list[Issue]]:
    """Reads a CDR, and says in its leg whose driver it is, as where it comes by itself."""
    told, issues = read()
    return told._replace(leg=settings.whose(told.leg)), issues


def _page(question: _Question, heard: HttpAnswer) -> PulledPage:
    """Reads a page.

    Raises:
        PullFailed: It is none, or says that something failed.
    """
    try:
        answer = question.read(heard.json())
    except ValueError:
        answer = None
    if answer is None:
        raise PullFailed(outcome_of(heard, PULL_OUTCOMES))
    records = [Record(each.key, question.digest(each.raw), each.read, each.gone) for each in answer.entries]
    return PulledPage(records, answer.unreadable, question.next(answer), answer.page.total_elements)


def _cut_page(kept: _Kept, cursor: str | None) -> PulledPage:
    answer = pulls.read_statuses(kept.answer.body(kept.answer.pages[kept.number]))
    if answer is None:
        raise PullFailed(OutcomeUnknown("a part of the answer has no sense"))
    records = [Record(each.key, of_record(each.raw), each.read, each.gone) for each in answer.entries]
    return PulledPage(records, answer.unreadable, cursor, at_hand=cursor is not None and cursor != kept.after)


def _gone_through(heard: HttpAnswer) -> LongAnswer | None:
    """Goes through an answer of statuses; None where that is of no use, since it has another form, or none at all."""
    try:
        answer = LongAnswer(heard.body, _PIECE)
    except ValueError:
        return None
    rest = pulls.read_statuses(answer.skeleton)
    return answer if rest is not None and not rest.page.records and answer.pages else None


def _following(number: int, answer: Answer[Any]) -> str | None:
    """Gives the cursor after a page: the next page's number."""
    return str(number + 1) if answer.page.more else None


def _alone(_answer: Answer[Any]) -> None:
    """Says that nothing follows."""
