"""Canonical objects to what IOP takes, with the connection's defaults; pure."""

from adapters.core.pricing import Compare, Unsayable
from adapters.gireve.settings import Settings
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Evse, EvseStatus, Location
from mappings.canonical.tariffs import Tariff, TariffType
from mappings.ocpi.dialects import gireve, gireve_tariffs
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, IssueKind, Refused

NONE_SAID = Refused("evses", "none of the EVSEs can be said")
"""Why a location is not told of although its own fields could be."""


class Rendering:
    """Writes objects for one connection.

    Args:
        compare: Says what an approximation does to prices; None where nobody reads the issues.
    """

    def __init__(self, settings: Settings, compare: Compare | None = None) -> None:
        self._types, self._targets = settings.tariff_types, settings.tariff_targets
        self._unsayable, self._compare = settings.unsayable, compare
        self._settings = gireve.GireveSettings(
            operator_name=settings.operator_name,
            owner_name=settings.owner_name,
            connectors=settings.connector_defaults,
        )

    def location(self, location: Location) -> tuple[Wire, list[Issue]]:
        """Writes a location without its EVSEs.

        Raises:
            Refused: Gireve cannot be told of it.
        """
        return gireve.location_from_canonical(location.model_copy(update={"evses": ()}), self._settings)

    def evse(self, party: PartyId, evse: Evse) -> tuple[Wire, list[Issue]]:
        """Writes one EVSE of a party's location.

        Raises:
            Refused: Gireve cannot be told of it.
        """
        return gireve.evse_from_canonical(evse, party, self._settings)

    def whole(self, location: Location, *, removed_too: bool) -> Wire:
        """Writes a location with those of its EVSEs that can be said, for a pull.

        Args:
            removed_too: REMOVED EVSEs are listed, as tombstones.

        Raises:
            Refused: Gireve cannot be told of the location, or of none of its EVSEs.
        """
        wire, _ = self.location(location)
        evses = []
        told = [evse for evse in location.evses if removed_too or evse.status is not EvseStatus.REMOVED]
        for evse in told:
            try:
                evses.append(self.evse(location.party, evse)[0])
            except Refused:
                continue  # the projection of its own has told why
        if evses:
            wire["evses"] = evses
        elif told:
            raise NONE_SAID
        return wire

    def tells(self, tariff: Tariff) -> bool:
        """Tells whether Gireve is to hear of a tariff; one without a type holds for regular use too."""
        return self._withheld(tariff) is None

    def _withheld(self, tariff: Tariff) -> Refused | None:
        if (tariff.type or TariffType.REGULAR) not in self._types:
            return Refused("type", "tariffs of this type are not told over this connection", tariff.type)
        if tariff.target is not None and self._targets is not None and tariff.target not in self._targets:
            return Refused("target", "prices of this EMSP are not told over this connection", tariff.target)
        return None

    def tariff(self, tariff: Tariff) -> tuple[Wire, list[Issue]]:
        """Writes a tariff, with its target.

        What Gireve is not known to heed is in it all the same, where it may be sent: it does no harm, and may count.

        Raises:
            Refused: Gireve cannot be told of it, shall not be, or is not known to price it as it is written.
        """
        if (withheld := self._withheld(tariff)) is not None:
            raise withheld
        heeded, unheeded = gireve_tariffs.heeded(tariff)
        if unheeded and self._unsayable is Unsayable.REFUSE:
            *before, last = unheeded
            raise Refused(last.field, last.detail, last.value, before)
        wire, issues = gireve_tariffs.from_canonical(tariff)
        if unheeded and self._compare is not None:
            effect = f"where Gireve does not heed that, {self._compare(tariff, heeded)}"
            unheeded.append(Issue(IssueKind.NARROWED, "", effect))
        if tariff.type is None:
            # OCPI: one without a type is for all sessions. Gireve forwards what is REGULAR (guide, tariff type).
            wire["type"] = TariffType.REGULAR.value
            issues.append(
                Issue(IssueKind.NARROWED, "type", "is missing: said to be REGULAR, since Gireve forwards that")
            )
        return wire, [*unheeded, *issues]
