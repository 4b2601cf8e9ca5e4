"""Takes agreements over from files: what was signed in a portal that has no interface, as Gireve's Connect Place."""

import contextlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from pydantic import ValidationError

from gateway.complaints import field_errors
from gateway.outbox.projecting import Link
from gateway.services.agreement_files.members import take_members
from gateway.services.agreement_files.rows import AgreementRow, Fault, MemberRow, read
from gateway.services.links import Links
from gateway.services.offers import checking
from gateway.services.offers.announcing import OnTurned, Turned, pass_on
from gateway.services.offers.clock import Judge
from gateway.services.offers.rows import SQL as OFFERS
from gateway.services.offers.rows import StoredSubscription, read_offer, read_subscription, read_version
from gateway.services.offers.states import FINAL
from gateway.services.offers.writing import Source, Written, write_offer, write_subscription, write_version
from gateway.services.ports import Conflict, Invalid, NotFound
from gateway.services.ports.offers import AgreementImport, AgreementRefusal
from gateway.store.pool import Store, Transaction
from gateway.store.queries import Queries
from mappings.canonical.agreements import Joining, Offer, Subscription, SubscriptionState

SQL = Queries("gateway.services.agreement_files", "importing.sql")

_TOGETHER: Final = 100
"""Rows in a transaction, while which nobody publishes."""

_COLUMN_OF: Final[Mapping[str, str]] = {
    "audience": "emsp",
    "terms": "services",
    "services": "services",
    "evse_groups": "evse_groups",
    "prices": "prices",
    "rank": "rank",
    "offer": "emsp",
    "id": "id",
}
"""Columns by the fields of what is made of them, where they are not called the same."""

_UNWRITTEN: Final = re.compile(r"[^A-Za-z0-9._:-]+")


class _Undone(Exception):
    """What was tried is not to be kept."""


class AgreementImporting:
    """Implements `ports.offers.AgreementImports`.

    An agreement becomes an offer for its EMSP alone and a subscription to it, which begins and ends as the agreement.
    Other terms are another version of the offer. Rows are written one by one, each whole or not at all.

    Args:
        turned: Is told what changed, after the commit.
        judge: The clock by which all replicas go.
    """

    def __init__(self, store: Store, links: Links, turned: OnTurned, judge: Judge) -> None:
        self._store = store
        self._links = links
        self._turned = turned
        self._judge = judge

    async def take(self, connection: str, content: bytes, who: str, *, dry_run: bool = False) -> AgreementImport:
        """See `ports.offers.AgreementImports.take`."""
        link = self._links.by_name(connection)
        if link is None:
            raise NotFound(f"there is no connection {connection}", "connection")
        if link.adapter.offers.told:
            raise Invalid(("name", f"{connection} is told of offers itself, and would be told of these once more"))
        file = read(content)
        taking = _Taking(link, who, await self._judge(self._store))
        refused = list(file.refused)
        missing: list[str] = []
        with contextlib.suppress(_Undone):
            async with self._tried() if dry_run else _nothing() as tried:
                async with self._written(tried) as (tx, turned):
                    turned.extend(await taking.networks(tx, file.members, file.agreements))
                for start in range(0, len(file.agreements), _TOGETHER):
                    async with self._written(tried) as (tx, turned):
                        for row in file.agreements[start : start + _TOGETHER]:
                            turned.extend(await taking.agreement(tx, row))
                async with self._written(tried) as (tx, _):
                    missing = await taking.missing(tx)
        refused += taking.refused
        return AgreementImport(
            added=taking.added,
            changed=taking.changed,
            unchanged=taking.unchanged,
            refused=sorted(refused, key=lambda one: one.row),
            missing=missing,
        )

    @asynccontextmanager
    async def _tried(self) -> AsyncIterator[Transaction]:
        """Opens a transaction in which everything is done, and nothing kept."""
        async with self._store.transaction() as tx:
            yield tx
            raise _Undone

    @asynccontextmanager
    async def _written(self, tried: "Transaction | None") -> AsyncIterator[tuple[Transaction, list[Turned]]]:
        """Opens a transaction for some rows, and passes on what changed by it; within one that is tried, its part."""
        turned: list[Turned] = []
        if tried is not None:
            yield tried, turned
            return
        async with self._links.changing() as tx:
            yield tx, turned
        await pass_on(self._turned, turned)


