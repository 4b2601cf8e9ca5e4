"""How long it takes to decide by many agreements, to read them, and until every replica decides by a change."""

import asyncio
import gc
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from gateway.agreements.book import Book, Offered, build
from gateway.agreements.policy import Reason, Request, decide
from gateway.agreements.repository import Agreements
from gateway.app import App, running
from gateway.cli.bench.figures import Figure
from gateway.cli.percentiles import percentile
from gateway.settings import Settings
from gateway.store.migrate import migrate
from gateway.store.pool import Store
from gateway.store.secrets import Cipher
from mappings.canonical.agreements import (
    EVERY_SERVICE,
    Joining,
    Offer,
    OfferState,
    OfferTerms,
    OfferVersion,
    Service,
    Subscription,
    SubscriptionState,
)
from mappings.canonical.ids import PartyId

MANY: Final = 10_000
EVSES: Final = 1_000_000
REPLICAS: Final = 3
CHANGES: Final = 10

_PLAIN_GOAL: Final = 20.0
_GROUPS_GOAL: Final = 50.0
_SEEN_GOAL: Final = 5.0
"""All replicas are in this process here, which reads what it has for each of them."""
_ASKED: Final = 50_000
_GROUPS: Final = 1_000
_CPOS: Final = 100
_WAY: Final = 1
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_NOW: Final = _START + timedelta(days=90)
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SOLD: Final = EVERY_SERVICE - {Service.RESERVATION}


async def measure(url: str, *, many: int = MANY, evses: int = EVSES) -> list[Figure]:
    """Decides, reads and changes."""
    return [
        *_decided(many, evses),
        *await _stored(url, many, evses),
    ]


# Deciding


