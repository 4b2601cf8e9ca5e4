"""Who is billed, and how: what stands of a CPO or EMSP on a settlement."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from mappings.canonical.base import Model
from mappings.canonical.ids import PartyId
from mappings.canonical.vat import is_vat_id, plain_vat_id

_Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]+$")
]


class BillingParty(Model):
    """A CPO or EMSP, ours or a partner's, as it is named on a settlement.

    Attributes:
        name: The legal name.
        country: Where it is established; ISO 3166-1 alpha-3.
        vat_id: Of that country, with its prefix; kept without blanks, dots and dashes. None where it has none.
        address: Line by line, as on an envelope.
    """

    party: PartyId
    name: _Line
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    vat_id: Annotated[str, StringConstraints(max_length=40), AfterValidator(plain_vat_id)] | None = None
    address: Annotated[tuple[_Line, ...], Field(max_length=8)] = ()
    email: Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s.]+$")] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.vat_id is not None and not is_vat_id(self.vat_id, self.country):
            raise ValueError(f"vat_id: does not look like a VAT id of {self.country}")
        return self