class _Taking:
    """Takes the rows of one file."""

    def __init__(self, link: Link, who: str, now: datetime) -> None:
        self._link, self._who, self._now = link, who, now
        self._named: set[str] = set()
        self._unlisted: list[str] = []
        self.added = self.changed = self.unchanged = 0
        self.refused: list[AgreementRefusal] = []

    async def networks(
        self, tx: Transaction, rows: Sequence[MemberRow], agreements: Sequence[AgreementRow]
    ) -> Sequence[Turned]:
        """Writes the members of network groups."""
        taken = await take_members(tx, rows, agreements, self._who, self._now)
        for outcome in taken.outcomes:
            self._count(outcome)
        for row, error in taken.refused:
            self._refuse(row, error)
        self._unlisted = taken.gone
        return taken.turned

    # Agreements

    async def agreement(self, tx: Transaction, row: AgreementRow) -> Sequence[Turned]:
        """Writes a row whole, or refuses it."""
        offer_id = self._offer_id(row)
        self._named.add(offer_id)
        try:
            async with tx.transaction():
                outcome, turned = await self._write(tx, row, offer_id)
        except (Fault, Conflict, Invalid, NotFound) as error:
            self._refuse(row.row, error)
            return ()
        self._count(outcome)
        return turned

    async def missing(self, tx: Transaction) -> list[str]:
        """Names what came from files before and is not in this one."""
        rows = await tx.fetch(SQL["on_record"], self._link.connection.id)
        return [row["name"] for row in rows if row["id"] not in self._named] + self._unlisted

    async def _write(self, tx: Transaction, row: AgreementRow, offer_id: str) -> tuple[str, list[Turned]]:
        known = await tx.fetchrow(SQL["offer"], offer_id)
        if known is None:
            return await self._new(tx, row, offer_id)
        offer = read_offer(known).offer
        if (offer.cpo, offer.network_group, offer.audience) != (row.cpo, row.network_group, (row.emsp,)):
            raise Fault("id", f"is the agreement of {offer.cpo or offer.network_group} with others")
        stored = [read_subscription(one) for one in await tx.fetch(SQL["subscriptions"], offer_id, row.emsp.normal)]
        written = [await self._version(tx, row, offer)]
        if (told := self._subscription(row, offer, stored)) is not None:
            written.append(await self._subscribe(tx, told))
        turned = [one for each in written for one in each.turned]
        return "changed" if any(each.new or each.turned for each in written) or self._moved else "unchanged", turned

    async def _new(self, tx: Transaction, row: AgreementRow, offer_id: str) -> tuple[str, list[Turned]]:
        if self._state(row) in FINAL:
            return "unchanged", []  # it was over before anybody heard of it
        starts = row.starts or self._now
        try:
            offer = Offer(
                id=offer_id,
                connection=self._link.connection.name,
                cpo=row.cpo,
                network_group=row.network_group,
                audience=(row.emsp,),
                joining=Joining.SUBSCRIBE,
                title=row.title,
                starts=starts,
            )
        except ValidationError as error:
            fault = field_errors(error)[0]
            raise Fault(fault.field, fault.detail) from None
        await self._check(tx, row, offer)
        number, who = self._link.connection.id, self._who
        made = await write_offer(tx, offer, row.terms, number, who=who, now=self._now)
        told = self._subscription(row, offer, [])
        written = await self._subscribe(tx, told) if told is not None else made
        return "added", [*made.turned, *(written.turned if written is not made else ())]

    async def _version(self, tx: Transaction, row: AgreementRow, offer: Offer) -> Written:
        versions = [read_version(each).version for each in await tx.fetch(OFFERS["versions"], [offer.id])]
        if versions[-1].terms == row.terms:
            return Written(offer.id, False, ())
        await self._check(tx, row, offer)
        starts = row.terms_from or max(self._now, versions[-1].starts + timedelta(seconds=1))
        if starts < self._now - checking.LATE:
            raise Fault("terms_from", "is past: what was charged is not priced anew by other terms")
        return await write_version(tx, offer.id, starts, row.terms, who=self._who, now=self._now)

    async def _subscribe(self, tx: Transaction, told: Subscription) -> Written:
        return await write_subscription(tx, told, source=Source.IMPORT, who=self._who, now=self._now)

    async def _check(self, tx: Transaction, row: AgreementRow, offer: Offer) -> None:
        facts = await checking.gather(tx, offer, row.terms, self._now)
        for fault in checking.faults(self._link, offer, row.terms, facts):
            raise Fault(_column(fault.field), fault.detail)

    _moved = False

    def _subscription(
        self, row: AgreementRow, offer: Offer, stored: Sequence[StoredSubscription]
    ) -> Subscription | None:
        """Gives the subscription as the row has it; None where it stands so already."""
        self._moved = False
        state, last = self._state(row), stored[-1] if stored else None
        known = last.subscription if last is not None else None
        if known is not None and known.state in FINAL:
            if state in FINAL:
                return None
            if known.ends is None or row.starts is None or row.starts < known.ends:
                raise Fault("state", f"is over here since {_said(known.ends)}; what begins anew needs a later start")
            known = last = None
        waits = state in {SubscriptionState.REQUESTED, SubscriptionState.UNDER_REVIEW}
        starts = self._start(row, offer, last)
        ends = row.ends
        if state is SubscriptionState.ENDED and ends is None:
            ends = self._now
        cancelled = state is SubscriptionState.CANCELLED
        told = Subscription(
            id=known.id if known is not None else _subscription_id(offer.id, len(stored)),
            offer=offer.id,
            emsp=row.emsp,
            state=state,
            requested_at=known.requested_at if known is not None else self._now,
            starts=None if waits else starts,
            cancelled_at=((known.cancelled_at if known is not None else None) or self._now) if cancelled else None,
            ends=None if waits else ends,
        )
        if known is not None and told == known.model_copy(update={"why": None}):
            return None
        self._moved = known is not None
        return told

    def _start(self, row: AgreementRow, offer: Offer, last: StoredSubscription | None) -> datetime:
        known = last.subscription.starts if last is not None else None
        if row.starts is None or row.starts == known:
            return known or row.starts or max(self._now, offer.starts)
        if row.starts < offer.starts:
            raise Fault("starts", f"is before {_said(offer.starts)}, from when on the agreement is on record")
        if last is not None and last.began:
            raise Fault("starts", f"is another one than {_said(known)}, when it began")
        return row.starts

    def _state(self, row: AgreementRow) -> SubscriptionState:
        over = row.ends is not None and row.ends <= self._now
        return SubscriptionState.ENDED if over and row.state not in FINAL else row.state

    def _offer_id(self, row: AgreementRow) -> str:
        if row.id is not None:
            return row.id
        name, of = self._link.connection.name, f"{row.network}/{row.emsp.normal}"
        readable = f"{name}.{_UNWRITTEN.sub('', row.network)}.{_UNWRITTEN.sub('', row.emsp.normal)}"
        if row.title == f"{row.network} for {row.emsp.normal}" and len(readable) <= 56:
            return readable
        digest = blake2b(f"{of}/{row.title}".encode(), digest_size=6).hexdigest()
        return f"{readable[:48]}.{digest}"

    # What came of it

    def _count(self, outcome: str) -> None:
        self.added += outcome == "added"
        self.changed += outcome == "changed"
        self.unchanged += outcome == "unchanged"

    def _refuse(self, row: int, error: Fault | Conflict | Invalid | NotFound) -> None:
        match error:
            case Fault(field=field, detail=detail):
                pass
            case Invalid(problems=((field, detail), *_)):
                pass
            case _:
                field, detail = getattr(error, "field", ""), str(error)
        self.refused.append(AgreementRefusal(row, _column(field), detail))


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield None


def _column(field: str) -> str:
    """Gives the column behind a field of an offer, its terms or a subscription."""
    parts = re.split(r"[.\[]", field.removeprefix("terms."))
    return _COLUMN_OF.get(parts[0], parts[0])


def _subscription_id(offer_id: str, before: int) -> str:
    return offer_id if not before else f"{offer_id[:58]}.{before + 1}"


def _said(at: datetime | None) -> str:
    return at.isoformat(timespec="minutes") if at is not None else "long ago"
