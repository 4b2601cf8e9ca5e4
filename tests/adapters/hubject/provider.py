"""An EMP's connection to Hubject, its drivers, and what it keeps of what was pushed, for the tests of its side."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.core.adapter import Item, Rendered
from adapters.core.outcomes import Outcome
from adapters.core.roaming import PulledPage, PullFailed, Record
from adapters.hubject.provider.adapter import ProviderAdapter
from adapters.hubject.provider.settings import ProviderSettings
from mappings.canonical.commands import EvseRef, StartSession
from mappings.canonical.ids import ContractId, EvseId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Identification, Token, TokenType, Whitelist
from tests.adapters.doubles import Measured
from tests.adapters.hubject.emps import EMS, EVCO, World

AT = datetime(2026, 6, 7, 12, 0, tzinfo=UTC)
EVSE = EvseId("NL*PLA*E1")


def provider_settings(**changes: Any) -> ProviderSettings:
    fields: dict[str, Any] = {"provider_id": EMS, "base_url": "http://127.0.0.1:1", "sandbox": True}
    return ProviderSettings.model_validate(fields | changes)


def provider(world: World | None = None, observer: Measured | None = None, **changes: Any) -> ProviderAdapter:
    """An adapter, which lives in the time of the world that it is connected to."""
    if world is not None:
        changes = {"base_url": world.running.url} | changes
    now = world.wall if world is not None else lambda: AT
    return ProviderAdapter("hubject-emp", provider_settings(**changes), observer or Measured(), now)


def driver(uid: str = "04E8A1B2C3D480", **changes: Any) -> Token:
    """A card that may be known to Hubject."""
    fields: dict[str, Any] = {
        "party": EMS,
        "uid": uid,
        "type": TokenType.RFID,
        "contract_id": ContractId(EVCO),
        "issuer": "EMS",
        "valid": True,
        "whitelist": Whitelist.ALWAYS,
        "last_updated": AT,
    }
    return Token(**(fields | changes))


def start(evse_id: EvseId = EVSE, **changes: Any) -> StartSession:
    who = Identification(type=TokenType.APP_USER, contract_id=ContractId(EVCO))
    fields: dict[str, Any] = {"emsp_session": "permit-1", "emsp": EMS, "identification": who}
    return StartSession(at=EvseRef(evse_id=evse_id), emsp=EMS, leg=Leg(**(fields | changes)))


async def pages(adapter: ProviderAdapter, feed: str, since: datetime | None = None) -> list[PulledPage]:
    """Pulls to the end."""
    found = [await adapter.pull(feed, since, None)]
    while found[-1].cursor is not None:
        assert len(found) < 100, "the pages have no end"
        found.append(await adapter.pull(feed, since, found[-1].cursor))
    return found


def records(found: Iterable[PulledPage]) -> list[Record]:
    return [record for page in found for record in page.records]


def keys(found: Iterable[PulledPage]) -> list[str]:
    """Gives the second part of every key: the EVSE's, the tariff's, the CDR's."""
    return [record.key[1] for record in records(found)]


async def failure(
    adapter: ProviderAdapter, feed: str, since: datetime | None = None, cursor: str | None = None
) -> Outcome:
    with pytest.raises(PullFailed) as failed:
        await adapter.pull(feed, since, cursor)
    return failed.value.outcome


class Held:
    """The projections of drivers, as the outbox keeps them."""

    def __init__(self, adapter: ProviderAdapter) -> None:
        self.adapter = adapter
        self.known: dict[str, Rendered] = {}

    def items(self, *tokens: Token, gone: bool = False) -> list[Item]:
        """Claims a projection of each; `gone` has them withdrawn."""
        found = []
        for token in tokens:
            (key,) = self.adapter.keys(token.model_copy(update={"valid": True, "whitelist": Whitelist.ALWAYS}))
            before = self.known.get(key.key)
            sent_as, accepted = (before.sent_as, before.fingerprint) if before else (None, None)
            found.append(Item("authentication_data", key.key, "", None, token, None, gone, sent_as, accepted))
        return found

    async def deliver(self, items: Sequence[Item], *, full_load: bool = False) -> list[tuple[str, Outcome]]:
        """Makes the calls of a plan; gives the action and the outcome of each."""
        plan = self.adapter.plan("authentication_data", items, full_load=full_load)
        told: list[tuple[str, Outcome]] = []
        for call in plan.calls:
            told.append((call.action, await self.adapter.send(call)))
            self.settled(call.settles)
        return told

    def settled(self, rendered: Iterable[Rendered]) -> None:
        for each in rendered:
            if each.sent_as is None:
                self.known.pop(each.item.key, None)
            else:
                self.known[each.item.key] = each


def tried(items: Iterable[Item], attempts: int = 1) -> list[Item]:
    return [replace(item, attempts=attempts) for item in items]