def _decided(many: int, evses: int) -> Iterator[Figure]:
    offers = list(_offers(many))
    before = _resident()
    began = time.perf_counter()
    book = build(offers, {}, {})
    made = 1000 * (time.perf_counter() - began)
    yield Figure.of(f"agreements: the book of {many:,}, made", made, "ms", better="less")
    yield Figure.of("agreements: its memory", (_resident() - before) / 2**20, "MB", better="less")
    chance = random.Random(1)
    asked = [_request(chance, many) for _ in range(_ASKED)]
    yield from _timed(f"decide, {many:,} agreements", book, asked, _PLAIN_GOAL)
    unknown = [Request(one.service, one.party) for one in asked]
    yield from _timed(f"decide, {many:,} agreements, EMSP not known", book, unknown, _PLAIN_GOAL)
    alone = build(list(_offers(many, 1)), {}, {})
    yield from _timed(f"decide, {many:,} agreements of one network", alone, list(_of_one(many)), _PLAIN_GOAL)
    yield from _nobodys(f"decide, {many:,} of one network, what nobody has", alone)

    members = _members(evses)
    before = _resident()
    scoped = build(list(_offers(many, groups=10)), {}, members)
    chance = random.Random(2)
    asked = [_request(chance, many, evses) for _ in range(_ASKED)]
    yield from _timed(f"decide, {evses:,} EVSEs in {_GROUPS:,} groups", scoped, asked, _GROUPS_GOAL)
    wide = build(list(_offers(many, groups=_GROUPS // 2)), {}, members)
    yield from _timed(f"decide, {evses:,} EVSEs, {_GROUPS // 2} groups in each offer", wide, asked, _GROUPS_GOAL)


def _timed(name: str, book: Book, asked: Sequence[Request], goal: float) -> Iterator[Figure]:
    """Decides each request by itself; the clock's own time is taken off."""
    for request in asked[:1000]:
        decide(book, _WAY, request, _NOW)
    gc.collect()
    took: list[int] = []
    clock = time.perf_counter_ns
    for request in asked:
        began = clock()
        decide(book, _WAY, request, _NOW)
        took.append(clock() - began)
    idle = -sorted(clock() - clock() for _ in range(1000))[500]
    ordered = sorted((one - idle) / 1000 for one in took)
    reasons = {decide(book, _WAY, request, _NOW).reason for request in asked}
    if not reasons & {Reason.AGREED} or Reason.UNRESTRICTED in reasons:
        raise RuntimeError(f"{name}: decided {reasons}")
    yield Figure.of(f"{name}, mean", sum(ordered) / len(ordered), "µs", goal, better="less")
    yield Figure.of(f"{name}, p99", percentile(ordered, 0.99), "µs", goal, better="less")


def _nobodys(name: str, book: Book) -> Iterator[Figure]:
    """Decides what no agreement gives and no EMSP is named for, of which all of them have to be asked."""
    request = Request(Service.RESERVATION, _cpo(0))
    began = time.perf_counter()
    for _ in range(100):
        decide(book, _WAY, request, _NOW)
    took = (time.perf_counter() - began) / 100 * 1e6
    yield Figure.of(name, took, "µs", _PLAIN_GOAL, better="less")


def _request(chance: random.Random, many: int, evses: int | None = None) -> Request:
    """Draws a request: of who has an agreement, mostly; of who has none; of a service that nobody sells."""
    number = chance.randrange(many)
    emsp = _emsp(number // _CPOS) if chance.random() < 0.8 else _emsp(many)
    service = chance.choice((Service.AUTHORISE, Service.REMOTE, Service.POI, Service.RESERVATION))
    key = f"E{chance.randrange(evses)}" if evses is not None else None
    return Request(service, _cpo(number % _CPOS), emsp, key)


def _of_one(many: int) -> Iterator[Request]:
    """Gives requests to a network with which everybody has agreed, also for what it sells to nobody."""
    chance = random.Random(3)
    for _ in range(_ASKED):
        emsp = _emsp(chance.randrange(many)) if chance.random() < 0.9 else None
        service = chance.choice((Service.AUTHORISE, Service.REMOTE))
        yield Request(service, _cpo(0), emsp)


def _offers(many: int, cpos: int = _CPOS, groups: int = 0) -> Iterator[Offered]:
    """Gives offers, each for one EMSP that subscribed to it, spread over CPOs."""
    chance = random.Random(4)
    for number in range(many):
        cpo, emsp = _cpo(number % cpos), _emsp(number // cpos)
        named = tuple(f"g{each}" for each in chance.sample(range(_GROUPS), groups))
        offer = Offer(
            id=f"o{number}",
            connection="way",
            cpo=cpo,
            audience=(emsp,),
            joining=Joining.SUBSCRIBE,
            title=f"o{number}",
            starts=_START,
        )
        terms = OfferTerms(services=_SOLD, evse_groups=named)
        state = SubscriptionState.ENDED if number % 10 == 0 else SubscriptionState.ACTIVE
        subscription = Subscription(
            id=f"s{number}",
            offer=offer.id,
            emsp=emsp,
            state=state,
            requested_at=_START,
            starts=_START,
            ends=_NOW if state is SubscriptionState.ENDED else None,
        )
        versions = [OfferVersion(number=1, starts=_START, terms=terms)]
        yield Offered(number, _WAY, offer, OfferState.PUBLISHED, None, versions, [subscription])


def _members(evses: int) -> dict[str, frozenset[str]]:
    return {f"g{group}": frozenset(f"E{number}" for number in range(group, evses, _GROUPS)) for group in range(_GROUPS)}


def _cpo(number: int) -> PartyId:
    return PartyId.of("NL", _code(number))


def _emsp(number: int) -> PartyId:
    return PartyId.of("FR" if number < len(_LETTERS) ** 3 else "DE", _code(number % len(_LETTERS) ** 3))


def _code(number: int) -> str:
    base = len(_LETTERS)
    return "".join(_LETTERS[number // base**place % base] for place in (2, 1, 0))


def _resident() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


# Reading and changing


async def _stored(url: str, many: int, evses: int) -> list[Figure]:
    store = Store(url, size=4)
    await store.open()
    try:
        await migrate(store, "before")
        way = await _fill(store, many, evses)
    finally:
        await store.close()
    async with _replicas(url) as apps:
        readers = [app.authorisation._agreements for app in apps]
        return [figure async for figure in _seen(apps, readers, way, many, evses)]


async def _fill(store: Store, many: int, evses: int) -> int:
    way: int = await store.fetchval(
        "INSERT INTO connection (name, hub, mode, state, scope, settings)"
        " VALUES ('way', 'gireve', 'shadow', 'ready', '{}', $1) RETURNING id",
        {"sandbox": True, "roles": ["CPO"], "versions_url": "http://127.0.0.1:9/versions"},
    )
    await store.execute(
        "INSERT INTO evse_group (id, party, name, evses) SELECT 'g' || n, $1, 'g' || n, $3 / $2"
        " FROM generate_series(0, $2 - 1) n",
        _cpo(0).normal,
        _GROUPS,
        evses,
    )
    for begin in range(0, evses, 100_000):
        await store.execute(
            "INSERT INTO evse_group_member (group_id, evse_key, evse_id)"
            " SELECT 'g' || n % $3, 'E' || n, 'E' || n FROM generate_series($1::int, $2 - 1) n",
            begin,
            min(begin + 100_000, evses),
            _GROUPS,
        )
    offers = list(_offers(many, groups=10))
    await store.execute(
        "INSERT INTO offer (id, connection_id, cpo, title, body, state, starts_at)"
        " SELECT i.id, $1, i.cpo, i.id, i.body, 'PUBLISHED', $2"
        " FROM unnest($3::text[], $4::text[], $5::json[]) AS i(id, cpo, body)",
        way,
        _START,
        [one.offer.id for one in offers],
        [one.offer.cpo.normal for one in offers if one.offer.cpo is not None],
        [one.offer.model_dump_json() for one in offers],
    )
    await store.execute(
        "INSERT INTO offer_version (offer_id, number, starts_at, terms, created_by)"
        " SELECT i.id, 1, $1, i.terms, 'bench' FROM unnest($2::text[], $3::json[]) AS i(id, terms)",
        _START,
        [one.offer.id for one in offers],
        [one.versions[0].terms.model_dump_json() for one in offers],
    )
    await store.execute(
        "INSERT INTO subscription (id, offer_id, emsp, state, source, requested_at, starts_at)"
        " SELECT i.id, i.offer, i.emsp, 'ACTIVE', 'local', $1, $1"
        " FROM unnest($2::text[], $3::text[], $4::text[]) AS i(id, offer, emsp)",
        _START,
        [one.subscriptions[0].id for one in offers],
        [one.offer.id for one in offers],
        [one.subscriptions[0].emsp.normal for one in offers],
    )
    await store.execute("ANALYZE")
    return way


@asynccontextmanager
async def _replicas(url: str) -> AsyncIterator[list[App]]:
    settings = Settings(
        host="127.0.0.1", port=0, public_url="http://127.0.0.1", database_url=url, secret_key=Cipher.new_key()
    )
    async with AsyncExitStack() as stack:
        yield [(await stack.enter_async_context(running(settings)))[0] for _ in range(REPLICAS)]


async def _seen(
    apps: Sequence[App], readers: Sequence[Agreements], way: int, many: int, evses: int
) -> AsyncIterator[Figure]:
    """Ends and revives an agreement, again and again, and looks when the last replica decides so."""
    first, *_ = apps
    began = time.perf_counter()
    await readers[0].book()
    what = f"{many:,} agreements and {evses:,} EVSEs"
    yield Figure.of(f"agreements: {what} read for the first time", time.perf_counter() - began, "s", better="less")
    await asyncio.gather(*(reader.book() for reader in readers))
    request = Request(Service.AUTHORISE, _cpo(0), _emsp(0))
    took: list[float] = []
    reread: list[float] = []
    for change in range(CHANGES):
        state = SubscriptionState.ENDED if change % 2 == 0 else SubscriptionState.ACTIVE
        # By hand, since a subscription never comes back: what is measured is how the news spreads.
        async with first.links.changing() as tx:
            await tx.execute("UPDATE subscription SET state = $1 WHERE id = 's0'", state.value)
        began = time.perf_counter()
        await readers[0].book()
        reread.append(time.perf_counter() - began)
        await asyncio.gather(*(_until(reader, way, request, allowed=change % 2 == 1) for reader in readers))
        took.append(time.perf_counter() - began)
    took.sort()
    reread.sort()
    yield Figure.of(f"agreements: {what} read anew after a change, p50", percentile(reread, 0.5), "s", better="less")
    yield Figure.of(
        f"agreements: from a change to {len(readers)} replicas deciding by it, p50",
        percentile(took, 0.5),
        "s",
        better="less",
    )
    yield Figure.of("agreements: the same, longest", took[-1], "s", _SEEN_GOAL, better="less")


async def _until(reader: Agreements, way: int, request: Request, *, allowed: bool) -> None:
    """Waits until a replica decides so; it looks for changes by itself, and nobody is told of that."""
    while (await reader.decide(way, request)).allowed is not allowed:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
