import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from mappings.canonical import check_digits
from mappings.canonical.ids import ContractId, PartyId

ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

iso_signs = st.tuples(st.text(LETTERS, min_size=2, max_size=2), st.text(ALNUM, min_size=12, max_size=12)).map("".join)
din_signs = st.tuples(st.text(LETTERS, min_size=2, max_size=2), st.text(ALNUM, min_size=9, max_size=9)).map("".join)


@pytest.mark.parametrize(
    ("signs", "digit"),
    [
        ("NN123ABCDEFGHI", "T"),
        ("FRXYZ123456789", "2"),
        ("ITA1B2C3E4F5G6", "4"),
        ("ESZU8WOX834H1D", "R"),
        ("PT73902837ABCZ", "Z"),
        ("DE83DUIEN83QGZ", "D"),
        ("DE83DUIEN83ZGQ", "M"),
        ("DE8AA001234567", "0"),
    ],
)  # the examples published with the algorithm
def test_the_iso_check_digit_is_the_published_one(signs: str, digit: str) -> None:
    assert check_digits.iso(signs) == digit


@pytest.mark.parametrize(
    ("signs", "digit"),
    [("INTNM000071", "9"), ("INTNM000110", "X"), ("INTNM000124", "0"), ("INTNM000114", "6"), ("INTNM000191", "5")],
)
def test_the_din_check_digit_is_the_published_one(signs: str, digit: str) -> None:
    assert check_digits.din(signs) == digit


@pytest.mark.parametrize(
    "signs", ["", "DE8AA00123456", "DE8AA0012345678", "de8aa001234567", "DE8AA00123456Ä", "DE8AA٣01234567"]
)
def test_other_signs_have_no_check_digit(signs: str) -> None:
    with pytest.raises(ValueError, match="capitals and digits"):
        check_digits.iso(signs)
    with pytest.raises(ValueError, match="capitals and digits"):
        check_digits.din(signs)


@given(iso_signs, st.integers(0, 13), st.sampled_from(ALNUM))
def test_the_iso_check_digit_finds_every_wrong_sign(signs: str, at: int, wrong: str) -> None:
    assume(signs[at] != wrong)
    assert check_digits.iso(signs) != check_digits.iso(signs[:at] + wrong + signs[at + 1 :])


@given(iso_signs, st.integers(0, 12))
def test_the_iso_check_digit_finds_every_swap_of_neighbours(signs: str, at: int) -> None:
    assume(signs[at] != signs[at + 1])
    assert check_digits.iso(signs) != check_digits.iso(signs[:at] + signs[at + 1] + signs[at] + signs[at + 2 :])


@pytest.mark.parametrize(
    "text",
    ["FR-XYZ-123456789-2", "FRXYZ1234567892", "fr-xyz-123456789-2", "FR-XYZ-123456789", "FRXYZ123456789",
     "FR*XYZ*123456789", " FR-XYZ123456789 "],
)  # fmt: skip
def test_an_iso_id_is_the_same_with_and_without_separators_case_and_check_digit(text: str) -> None:
    contract = ContractId(text)
    assert contract == ContractId("FR-XYZ-123456789-2")
    assert str(contract) == text
    assert contract.well_formed
    assert (contract.party, contract.instance) == (PartyId("FR*XYZ"), "123456789")
    assert contract.separated() == "FR-XYZ-123456789-2"
    assert contract.separated(check_digit=False) == "FR-XYZ-123456789"
    assert (contract.compact(), contract.compact(check_digit=True)) == ("FRXYZ123456789", "FRXYZ1234567892")


@pytest.mark.parametrize("text", ["IN*TNM*000110*X", "INTNM000110X", "in-tnm-000110-x", "IN*TNM*000110", "INTNM000110"])
def test_a_din_id_is_the_same_with_and_without_separators_case_and_check_digit(text: str) -> None:
    contract = ContractId(text)
    assert contract == ContractId("IN*TNM*000110*X")
    assert contract.well_formed
    assert contract.separated() == "IN*TNM*000110*X"
    assert contract.compact() == "INTNM000110"


def test_a_wrong_check_digit_makes_another_id() -> None:
    wrong = ContractId("FR-XYZ-123456789-3")
    assert not wrong.well_formed
    assert (wrong.check_digit, wrong.expected_check_digit, wrong.party) == ("3", "2", PartyId("FR*XYZ"))
    assert wrong != ContractId("FR-XYZ-123456789")
    assert wrong == ContractId("FRXYZ1234567893")
    assert wrong.separated() == wrong.compact() == "FR-XYZ-123456789-3"


def test_a_din_id_equals_no_iso_id() -> None:
    assert ContractId("NL-TNM-012204-5") != ContractId("NL-TNM-000122045")


@pytest.mark.parametrize(
    "text",
    ["", "card 7", "FR-XYZ-1234567890-2", "FRXYZ12345678", "IN*TNM*000110*A", "F1XYZ123456789", "ÉRXYZ123456789"],
)
def test_any_other_text_is_kept_and_compared_without_case(text: str) -> None:
    contract = ContractId(text)
    assert not contract.well_formed
    assert (str(contract), contract.separated(), contract.party) == (text, text, None)
    assert contract == ContractId(text.lower())


def test_a_contract_id_is_a_json_string_both_ways() -> None:
    adapter = TypeAdapter(ContractId)
    assert adapter.dump_json(adapter.validate_json('"fr-xyz-123456789-2"')) == b'"fr-xyz-123456789-2"'


@given(iso_signs)
def test_an_iso_id_written_in_any_way_reads_back_as_itself(signs: str) -> None:
    contract = ContractId(signs)
    written = {contract.separated(), contract.separated(check_digit=False), contract.compact(check_digit=True)}
    assert {ContractId(text) for text in written} == {contract}


@given(din_signs)
def test_a_din_id_written_in_any_way_reads_back_as_itself(signs: str) -> None:
    contract = ContractId(signs)
    written = {contract.separated(), contract.separated(check_digit=False), contract.compact(check_digit=True)}
    assert {ContractId(text) for text in written} == {contract}


@given(st.text(max_size=40))
def test_any_text_is_a_contract_id_and_is_kept(text: str) -> None:
    assert str(ContractId(text)) == text
