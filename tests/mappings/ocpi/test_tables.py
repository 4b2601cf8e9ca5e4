import pytest

from mappings.canonical.commands import CommandResult
from mappings.docs import page
from mappings.ocpi.dialects import gireve_tables
from mappings.ocpi.v2_2_1 import tables
from mappings.tables import NotRepresentable

LOSSY = {
    ("ConnectorType", "AVCON"),
    ("EnergySourceCategory", "GEOTHERMAL"),
    ("EnergySourceCategory", "BIOMASS"),
    ("EnergySourceCategory", "PETROLEUM"),
    ("TariffDimensionType", "SESSION_TIME"),
    ("TokenType", "QR_CODE"),
    ("TokenType", "PLUG_AND_CHARGE"),
    *(
        ("CommandResponseType", each.value)
        for each in CommandResult
        if each.value not in {"ACCEPTED", "NOT_SUPPORTED", "REJECTED", "UNKNOWN_SESSION"}
    ),
    ("CommandResultType", "UNKNOWN_SESSION"),
    ("CommandResultType", "UNKNOWN_EVSE"),
    ("CommandResultType", "EVSE_RESERVED"),
    ("CommandResultType", "NO_VEHICLE"),
    ("CommandResultType", "NO_CONTRACT"),
}


def test_the_words_that_ocpi_says_less_precisely_or_not_at_all_are_these() -> None:
    lost = {(name, row.canonical) for name, table in tables.ENUMS for row in table.rows() if row.lost}
    assert lost == LOSSY


@pytest.mark.parametrize(("name", "table"), [pytest.param(n, t, id=n) for n, t in gireve_tables.ENUMS])
def test_every_word_of_the_wire_is_read_and_every_canonical_one_said_or_named_as_unsayable(name, table) -> None:
    for wire in table.wire:
        assert table.from_canonical(table.to_canonical(wire.value)) is wire
    for member in table.canonical:
        try:
            said = table.from_canonical(member)
        except NotRepresentable:
            assert (name, member.value) in LOSSY
        else:
            assert table.to_canonical(said.value) is member or table.lost(member)


def test_a_page_can_be_written_for_plain_ocpi_and_for_gireve() -> None:
    plain = page("OCPI 2.2.1", tables.FIELDS, tables.ENUMS, tables.NOTES)
    ours = page("Gireve", gireve_tables.FIELDS, gireve_tables.ENUMS, gireve_tables.NOTES)
    assert "`Location.hotline`" in plain
    assert "target_operator_party_id" in ours
    assert "target_operator_party_id" not in plain
