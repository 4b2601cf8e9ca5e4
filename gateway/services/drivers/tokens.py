"""The tokens of our own drivers: written with the wish to tell every hub, in one transaction."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Final

import asyncpg

from gateway.outbox.projecting import Link, Stored, project
from gateway.services.authorisation.admitting import uid_key
from gateway.services.cursors import decode, encode
from gateway.services.links import Links
from gateway.services.ports import BadCursor, Conflict, HubIssue, NotFound, Page, PutResult
from gateway.services.ports.driver_tokens import (
    DriverToken,
    DriverTokenFilter,
    StoredDriverToken,
    Switched,
    Whose,
)
from gateway.services.stamps import not_ahead
from gateway.services.storing import columns, load_issues, stored_driver_token
from gateway.store.growth import Growth
from gateway.store.objects import SQL as OBJECTS
from gateway.store.pool import Record, Store, Transaction
from gateway.store.queries import Queries
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.tokens import Token, TokenType
from mappings.report import Issue, IssueKind

SQL: Final = Queries("gateway.services.drivers", "tokens.sql")

_Place = tuple[str, str, str]
"""Party, type, the uid's normal form."""


@dataclass(frozen=True, slots=True)
class _Writing:
    """A token about to be written."""

    token: DriverToken
    digest: bytes
    withdrawn_at: datetime | None = None


class DriverTokens:
    """Implements `ports.DriverTokens`.

    Args:
        wake: Called after a commit that left something to tell.
        clock: Gives the present, aware.
    """

    def __init__(self, store: Store, links: Links, wake: Callable[[], None], clock: Callable[[], datetime]) -> None:
        self._store = store
        self._links = links
        self._growth = Growth(store)
        self._wake = wake
        self._clock = clock

    async def put(
        self, batch: Sequence[tuple[DriverToken, Sequence[Issue]]], who: str, *, if_revision: int | None = None
    ) -> list[PutResult]:
        """See `ports.DriverTokens.put`."""
        del who  # as with other objects, the stored revision and time say what there is to say
        latest = {_place(token): (token, issues) for token, issues in batch}
        results: dict[_Place, PutResult] = {}
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.publishing() as (tx, links):
                    results = await self._put(tx, links, latest, if_revision)
        self._wake()
        written = sum(result.outcome != "unchanged" for result in results.values())
        await self._growth.note(driver_token=written, projection=written * len(self._links.all()))
        return [results[_place(token)] for token, _ in batch]

    async def _put(
        self,
        tx: Transaction,
        links: Sequence[Link],
        latest: Mapping[_Place, tuple[DriverToken, Sequence[Issue]]],
        if_revision: int | None,
    ) -> dict[_Place, PutResult]:
        found = await tx.fetch(OBJECTS["lock_driver_tokens"], *columns(latest.keys(), 3))
        known = {_place_of(row): row for row in found}
        if if_revision is not None:
            _require_revision(found, if_revision)
        now = self._clock()
        results: dict[_Place, PutResult] = {}
        write: list[_Writing] = []
        for place, (given, translated) in latest.items():
            old = known.get(place)
            token = given if old is None else given.model_copy(update={"uid": old["uid"]})
            # Of what was given, not of what is made of it: the same again is then known to be the same.
            digest = _digest(token)
            unchanged = old is not None and old["digest"] == digest and old["withdrawn_at"] is None
            outcome = "unchanged" if unchanged else "created" if old is None else "updated"
            issues = (*translated, *_doubts(token, now))
            named = f"{token.type}/{token.uid}"
            results[place] = PutResult(token.party, named, outcome, issues)  # type: ignore[arg-type]
            if not unchanged:
                before = old["last_updated"] if old is not None else None
                write.append(_Writing(_stamped(token, before, now), digest))
        await self._write(tx, links, write, known.keys())
        return results

    async def withdraw(self, party: PartyId, type_: TokenType, uid: str, who: str) -> bool:
        """See `ports.DriverTokens.withdraw`."""
        del who
        place = (party.normal, type_.value, uid_key(uid))
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.publishing() as (tx, links):
                    found = await tx.fetch(OBJECTS["lock_driver_tokens"], *columns([place], 3))
                    row = await tx.fetchrow(SQL["get"], *place)
                    if not found or row is None or row["withdrawn_at"] is not None:
                        return False
                    now = self._clock()
                    token = _switched(_read(row), found[0]["last_updated"], now, valid=False)
                    await self._write(tx, links, [_Writing(token, _digest(token), now)], [place])
        self._wake()
        return True

    async def switch(self, whose: Whose, who: str, *, valid: bool) -> Switched:
        """See `ports.DriverTokens.switch`."""
        contract = whose.contract.normal if whose.contract is not None else None
        named = f"driver {whose.driver}" if whose.driver is not None else f"contract {whose.contract}"
        total, changed = 0, 0
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.publishing() as (tx, links):
                    rows = await tx.fetch(SQL["lock_of_driver"], whose.party.normal, whose.driver, contract)
                    if not rows:
                        raise NotFound(f"{whose.party} has no token of the {named}")
                    now = self._clock()
                    others = [row for row in rows if row["valid"] is not valid]
                    tokens = [_switched(_read(row), row["last_updated"], now, valid=valid) for row in others]
                    write = [_Writing(token, _digest(token)) for token in tokens]
                    await self._write(tx, links, write, [_place_of(row) for row in others])
                    detail = json.dumps({"tokens": len(rows), "changed": len(others)})
                    action = "unblocked" if valid else "blocked"
                    await tx.execute(SQL["audit"], who, action, f"{whose.party} {named}", detail)
                    total, changed = len(rows), len(others)
        self._wake()
        return Switched(total, changed)

    async def get(self, party: PartyId, type_: TokenType, uid: str) -> StoredDriverToken | None:
        """See `ports.DriverTokens.get`."""
        row = await self._store.fetchrow(SQL["get"], party.normal, type_.value, uid_key(uid))
        return _stored(row) if row is not None else None

    async def issues(self, party: PartyId, type_: TokenType, uid: str) -> list[HubIssue]:
        """See `ports.DriverTokens.issues`."""
        place = (party.normal, type_.value, uid_key(uid))
        row = await self._store.fetchrow(SQL["get"], *place)
        if row is None:
            return []
        found = [HubIssue("", "", "/".join(place), issue) for issue in _doubts(_read(row), self._clock())]
        for told in await self._store.fetch(SQL["issues"], *place):
            found += [
                HubIssue(told["connection"], told["operation"], told["key"], i) for i in load_issues(told["issues"])
            ]
        return found

    async def _write(
        self, tx: Transaction, links: Sequence[Link], write: Sequence[_Writing], known: Iterable[_Place]
    ) -> None:
        if not write:
            return
        rows = await tx.fetch(OBJECTS["write_driver_tokens"], *columns(map(_row, write), 11))
        numbers = {_place_of(row): row["no"] for row in rows}
        existed = set(known)
        if numbers.keys() - existed - {_place_of(row) for row in rows if row["inserted"]}:
            # Whoever stored it did so after it was looked up: repeated, this finds what there is.
            raise asyncpg.SerializationError("somebody else wrote the same token first")
        stored: list[Stored] = []
        for one in write:
            place = _place(one.token)
            # What is withdrawn has no key anywhere.
            seen = links if one.withdrawn_at is None else ()
            stored.append(stored_driver_token(seen, numbers[place], one.token, existed=place in existed))
        await project(tx, links, stored)

    async def list(self, wanted: DriverTokenFilter, after: str | None, limit: int) -> Page[StoredDriverToken]:
        """See `ports.DriverTokens.list`."""
        start = decode(after, 3) if after is not None else ("", "", "")
        if start is None:
            raise BadCursor
        parties = None if wanted.parties is None else [party.normal for party in wanted.parties]
        narrowed = (
            uid_key(wanted.uid) if wanted.uid is not None else None,
            wanted.contract.normal if wanted.contract is not None else None,
            wanted.driver,
        )
        if any(one is not None for one in narrowed):
            rows = await self._store.fetch(SQL["narrowed"], parties, *start, limit, *narrowed)
        else:
            rows = await self._store.fetch(SQL["all"], parties, *start, limit)
        return Page([_stored(row) for row in rows], encode(*_place_of(rows[-1])) if len(rows) == limit else None)


