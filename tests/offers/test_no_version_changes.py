"""Whatever people, hubs and clocks do: no version changes, no state goes back, nobody has an offer twice."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from gateway.services.offers.states import goes_on
from gateway.services.offers.writing import Source, write_offer_end, write_subscription
from gateway.services.ports.common import Conflict, Invalid, NotFound
from gateway.services.ports.offers import NewSubscription, NewVersion
from mappings.canonical.agreements import Joining, OfferState, OfferTerms, Service, Subscription, SubscriptionState
from tests.harness import OTHER, PARTY, WHO
from tests.offers.desk import DAY, EMSP, SECOND, Desk, offer

_ACTS = 300
_OFFERS = 8
_STATES = list(OfferState)


class Somebody:
    """Does something at random, again and again; what is refused is refused."""

    def __init__(self, made: Desk, seed: int) -> None:
        self.made = made
        self.random = random.Random(seed)
        self.subscriptions = 0
        self.done: Counter[str] = Counter()
        self.acts: list[Callable[[], Awaitable[object]]] = [
            self.put,
            self.publish,
            self.add,
            self.add,
            self.drop,
            self.cancel,
            self.remove,
            self.subscribe,
            self.subscribe,
            self.approve,
            self.refuse,
            self.leave,
            self.hub,
            self.hub_ends,
            self.wait,
            self.wait,
            self.jump,
        ]

    async def act(self) -> None:
        act = self.random.choice(self.acts)
        try:
            await act()
        except (Conflict, Invalid, NotFound):
            return
        self.done[act.__name__] += 1

    @property
    def id(self) -> str:
        return f"O{self.random.randrange(_OFFERS)}"

    @property
    def sid(self) -> str:
        return f"S{self.random.randrange(self.subscriptions + 1)}"

    def moment(self):
        return self.made.now + timedelta(hours=self.random.randrange(-24, 24 * 12))

    def terms(self) -> OfferTerms:
        services = self.random.sample(list(Service), self.random.randrange(1, 4))
        return OfferTerms(services=frozenset(services), rank=self.random.randrange(100))

    async def put(self):
        id_, starts = self.id, self.moment()
        days = {f"{name}_days": self.random.randrange(6) for name in ("notice", "lead_time", "minimum_term")}
        made = offer(
            id_,
            title=id_ * self.random.randrange(1, 3),
            cpo=self.random.choice([PARTY, OTHER]),
            joining=self.random.choice(list(Joining)),
            starts=starts,
            ends=self.random.choice([None, starts + 20 * DAY]),
            **days,
        )
        await self.made.offers.put(made, self.terms(), WHO)

    async def publish(self):
        await self.made.offers.publish(self.id, WHO)

    async def add(self):
        await self.made.offers.add_version(self.id, NewVersion(starts=self.moment(), terms=self.terms()), WHO)

    async def drop(self):
        await self.made.offers.drop_version(self.id, self.random.randrange(1, 5), WHO)

    async def cancel(self):
        if self.random.random() < 0.4:
            await self.made.offers.cancel(self.id, self.random.choice([None, self.moment()]), WHO)

    async def remove(self):
        await self.made.offers.remove(self.id, WHO)

    async def subscribe(self):
        self.subscriptions += 1
        emsp, starts = self.random.choice([EMSP, SECOND]), self.random.choice([None, self.moment()])
        new = NewSubscription(id=f"S{self.subscriptions}", offer=self.id, emsp=emsp, starts=starts)
        await self.made.subscriptions.request(new, WHO)

    async def approve(self):
        await self.made.subscriptions.approve(self.sid, self.random.choice([None, self.moment()]), WHO)

    async def refuse(self):
        await self.made.subscriptions.refuse(self.sid, "no", WHO)

    async def leave(self):
        at = self.random.choice([None, self.moment()])
        await self.made.subscriptions.cancel(self.sid, at, WHO, by_cpo=self.random.random() < 0.5)

    async def hub(self):
        told = Subscription(
            id=self.sid,
            offer=self.id,
            emsp=self.random.choice([EMSP, SECOND]),
            state=self.random.choice(list(SubscriptionState)),
            requested_at=self.made.now,
            starts=self.random.choice([None, self.moment()]),
            ends=self.random.choice([None, self.moment()]),
        )
        async with self.made.links.changing() as tx:
            await write_subscription(tx, told, source=Source.IMPORT, who="hub", now=self.made.now)

    async def hub_ends(self):
        if self.random.random() < 0.2:
            async with self.made.links.changing() as tx:
                await write_offer_end(tx, self.id, self.moment(), who="hub", now=self.made.now)

    async def wait(self):
        await self.made.after(timedelta(hours=self.random.randrange(72)))

    async def jump(self):
        await self.made.after(timedelta(days=self.random.randrange(-5, 3)))


@pytest.mark.parametrize("seed", range(6))
async def test_no_version_changes_and_no_state_goes_back_whatever_is_done(made, seed):
    somebody = Somebody(made, seed)
    versions: dict[tuple[int, int], tuple[object, ...]] = {}
    offers: dict[int, list[str]] = {}
    subscriptions: dict[int, list[SubscriptionState]] = {}
    began: set[int] = set()
    for number, joining in enumerate(Joining):
        await made.publish(offer(f"O{number}", title=str(number), joining=joining, notice_days=1, lead_time_days=1))
    for _ in range(_ACTS):
        await somebody.act()
        there = {
            (row["no"], row["number"]): (row["starts_at"], row["terms"], row["due_at"])
            for row in await made.store.fetch(
                "SELECT o.no, v.* FROM offer_version v JOIN offer o ON o.id = v.offer_id AND o.state <> 'DRAFT'"
            )
        }
        for key, before in versions.items():
            if key not in there:  # taken back before it came into force, and never the first
                assert before[2] is not None
                assert key[1] > 1
            else:
                assert there[key][:2] == before[:2]
                assert before[2] is not None or there[key][2] is None
        versions = there
        for row in await made.store.fetch("SELECT no, state FROM offer"):
            offers.setdefault(row["no"], []).append(row["state"])
        for row in await made.store.fetch("SELECT no, state, began FROM subscription"):
            subscriptions.setdefault(row["no"], []).append(SubscriptionState(row["state"]))
            assert row["began"] or row["no"] not in began
            began |= {row["no"]} if row["began"] else set()
        assert not await made.store.fetch(
            "SELECT FROM subscription WHERE state NOT IN ('ENDED', 'REFUSED')"
            " GROUP BY offer_id, emsp HAVING count(*) > 1"
        )
    for seen in offers.values():
        assert all(_STATES.index(OfferState(one)) <= _STATES.index(OfferState(other)) for one, other in pairwise(seen))
    assert all(goes_on(one, other) for each in subscriptions.values() for one, other in pairwise(each))
    in_force = await made.store.fetch(
        "SELECT subject, data ->> 'version' AS version, party FROM event WHERE type LIKE '%version_in_force'"
    )
    assert max(Counter(tuple(row) for row in in_force).values(), default=1) == 1
    assert all(somebody.done[act] for act in ("add", "subscribe", "hub", "wait")), somebody.done
