"""The CDRs that Hubject keeps for EMPs, whether they could be forwarded or not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.hubject.sandbox.selections import party
from mappings.canonical.ids import PartyId


@dataclass(slots=True)
class Filed:
    """A CDR.

    Attributes:
        at: When Hubject received it.
        provider, operator: In normal form.
        forwarded: Whether the EMP acknowledged it.
    """

    at: datetime
    provider: str
    operator: str
    body: dict[str, Any]
    forwarded: bool = False


class Ledger:
    """All of them, in the order in which they came."""

    def __init__(self) -> None:
        self._filed: list[Filed] = []

    def file(self, filed: Filed) -> Filed:
        """Keeps a CDR."""
        self._filed.append(filed)
        return filed

    def forget(self) -> None:
        """Forgets all."""
        self._filed.clear()

    def of(self, provider: PartyId, body: dict[str, Any]) -> Iterator[Filed]:
        """Gives those that an EMP asks for: received within its range, of the sessions and operator that it names."""
        since, until = (datetime.fromisoformat(body[name]) for name in ("From", "To"))
        sessions = set(body.get("SessionID") or ())
        operator = party(body["OperatorID"]) if body.get("OperatorID") else None
        # The text names it so, the OpenAPI the other way.
        forwarded = body.get("CDRForwarded", body.get("CDRForwarder"))
        for filed in self._filed:
            if (
                filed.provider == provider.normal
                and since <= filed.at <= until
                and (not sessions or filed.body["SessionID"] in sessions)
                and operator in {None, filed.operator}
                and forwarded in {None, filed.forwarded}
            ):
                yield filed
