"""A leg: what one hub and we call the same charge."""

from typing import Annotated

from pydantic import StringConstraints

from mappings.canonical.base import Model
from mappings.canonical.ids import PartyId
from mappings.canonical.tokens import Identification

LONGEST_REFERENCE = 250
Reference = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_REFERENCE)]


class Leg(Model):
    """How a hub, and whoever is behind it, names a charge.

    Attributes:
        hub_session: The hub's id of the session (OICP's SessionID, Gireve's session id where it tells one).
        own_session: The id that we gave the hub (OICP's CPOPartnerSessionID).
        emsp_session: The EMSP's id of the session (OICP's EMPPartnerSessionID).
        reference: What the EMSP or hub wants to see again in session and CDR (OCPI's authorization_reference).
        emsp: Who answers for the driver; None where the hub does not tell.
        identification: The driver, as this hub knows them.
        product: The EMSP's and CPO's name for the price (OICP's PartnerProductID).
    """

    hub_session: Reference | None = None
    own_session: Reference | None = None
    emsp_session: Reference | None = None
    reference: Reference | None = None
    emsp: PartyId | None = None
    identification: Identification
    product: Reference | None = None

    def may_be_of(self, emsp: PartyId | None) -> bool:
        """Tells whether an EMSP may be who answers for the driver: it is, or either is not known."""
        return emsp is None or self.emsp is None or self.emsp == emsp