def _row(one: _Writing) -> tuple[object, ...]:
    token = one.token
    return (
        *_place(token)[:2],
        token.uid,
        uid_key(token.uid),
        token.contract_id.normal,
        token.driver,
        token.valid,
        _body(token),
        one.digest,
        token.last_updated,
        one.withdrawn_at,
    )


def _place(token: Token) -> _Place:
    return token.party.normal, token.type.value, uid_key(token.uid)


def _place_of(row: Record) -> _Place:
    return row["party"], row["type"], row["uid_key"]


def _body(token: DriverToken) -> str:
    return token.model_dump_json(exclude_defaults=True, exclude={"driver"})


def _digest(token: DriverToken) -> bytes:
    return blake2b(token.model_dump_json(exclude_defaults=True).encode(), digest_size=16).digest()


def _read(row: Record) -> DriverToken:
    token = DriverToken.model_validate_json(row["body"])
    # Validated when it was written.
    return token.model_copy(update={"driver": row["driver"]}) if row["driver"] is not None else token


def _stored(row: Record) -> StoredDriverToken:
    return StoredDriverToken(_read(row), row["withdrawn_at"] is not None, row["revision"], row["updated_at"])


def _stamped(token: DriverToken, before: datetime | None, now: datetime) -> DriverToken:
    """Gives a changed token a stamp later than it had, so that whoever pulls by date hears of the change."""
    at, _ = not_ahead(token.last_updated, now, "last_updated")
    if before is not None and at <= before:
        at = max(now, before)
    return token if at == token.last_updated else token.model_copy(update={"last_updated": at})


def _switched(token: DriverToken, before: datetime, now: datetime, *, valid: bool) -> DriverToken:
    return token.model_copy(update={"valid": valid, "last_updated": max(now, before)})


def _doubts(token: DriverToken, now: datetime) -> list[Issue]:
    """Gives what is noticed of a token on the way in."""
    issues = [doubt] if (doubt := _doubt_of(token.contract_id)) is not None else []
    _, ahead = not_ahead(token.last_updated, now, "last_updated")
    return [*issues, ahead] if ahead is not None else issues


def _doubt_of(contract: ContractId) -> Issue | None:
    if contract.well_formed:
        return None
    detail = "is no contract id by ISO 15118 or DIN SPEC 91286, which some hubs demand"
    if contract.party is not None:
        detail = f"its check digit is {contract.check_digit}, but should be {contract.expected_check_digit}"
    return Issue(IssueKind.SUSPECT, "contract_id", detail, contract.text)


def _require_revision(rows: Sequence[Record], revision: int) -> None:
    found = [row["revision"] for row in rows]
    if found != [revision]:
        stored = f"revision {found[0]} is stored" if found else "nothing is stored"
        raise Conflict(f"revision {revision} was to be written over, but {stored}")
