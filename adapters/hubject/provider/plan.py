"""Turns projections of driver tokens into pushes of authentication data (OICP 2.3, PushAuthenticationData). Pure."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from adapters.core.adapter import Item, Plan, WireKey
from adapters.core.http import compact_json
from adapters.hubject import planning
from adapters.hubject.planning import Kind, Written
from adapters.hubject.provider.settings import TOKENS, ProviderSettings
from mappings.canonical.tokens import Token, TokenType
from mappings.oicp.v2_3 import authentication
from mappings.oicp.v2_3.wire import Record
from mappings.report import Refused


def keys(token: Token, settings: ProviderSettings) -> Iterable[WireKey]:
    """Names a token that Hubject shall know; one that is blocked, or whose drivers have to be asked for, has no key.

    Nor has a QR code, since its PIN, which OICP demands, is kept nowhere: Hubject asks for its drivers.
    """
    ours = settings.authentication and token.party in settings.providers
    if ours and token.type is not TokenType.QR_CODE and authentication.pushed(token):
        yield WireKey(TOKENS, f"{token.party}/{token.type}/{token.uid.casefold()}", "")


def make_plan(items: Sequence[Item], settings: ProviderSettings, *, full_load: bool) -> Plan:
    """Makes the plan for tokens; see `planning.make_plan`."""
    kind = Kind(
        operation=TOKENS,
        path=settings.path("authdata", "v21", "push-request"),
        most=settings.authentication_batch,
        write=partial(_write, settings),
        message=lambda action, records: authentication.push(action, settings.provider_id, records),
        name=_name,
        tombstone=_tombstone,
        known_as=_known_as,
    )
    return planning.make_plan(kind, [_now(item) for item in items], full_load=full_load)


def _now(item: Item) -> Item:
    """Gives an item as it is now: a token that was blocked after its projection was made is gone at once."""
    token = item.subject
    blocked = isinstance(token, Token) and not authentication.pushed(token)
    return replace(item, gone=True) if blocked and not item.gone else item


def _write(settings: ProviderSettings, items: Sequence[Item]) -> Iterator[Written]:
    taken: set[str] = set()
    for item in items:
        if not isinstance(item.subject, Token):
            yield Written(item, Refused("", "no driver token"), ())
            continue
        try:
            written, issues = authentication.from_canonical(item.subject, settings.provider_id)
        except Refused as refused:
            yield Written(item, refused, ())
            continue
        if written.key in taken:
            # One body that names a card twice is refused whole.
            twice = Refused("uid", "Hubject would not tell it from another token with the same number or contract")
            yield Written(item, twice, issues)
            continue
        taken.add(written.key)
        yield Written(item, written.record, issues)


def _name(record: Record) -> str:
    """Names a record by all that it says: a delete names the record whole, and one that reads otherwise is another."""
    return compact_json(record).decode()


def _tombstone(name: str) -> Record:
    record: Record = json.loads(name)
    return record


def _known_as(item: Item) -> str | None:
    if item.sent_as is not None or not item.attempts or not isinstance(item.subject, Token):
        return item.sent_as
    # An insert that was tried may have been acted upon without an answer.
    try:
        written, _ = authentication.from_canonical(item.subject, item.subject.party)
    except Refused:
        return None
    return _name(written.record)
