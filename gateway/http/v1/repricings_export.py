"""Repricings in a mass, piece by piece, as JSON lines and as a table."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import fields
from typing import Any, Final, TypeAlias

from gateway.http.routing import adapter_of
from gateway.http.tables import CSV, NDJSON, csv_rows
from gateway.services.ports.repricing import RepricingView

__all__ = ["CSV", "NDJSON", "lines", "table"]

Pages: TypeAlias = AsyncIterator[Sequence[RepricingView]]

_NESTED: Final = frozenset({"decided", "agreement"})
_COLUMNS: Final = tuple(each.name for each in fields(RepricingView) if each.name not in _NESTED)
_AGREEMENT: Final = ("offer", "offer_version", "subscription")
_DECIDED: Final = ("decided_why", "decided_who", "decided_at", "agreed_net")


async def lines(pages: Pages) -> AsyncIterator[bytes]:
    """Writes a JSON line for each."""
    adapter = adapter_of(RepricingView)
    async for page in pages:
        yield b"".join(adapter.dump_json(one, exclude_none=True) + b"\n" for one in page)


async def table(pages: Pages) -> AsyncIterator[bytes]:
    """Writes CSV, with a line of names."""
    yield csv_rows([(*_COLUMNS, *_AGREEMENT, *_DECIDED)])
    async for page in pages:
        yield csv_rows([_row(one) for one in page])


def _row(one: RepricingView) -> Sequence[object]:
    shown: dict[str, Any] = adapter_of(RepricingView).dump_python(one, mode="json")
    agreement = shown.pop("agreement") or {}
    under = (agreement.get("offer"), agreement.get("version"), agreement.get("subscription"))
    decided = shown.pop("decided") or {}
    agreed = decided.get("agreed") or {}
    told = (decided.get("why"), decided.get("who"), decided.get("at"), agreed.get("net"))
    return [*(shown[name] for name in _COLUMNS), *under, *told]
