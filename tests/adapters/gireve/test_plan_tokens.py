"""What IOP is told of our drivers' tokens; nothing is sent."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.core.adapter import Item, Plan
from adapters.gireve.plan_tokens import plan_tokens, token_keys
from mappings.canonical.ids import PartyId
from mappings.canonical.tokens import Token, TokenType
from tests.adapters.gireve.ours import UID, card


def item(token: Token | None, **changes: Any) -> Item:
    """A claimed token, never sent."""
    (key,) = token_keys(token or card())
    made = Item(key.operation, key.key, key.lane, None, token, None, gone=False, sent_as=None, accepted=None)
    return replace(made, **changes)


def known(token: Token, **changes: Any) -> Item:
    """A token that IOP has."""
    ((call,), *_) = [plan_tokens([item(token)]).calls]
    (settled,) = call.settles
    return item(token, sent_as=settled.sent_as, accepted=settled.fingerprint, **changes)


def only(plan: Plan) -> Any:
    (call,) = plan.calls
    return call


def test_a_token_is_put_whole_by_party_uid_and_type() -> None:
    call = only(plan_tokens([item(card(UID.lower()))]))
    assert (call.action, call.path) == ("PUT", f"DE/MP1/{UID}?type=RFID")
    assert call.body["uid"] == UID
    assert call.body["valid"] is True


def test_an_app_users_token_has_an_id_of_any_form() -> None:
    call = only(plan_tokens([item(card("user/1 é", type=TokenType.APP_USER))]))
    assert call.path == "DE/MP1/user%2F1%20%C3%A9?type=APP_USER"


def test_each_token_has_a_lane_in_which_case_does_not_count() -> None:
    keys = {key for each in (card(), card(UID.lower())) for key in token_keys(each)}
    assert len(keys) == 1
    (key,) = keys
    assert key.key == key.lane
    others = [card("04E8A1B2"), card(type=TokenType.OTHER), card(party=PartyId("DE*MP2"))]
    assert len({key.key for each in others for key in token_keys(each)}) == 3


@pytest.mark.parametrize("uid", ["04E8", "04E8A1B2C", "04E8A1B2C3D48011AA22", "GHIJKLMN", "04:E8:A1:B2"])
def test_a_card_that_gireve_does_not_take_is_refused_by_the_field(uid: str) -> None:
    plan = plan_tokens([item(card(uid))])
    ((_, refused),) = plan.refused
    assert not plan.calls
    assert refused.reason.field == "uid"
    assert uid not in str(refused)
    assert refused.reason.value is None


def test_a_blocked_token_is_put_as_not_valid() -> None:
    call = only(plan_tokens([replace(known(card()), subject=card(valid=False))]))
    assert (call.action, call.body["valid"]) == ("PUT", False)
    assert call.settles[0].sent_as is not None


def test_a_withdrawn_token_is_put_as_not_valid_since_none_is_deleted() -> None:
    call = only(plan_tokens([known(card(), gone=True)]))
    assert (call.action, call.body["valid"]) == ("PUT", False)
    (settled,) = call.settles
    assert (settled.fingerprint, settled.sent_as) == (b"", None)


def test_a_withdrawn_token_that_was_never_told_needs_no_request() -> None:
    plan = plan_tokens([item(card(), gone=True), item(None, gone=True)])
    assert not plan.calls
    assert len(plan.unchanged) == 2


def test_a_withdrawn_token_that_may_have_arrived_is_taken_back() -> None:
    assert plan_tokens([item(card(), gone=True, attempts=1)]).calls


def test_a_token_of_which_nothing_is_left_cannot_be_taken_back() -> None:
    plan = plan_tokens([replace(known(card(), gone=True), subject=None)])
    assert not plan.calls
    assert len(plan.refused) == 1


def test_what_iop_has_is_not_put_again_for_a_new_stamp() -> None:
    was = card()
    later = was.model_copy(update={"last_updated": was.last_updated.replace(year=2027)})
    assert not plan_tokens([replace(known(was), subject=later)]).calls


def test_a_token_that_is_back_is_put_again() -> None:
    call = only(plan_tokens([item(card(), accepted=b"")]))
    assert call.body["valid"] is True
