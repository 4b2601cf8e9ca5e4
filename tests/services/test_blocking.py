"""A driver who is blocked is refused from that moment on, at every connection and by every replica."""

import asyncio

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.core.charging import Allowed
from gateway.services.ports import NotFound
from gateway.services.ports.driver_tokens import Whose
from gateway.store.pool import Store
from tests import database
from tests.harness import WHO, eventually
from tests.services.driving import EMSP, asked, card, driving, token

UIDS = ("04AA0001", "04AA0002", "04AA0003")
DRIVERS = ("d-1", "d-2")
HUBS = ("hub", "second", "third")

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(UIDS), st.sampled_from(DRIVERS), st.booleans()),
        st.tuples(st.just("switch"), st.sampled_from(DRIVERS), st.booleans()),
        st.tuples(st.just("withdraw"), st.sampled_from(UIDS)),
        st.tuples(st.just("ask"), st.sampled_from(UIDS), st.sampled_from(HUBS), st.integers(0, 1), st.integers(0, 2)),
    ),
    min_size=5,
    max_size=40,
)


ASKED = ("ask", UIDS[0], "hub", 0, 1)
"""Twice in the same session of the hub, by different replicas."""


@example(steps=[("put", UIDS[0], "d-1", True), ASKED, ("switch", "d-1", False), (*ASKED[:3], 1, 1), ASKED])
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
async def test_an_answer_is_that_of_the_token_as_it_is_at_that_moment(server_url, migrated, steps):
    async with database.copy(server_url, migrated) as url:
        store = Store(url, size=4)
        await store.open()
        try:
            async with driving(store) as emsp:
                await _walk(emsp, steps)
        finally:
            await store.close()


async def _walk(emsp, steps):
    for name in HUBS[1:]:
        await emsp.connect(name)
    replicas = [emsp.drivers, emsp.replica()]
    tokens: dict[str, tuple[str, bool]] = {}
    """By uid, whose it is and whether it is valid."""
    try:
        for step in steps:
            match step:
                case ("put", uid, driver, valid):
                    await emsp.put(token(uid, driver=driver, valid=valid))
                    tokens[uid] = driver, valid
                case ("switch", driver, valid):
                    try:
                        await emsp.tokens.switch(Whose(EMSP, driver=driver), WHO, valid=valid)
                    except NotFound:
                        assert driver not in {whose for whose, _ in tokens.values()}
                    tokens = {uid: (w, valid if w == driver else v) for uid, (w, v) in tokens.items()}
                case ("withdraw", uid):
                    assert await emsp.tokens.withdraw(EMSP, token().type, uid, WHO) is (uid in tokens)
                    tokens.pop(uid, None)
                case ("ask", uid, hub, replica, session):
                    question = asked(card(uid), f"h-{session}-{uid}" if session else None)
                    answer = await replicas[replica].authorise(emsp.connection(hub), question)
                    valid = tokens.get(uid, ("", False))[1]
                    if not valid:
                        assert not isinstance(answer, Allowed), step
                    elif not session:  # else the hub may be told once more what it was told before
                        assert isinstance(answer, Allowed), step
    finally:
        await replicas[1].close()


async def test_nobody_is_let_charge_by_a_question_under_way_once_the_block_is_committed(emsp):
    await emsp.connect("second")
    await emsp.put(token(driver="d-1"))
    replicas = [emsp.drivers, emsp.replica()]
    ended = asyncio.Event()

    async def ask(index):
        connection = emsp.connection(("hub", "second")[index % 2])
        while not ended.is_set():
            await replicas[index // 2].authorise(connection, asked())

    async def answered(more):
        until = len(emsp.counted.permits) + more
        await eventually(lambda: len(emsp.counted.permits) >= until)

    for _ in range(5):
        askers = [asyncio.create_task(ask(index)) for index in range(4)]
        await answered(20)
        await emsp.tokens.switch(Whose(EMSP, driver="d-1"), WHO, valid=False)
        allowed = await emsp.store.fetchval("SELECT count(*) FROM permit WHERE allowed")
        await answered(20)
        ended.set()
        await asyncio.gather(*askers)
        assert allowed > 0
        assert await emsp.store.fetchval("SELECT count(*) FROM permit WHERE allowed") == allowed
        assert await emsp.store.fetchval("SELECT count(*) FROM permit WHERE NOT allowed") > 0
        await emsp.tokens.switch(Whose(EMSP, driver="d-1"), WHO, valid=True)
        ended.clear()
    await replicas[1].close()
