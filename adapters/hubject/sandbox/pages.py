"""A request of an EMP that was admitted, and the pages that some are answered with (OICP 2.3 EMP, Pagination)."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from aiohttp import web
from pydantic_core import to_json

from adapters.hubject.sandbox.partners import Provider
from adapters.hubject.sandbox.pull_faults import PullFault
from adapters.hubject.sandbox.state import HubjectSandbox, without_nulls

STANDARD_SIZE: Final = 20
"""Records of a page where an EMP names no number."""
MOST_SIZE: Final = 2000
"""Records of a page where it names a greater one."""


class Page(NamedTuple):
    """Which page is asked for, counted from 0, and of how many records."""

    number: int
    size: int


class Asked(NamedTuple):
    """A request that was admitted.

    Attributes:
        provider: Who asks.
        body: Its message, whose shape is right.
        page: What page it names; for those that know none, the standard.
    """

    sandbox: HubjectSandbox
    provider: Provider
    body: dict[str, Any]
    page: Page


def page_of(request: web.Request) -> Page:
    """Reads `?page=0&size=20`; what is no number is passed over, and a size beyond the greatest is cut down."""
    number, size = (_figure(request.query.get(name)) for name in ("page", "size"))
    return Page(number or 0, min(size or STANDARD_SIZE, MOST_SIZE))


def _figure(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None


def page_answer(content: Sequence[bytes], page: Page, total: int, lie: PullFault | None = None) -> web.Response:
    """Writes a page.

    Args:
        content: The page's records, JSON.
        total: Records of all pages.
        lie: By how much the number of pages is wrong.
    """
    true_pages = pages_of(page, total)
    said_pages = true_pages + (lie.by if lie else 0)
    tail = {
        "number": page.number,
        "size": page.size,
        "totalElements": total,
        "last": page.number >= (said_pages if lie and lie.along else true_pages) - 1,
        "totalPages": said_pages,
        "first": page.number == 0,
        "numberOfElements": len(content),
        "StatusCode": without_nulls("000"),
    }
    raw = b'{"content":[' + b",".join(content) + b"]," + to_json(tail)[1:]
    return web.Response(body=raw, content_type="application/json")


def pages_of(page: Page, total: int) -> int:
    """Counts pages."""
    return -(-total // page.size)
