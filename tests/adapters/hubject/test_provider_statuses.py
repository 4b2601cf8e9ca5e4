"""Statuses as an EMP pulls them: of all EVSEs, of some operators, of some EVSEs; and long answers cut into pages."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.core.outcomes import Misconfigured, Obsolete, OutcomeUnknown
from adapters.hubject.provider import pulling
from adapters.hubject.provider.adapter import ProviderAdapter
from adapters.hubject.provider.cutting import LongAnswer
from mappings.canonical.ids import EvseId
from mappings.canonical.locations import EvseStatus
from mappings.oicp.v2_3 import pulls
from tests.adapters.doubles import Measured
from tests.adapters.hubject.emps import World, record, world
from tests.adapters.hubject.peer import Peer
from tests.adapters.hubject.peer import playing as hearing
from tests.adapters.hubject.provider import failure, keys, pages, provider, records

PLA, OTH = (tuple(f"NL*{party}*E{number}" for number in range(1, 4)) for party in ("PLA", "OTH"))


def normal(*evse_ids: str) -> list[str]:
    return [EvseId(each).normal for each in evse_ids]


@pytest.fixture
async def filled() -> AsyncIterator[World]:
    """A sandbox with the statuses of two operators' EVSEs."""
    async with world(limits=False) as made:
        await made.load(*(record(evse_id) for evse_id in PLA + OTH))
        await made.do("statuses", [{"EvseID": evse_id, "EvseStatus": "Available"} for evse_id in PLA + OTH])
        await made.do("statuses", [{"EvseID": PLA[0], "EvseStatus": "Occupied"}])
        yield made


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """A Hubject that says whatever a test has it say."""
    async with hearing() as made:
        yield made


async def told(adapter: ProviderAdapter) -> dict[str, EvseStatus]:
    found = records(await pages(adapter, "evse_status"))
    return {each.key[1]: each.read()[0].status for each in found}


ALL = dict.fromkeys(normal(*PLA, *OTH), EvseStatus.AVAILABLE) | {"NLPLAE1": EvseStatus.CHARGING}


@pytest.mark.parametrize("shape", [None, "list", "records", "capitals"])
async def test_all_statuses_come_in_one_answer_of_whatever_shape(filled: World, shape: str | None) -> None:
    if shape is not None:
        await filled.do("pull-faults", [{"kind": "status_shape", "shape": shape}])
    emp = provider(filled)
    assert await told(emp) == ALL
    await emp.close()


async def test_statuses_are_pulled_operator_by_operator_where_the_settings_name_some(filled: World) -> None:
    measured = Measured()
    emp = provider(filled, measured, status_operators=["NL*PLA", "NL*OTH", "NL*NIX"])
    found = await pages(emp, "evse_status")
    assert [keys([each]) for each in found] == [[], normal(*OTH), normal(*PLA)]
    assert [each.operation for each in measured.requests] == ["evse_status"] * 3
    assert emp.roaming.feeds["evse_status"].per_minute == 75
    await emp.close()


def test_statuses_of_everybody_are_asked_for_as_seldom_as_hubject_allows() -> None:
    feed = provider().roaming.feeds["evse_status"]
    assert feed.per_minute == 6
    assert feed.full_every is None
    assert not feed.prunes


# By EVSE


async def test_statuses_of_some_evses_are_asked_for_100_at_a_time(filled: World) -> None:
    measured = Measured()
    emp = provider(filled, measured)
    many = [*normal(*PLA), *(f"NLPLAE{number}" for number in range(1000, 1200))]
    found = await emp.pull_statuses(many)
    assert [each.operation for each in measured.requests] == ["evse_status_by_id"] * 3
    statuses = {each.key[1]: each.read()[0].status for each in found.records}
    assert statuses.keys() == set(many)
    assert statuses["NLPLAE1"] is EvseStatus.CHARGING
    assert statuses["NLPLAE1000"] is EvseStatus.UNKNOWN  # EvseNotFound
    await emp.close()


async def test_of_no_evses_nobody_is_asked() -> None:
    measured = Measured()
    emp = provider(observer=measured)
    assert not (await emp.pull_statuses([])).records
    assert not measured.requests
    await emp.close()


async def test_what_is_no_evse_id_spoils_no_question(filled: World) -> None:
    emp = provider(filled)
    found = await emp.pull_statuses(["nowhere", *normal(PLA[0])])
    assert keys([found]) == normal(PLA[0])
    assert len(found.unreadable) == 1
    await emp.close()


# Long answers


