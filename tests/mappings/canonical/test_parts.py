"""Parts of a location are found and put by their key."""

from datetime import timedelta

from mappings.canonical import parts
from mappings.canonical.locations import Connector, Evse, EvseStatus, Location
from mappings.ocpi.v2_2_1 import locations
from tests.mappings.ocpi.samples import LOCATION

LATER = timedelta(hours=1)


def place() -> Location:
    return locations.to_canonical(LOCATION)[0]


def later(part: Evse | Connector) -> dict[str, object]:
    return {"last_updated": part.last_updated + LATER}


def test_an_evse_is_put_in_the_place_of_the_one_with_its_uid() -> None:
    before = place()
    evse = before.evses[0].model_copy(update={"status": EvseStatus.CHARGING, **later(before.evses[0])})
    after = parts.with_evse(before, evse)
    assert after.evses == (evse, *before.evses[1:])
    assert after.last_updated == evse.last_updated


def test_an_evse_that_is_new_stands_after_the_others() -> None:
    before = place()
    evse = before.evses[0].model_copy(update={"uid": "NEW"})
    assert parts.with_evse(before, evse).evses == (*before.evses, evse)


def test_an_older_part_leaves_the_stamp_of_what_holds_it() -> None:
    before = place()
    old = before.evses[0].model_copy(update={"last_updated": before.last_updated - LATER})
    assert parts.with_evse(before, old).last_updated == before.last_updated


def test_a_connector_is_put_into_its_evse() -> None:
    evse = place().evses[0]
    plug = evse.connectors[0].model_copy(update={"tariff_ids": ("T9",), **later(evse)})
    after = parts.with_connector(evse, plug)
    assert after.connectors == (plug, *evse.connectors[1:])
    assert after.last_updated == plug.last_updated
    other = plug.model_copy(update={"id": "9"})
    assert parts.with_connector(evse, other).connectors == (*evse.connectors, other)


def test_a_key_that_differs_in_case_alone_is_the_same_one() -> None:
    before = place()
    spelt = before.evses[0].model_copy(update={"uid": before.evses[0].uid.lower()})
    assert parts.evse(before, spelt.uid) is before.evses[0]
    assert parts.with_evse(before, spelt).evses == (spelt, *before.evses[1:])
    assert parts.evse(before, "nobody") is None
    assert parts.connector(before.evses[0], "nobody") is None


def test_of_keys_that_differ_in_case_alone_only_the_exact_one_is_meant() -> None:
    evse = place().evses[0]
    both = place().model_copy(update={"evses": (evse, evse.model_copy(update={"uid": evse.uid.lower()}))})
    assert parts.evse(both, evse.uid) is both.evses[0]
    assert parts.evse(both, evse.uid.lower()) is both.evses[1]
    mixed = place().model_copy(update={"evses": tuple(evse.model_copy(update={"uid": uid}) for uid in ("ab1", "AB1"))})
    assert parts.evse(mixed, "Ab1") is None
