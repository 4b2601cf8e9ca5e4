"""Who is billed, and how VAT ids look."""

import pytest
from pydantic import ValidationError

from mappings.canonical.billing import BillingParty
from mappings.canonical.vat import EU_MEMBERS, VAT_IDS, is_vat_id
from mappings.ocpi.countries import ALPHA_3

RIGHT = {
    "AUT": "ATU13585627",
    "BEL": "BE0202239951",
    "BGR": "BG175074752",
    "CHE": "CHE-116.281.710 MWST",
    "CYP": "CY10259033P",
    "CZE": "CZ25123891",
    "DEU": "DE 136 695 976",
    "DNK": "DK13585628",
    "ESP": "ESA28015865",
    "EST": "EE100931558",
    "FIN": "FI20774740",
    "FRA": "FR 83 404 833 048",
    "GBR": "GB980780684",
    "GRC": "EL094259216",
    "HRV": "HR33392005961",
    "HUN": "HU12892312",
    "IRL": "IE6433435F",
    "ITA": "IT00743110157",
    "LIE": "LI12345",
    "LTU": "LT119511515",
    "LUX": "LU15027442",
    "LVA": "LV40003521600",
    "MLT": "MT11679112",
    "NLD": "NL004495445B01",
    "NOR": "NO 976 390 512 MVA",
    "POL": "PL8567346215",
    "PRT": "PT501964843",
    "ROU": "RO18547290",
    "SVK": "SK2022749619",
    "SVN": "SI50223054",
    "SWE": "SE123456789701",
}


def billed(country: str, vat_id: str | None) -> BillingParty:
    return BillingParty(party="FR*ABC", name="A", country=country, vat_id=vat_id)  # type: ignore[arg-type]


@pytest.mark.parametrize("country", sorted(VAT_IDS))
def test_an_id_of_each_country_is_taken_and_kept_plain(country: str) -> None:
    kept = billed(country, RIGHT[country]).vat_id
    assert kept is not None
    assert kept.isalnum()
    assert is_vat_id(kept, country)


@pytest.mark.parametrize("country", sorted(VAT_IDS))
def test_ids_of_other_countries_and_wrong_lengths_are_none(country: str) -> None:
    plain = billed(country, RIGHT[country]).vat_id
    assert plain is not None
    for wrong in (plain + "0" * 9, "XX" + plain[2:], "", plain[:2]):
        with pytest.raises(ValidationError, match=f"does not look like a VAT id of {country}"):
            billed(country, wrong)


def test_of_a_country_that_is_not_listed_any_id_is_taken() -> None:
    assert billed("USA", "12-3456789").vat_id == "123456789"
    with pytest.raises(ValidationError, match="does not look like"):
        billed("USA", "?")


def test_who_has_none_needs_none() -> None:
    assert billed("FRA", None).vat_id is None


def test_greek_ids_begin_otherwise_than_their_country() -> None:
    with pytest.raises(ValidationError):
        billed("GRC", "GR094259216")


def test_every_country_that_is_listed_exists() -> None:
    assert set(VAT_IDS) <= set(ALPHA_3.values())
    assert len(EU_MEMBERS) == 27