def long(*operators: Sequence[str], **changes: Any) -> dict[str, Any]:
    blocks = [
        {
            "OperatorID": "NL*PLA",
            "OperatorName": "Played",
            "EvseStatusRecord": [{"EvseID": evse_id, "EvseStatus": "Available"} for evse_id in evse_ids],
        }
        for evse_ids in operators
    ]
    return {"EvseStatuses": {"OperatorEvseStatus": blocks}, "StatusCode": {"Code": "000"}} | changes


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has answers taken for long ones that are not."""
    monkeypatch.setattr(pulling, "_BIG", 10)
    monkeypatch.setattr(pulling, "_LONG", 10)
    monkeypatch.setattr(pulling, "_PIECE", 2)


@pytest.mark.usefixtures("short")
async def test_a_long_answer_is_cut_into_pages_that_take_no_more_requests(filled: World) -> None:
    measured = Measured()
    emp = provider(filled, measured)
    found = await pages(emp, "evse_status")
    assert sorted(keys(found)) == sorted(ALL)
    assert len(measured.requests) == 1
    assert [each.at_hand for each in found] == [True, True, True, False]
    assert {each.key[1]: each.read()[0].status for each in records(found)} == ALL
    await emp.close()


@pytest.mark.usefixtures("short")
async def test_the_long_answers_of_several_operators_follow_each_other(filled: World) -> None:
    measured = Measured()
    emp = provider(filled, measured, status_operators=["NL*PLA", "NL*OTH"])
    found = await pages(emp, "evse_status")
    assert keys(found) == normal(*OTH, *PLA)
    assert [each.at_hand for each in found] == [True, False, True, False]
    assert len(measured.requests) == 2
    await emp.close()


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("shape", ["list", "records", "capitals"])
async def test_a_long_answer_may_have_any_shape(filled: World, shape: str) -> None:
    await filled.do("pull-faults", [{"kind": "status_shape", "shape": shape}])
    emp = provider(filled)
    assert await told(emp) == ALL
    await emp.close()


@pytest.mark.usefixtures("short")
async def test_a_page_of_an_answer_that_is_gone_is_none(filled: World) -> None:
    emp = provider(filled)
    first = await emp.pull("evse_status", None, None)
    assert first.at_hand
    other = provider(filled)  # as after a restart
    assert isinstance(await failure(other, "evse_status", cursor=first.cursor), Obsolete)
    second = await emp.pull("evse_status", None, first.cursor)
    assert keys([first, second])
    await emp.pull("evse_status", None, None)  # a new pull
    assert isinstance(await failure(emp, "evse_status", cursor=second.cursor), Obsolete)
    await emp.close()
    await other.close()


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (long(["NL*PLA*E1"], StatusCode={"Code": "210"}), Misconfigured),
        (b'{"EvseStatuses": {"OperatorEvseStatus": [{"EvseStatusRecord": [{"EvseID": "NL*PLA*E1"}', OutcomeUnknown),
        (json.dumps(long(["NL*PLA*E1"])).encode() + b" more", OutcomeUnknown),
        (b"[" * 300_000, OutcomeUnknown),
    ],
    ids=["refused", "cut off", "two values", "deep"],
)
async def test_a_long_answer_that_failed_or_is_cut_off_gives_no_page(peer: Peer, body: Any, outcome: type) -> None:
    peer.says = body
    emp = provider(base_url=peer.url)
    assert isinstance(await failure(emp, "evse_status"), outcome)
    await emp.close()


@pytest.mark.usefixtures("short")
async def test_records_that_cannot_be_read_spoil_no_page_of_a_long_answer(peer: Peer) -> None:
    peer.says = long(["NL*PLA*E1", "?", "NL*PLA*E2"])
    peer.says["EvseStatuses"]["OperatorEvseStatus"][0]["EvseStatusRecord"] += [None, 7]
    emp = provider(base_url=peer.url)
    found = await pages(emp, "evse_status")
    assert set(normal("NL*PLA*E1", "NL*PLA*E2")) <= set(keys(found))
    assert sum(len(each.records) + len(each.unreadable) for each in found) == 5
    await emp.close()


# Cutting


@given(
    st.lists(st.integers(0, 7), max_size=5),
    st.integers(1, 5),
    st.sampled_from([None, 0, 2]),
)
def test_a_cut_answer_has_the_records_of_the_whole_one_in_their_order(
    sizes: list[int], most: int, indent: int | None
) -> None:
    operators = [[f"NL*PLA*E{n}{m}" for m in range(size)] for n, size in enumerate(sizes)]
    whole = long(*operators)
    cut = LongAnswer(json.dumps(whole, indent=indent).encode(), most)
    found = [entry for page in cut.pages for entry in _entries(cut.body(page))]
    assert [(each.key, each.raw) for each in found] == [(each.key, each.raw) for each in _entries(whole)]
    for page in cut.pages:
        assert 0 < sum(piece.records for piece in page) <= most
    assert not _entries(cut.skeleton)


def _entries(body: Any) -> list[Any]:
    answer = pulls.read_statuses(body)
    assert answer is not None
    return answer.entries


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(_JSON, st.sampled_from([None, 1]))
def test_whatever_has_no_such_list_is_read_as_any_json(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    if "\\u0000" not in text:
        assert LongAnswer(text.encode(), 10).skeleton == value


def repr_shortly(raw: bytes) -> str:
    return repr(raw[:30])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"[1",
        b"[1,",
        b"[1 2]",
        b"[,]",
        b'{"a"}',
        b'{"a" 1}',
        b"{1: 2}",
        b'{"a": 1,}',
        b"{} {}",
        b"NaN",
        b"[Infinity]",
        b'"\xff"',
        b'{"EvseStatusRecord": [',
        b'{"EvseStatusRecord": [1 2]}',
        b'{"EvseStatusRecord": [1,]}',
        b'["\\u0000"]',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=repr_shortly,
)
def test_what_is_no_json_is_none_to_be_cut(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        LongAnswer(raw, 2)
