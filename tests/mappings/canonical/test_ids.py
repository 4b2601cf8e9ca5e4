import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from mappings.canonical.ids import ContractId, EvseId, PartyId

ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Holder(BaseModel):
    party: PartyId
    evse: EvseId | None = None


@pytest.mark.parametrize("text", ["FR*ABC", "FR-ABC", "FRABC", "fr*abc", "frABC"])
def test_an_iso_party_is_read_in_every_spelling_and_written_in_one(text: str) -> None:
    party = PartyId(text)
    assert (party.country, party.code, str(party), party.text) == ("FR", "ABC", "FR*ABC", text)
    assert party == PartyId.of("FR", "ABC")
    assert hash(party) == hash(PartyId("FR*ABC"))


@pytest.mark.parametrize("text", ["+49*810", "49*810"])
def test_a_din_party_is_read_with_or_without_plus(text: str) -> None:
    assert (PartyId(text).country, PartyId(text).code, str(PartyId(text))) == ("+49", "810", "+49*810")


@pytest.mark.parametrize(
    "text", ["", "FR", "FRAB", "FRABCD", "FR*ABC ", "F1*ABC", "+49810", "FR**ABC", "FR*ÀBC", "４９*810"]
)
def test_what_is_no_party_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a party id"):
        PartyId(text)


@pytest.mark.parametrize("text", ["FR*ABC*E123*4", "FRABCE1234", "frabce1234", "FR*ABC*E1*2*3*4", " FR*ABC*E1234 "])
def test_an_iso_evse_id_is_kept_as_given_and_compared_by_normal_form(text: str) -> None:
    evse = EvseId(text)
    assert str(evse) == text
    assert evse.normal == "FRABCE1234"
    assert evse == EvseId("FR*ABC*E1234")
    assert evse.party == PartyId("FR*ABC")
    assert evse.well_formed


def test_a_lower_case_evse_id_is_kept_and_compared_by_normal_form() -> None:
    assert str(EvseId("fr*abc*e1")) == "fr*abc*e1"
    assert EvseId("fr*abc*e1") == EvseId("FRABCE1")


@pytest.mark.parametrize(
    ("text", "separated"),
    [
        ("FRABCE1234", "FR*ABC*E1234"),
        ("fr*abc*e12*3", "FR*ABC*E12*3"),
        ("+49*810*000*438", "+49*810*000*438"),
        ("49*810*000438", "+49*810*000438"),
        ("NL.SPI.ECO01064*1", "NL.SPI.ECO01064*1"),
    ],
)
def test_an_evse_id_is_written_with_separators_where_it_has_a_form(text: str, separated: str) -> None:
    assert EvseId(text).separated() == separated


@pytest.mark.parametrize("text", ["+49*810*000*438", "49*810*000438", "+49*810*0004*38"])
def test_din_evse_ids_are_compared_without_their_inner_separators(text: str) -> None:
    assert EvseId(text) == EvseId("+49*810*000438")
    assert EvseId(text).party == PartyId("+49*810")


@pytest.mark.parametrize("text", ["NL.SPI.ECO01064*1", "FRC2P0052011", "", "FR*ABC*E", "FR*ABC*E1 2", "x" * 200])
def test_a_malformed_evse_id_is_kept_and_says_so(text: str) -> None:
    evse = EvseId(text)
    assert not evse.well_formed
    assert str(evse) == text
    assert evse.party is None
    assert evse == EvseId(text.lower())


@pytest.mark.parametrize("text", ["FR*C2P*0052011", " fr*c2p*0052011 ", "FRC2P*0052011"])
def test_a_malformed_evse_id_is_compared_without_its_separators_too(text: str) -> None:
    assert EvseId(text) == EvseId("FRC2P0052011")
    assert EvseId(text).separated() == text


@pytest.mark.parametrize("made", [PartyId("FR*ABC"), EvseId("FR*ABC*E1"), ContractId("FR-ABC-C12345678-9")])
def test_an_id_cannot_be_changed(made: PartyId | EvseId | ContractId) -> None:
    for name in ("text", "normal", "party", "anything"):
        with pytest.raises(AttributeError, match="cannot be changed"):
            setattr(made, name, "FRXYZ")
    with pytest.raises(AttributeError, match="cannot be changed"):
        del made.normal


def test_ids_of_different_kinds_or_texts_are_not_equal() -> None:
    assert EvseId("FRABCE1") != EvseId("FRABCE2")
    assert PartyId("FRABC") != "FR*ABC"
    assert EvseId("FRABC") != PartyId("FRABC")


def test_an_id_is_a_json_string_both_ways() -> None:
    holder = Holder.model_validate_json('{"party": "fr-abc", "evse": "FRABCE1"}')
    assert json.loads(holder.model_dump_json()) == {"party": "FR*ABC", "evse": "FRABCE1"}
    assert holder.model_dump(mode="json") == {"party": "FR*ABC", "evse": "FRABCE1"}
    assert Holder.model_validate({"party": PartyId("FRABC"), "evse": "FR*ABC*E1"}) == holder


@pytest.mark.parametrize("value", [1, None, True, ["FRABC"], {"text": "FRABC"}, "FRABCD"])
def test_what_is_no_text_is_no_id(value: object) -> None:
    with pytest.raises(ValidationError):
        Holder.model_validate({"party": value})


def test_the_schema_of_an_id_is_a_string_and_a_partys_has_its_form() -> None:
    assert TypeAdapter(EvseId).json_schema()["type"] == "string"
    assert "pattern" in TypeAdapter(PartyId).json_schema()


def test_an_id_can_be_a_key_copied_and_printed() -> None:
    evse = EvseId("FR*ABC*E1")
    assert {evse: 1}[EvseId("FRABCE1")] == 1
    assert copy.copy(evse) is copy.deepcopy(evse) is evse
    assert repr(evse) == "EvseId('FR*ABC*E1')"
    assert pickle.loads(pickle.dumps(evse)) == evse


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2),
    st.text(ALNUM, min_size=3, max_size=3),
    st.text(ALNUM, min_size=1, max_size=30),
)
def test_every_spelling_of_an_evse_id_is_the_same_id(country: str, code: str, instance: str) -> None:
    spellings = [f"{country}*{code}*E{instance}", f"{country}{code}E{instance}", f"{country}*{code}e{instance}".lower()]
    assert len({EvseId(text) for text in spellings}) == 1
    assert all(EvseId(text).party == PartyId.of(country, code) for text in spellings)
    assert EvseId(EvseId(spellings[1]).separated()) == EvseId(spellings[0])


@given(st.text(max_size=60))
def test_any_text_is_an_evse_id_and_is_kept(text: str) -> None:
    assert str(EvseId(text)) == text
    assert EvseId(text) == EvseId(text)


@pytest.mark.parametrize(("value", "said"), [("FRABCD", "'FRABCD' is not a party id"), (7, "a valid string")])
def test_what_is_no_identifier_is_one_fault_at_its_field(value: object, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Holder.model_validate({"party": value})
    [fault] = refused.value.errors()
    assert fault["loc"] == ("party",)
    assert said in fault["msg"]
