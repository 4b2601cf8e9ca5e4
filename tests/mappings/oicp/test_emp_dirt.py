"""Whatever an EMP is sent or answered is read, or refused: nothing else comes out of a translation."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical.commands import EvseRef, StartSession
from mappings.oicp.v2_3 import cdr_pulls, cdrs, driver_requests, notifications, pricing, products, pulls, sent_commands
from mappings.report import Refused
from tests.mappings.oicp.charges import ENDED, LEG
from tests.mappings.oicp.test_cdr_pulls import body as cdr_body
from tests.mappings.oicp.test_cdr_pulls import page
from tests.mappings.oicp.test_charging_news import BODIES
from tests.mappings.oicp.test_driver_requests import START
from tests.mappings.oicp.test_pricing import answer, at_evses, evse_price, product

AT = ENDED + timedelta(minutes=7)
COMMAND = StartSession(at=EvseRef(), leg=LEG)

_plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just("1e999999")
_names = st.text(max_size=9) | st.sampled_from(["Code", "UID", "EvcoID", "PIN", "begin", "end", "on", "meterValues"])
odd = st.recursive(
    _plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3), max_leaves=6
)


def _read_all(read: Callable[[Any], Any]) -> Callable[[Any], None]:
    def through(body: Any) -> None:
        found = read(body)
        for entry in found.entries if found is not None else ():
            try:
                entry.read()
            except Refused:
                continue

    return through


READERS: dict[str, tuple[dict[str, Any], Callable[[Any], Any]]] = {
    "start": (START, driver_requests.start_to_canonical),
    "stop": (START, driver_requests.stop_to_canonical),
    **{kind: (body, lambda told: notifications.to_canonical(told, AT)) for kind, body in BODIES.items()},
    "cdr": (cdr_body(), lambda told: cdrs.to_canonical(told, currency="EUR", at=AT)),
    "acknowledgement": (
        {"Result": True, "StatusCode": {"Code": "000"}, "SessionID": "S1"},
        lambda told: sent_commands.answer_to_canonical(told, COMMAND),
    ),
    "pages of stations": (page(), _read_all(lambda told: pulls.read_evse_data(told, AT))),
    "statuses": ({"EvseStatuses": {}, "EVSEStatusRecords": {}}, _read_all(pulls.read_statuses)),
    "products": (answer(), _read_all(lambda told: products.read(told, AT))),
    "prices": (at_evses(), _read_all(pricing.read_evse_prices)),
    "pages of CDRs": (page(), _read_all(lambda told: cdr_pulls.read_page(told, currency="EUR", at=AT))),
}


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
def test_a_body_with_anything_in_it_is_read_or_refused(name: str, data: st.DataObject) -> None:
    good, read = READERS[name]
    changes = data.draw(st.dictionaries(st.sampled_from([*good]), odd, max_size=3))
    with suppress(Refused):
        read(good | changes)


@pytest.mark.parametrize("name", READERS)
@given(body=odd)
def test_anything_at_all_is_read_or_refused(name: str, body: Any) -> None:
    with suppress(Refused):
        READERS[name][1](body)


@given(st.dictionaries(st.sampled_from([*product(), "AdditionalReferences", "deltaType"]), odd), odd)
def test_a_record_with_anything_in_it_spoils_no_other(changes: dict[str, Any], whole: Any) -> None:
    said = products.read(answer(product(**changes), whole, product(ProductID="good")), AT)
    assert said is not None
    assert said.entries[-1].read()[0].id == "good"
    prices = pricing.read_evse_prices(at_evses(evse_price() | changes, whole, evse_price(EvseID="DE*ABC*E77")))
    assert prices is not None
    assert prices.entries[-1].key == ("DE*ABC", "DEABCE77")
    one = cdr_body(SessionID="b2688855-7f00-0002-6d8e-48d883f6abb6")
    pulled = cdr_pulls.read_page(page(cdr_body() | changes, whole, one), currency="EUR", at=AT)
    assert pulled is not None
    assert pulled.entries[-1].read()[0].cdr.id == one["SessionID"]
