"""Pulling from IOP page by page (OCPI 2.2.1, transport_and_format, Pagination; guide, EMSP side).

A list is asked for as each of our EMSPs in turn, since IOP gives each the CPOs that it has a contract with. What a page
holds is kept as it came, and read when the gateway wants it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.core import ocpi
from adapters.core.http import Answer, UrlRefused, holds_nul
from adapters.core.outcomes import Delivered, Misconfigured, Outcome, OutcomeUnknown
from adapters.core.roaming import FeedKind, PulledPage, PullFailed, Record
from adapters.gireve.errors import judge
from adapters.gireve.line import Line
from adapters.gireve.records import records_of
from adapters.gireve.settings import Settings
from mappings.canonical.ids import PartyId
from mappings.ocpi import times
from mappings.report import Refused

MAX_PAGE: Final = 64 * 1024 * 1024
"""Bound on a page's body, bytes: a hundred locations of large sites."""

_MOST_PAGES = 1_000_000
_ASIDE = 256 * 1024
_LONGEST_NUMBER = 15


class Cursor(BaseModel):
    """Where the next page begins.

    Attributes:
        speaker: Which of our EMSPs asks.
        url: Of the page; None for the first.
        page: Its number for that EMSP, from 0.
        linked: A `Link` led to it, so that the platform may be trusted to say where there is no more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    speaker: Annotated[int, Field(ge=0)] = 0
    url: str | None = None
    page: Annotated[int, Field(ge=0)] = 0
    linked: bool = False


class _Read(NamedTuple):
    """What a page holds, and how many objects that was, repeated ones too."""

    records: list[Record]
    unreadable: list[Refused]
    length: int


class Pulling:
    """Pulls over one connection.

    Args:
        line: With `MAX_PAGE` as the bound on answers.
        speakers: Gives the EMSPs that the connection speaks for.
        now: The clock.
    """

    def __init__(
        self,
        line: Line,
        settings: Settings,
        speakers: Callable[[], Awaitable[Sequence[PartyId]]],
        now: Callable[[], datetime],
    ) -> None:
        self._line, self._settings, self._speakers, self._now = line, settings, speakers, now

    async def pull(self, feed: str, kind: FeedKind, since: datetime | None, cursor: str | None) -> PulledPage:
        """See `RoamingAdapter.pull`."""
        at = _read_cursor(cursor)
        speakers = await self._speakers()
        if at.speaker >= len(speakers):
            if not speakers:
                raise PullFailed(Misconfigured("the connection speaks for no EMSP, in whose name to ask"))
            return PulledPage((), cursor=None)
        url = at.url or self._first(feed, since)
        answer = await self._asked(feed, url, speakers[at.speaker])
        page = await self._read(answer, url, kind, speakers)
        following = self._following(url, at, answer, page.length)
        if following is None and at.speaker + 1 < len(speakers):
            following = Cursor(speaker=at.speaker + 1)
        return PulledPage(
            page.records,
            page.unreadable,
            None if following is None else following.model_dump_json(exclude_defaults=True),
            _total(answer),
            part=speakers[at.speaker].normal,
        )

    def _first(self, feed: str, since: datetime | None) -> str:
        endpoint = self._line.endpoint(f"{feed}/SENDER")
        if isinstance(endpoint, Misconfigured):
            raise PullFailed(endpoint)
        query = {"offset": "0", "limit": str(self._settings.pull_page)}
        if since is not None:
            # Nothing has changed in the future yet, and a platform may refuse to be asked for it.
            query["date_from"] = times.write(min(since, self._now()))
        return _with_query(endpoint, query)

    async def _asked(self, feed: str, url: str, speaker: PartyId) -> Answer:
        try:
            checked = self._settings.checked(url)
        except UrlRefused as refused:
            raise PullFailed(Misconfigured(f"the next page may not be called: {refused}")) from None

        def understood(got: Answer) -> Outcome:
            return judge(got, "GET", self._now())

        reply = await self._line.request(f"pull_{feed}", "GET", checked, None, speaker, understood)
        if not isinstance(reply.outcome, Delivered):
            raise PullFailed(reply.outcome)
        if reply.answer is None:
            raise PullFailed(OutcomeUnknown("no answer"))
        return reply.answer

    async def _read(self, answer: Answer, url: str, kind: FeedKind, emsps: Sequence[PartyId]) -> _Read:
        if len(answer.body) > _ASIDE:
            return await asyncio.to_thread(_page, answer, url, kind, self._now(), emsps)
        return _page(answer, url, kind, self._now(), emsps)

    def _following(self, url: str, at: Cursor, answer: Answer, found: int) -> Cursor | None:
        """Says where the next page is: where `Link` leads; without one behind what was found, as long as there is more.

        A page may be empty in the midst, where nothing on it could be told. Whoever never links is asked until a page
        is not full, whatever they say of the number of their objects.
        """
        link = ocpi.next_page(answer.headers)
        if link is not None:
            following = _joined(url, link)
            if following == url or _backwards(url, following) or at.page >= _MOST_PAGES:
                raise PullFailed(OutcomeUnknown("Link leads round in a circle"))
            return at.model_copy(update={"url": following, "page": at.page + 1, "linked": True})
        asked = _query(url)
        offset = (_number(asked.get("offset")) or 0) + found
        most = [each for each in (_number(asked.get("limit")), _whole(answer.headers, "X-Limit")) if each]
        full = found >= min(most, default=0) and not at.linked
        if not found or not (full or offset < (_total(answer) or 0)):
            return None
        following = _with_query(url, {"offset": str(offset)})
        return at.model_copy(update={"url": following, "page": at.page + 1})


def _read_cursor(cursor: str | None) -> Cursor:
    if cursor is None:
        return Cursor()
    try:
        return Cursor.model_validate_json(cursor)
    except ValidationError:
        raise PullFailed(OutcomeUnknown("the cursor is none of ours")) from None


def _page(answer: Answer, url: str, kind: FeedKind, received: datetime, emsps: Sequence[PartyId]) -> _Read:
    found = ocpi.said(answer)
    data = None if found is None else found.data
    if data is None and found is not None and _nothing_expected(answer, url):
        data = []
    if not isinstance(data, list):
        raise PullFailed(OutcomeUnknown("the answer has no list"))
    records, unreadable = records_of(kind, data, received, emsps, spoilt=holds_nul(answer.body))
    return _Read(records, unreadable, len(data))


def _nothing_expected(answer: Answer, url: str) -> bool:
    """Tells whether a list that is null can be taken for an empty one: the platform itself says there is no more."""
    total = _total(answer)
    return total is not None and total <= (_number(_query(url).get("offset")) or 0)


def _total(answer: Answer) -> int | None:
    return _whole(answer.headers, "X-Total-Count")


def _whole(headers: Mapping[str, str], name: str) -> int | None:
    return _number(headers.get(name, "").strip())


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else None


def _joined(url: str, link: str) -> str:
    try:
        return urljoin(url, link)
    except ValueError:
        return link  # no URL at all, and refused as such when it is asked for


def _backwards(url: str, following: str) -> bool:
    """Tells whether a link leads to a page that has been, as far as offsets tell."""
    try:
        offsets = [_number(_query(each).get("offset")) for each in (url, following)]
    except ValueError:
        return False  # no URL at all, and refused as such when it is asked for
    before, after = offsets
    return before is not None and after is not None and after < before


def _query(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def _with_query(url: str, query: Mapping[str, str]) -> str:
    merged = _query(url) | dict(query)
    return urlunsplit(urlsplit(url)._replace(query=urlencode(merged, safe=":")))
